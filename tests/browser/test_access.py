"""What signs is there for everybody: by keyboard alone, for readers, in every rendering, when narrow."""

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


def test_a_stake_by_keyboard_alone(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    steps = [
        *([["open", PATH], ["tab", "Connect Test wallet"], ["press", "Enter"], ["see", "of yours count"]]),
        *([["tab", "IO to stake"], ["type", "10"], ["tab", "Stake"], ["press", "Enter"]]),
        # What is to be read has the focus by itself: the button is behind it.
        *(
            [
                ["see", "Who has what"],
                ["tab", "Sign with Test wallet"],
                ["press", "Space"],
                ["state", "final"],
            ]
        ),
        *([["tab", "Close"], ["press", "Enter"], ["gone", "Final: it has happened."]]),
    ]
    site.visit(steps, SUPPLIER)
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000
