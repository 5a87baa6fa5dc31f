"""What goes wrong between a page, a wallet and a node is said, and nothing is sent that wasn't shown."""

from __future__ import annotations

import pytest

from tests.browser.site import Site, digits
from tests.browser.test_flows import address
from tests.programs.world import key

pytestmark = pytest.mark.browser
SUPPLIER = key("supplier a")
PATH = f"/devices/{address('a3')}"
SHOWN = [
    ["open", PATH],
    ["click", "Connect Test wallet"],
    ["fill", "IO to stake", "10"],
    ["click", "Stake"],
    ["see", "Who has what"],
]
SIGN = ["click", "Sign with Test wallet"]


def test_a_wallet_that_refuses_changes_or_signs_nothing_sends_nothing(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    for mode, words in (
        ("refuses", "Your wallet didn't sign: the user said no. Nothing was sent."),
        ("changes", "Your wallet changed what was to be signed, beyond adding checks: nothing was sent."),
        ("unsigned", "Your wallet gave it back without its signature: nothing was sent."),
    ):
        site.visit([*SHOWN, SIGN, ["see", words], ["buttons"]], SUPPLIER, mode)
        assert site.io(SUPPLIER.pubkey()) == before, mode


def test_a_check_that_a_wallet_adds_is_named(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    steps = [*SHOWN, SIGN, ["state", "final"], ["see", "Your wallet added a check by Memo."]]
    site.visit(steps, SUPPLIER, "adds")
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000


def test_the_programs_own_words_say_why_not(site: Site) -> None:
    steps = [*SHOWN[:2], ["fill", "IO to stake", "1000000"], ["click", "Stake"], ["see", "Not possible now"]]
    island = site.visit([*steps, ["island"], ["buttons"]], SUPPLIER)
    assert "It can't be done: there are fewer tokens in the account than this takes." in island[-2]
    assert "Sign with Test wallet" not in island[-1]
    told = ["see", "Not possible now"], ["told"], ["click", "Close"]
    typed = [
        [["fill", "IO to stake", each], ["click", "Stake"], *told]
        for each in ("", "1.123456789", "-1", "1e3")
    ]
    seen = site.visit([*SHOWN[:2], *(step for steps in typed for step in steps)], SUPPLIER)
    words = "Write an amount such as 1,250.5, with 8 decimals at most."
    assert [words in each for each in seen[2 + 3 :: 5]] == [True] * len(typed)


def test_a_node_that_is_away_is_said_before_anybody_signs(site: Site) -> None:
    words = "The node, or the server of this page, doesn't answer: try again."
    begun = [*SHOWN[:3], ["cut", site.node], ["click", "Stake"], ["see", words], ["buttons"]]
    again = [["mend", site.node], ["click", "Close"], ["click", "Stake"], ["see", "Who has what"]]
    seen = site.visit([*begun, *again], SUPPLIER)
    assert "Sign with Test wallet" not in seen[6]


def test_a_reload_goes_on_with_what_was_sent_while_the_node_was_away(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    away = [SIGN, ["called", "release"], ["cut", site.node], ["call", "release"], ["state", "unknown"]]
    again = [["reload"], ["state", "unknown"], ["mend", site.node], ["state", "final"]]
    *_, signature, asked = site.visit([*SHOWN, *away, *again, ["signature"], ["asked"]], SUPPLIER, "slow")
    assert len(signature) >= 86 and asked == 0
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000


def test_what_is_shown_is_tried_again_when_it_is_old(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    again = [["later", 61], SIGN, ["see", "It was more than a minute old"], ["asked"]]
    *_, asked, _, _, once = site.visit(
        [*SHOWN, ["asked"], *again[:-1], ["asked"], SIGN, ["state", "final"], ["asked"]], SUPPLIER
    )
    assert (asked, once) == (0, 1)
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000


def test_two_tabs_dont_pay_twice(site: Site) -> None:
    """One that shows the same as another that has sent it shows it anew; what is on its way comes first."""
    before = site.io(SUPPLIER.pubkey())
    other = [["window", 1], *SHOWN, ["window", 0], SIGN]
    asks = ["see", "Your wallet is asked in another tab already"]
    slow = [["called", "release"], ["window", 1], SIGN, asks, ["window", 0], ["call", "release"]]
    seen = [["state", "final"], ["window", 1], SIGN, ["see", "Something else was sent from this browser"]]
    shown = [["see", "Who has what"], ["table"], ["asked"]]
    *_, table, asked = site.visit([*SHOWN, *other, *slow, *seen, *shown], SUPPLIER, "slow")
    assert asked == 0
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000
    (mine,) = [row["cells"][2] for row in table if row["cells"][0] == "you" and row["unit"] == "IO"]
    assert digits(mine) == before - 1_000_000_000


def test_what_is_on_its_way_in_one_tab_is_shown_in_another(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    away = [SIGN, ["called", "release"], ["cut", site.node], ["call", "release"], ["state", "unknown"]]
    other = [["window", 1], ["open", PATH], ["state", "unknown"], ["mend", site.node], ["state", "final"]]
    first = [["window", 0], ["state", "final"]]
    site.visit([*SHOWN, *away, *other, *first], SUPPLIER, "slow")
    assert site.io(SUPPLIER.pubkey()) == before - 1_000_000_000


def test_what_is_too_old_to_land_has_expired(site: Site) -> None:
    before = site.io(SUPPLIER.pubkey())
    away = [SIGN, ["called", "release"], ["cut", site.node], ["call", "release"], ["state", "unknown"]]
    site.visit([*SHOWN, *away, ["older", site.node], ["state", "expired"]], SUPPLIER, "slow")
    assert site.io(SUPPLIER.pubkey()) == before
