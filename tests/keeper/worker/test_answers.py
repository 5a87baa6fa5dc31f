"""An agent that operators ask about its sandbox: whom it answers, what, how often, and when it can't."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from keeper.compute.bodies import ANSWERS_PROBES, Key, Probed
from keeper.compute.probe import answer
from keeper.compute.states import AgentState
from keeper.worker.serving.answers import ANSWERED_SECONDS
from tests.keeper.worker.hiring import Field, HiredSite, close
from tests.programs.world import key

SEEDS = [bytes([number]) * 32 for number in range(1, 40)]


@pytest.fixture
async def field(tmp_path: Path):
    found = Field(tmp_path, ["one"])
    await found.begin()
    yield found
    await close(found)


async def hired(field: Field) -> HiredSite:
    """Its node is alive, and its renter's order has one device."""
    field.order = field.world.order(key("renter"), devices=1)
    field.world.match(field.order, "one")
    await field.turns(3)
    one = field.sites["one"]
    assert one.state is AgentState.ACTIVE
    return one


async def minute(field: Field, one: HiredSite, seconds: int = 30) -> None:
    """A BEAT, and seconds in which it answers."""
    await one.beat()
    await one.hired.answer()
    field.world.chain.advance(seconds)


def answers(field: Field, number: int = 0) -> list[tuple[bytes, bytes]]:
    said = field.boards[number].said(field.order.address)
    return [(each.body.seed, each.body.answer) for each in said if isinstance(each.body, Probed)]


async def test_its_key_says_that_it_answers(field: Field) -> None:
    await hired(field)
    said = field.boards[0].said(field.order.address)
    assert [each.body.capabilities for each in said if isinstance(each.body, Key)] == [ANSWERS_PROBES]


async def test_who_asks_is_answered_once_and_nobody_else(field: Field) -> None:
    one = await hired(field)
    field.boards[1].seed = SEEDS[0]
    for _ in range(3):
        await minute(field, one)
    assert [answers(field, number) for number in range(3)] == [[], [(SEEDS[0], answer(SEEDS[0]))], []]
    body = next(e.body for e in field.boards[1].said(field.order.address) if isinstance(e.body, Probed))
    assert (body.operator, body.number) == (field.boards[1].operator, 1)


async def test_a_board_that_is_away_has_its_answer_later_and_it_is_computed_once(field: Field) -> None:
    one = await hired(field)
    field.boards[0].seed = SEEDS[0]
    await one.beat()
    field.boards[0].away = True
    await one.hired.answer()
    field.boards[0].away = False
    await one.hired.answer()
    assert answers(field) == [(SEEDS[0], answer(SEEDS[0]))]
    assert one.host.calls.count("probe") == 1


async def test_a_sandbox_that_is_stuck_answers_nothing_and_its_agent_says_so(field: Field) -> None:
    one = await hired(field)
    field.boards[0].seed = SEEDS[0]
    one.host.stuck = True
    with structlog.testing.capture_logs() as logs:
        for _ in range(int(ANSWERED_SECONDS) // 30 + 2):
            await minute(field, one)
    assert answers(field) == []
    said = [each for each in logs if each["event"] == "worker.probe_unanswered"]
    assert [each["reason"] for each in said] == ["the sandbox doesn't answer"]
    one.host.stuck, field.boards[0].seed = False, SEEDS[1]
    await minute(field, one)
    assert answers(field) == [(SEEDS[1], answer(SEEDS[1]))]


async def test_a_renter_whose_node_dies_again_and_again_makes_no_probe_fail(field: Field) -> None:
    """The probe is answered in the moments in which there is a sandbox, whatever runs there."""
    one = await hired(field)
    one.host.dies = one.host.ended = "its command ended with 1"
    field.boards[0].seed = SEEDS[0]
    for _ in range(4):
        await one.beat()
        for _ in range(5):
            await one.turn()
            await one.hired.answer()
            field.world.chain.advance(6)
    assert answers(field) == [(SEEDS[0], answer(SEEDS[0]))]


async def test_an_operator_that_asks_without_end_is_answered_at_an_honest_one_s_pace(field: Field) -> None:
    one = await hired(field)
    field.boards[2].seed = b"\xff" * 32
    with structlog.testing.capture_logs() as logs:
        for seed in SEEDS[:20]:
            field.boards[0].seed = seed
            await minute(field, one)
    # Ten minutes: four at once, and one more every four minutes.
    assert len(answers(field)) == 6
    assert len(answers(field, 2)) == 1, "who asks as it should isn't kept waiting by it"
    assert {each["url"] for each in logs if each["event"] == "worker.probes_too_many"} == {"board 0"}


async def test_while_a_wave_has_the_sandbox_stand_still_nothing_is_run_in_it(field: Field) -> None:
    one = await hired(field)
    field.boards[0].seed = SEEDS[0]
    async with one.serving.quiet(one.devices[0]):
        await minute(field, one, 10)
        assert "probe" not in one.host.calls
    await minute(field, one)
    assert answers(field) == [(SEEDS[0], answer(SEEDS[0]))]


async def test_a_key_of_an_older_version_counts_as_its_own_after_an_update(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keeper.worker.serving import talk  # noqa: PLC0415 - what an older version said

    with monkeypatch.context() as patch:
        patch.setattr(talk, "ANSWERS_PROBES", 0)
        await hired(field)
    again = await field.again("one")
    await field.turns(3)
    assert again.state is AgentState.ACTIVE and again.hired.part._talk.has_key
