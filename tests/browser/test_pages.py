"""Every page in Chromium: for everybody, in each rendering, when narrow, on paper, and without scripts."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

import pytest

from keeper.clients import orders, staking
from tests.browser.conftest import EVIDENCE
from tests.browser.site import Site
from tests.browser.test_access import RENDERINGS
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import key

pytestmark = pytest.mark.browser
SUPPLIER = key("supplier a").pubkey()


def paths(site: Site) -> list[str]:
    """One of each kind of page, on a network with leases that run and a slash that can be appealed."""
    order = site.world.read_order(key("renter"), 1)
    lease = orders.lease_address(order.address, staking.device_address(key("a1").pubkey()))
    slash = staking.slash_address(staking.device_address(key("b2").pubkey()), EVIDENCE)
    with urlopen(f"{site.web}/api/v1/transactions?address={order.address}&limit=1") as answer:
        (happened,) = json.load(answer)["data"]
    return [
        *("/", "/supply", "/blocks", "/devices", "/stake", f"/stake?wallet={SUPPLIER}", "/offers", "/market"),
        *(f"/market/{GPU_CLASS}", "/orders", f"/orders/{order.address}", f"/leases/{lease}", "/buyback"),
        *("/slashes", f"/slashes/{slash}", "/audit", f"/wallets/{SUPPLIER}", f"/history?address={SUPPLIER}"),
        *(f"/devices/{key('a3').pubkey()}", f"/tx/{happened['signature']}", "/how", "/settings", "/nothing"),
    ]


def test_axe_finds_nothing_on_any_page_and_none_scrolls_sideways(rented: Site) -> None:
    found: dict[str, Any] = {}
    all_paths = paths(rented)
    for rendering in RENDERINGS:
        looked = [step for path in all_paths for step in (["open", path], ["axe"], ["overflow"])]
        seen = rented.visit([*rendering, *looked])[len(rendering) :]
        for number, path in enumerate(all_paths):
            barriers, beyond = seen[3 * number + 1 : 3 * number + 3]
            if barriers or beyond > 0:
                found[f"{path} {rendering}"] = (barriers, beyond)
    assert found == {}


def test_pages_are_whole_without_scripts_and_on_paper(rented: Site) -> None:
    all_paths = paths(rented)
    looked = [step for path in all_paths for step in (["open", path], ["words"], ["overflow"])]
    plain = rented.visit(looked, context={"javaScriptEnabled": False})
    printed = rented.visit([["media", {"media": "print"}], *looked])[1:]
    for number, path in enumerate(all_paths):
        for seen in (plain, printed):
            words, beyond = seen[3 * number + 1], seen[3 * number + 2]
            assert len(words) > 60 and beyond <= 0, path
    for number, path in enumerate(all_paths):
        assert "Find" in plain[3 * number + 1], path
        assert "Find" not in printed[3 * number + 1], path
