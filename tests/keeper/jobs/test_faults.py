"""Votes on faults: three operators' boards over sockets, devices that fall silent, and the renter's money."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from keeper.chain import Event
from keeper.clients import orders
from keeper.clients.orders import Lease
from keeper.compute import verdicts
from keeper.compute.boards import Boards
from keeper.compute.bodies import Beat, Serving
from keeper.compute.client import Board as Client
from keeper.compute.liveness import DARK_SECONDS, Reason, Verdict
from keeper.compute.verdicts import DAY, FAULTS, KEPT_SECONDS, VerdictError, fetch, held, repeat, retire
from keeper.economy.orders import EndReason, LeaseStatus
from keeper.jobs import faults
from keeper.jobs.faults import DELAY_SECONDS, Bench, vote_faults
from keeper.jobs.port import Direct
from keeper.operator.clusters.knocking import Knocking
from tests.keeper.api.serving import serving
from tests.keeper.operator.test_board import NETWORK, Place, place
from tests.programs.world import HOUR, key

LOG = structlog.get_logger()


class Court:
    """A place with three operators, whose time is the chain's."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self.benches = [Bench(here.urls, here.folder / f"rewards-{each}") for each in range(3)]

    def lease(self, name: str = "one") -> Lease:
        return self.here.world.lease(self.here.order, name)

    async def at(self, second: int) -> None:
        """Move the clock to a second, and have every operator look."""
        self.here.world.chain.warp_to(second)
        self.here.ms = second * 1_000
        for office in self.here.offices:
            await office.refresh()

    async def beat(self, name: str, *operators: int) -> None:
        """A device's BEAT to these operators, or to all."""
        here, number = self.here, self.lease(name).number

        def made(operator: Pubkey, nonce: bytes) -> Beat:
            return Beat(operator, nonce, Serving.ACTIVE, bytes(28), number, 1, 2, 3, 4, 5)

        chosen = [here.client(each) for each in operators or range(3)]
        boards = Boards(chosen, NETWORK, LOG, unix_ms=here.time)
        assert await boards.beat(here.order.address, 0, key(name), made) == len(chosen)

    async def until(self, second: int, *names: str) -> None:
        """Go on to a full minute, each with a BEAT of ``names`` to all, and with every operator's look."""
        here = self.here.world.chain.now()
        for each in range(minute(here + 11), second + 60, 60):
            await self.at(each - 10)
            for name in names:
                await self.beat(name)
            await self.at(each)

    async def dark(self, second: int, *, knocks: bool) -> None:
        """Go on to a full minute in which no device is heard; operators knock at each other if they can."""
        here = self.here
        knocking = [
            Knocking([here.client(each) for each in range(3)], signer, LOG, unix_ms=here.time)
            for signer in here.world.operators[:3]
        ]
        for each in range(minute(here.world.chain.now() + 1), second + 60, 60):
            await self.at(each)
            for one in knocking if knocks else ():
                await one.knock()

    async def vote(self, operator: int) -> list[Event]:
        """An operator's job, half a minute after a full one."""
        world = self.here.world
        port = Direct(world.chain, world.operators[operator], LOG)
        return await vote_faults(port, bench=self.benches[operator], now=world.chain.now() + DELAY_SECONDS)


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    async with place(tmp_path, 3) as here:
        yield Court(here)


