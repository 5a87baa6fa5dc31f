"""What a viewer chooses for their own browser, the node and light or dark; a wallet's stakes on one page."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.browser.site import Site
from tests.browser.test_flows import address
from tests.programs.world import key

pytestmark = pytest.mark.browser
SUPPLIER = key("supplier a")
STAKE = f"/stake?wallet={SUPPLIER.pubkey()}"


def test_a_node_of_ones_own_checks_and_sends(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    own = site.node.replace("127.0.0.1", "localhost")
    path = f"/devices/{address('a3')}"
    begun = [["fill", "IO to stake", "10"], ["click", "Stake"]]
    chosen = [
        *([["open", "/settings"], ["fill", "its RPC address", "http://node.example"], ["click", "Keep"]]),
        *([["see", "Write its address with https"], ["fill", "its RPC address", own], ["click", "Keep"]]),
        ["see", "Kept: it answers, and is of the same network as this site's node."],
    ]
    # The site's own is away from here on: whatever is read, tried and sent is by the other one.
    signed = [
        ["see", "As the node of your choice says"],
        ["click", "Sign with Test wallet"],
        ["state", "final"],
    ]
    first = [["open", path], ["click", "Connect Test wallet"], *begun, ["see", "As this site's node says"]]
    site.visit([*first, *chosen, ["cut", site.node], ["open", path], *begun, *signed], SUPPLIER)
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000


def test_light_or_dark_is_there_before_anything_is_seen(site: Site) -> None:
    dark = [["open", "/settings"], ["tick", "dark"], ["click", "Keep"], ["see", "Kept."], ["paper"]]
    seen = site.visit([["open", "/"], ["paper"], *dark, ["open", "/"], ["paper"]])
    light, chosen, after = seen[1], seen[6], seen[8]
    assert light == "rgb(255, 255, 255)" != chosen == after


def test_an_explorer_of_ones_own(site: Site) -> None:
    path, own = f"/devices/{address('a3')}", "https://explorer.example/{tx,account}/{id}"
    shown = [["open", path], ["led"]]
    wrong = [["open", "/settings"], ["fill", "Its address", "https://explorer.example/"], ["click", "Keep"]]
    chosen = [["see", "Write the explorer's address like"], ["fill", "Its address", own], ["click", "Keep"]]
    seen = site.visit([*shown, *wrong, *chosen, ["see", "Kept."], *shown])
    node = quote(site.node, safe="")
    of = address("a3")
    first = f"https://explorer.solana.com/address/{of}?cluster=custom&customUrl={node}"
    assert (seen[1], seen[-1]) == (first, f"https://explorer.example/account/{of}")


def test_a_wallets_stakes_are_claimed_and_taken_out_on_one_page(site: Site) -> None:
    worker, before = "a3", site.io(SUPPLIER.pubkey())
    staked = site.device(worker).own
    site.act(f"/devices/{address(worker)}", [["click", "Unstake all"]], SUPPLIER)
    cooling = site.device(worker)
    seen = site.visit(
        [["open", "/stake"], ["click", "Connect Test wallet"], ["follow", "What you have staked"]], SUPPLIER
    )
    assert seen is not None
    site.advance(cooling.own_until - site.now())
    site.act(STAKE, [["see", "can be taken out."], ["click", "Take out"]], SUPPLIER)
    assert site.io(SUPPLIER.pubkey()) == before + staked
