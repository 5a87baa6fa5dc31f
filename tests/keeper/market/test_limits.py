"""What each of an order's limits leaves of all devices, and how that is said before anything is paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.clients.orders import Terms
from keeper.clients.staking import Device
from keeper.market.limits import limits
from keeper.terminal.quotes import served_by
from tests.keeper.market.test_offers import BOTH, CLASSES, NOW, device
from tests.programs.world import key

ALL = [
    device("one"),
    device("two", country="DE"),
    device("small", processors=1),
    device("abroad", country="FR"),
    device("dear", ask_io=10**15),
    device("hired", lease=key("lease").pubkey()),
    device("poor", own=0),
    device("other", device_class=3),
    device("gone", terminated=True),
]


def left(terms: Terms, devices: list[Device] = ALL, now: int = NOW) -> list[tuple[str, int]]:
    return [tuple(each) for each in limits(terms, devices, CLASSES, now)]


def said(terms: Terms, devices: list[Device] = ALL) -> str:
    return " ".join(served_by(limits(terms, devices, CLASSES, NOW), terms))


def test_each_limit_leaves_fewer() -> None:
    assert left(BOTH) == [
        ("of a class that it names", 7),
        ("with 4 processors", 6),
        ("of tier 1 or better", 6),
        ("in CH, DE", 5),
        ("let for IO at a price that it pays", 4),
        ("staked enough", 3),
        ("free now", 2),
    ]
    assert left(replace(BOTH, colocated=True))[-2:] == [("in one country", 2), ("free now", 1)]


@pytest.mark.parametrize(
    ("terms", "limit"),
    [
        (replace(BOTH, processors=8), "none with 8 processors"),
        (replace(BOTH, min_tier=4), "none of tier 4 or better"),
        (replace(BOTH, countries=("ZZ",)), "none in ZZ"),
        (replace(BOTH, price=1), "none let for IO at a price that it pays"),
        (replace(BOTH, classes=(2,)), "none of a class that it names"),
    ],
)
def test_what_nothing_can_serve_names_the_limit(terms: Terms, limit: str) -> None:
    found = said(terms)
    assert found.startswith("Nothing can serve it: it takes one.")
    assert found.endswith(f"{limit}."), "what comes after the limit that leaves none says nothing more"


def test_a_gang_of_more_than_there_are_and_places_that_nothing_fills() -> None:
    gang = replace(BOTH, devices=4, min_devices=4)
    assert said(gang).startswith("Nothing can serve it: it takes 4 at once.")
    assert said(gang).endswith("; 3 staked enough.")
    assert said(replace(BOTH, devices=4)).startswith("3 of its 4 places can be filled. ")
    assert said(replace(BOTH, devices=3)) == "Of 3 devices that can serve it 2 are free now."
    together = replace(BOTH, devices=3, min_devices=3)
    assert said(together) == "Of 3 devices that can serve it 2 are free now, and it takes 3 at once."
    assert said(replace(BOTH, devices=2)) == ""
