"""Who is probed, when a probe has failed, and what an operator says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.compute import probe
from keeper.compute.bodies import ANSWERS_PROBES, Beat, Complaint, Probed, Seen, Serving, View, Wrong
from keeper.compute.liveness import Reason, Wave, judge
from keeper.compute.observations import read
from keeper.compute.probe import answer
from keeper.compute.refusals import Why
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.probing import ANSWER_SECONDS, PAUSE_SECONDS, Prober, Words, expected
from tests.keeper.compute import independent
from tests.keeper.compute.leases import START, lease, order
from tests.keeper.operator.test_board import NETWORK, Place, place, refused
from tests.programs.world import key as signer_of

PROBES = json.loads(independent.VECTORS.read_text())["probes"]
ORDER = order()
LEASE = lease(ORDER, "one")
HEAD = lease(ORDER, "head")
NOW = START + 7_200
COMPLAINT = Complaint(LEASE.device, NOW, Wrong.SLOW)
OPERATOR = Pubkey(bytes([5]) * 32)


@pytest.mark.parametrize(("seed", "wanted"), PROBES.items())
def test_the_answer_is_that_of_the_second_reading_for_agent_and_operator(seed: str, wanted: str) -> None:
    assert answer(bytes.fromhex(seed)).hex() == expected(bytes.fromhex(seed)).hex() == wanted


def test_the_file_runs_by_itself_where_there_is_nothing_of_ours() -> None:
    seed, wanted = next(iter(PROBES.items()))
    command = [sys.executable, "-I", "-S", str(Path(probe.__file__)), seed]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == wanted


def prober(*waves: Wave) -> Prober:
    seeds = iter(bytes([each]) * 32 for each in range(1, 200))
    return Prober(lambda: next(seeds), lambda: waves)


def complained(*waves: Wave, at: int = NOW) -> Prober:
    found = prober(*waves)
    found.heard([LEASE, HEAD], ORDER.renter, COMPLAINT, at)
    return found


def beats(found: Prober, begin: int = NOW + 10, seconds: int = ANSWER_SECONDS + 30) -> list[bytes]:
    """What the device is asked with the answers to its BEATs, every 30 seconds."""
    return [found.ask(LEASE, second) for second in range(begin, begin + seconds, 30)]


def test_nobody_is_asked_of_whom_nobody_complains() -> None:
    assert set(beats(prober())) == {b""}
    found = complained()
    assert found.ask(HEAD, NOW + 10) == b"" and found.ask(replace(LEASE, number=9), NOW + 10) == b""
    assert beats(found)[:5] == [bytes([1]) * 32] * 5


def test_an_answer_that_does_not_come_has_failed_and_one_that_is_lost_has_not() -> None:
    found = complained()
    beats(found)
    assert found.words(LEASE, NOW + 300) == Words((NOW,), (), (NOW + 10,))
    lost = complained()
    lost.ask(LEASE, NOW + 10)
    lost.ask(LEASE, NOW + 40)  # Two of its answers may be lost: then silence is what counts.
    assert lost.words(LEASE, NOW + 300).probes_failed == ()


def test_the_right_answer_in_time_is_none() -> None:
    body = Probed(OPERATOR, bytes([1]) * 32, answer(bytes([1]) * 32), 1)
    for changed, at, taken in (
        (body, NOW + 10 + ANSWER_SECONDS, True),
        (body, NOW + 11 + ANSWER_SECONDS, False),
        (replace(body, answer=bytes(32)), NOW + 60, False),
        (replace(body, seed=bytes(32)), NOW + 60, False),
    ):
        found = complained()
        for second in (10, 40, 70):
            found.ask(LEASE, NOW + second)
        assert found.answered(LEASE, changed, at) is taken
        assert (found.words(LEASE, NOW + 300).probes_failed == ()) is taken


def test_the_head_s_list_counts_but_not_about_itself() -> None:
    seen = View((Seen(LEASE.device, False, NOW), Seen(HEAD.device, True, NOW)))
    for sender, missing in ((HEAD.worker, (NOW,)), (ORDER.renter, (NOW,)), (LEASE.worker, ())):
        found = prober()
        found.heard([LEASE, HEAD], sender, seen, NOW)
        assert found.words(LEASE, NOW).missing == missing
        assert found.words(HEAD, NOW) == Words()


@pytest.mark.parametrize(
    ("begins", "ends"), [(NOW - 10, NOW + 30), (NOW + 60, NOW + 100), (NOW - 60, NOW - 40)]
)
def test_nothing_that_touches_a_wave_counts(begins: int, ends: int) -> None:
    found = complained(Wave(begins, ends))
    beats(found)
    assert found.words(LEASE, NOW + 300).probes_failed == ()


def test_who_complains_often_has_a_lease_probed_twice_in_ten_minutes_and_not_in_its_first() -> None:
    found = prober()
    for second in range(NOW, NOW + 600, 10):
        found.heard([LEASE], ORDER.renter, COMPLAINT, second)
        found.ask(LEASE, second + 1)
    assert found.words(LEASE, NOW + 800).probes_failed == (NOW + 1, NOW + 1 + PAUSE_SECONDS)
    assert len(found.words(LEASE, NOW + 600).complaints) == 16
    young = replace(LEASE, start=NOW - 300)
    early = prober()
    early.heard([young], ORDER.renter, COMPLAINT, NOW)
    assert early.ask(young, NOW + 10) == b"" != early.ask(young, NOW + 300)


def test_a_lease_that_is_over_is_forgotten() -> None:
    found = complained()
    found.keep_only([HEAD])
    assert found.is_idle and found.words(LEASE, NOW) == Words()


# -- by its board --------------------------------------------------------------------------------


async def complain(here: Place, capabilities: int) -> None:
    """An hour into a lease of a device that beats, its renter complains to all operators."""
    lease = here.world.lease(here.order, "one")
    second = -(-(lease.start + 3_600) // 60) * 60 + 5
    here.world.chain.warp_to(second)
    here.ms = second * 1_000
    for number, office in enumerate(here.offices):
        await office.refresh()
        said = replace(here.key_of("one"), capabilities=capabilities)
        await here.client(number).post(here.made(said, signer_of("one")))
        await here.client(number).post(here.made(Complaint(lease.device, 1, Wrong.SLOW), here.renter))


async def go_on(here: Place, *, answers: bool) -> bool:
    """Six minutes of BEATs; whether the device was asked anything."""
    boards, number, asked = here.clients(), here.world.lease(here.order, "one").number, False
    worker, order_at = signer_of("one"), here.order.address

    def beat(operator: Pubkey, nonce: bytes):
        return Beat(operator, nonce, Serving.ACTIVE, bytes(28), number, 1, 2, 3, 4, 5)

    for _ in range(12):
        here.ms += 30_000
        assert await boards.beat(order_at, 0, worker, beat) == len(here.urls)
        for question in boards.asked():
            asked = True
            if answers:
                await boards.answer(question, answer(question.seed), worker)
        assert boards.asked() == []
        here.world.chain.warp_to(here.ms // 1_000)
        for office in here.offices:
            await office.refresh()
    return asked


async def observed(here: Place, offices: list[Office]):
    at = here.ms // 60_000 * 60
    address = here.world.lease(here.order, "one").address
    files = [await each.observation(at, address) for each in offices]
    return at, address, [read(data, NETWORK) for data in files if data]


@pytest.mark.parametrize("answers", [True, False])
async def test_a_device_that_beats_and_does_not_serve_is_found_by_probe_and_complaint(
    tmp_path: Path, answers: bool
) -> None:
    async with place(tmp_path, 3) as here:
        await complain(here, ANSWERS_PROBES)
        assert await go_on(here, answers=answers)
        at, address, seen = await observed(here, here.offices)
        assert len(seen) == 3 and all(len(each.complaints) == 1 for each in seen)
        assert [address in each.witness.silent(at) for each in here.offices] == [not answers] * 3
        found = judge(seen, 2)
        assert (found is None) is answers
        assert answers or (found and (found.reason, found.good_hours)) == (Reason.UNSERVED, 1)


async def test_an_agent_that_does_not_say_that_it_can_is_not_asked(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await complain(here, 0)
        assert not await go_on(here, answers=False)
        _, _, seen = await observed(here, here.offices)
        assert [each.probes_failed for each in seen] == [()]
        with refused(Why.NOT_A_PARTY):
            stray = Probed(OPERATOR, bytes(32), bytes(32), here.key_of("two").number + 1)
            await here.client().post(here.made(stray, signer_of("two")))
