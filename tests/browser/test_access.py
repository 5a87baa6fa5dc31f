"""What signs is there for everybody: for readers, in every rendering, when narrow, and by keyboard alone."""

from __future__ import annotations

import pytest

from tests.browser.site import Site
from tests.browser.test_flows import address
from tests.programs.world import key

pytestmark = pytest.mark.browser

SUPPLIER = key("supplier a")
PATH = f"/devices/{address('a3')}"
BEGUN = [
    ["open", PATH],
    ["click", "Connect Test wallet"],
    ["fill", "IO to stake", "10"],
    ["click", "Stake"],
    ["see", "Who has what"],
]
RENDERINGS = [
    [["media", {"colorScheme": "light"}]],
    [["media", {"colorScheme": "dark"}]],
    [["media", {"forcedColors": "active"}]],
    [["media", {"forcedColors": "none"}], ["size", 320, 700]],
]


def test_axe_finds_nothing_in_any_rendering(site: Site) -> None:
    looks = [[*each, ["axe"], ["overflow"]] for each in RENDERINGS]
    before = [["open", PATH], ["axe"], ["open", f"/wallets/{SUPPLIER.pubkey()}"], ["axe"]]
    seen = site.visit([*before, *BEGUN, *(step for steps in looks for step in steps)], SUPPLIER)
    assert (seen[1], seen[3]) == ([], [])
    rest = [each for each in seen[len(before) + len(BEGUN) :] if each is not None]
    assert rest == [[], 0] * len(RENDERINGS)


def test_who_leaves_an_act_is_where_it_began(site: Site) -> None:
    """Every flow of the other files is by keyboard, which is never without a place that is seen."""
    steps = [
        *([["open", PATH], ["click", "Connect Test wallet"], ["see", "of yours count"], ["focused"]]),
        *([["fill", "IO to stake", "10"], ["click", "Stake"], ["see", "Who has what"], ["focused"]]),
        *([["click", "Cancel"], ["gone", "Who has what"], ["focused"]]),
        *([["fill", "IO to stake", "0"], ["click", "Stake"], ["see", "Not possible now"], ["focused"]]),
        *([["click", "Close"], ["gone", "Not possible now"], ["focused"]]),
        *([["click", "Disconnect"], ["see", "Connect Test wallet"], ["focused"]]),
    ]
    seen = [each for each in site.visit(steps, SUPPLIER, keys=True) if each]
    assert seen == [
        "With your wallet",
        "Stake 10.00000000 IO on the device",
        "Stake",
        "Not possible now",
        "Stake",
        "With your wallet",
    ]
