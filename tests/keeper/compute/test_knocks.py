"""Who shows that a board can be reached, and what they make of many devices that are silent at once."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.compute.knocks import Reached, knock, who
from keeper.compute.refusals import Why, WireError
from keeper.compute.wire import Network
from scripts import silences
from tests.keeper.compute.messages import NETWORK

ONE, TWO, THREE = (Keypair.from_seed(bytes([each]) * 32) for each in range(1, 4))
KEYS = [each.pubkey() for each in (ONE, TWO, THREE)]
MS = 1_800_000_000_000


def came(data: bytes, here: Pubkey = KEYS[1], operators: list[Pubkey] = KEYS, now: int = MS) -> Pubkey:
    return who(data, NETWORK, here, operators, now)


def test_a_knock_is_who_signed_it() -> None:
    assert came(knock(NETWORK, KEYS[1], MS, ONE)) == KEYS[0]
    assert came(knock(NETWORK, KEYS[1], MS - 30_000, ONE)) == KEYS[0]


GOOD = knock(NETWORK, KEYS[1], MS, ONE)
REFUSED = {
    "cut": (GOOD[:-1], Why.MALFORMED),
    "nothing": (b"", Why.MALFORMED),
    "something else": (bytes(len(GOOD)), Why.MALFORMED),
    "for another board": (knock(NETWORK, KEYS[2], MS, ONE), Why.NOT_A_PARTY),
    "a stranger's": (knock(NETWORK, KEYS[1], MS, Keypair()), Why.NOT_A_PARTY),
    "its own": (knock(NETWORK, KEYS[1], MS, TWO), Why.NOT_A_PARTY),
    "another chain's": (
        knock(Network(bytes([1]) * 32, NETWORK.program), KEYS[1], MS, ONE),
        Why.WRONG_NETWORK,
    ),
    "old": (knock(NETWORK, KEYS[1], MS - 30_001, ONE), Why.WRONG_CLOCK),
    "from later": (knock(NETWORK, KEYS[1], MS + 30_001, ONE), Why.WRONG_CLOCK),
    "in another's name": (GOOD[:76] + bytes(KEYS[2]) + GOOD[108:], Why.BAD_SIGNATURE),
    "changed": (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), Why.BAD_SIGNATURE),
}


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_knock_is_refused_by_name(data: bytes, why: Why) -> None:
    with pytest.raises(WireError) as refused:
        came(data)
    assert refused.value.why is why


def knocked(*times: tuple[int, int], of: int = 5) -> Reached:
    """What knocks of operators 1.. at seconds make, of ``of`` others."""
    reached, others = Reached(180), [Pubkey(bytes([each]) * 32) for each in range(1, of + 1)]
    for second, operator in times:
        reached.knocked(others[operator - 1], others, second)
    return reached


def test_half_of_the_others_within_three_minutes_are_enough_and_one_is_not() -> None:
    assert knocked(*((second, 1) for second in range(1_000, 8_000, 60))).since(8_000) == 0
    assert knocked((1_000, 1), (1_060, 2)).since(1_100) == 0
    assert knocked((1_000, 1), (1_060, 2), (1_179, 3)).since(1_200) == 1_179
    assert knocked((1_000, 1), (1_060, 2), (1_180, 3)).since(1_200) == 0
    assert knocked((1_000, 1), of=2).since(1_100) == 1_000
    assert knocked((1_000, 1), of=1).since(1_179) == 1_000


def test_a_pause_begins_anew_and_so_does_a_clock_that_jumps() -> None:
    regular = [(second, 1) for second in range(1_000, 5_000, 179)]
    assert knocked(*regular, of=1).since(5_000) == 1_000
    assert knocked((1_000, 1), (1_180, 1), of=1).since(1_200) == 1_180
    assert knocked((1_000, 1), of=1).since(1_180) == 0
    assert knocked((1_000, 1), (900_000, 1), of=1).since(900_000) == 900_000
    assert knocked((900_000, 1), (1_000, 1), of=1).since(1_000) == 1_000
    assert knocked((1_000, 1), of=1).since(999) == 0


def test_who_is_no_operator_any_more_reaches_nobody() -> None:
    reached, (one, two) = Reached(180), KEYS[:2]
    reached.knocked(one, [one], 1_000)
    reached.knocked(two, [two], 1_060)
    assert reached.since(1_060) == 1_000
    reached.knocked(one, [two, KEYS[2], Pubkey(bytes([8]) * 32)], 1_239)
    assert reached.since(1_240) == 0


def test_no_share_gains_by_silence_and_an_outage_costs_only_what_the_page_says() -> None:
    assert silences.written(silences.PAGE.read_text()) == silences.PAGE.read_text(), (
        "python -m scripts.silences"
    )
    for story in silences.STORIES:
        assert silences.play(story, knocks=True).unserved == 0, story.name
    old = [silences.play(story, knocks=False).unserved for story in silences.STORIES]
    assert old == [0, 0, 12, 16, 20, 0, 0, 0, 0, 0, 0]