def minute(second: int) -> int:
    return -(-second // 60) * 60


async def silent_after(court: Court, hours: int) -> int:
    """Both devices are heard until then, and ``one`` isn't after; the full minute when that is sure."""
    start = court.lease().start
    await court.at(start + hours * HOUR + 90)
    for name in ("one", "two"):
        await court.beat(name)
    sure = minute(start + hours * HOUR + 90 + 180)
    await court.until(sure, "two")
    return sure


async def test_two_operators_agree_and_the_renter_pays_the_good_hours_alone(court: Court) -> None:
    before = court.lease()
    sure = await silent_after(court, 2)
    with capture_logs() as logged:
        assert [event.fields["decided"] for event in await court.vote(0)] == [False]
        assert court.lease().status == LeaseStatus.RUNNING
        votes = await court.vote(1)
    assert [event.name for event in votes] == ["FaultVoted", "LeaseEnded"]
    ended = court.lease()
    assert (ended.status, ended.reason) == (LeaseStatus.ENDED, EndReason.FAULT)
    assert ended.stop == before.start + 2 * HOUR
    assert [each["good_hours"] for each in logged if each["event"] == "fault.voted"] == [2, 2]
    # What the supplier of it is owed at the end are two hours, and nothing of the other lease is touched.
    world = court.here.world
    world.chain.warp_to(sure + 3 * HOUR)
    order = world.read_order(court.here.renter, 1)
    due = ended.due(order, world.chain.now())
    assert due.amount == 2 * before.rate
    assert court.lease("two").status == LeaseStatus.RUNNING


async def test_a_verdict_is_repeated_by_anybody_and_a_changed_file_shows_none(court: Court) -> None:
    sure, lease = await silent_after(court, 1), court.lease()
    await court.vote(0)
    (folder,) = (court.here.folder / "rewards-0" / FAULTS).iterdir()
    operators = [each.pubkey() for each in court.here.world.operators]

    def again(by: list[Pubkey] = operators, of: Path = folder) -> Verdict:
        return repeat(held(of), by, 2, NETWORK)

    about, found = held(folder).about, again()
    assert found == Verdict(str(lease.device), lease.registered_at, lease.number, 1, Reason.SILENT)
    assert (about.at, about.worker, found.hash().hex()) == (sure, str(lease.worker), folder.name)
    with pytest.raises(VerdictError, match="0 of its 3 observations count"):
        again([key("stranger").pubkey()])
    with pytest.raises(VerdictError, match="they show no fault"):
        again(operators[:1])
    for path in sorted(folder.glob("*.observation"))[:2]:
        path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(VerdictError, match="1 of its 3 observations count"):
        again()
    renamed = folder.rename(folder.with_name("0" * 64))
    with pytest.raises(VerdictError):
        again(of=renamed)


async def test_a_verdict_is_repeated_from_what_an_operator_serves(court: Court) -> None:
    await silent_after(court, 1)
    await court.vote(0)
    place = court.here.folder / "rewards-0"
    (folder,) = (place / FAULTS).iterdir()
    (place / FAULTS / "secret").write_bytes(b"no")
    operators = [each.pubkey() for each in court.here.world.operators]
    with serving(place) as base:
        url = f"{base}/rewards/faults/{folder.name}"
        shown = await fetch(court.here.http, url)
        assert repeat(shown, operators, 2, NETWORK).hash().hex() == folder.name
        assert shown.files == held(folder).files and len(shown.files) == 3
        for other in ("../secret", "0.observation/..", "lease.json.part", "1000.observation", ""):
            assert (await court.here.http.get(f"{url}/{other}")).status_code == 404
        with pytest.raises(VerdictError, match="status 404"):
            await fetch(court.here.http, f"{base}/rewards/faults/{'0' * 64}")
        (folder / "1.observation").write_bytes(bytes(1 << 17))
        with pytest.raises(VerdictError, match="more than 65,536 bytes"):
            await fetch(court.here.http, url)
        assert len(held(folder).files) == 2


async def test_old_verdicts_and_too_many_are_deleted_once_a_day(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure, place = await silent_after(court, 1), court.here.folder / "rewards-0"
    await court.vote(0)
    (made,) = (place / FAULTS).iterdir()
    data, names = (made / "lease.json").read_bytes(), [f"{number:064x}" for number in range(4)]
    for number, name in enumerate(names):
        (place / FAULTS / name).mkdir()
        earlier = data.replace(str(sure).encode(), str(sure - (number + 1) * DAY).encode())
        (place / FAULTS / name / "lease.json").write_bytes(earlier)
    others = {made.name, "notes", "f" * 64}  # Of the last nobody knows how old it is.
    for name in others - {made.name}:
        (place / FAULTS / name).mkdir()

    def left() -> set[str]:
        return {each.name for each in (place / FAULTS).iterdir()}

    assert retire(place, sure + KEPT_SECONDS - 3 * DAY) == 1
    assert left() == others | set(names[:3])
    monkeypatch.setattr(verdicts, "MOST_KEPT", 2)
    court.benches[0].judged = 0
    await court.vote(0)
    assert left() == others | set(names[:3])  # That was done today.
    court.benches[0].judged = court.benches[0].swept = 0
    with capture_logs() as logged:
        await court.vote(0)
    assert [each["verdicts"] for each in logged if each["event"] == "fault.retired"] == [2]
    assert left() == others | {names[0]}


async def test_a_device_that_two_operators_hear_is_not_lost(court: Court) -> None:
    sure = await silent_after(court, 1)
    await court.beat("one", 0, 1)
    await court.at(sure + 60)
    for operator in range(3):
        assert await court.vote(operator) == []
    assert court.lease().status == LeaseStatus.RUNNING


async def test_what_one_more_operator_heard_counts_for_the_supplier(court: Court) -> None:
    """The last second at which two operators had a beat is the third hour's, though two hear nothing now."""
    start = court.lease().start
    await court.at(start + 2 * HOUR - 30)
    for name in ("one", "two"):
        await court.beat(name)
    await court.at(start + 2 * HOUR + 30)
    await court.beat("one", 0, 2)
    sure = minute(start + 2 * HOUR + 30 + 180)
    await court.until(sure, "two")
    (vote,) = await court.vote(1)
    assert vote.fields["good_hours"] == 2


async def test_an_operator_that_is_silent_or_blind_costs_no_supplier_anything(court: Court) -> None:
    start = court.lease().start
    await court.at(start + HOUR)
    for name in ("one", "two"):
        await court.beat(name)
    # Nobody comes through to operators 0 and 1 any more: their own network has failed.
    for second in range(start + HOUR + 60, start + HOUR + 400, 60):
        await court.at(minute(second))
        for name in ("one", "two"):
            await court.beat(name, 2)
        for operator in range(3):
            assert await court.vote(operator) == []
    assert court.lease().status == court.lease("two").status == LeaseStatus.RUNNING


@pytest.mark.parametrize("knocks", [True, False])
async def test_who_has_all_devices_is_found_lost_unless_operators_are_cut_off(
    court: Court, knocks: bool
) -> None:
    start = court.lease().start
    await court.at(start + 2 * HOUR + 90)
    for name in ("one", "two"):
        await court.beat(name)
    sure = minute(start + 2 * HOUR + 90 + DARK_SECONDS)
    await court.dark(sure - 60, knocks=knocks)
    assert [await court.vote(each) for each in range(2)] == [[], []]
    await court.dark(sure, knocks=knocks)
    before = len(court.here.world.chain.transactions())
    voted = [event.name for each in range(2) for event in await court.vote(each)]
    sent = len(court.here.world.chain.transactions()) - before
    leases = [court.lease(each) for each in ("one", "two")]
    if knocks:
        assert voted == ["FaultVoted"] * 2 + ["FaultVoted", "LeaseEnded"] * 2
        assert sent == 2, "an operator's votes of a minute go together"
        assert [each.reason for each in leases] == [EndReason.FAULT] * 2
        assert [each.stop - start for each in leases] == [2 * HOUR] * 2
    else:
        assert voted == []
        assert [each.status for each in leases] == [LeaseStatus.RUNNING] * 2


async def test_a_service_that_is_gone_is_named_once_and_the_others_judge(court: Court) -> None:
    await silent_after(court, 1)
    court.benches[0].urls = [*court.here.urls[:2], "http://127.0.0.1:1"]
    with capture_logs() as logged:
        (vote,) = await court.vote(0)
    assert vote.fields["good_hours"] == 1
    assert [each["url"] for each in logged if each["event"] == "fault.operator_away"] == [
        "http://127.0.0.1:1"
    ]


async def test_a_service_that_answers_slowly_holds_up_no_verdict(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names what is silent, and is never done with saying what it saw."""
    await silent_after(court, 1)
    monkeypatch.setattr(faults, "ASK_SECONDS", 3.0)
    asked, observation = [], Client.observation

    async def never(board: Client, at: int, lease: Pubkey) -> bytes:
        asked.append(board.url)
        if board.url == court.here.urls[0]:
            await asyncio.Event().wait()
        return await observation(board, at, lease)

    monkeypatch.setattr(Client, "observation", never)
    with capture_logs() as logged:
        (vote,) = await asyncio.wait_for(court.vote(0), 30)
    assert vote.fields["good_hours"] == 1 and sorted(asked) == sorted(court.here.urls)
    (away,) = (each for each in logged if each["event"] == "fault.operator_away")
    assert (away["url"], away["reason"]) == (
        court.here.urls[0],
        "its observations take more than 3 seconds",
    )


async def test_a_vote_is_cast_once_and_only_by_operators(court: Court) -> None:
    sure = await silent_after(court, 1)
    world = court.here.world
    assert len(await court.vote(0)) == 1 and await court.vote(0) == []
    again = Bench(court.here.urls, court.here.folder / "other")  # A keeper that was restarted.
    port = Direct(world.chain, world.operators[0], LOG)
    assert await vote_faults(port, bench=again, now=sure + DELAY_SECONDS) == []
    assert not (court.here.folder / "other").exists()
    stranger = Direct(world.chain, court.here.renter, LOG)
    assert await vote_faults(stranger, bench=again, now=sure + 90) == []
    (fault,) = await orders.read_faults(world.chain)
    assert (fault.votes, fault.decided) == (1, False)
