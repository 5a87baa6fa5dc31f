"""Pauses: what stops, what nothing can stop, and how a stop ends by itself."""

import pytest

from tests.programs.world import DAY
from tests.security.every import SUBJECTS, named, on_every_instruction, on_every_program
from tests.security.outcomes import refused, rehearsed, undone
from tests.security.people import address, do
from tests.security.subject import Subject

GUARDIAN = address("guardian")
BITS = (1, 2)
"""Each program has two: the IDLs' constants, which ``test_what_a_pause_may_be`` compares."""
MASKS = (0, 1, 2, 3)
FIRST = ("tokenomics", "initialize")
VOID = {("buyback", "bid"): "AuctionVoid"}
"""While bids are stopped the price falls: nobody may bid in that auction any more."""


def stopping(its: Subject, instruction: str) -> list[tuple[str, int]]:
    """The single bits that stop an instruction, by the program that is paused."""
    stops = its.stopped_by.get(instruction, {})
    return [(paused, bit) for paused, bits in stops.items() for bit in BITS if bits & bit]


def never_stopped(its: Subject, instruction: str) -> bool:
    return instruction not in its.stopped_by


@on_every_instruction({"nothing is initialised before it, so that there is no pause": named(FIRST)})
def test_only_money_coming_in_can_be_stopped(program: str, instruction: str) -> None:
    """Each instruction while each program is paused by each mask: every way out goes on above all."""
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    stops = its.stopped_by.get(instruction, {})
    found, wanted = {}, {}
    for paused, other in SUBJECTS.items():
        if not other.is_initialised(world):
            continue
        for mask in MASKS:
            with undone(world):
                do(world, other.pause(world, GUARDIAN, mask, other.client.PROGRAM.constants["MAX_PAUSE"]))
                found[paused, mask] = rehearsed(world, call) and refused(world, call)
            wanted[paused, mask] = "Paused" if stops.get(paused, 0) & mask else None
    assert found == wanted
    assert found


def test_there_is_nothing_to_pause_before_the_first_program() -> None:
    world, _ = SUBJECTS[FIRST[0]].scene(FIRST[1])
    assert not any(its.is_initialised(world) for its in SUBJECTS.values())


@on_every_program
def test_everything_that_is_stopped_is_an_instruction(program: str) -> None:
    its = SUBJECTS[program]
    assert its.stopped_by.keys() <= its.program.instructions.keys()


@on_every_instruction({"no pause stops it": never_stopped}, stop=stopping)
def test_a_pause_lapses_to_the_second(program: str, instruction: str, stop: tuple[str, int]) -> None:
    matrix = SUBJECTS[program].matrix
    world, build = matrix.world(instruction), matrix.calls[instruction].build
    paused, bit = stop
    with undone(world):
        do(world, SUBJECTS[paused].pause(world, GUARDIAN, bit, 60))
        world.chain.advance(59)
        assert refused(world, build(world)) == "Paused"
        world.chain.advance(1)
        assert rehearsed(world, build(world)) == VOID.get((program, instruction))


@on_every_instruction({"no pause stops it": never_stopped}, stop=stopping)
def test_a_lifted_pause_stops_nothing(program: str, instruction: str, stop: tuple[str, int]) -> None:
    world, call = SUBJECTS[program].scene(instruction)
    paused, bit = stop
    its = SUBJECTS[paused]
    with undone(world):
        do(world, its.pause(world, GUARDIAN, bit, 60), its.client.set_pause(GUARDIAN, 0, 0))
        assert rehearsed(world, call) == VOID.get((program, instruction))


@on_every_program
@pytest.mark.parametrize(
    ("mask", "longer", "error"),
    [
        (1, 0, None),
        (3, 0, None),
        (1, 1, "PauseTooLong"),
        (1, 2**63, "PauseTooLong"),
        (0, 1, "PauseTooLong"),
        (4, 0, "PauseMaskInvalid"),
        (2**32 - 1, 0, "PauseMaskInvalid"),
        (1 | 2**31, 0, "PauseMaskInvalid"),
    ],
)
def test_what_a_pause_may_be(program: str, mask: int, longer: int, error: str | None) -> None:
    its = SUBJECTS[program]
    constants = its.program.constants
    assert constants["MAX_PAUSE"] == 7 * DAY
    assert {bit for name, bit in constants.items() if name.startswith("PAUSE_")} == set(BITS)
    world, _ = its.scene("set_pause")
    call = its.pause(world, GUARDIAN, mask, constants["MAX_PAUSE"] + longer)
    assert rehearsed(world, call) == error
    assert error is None or refused(world, call) == error
