"""An hour of an operator, killed anywhere; what is posted is posted once, and no time is made up."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keeper.chain import ChainUnreachable, Commitment, Head
from keeper.clients import staking
from keeper.operator.book import Book, BookUnusable, Opened
from keeper.operator.hours import HourState, _kept_days
from keeper.operator.intake import Asked
from keeper.operator.operator import Operator
from keeper.operator.store import evidence_name, pings_name, wave_name
from keeper.operator.waves import Held, State, Taken
from keeper.pow import files
from keeper.pow.clock import drawn, remaining
from keeper.pow.codes import Code
from keeper.pow.codes_file import NAME, opening_key, read_codes
from keeper.rewards.held import HeldFiles, keep
from tests.keeper.operator.network import ADDRESS, Forked, Net, held, say
from tests.programs.world import HOUR, START, key


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


def kill(operator: Operator) -> None:
    """What isn't saved is lost; the file's lock is free."""
    operator.desk.book.close()


def posted(net: Net) -> list[dict[str, Any]]:
    """All that is posted, in order."""
    records = net.world.chain.transactions()
    events = [event for record in records for event in staking.PROGRAM.events(record)]
    return [event.fields for event in events if event.name == "Posted"]


def commit_all(net: Net, operator: Operator, wave: Held) -> None:
    for device in net.devices:
        proof = device.prove(wave.wave, net.profiles)
        assert isinstance(say(operator, device.commit(wave.wave, proof.root)), Taken)


def open_all(net: Net, operator: Operator, wave: Held) -> None:
    for device in net.devices:
        data = device.opening(wave, net.profiles)
        expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
        assert operator.desk.intake.bind(expected, data[96:]) is None
        operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))


def answer_pings(net: Net, operator: Operator) -> None:
    for asked in list(operator.desk.intake.pings.values()):
        operator.desk.intake.ping(net.devices[0].pong(asked.ping.seed), ADDRESS, net.monotonic())


async def to_the_end(net: Net, operator: Operator, hour: int = 1) -> None:
    while operator.desk.book.hour(hour) is None or operator.desk.book.hour(hour)[0] == HourState.WRITTEN:
        await net.go(20, operator)
        answer_pings(net, operator)


async def test_an_hour_from_its_wave_to_its_evidence(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(45, operator)
    assert (wave.state, wave.anchored) == (State.CLOSED, True)
    await net.go(25, operator)
    assert wave.state is State.DRAWN
    open_all(net, operator, wave)
    await net.go(70, operator)
    assert wave.state is State.COLLECTED
    await to_the_end(net, operator)

    store, me = operator.desk.store, operator.desk.operator
    (first,) = [each for each in posted(net) if each["slot"] == wave.wave.slot]
    (second,) = [each for each in posted(net) if each["kind"] == 2]
    data = store.read(1, wave_name(wave.wave.slot, me))
    assert data is not None
    rows = files.read_wave(data)
    assert sorted(rows["device"].tolist()) == sorted(bytes(each.account) for each in net.devices)
    assert (first["number"], first["kind"], first["slot"]) == (1, 1, wave.wave.slot)
    assert first["hash"] == sha256(data).digest()
    assert wave.wave.slot + 100 <= first["now_slot"] < wave.wave.slot + 150
    found = store.read(1, evidence_name(me))
    assert found is not None
    assert (second["number"], second["kind"], second["slot"]) == (1, 2, 0)
    assert second["hash"] == sha256(found).digest()
    assert START + 2 * HOUR <= second["at"] < START + 2 * HOUR + 300
    evidence = files.Evidence.read(found)
    assert len(evidence.rows) == 2
    for row in evidence.rows:
        blob = store.opening(row["blob"].ljust(32, b"\0"))
        assert blob is not None
        assert len(blob) == row["length"]
    assert {each.code for each in operator.desk.book.openings(1)} == {Code.PASS}
    known = read_codes(store.path(1, NAME))
    assert known == {
        opening_key(each.seed, each.device, each.root, each.sha256): Code.PASS
        for each in operator.desk.book.openings(1)
    }
    answers = store.read(1, pings_name(me))
    assert answers is not None
    assert sha256(answers).digest() == evidence.pings
    slots = [each.slot for each in operator.desk.book.pings(1)]
    asked, table = files.read_pings(answers, slots)
    order = sorted(bytes(each.account) for each in net.devices)
    assert [each.ljust(32, b"\0") for each in asked.tolist()] == order
    mine = order.index(bytes(net.devices[0].account))
    assert table[:, mine].sum() == sum(len(each.answered) for each in operator.desk.intake.pings.values())
    assert not np.delete(table, mine, axis=1).any()


class Killed(BaseException):
    """The process ended here."""


class Mortal:
    """Kills at the n-th write to the book or the folder, or answer of the chain to a posting."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, kept: Any) -> Any:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise Killed
            return kept(*arguments, **named)

        return wrapped

    def watches(self, operator: Operator) -> None:
        desk = operator.desk
        for part, name in (
            (desk.book, "save"),
            (desk.book, "put_wave"),
            (desk.store, "write"),
            (desk.postings, "take"),
            (desk.postings, "refresh"),
        ):
            setattr(part, name, self(getattr(part, name)))


async def _killed_at(net: Net, number: int) -> tuple[Operator, Held, bool]:
    """An hour in which the service is killed at its ``number``-th write around sealing; and whether."""
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(35, operator)
    mortal = Mortal(number)
    mortal.watches(operator)
    try:
        await net.go(35, operator)
    except Killed:
        kill(operator)
        operator = await net.operator(0)
        await net.go(35, operator)
    return operator, operator.desk.intake.waves[wave.wave.seed], mortal.left <= 0


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14, 17, 20])
async def test_killed_while_sealing_and_posting(net: Net, number: int) -> None:
    operator, wave, was_killed = await _killed_at(net, number)
    assert was_killed
    slot = wave.wave.slot
    data = operator.desk.store.read(1, wave_name(slot, operator.desk.operator))
    found = posted(net)
    assert len(found) <= 1
    assert wave.anchored is bool(found)
    if found:
        assert data is not None
        assert found[0]["hash"] == sha256(data).digest()
        assert len(files.read_wave(data)) == 2
    # Its roots are known from the file, so that it takes openings: with no file it knows of none.
    assert wave.state is State.DRAWN
    assert len(wave.roots) == (2 if data is not None else 0)


async def test_killed_while_open_it_makes_no_time_up(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    kill(operator)
    operator = await net.operator(0)
    await operator.step()
    again = held(operator, wave.wave)
    assert (again.state, again.seen) == (State.CLOSED, None)
    device = net.devices[0]
    root = device.proofs[wave.wave.seed].root
    assert not isinstance(say(operator, device.commit(wave.wave, root)), Taken)
    await net.go(140, operator)
    assert (again.state, again.anchored) == (State.COLLECTED, False)
    assert posted(net) == []
    assert not [name for name in operator.desk.store.names(1) if name.startswith("wave")]


async def test_killed_while_openings_come(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(70, operator)
    open_all(net, operator, wave)
    operator.desk.book.save()
    kill(operator)
    operator = await net.operator(0)
    await operator.step()
    again = held(operator, wave.wave)
    assert (again.state, again.anchored, len(again.roots)) == (State.DRAWN, True, 2)
    await net.go(10, operator)
    assert {each.code for each in operator.desk.book.openings(1)} == {Code.PASS}
    # The same opening again is one opening.
    open_all(net, operator, again)
    assert len(operator.desk.book.openings(1)) == 2


async def test_killed_around_the_hours_end(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(70, operator)
    open_all(net, operator, wave)
    await net.go(70, operator)
    for number in (1, 2, 3, 4, 5):
        net.world.chain.warp_to(max(net.world.chain.now(), START + 2 * HOUR + 75))
        mortal = Mortal(number)
        mortal.watches(operator)
        try:
            await net.go(10, operator)
        except Killed:
            kill(operator)
            operator = await net.operator(0)
    await net.go(100, operator)  # A spot wave's openings are waited for again after each start.
    assert operator.desk.book.hour(1)[0] == HourState.POSTED
    evidence = [each for each in posted(net) if each["kind"] == 2]
    data = operator.desk.store.read(1, evidence_name(operator.desk.operator))
    assert data is not None
    assert [each["hash"] for each in evidence] == [sha256(data).digest()]
    assert len(files.Evidence.read(data).rows) == 2


@pytest.mark.parametrize("hours", [2, 3, 4])
async def test_killed_before_the_hours_end_and_back_much_later(hours: int, net: Net) -> None:
    """What it had of that hour is too late for a file, and doesn't keep it from its work."""
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(70, operator)
    open_all(net, operator, wave)
    await net.go(75, operator)
    kill(operator)
    net.world.chain.warp_to(START + hours * HOUR + 310)
    operator = await net.operator(0)
    await net.go(70, operator)
    late = operator.desk.book.hour(1)
    assert (late is not None and late[0] == HourState.LATE) is (hours < 4)
    assert operator.desk.attended(hours)


async def test_a_posting_that_is_too_late_isnt_made(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    net.world.chain.advance(62)
    await operator.step()
    assert (wave.state in (State.CLOSED, State.DRAWN), wave.anchored) == (True, False)
    assert posted(net) == []


async def test_an_operator_that_was_cut_off_keeps_no_time(net: Net) -> None:
    operator, other = await net.operator(0), await net.operator(1)
    await operator.step()
    wave = await net.until_wave(other)
    net.world.chain.advance(20)
    await operator.step()
    assert held(operator, wave.wave).seen is None
    assert not held(operator, wave.wave).is_taking


async def test_a_wave_that_isnt_in_the_final_chain_is_void(net: Net) -> None:
    """A block is confirmed, then another takes its place: its wave is nobody's, and the right one counts."""
    fork = Forked(net.world.chain)
    fork.final_slot = 1 << 40
    operator = await net.operator(0, chain=fork)
    other = await net.operator(1)
    wave = await net.until_wave(other)
    slot = wave.wave.slot
    await operator.step()
    # The same chain, but its watcher is told of another block there; that one happens to start a wave, too.
    orphan = next(
        head
        for number in range(10_000)
        if _starts(operator, head := Head(slot, number.to_bytes(32, "big"), wave.wave.time))
    )
    kill(operator)
    fork.orphans[slot], fork.final_slot = orphan, slot - 1
    operator = await net.operator(0, chain=fork, folder=net.folder / "forked")
    await operator.step()
    (wrong,) = [each for each in operator.desk.intake.waves.values() if each.wave.slot == slot]
    assert (wrong.state, wrong.wave.blockhash) == (State.OPEN, orphan.blockhash)
    assert isinstance(say(operator, net.devices[0].commit(wrong.wave, bytes([1]) * 32)), Taken)
    fork.final_slot = 1 << 40
    await net.go(10, operator)
    assert wrong.state is State.VOID
    assert not isinstance(say(operator, net.devices[0].commit(wrong.wave, bytes([1]) * 32)), Taken)
    right = held(operator, wave.wave)
    assert right.state is State.OPEN
    await net.go(50, operator)
    assert [each["slot"] for each in posted(net)] == [slot]
    assert not wrong.anchored
    # A restart doesn't bring it back.
    kill(operator)
    operator = await net.operator(0, chain=fork, folder=net.folder / "forked")
    await operator.step()
    assert operator.desk.intake.waves[wrong.wave.seed].state is State.VOID


def _starts(operator: Operator, head: Head) -> bool:

    second = head.time - operator.desk.network.start_of(1)
    return drawn(head.blockhash) * remaining(second) < 1 << 64


async def test_of_an_hour_that_it_missed_an_operator_says_nothing(net: Net) -> None:
    operator = await net.operator(0)
    await operator.step()
    net.world.chain.warp_to(START + 3 * HOUR + 120)
    await net.go(200, operator)
    assert posted(net) == []
    # Of the first it has something to say, too late; of the second nothing.
    assert operator.desk.book.hour(1)[0] == HourState.LATE
    assert operator.desk.book.hour(2) is None


@pytest.mark.parametrize(("away", "asks"), [(False, True), (True, False)])
async def test_of_pings_that_it_didnt_hear_an_operator_tells_nothing(
    away: bool, asks: bool, net: Net
) -> None:
    """It was there when the hour began and when it ended, and away for most of it."""
    operator = await net.operator(0)
    await operator.step()
    while (second := net.world.chain.now() - START - HOUR) < HOUR - 60:
        if away and second > 60:
            net.world.chain.warp_to(START + 2 * HOUR - 60)
        await net.go(5, operator)
    await net.go(200, operator)
    store, me = operator.desk.store, operator.desk.operator
    assert operator.desk.book.hour(1)[0] == HourState.POSTED
    slots = [each.slot for each in operator.desk.book.pings(1)]
    said = store.read(1, pings_name(me))
    assert said is not None and slots
    asked, _ = files.read_pings(said, slots)
    assert (len(asked) == len(net.devices)) is asks
    assert (len(asked) == 0) is not asks


class Deaf:
    """A chain that doesn't answer for a while."""

    def __init__(self, chain: Any) -> None:
        self._chain, self.is_down = chain, False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._chain, name)

        async def ask(*arguments: Any, **named: Any) -> Any:
            if self.is_down:
                raise ChainUnreachable("down")
            return await found(*arguments, **named)

        return ask if name in {"slot", "head", "clock", "signatures", "accounts", "simulate"} else found


async def test_a_node_that_is_down_costs_time_alone(net: Net) -> None:
    chain = Deaf(net.world.chain)
    operator = await net.operator(0, chain=chain)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(38, operator)
    chain.is_down = True
    await net.go(10, operator)
    chain.is_down = False
    await net.go(5, operator)
    assert (wave.state, wave.anchored) == (State.CLOSED, True)


async def test_many_roots_dont_make_a_file_too_long_to_count(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that signs two for each operator opens all here; so does one that isn't in the hour."""
    monkeypatch.setattr(files, "MORE_DEVICES", 0)
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(70, operator)
    open_all(net, operator, wave)
    honest, cheat, stranger = bytes(net.devices[0].account), bytes(net.devices[1].account), bytes([3]) * 32
    for device in (cheat, stranger):
        for number in range(20):
            digest = sha256(device + bytes([number])).digest()
            operator.desk.book.put_opening(Opened(wave.wave.seed, device, digest, 1, digest, 9, None))
    await to_the_end(net, operator)
    data = operator.desk.store.read(1, evidence_name(operator.desk.operator))
    assert data is not None
    assert len(data) <= files.evidence_limit(len(net.devices), 1)
    rows = [files.whole_key(each) for each in files.Evidence.read(data).rows["device"]]
    assert sorted(rows) == sorted([honest, cheat, cheat])


async def test_devices_of_old_hours_dont_stay_in_memory(net: Net) -> None:
    operator = await net.operator(0)
    await operator.step()
    first = await operator.desk.fleet(1)
    assert set(first.devices) == {bytes(each.account) for each in net.devices}
    for hour in range(2, 40):
        await operator.desk.fleet(hour)
    operator._hours._forget(39)
    assert sorted(operator.desk._fleets) == [37, 38, 39]
    # Of one that was attended they are on the disk.
    net.device("a newcomer")
    assert await operator.desk.fleet(1) == first


async def test_one_folder_is_for_one_service(net: Net) -> None:
    operator = await net.operator(0)
    with pytest.raises(BookUnusable, match="one folder is for one service"):
        await net.operator(0)
    operator.close()
    (await net.operator(0)).close()


def test_a_book_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"something else, long enough to be looked at" * 30)
    with pytest.raises(BookUnusable, match=r"state\.db"):
        Book(tmp_path / "state.db")


async def test_old_openings_go_failures_stay(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await net.go(70, operator)
    open_all(net, operator, wave)
    await net.go(10, operator)
    right, wrong = operator.desk.book.openings(1)
    operator.desk.book.put_code(wrong, Code.WORK_WRONG)
    monkeypatch.setattr("keeper.operator.hours.SAMPLE", 1 << 64)
    hours, store = operator._hours, operator.desk.store
    hours._forget(1 + 7 * 24 - 1)
    assert store.has_opening(right.sha256)
    hours._forget(1 + 7 * 24)
    assert not store.has_opening(right.sha256)
    assert store.has_opening(wrong.sha256)
    assert [each.sha256 for each in operator.desk.book.openings(1)] == [wrong.sha256]
    assert store.names(1)
    # What isn't under its root is no evidence, and anybody can make it up.
    assert {_kept_days(wrong.sha256, code) for code in (Code.OPEN_PATH, Code.OPEN_ROOT, None)} == {7}
    # And an hour that a keeper took over, which this service knows nothing of.
    keep(store.folder, 0, {"opening-x.bin": b"wrong work"})
    hours._forget(400 * 24 - 1)
    assert HeldFiles(store.folder, 0)
    hours._forget(1 + 400 * 24)
    assert not store.has_opening(wrong.sha256)
    assert store.names(1) == []
    assert store.hours() == []
    assert operator.desk.book.hours() == [0] or operator.desk.book.hours() == []


async def test_answers_survive_a_restart(net: Net) -> None:
    operator = await net.operator(0)
    await operator.step()
    while not (asked := [each for each in operator.desk.intake.pings.values() if each.seen > 0]):
        await net.go(5, operator)
    assert (
        operator.desk.intake.ping(net.devices[0].pong(asked[0].ping.seed), ADDRESS, net.monotonic()) is None
    )
    await operator.work()
    kill(operator)
    operator = await net.operator(0)
    await operator.step()
    again = operator.desk.intake.pings[asked[0].ping.seed]
    assert again.answered == {bytes(net.devices[0].account)}
    # For as long as they can be written down: millions of them a day would fill the disk.
    hours, seed = operator._hours, asked[0].ping.seed
    hours._forget(asked[0].ping.hour + 2)
    assert operator.desk.book.answers(seed) == again.answered
    hours._forget(asked[0].ping.hour + 3)
    assert operator.desk.book.answers(seed) == set()
    assert isinstance(again, Asked)
    assert await operator.desk.chain.slot(Commitment.CONFIRMED) == operator.desk.newest


class Slow:
    """A chain that goes on while it answers for one block."""

    def __init__(self, net: Net, slot: int) -> None:
        self._net, self._slot = net, slot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net.world.chain, name)

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        found = await self._net.world.chain.head(slot, commitment)
        if found is not None and found.slot == self._slot:
            self._net.world.chain.advance(15)
        return found


async def test_a_block_that_took_long_to_read_is_judged_as_of_now(net: Net) -> None:
    other = await net.operator(1)
    wave = await net.until_wave(other)
    operator = await net.operator(0, chain=Slow(net, wave.wave.slot))
    await operator.step()
    assert held(operator, wave.wave).seen is None


async def test_a_restart_in_a_flood_leaves_known_devices_their_budgets(net: Net) -> None:
    """Where they are known is on the disk; who is registered no more isn't known any longer."""
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit_all(net, operator, wave)
    await operator.work()
    kill(operator)
    gone = net.devices[1]
    call = staking.terminate_device(net.world.read_device(gone.name))
    net.world.do(call, signers=[key(f"supplier of {gone.name}")])

    back = await net.operator(0)
    await back.step()
    gate, now = back.desk.intake.gate, net.monotonic()
    for number in range(3 * int(gate.limits.strangers.burst)):
        gate.admit(f"10.0.{number // 250}.{number % 250}", bytes(net.devices[0].account), now)
    assert gate.admit("10.1.1.1", bytes(net.devices[0].account), now) > 0
    assert gate.admit(ADDRESS, bytes(net.devices[0].account), now) == 0
    assert gate.share(ADDRESS) == 2
    assert not gate.is_home(ADDRESS, bytes(gone.account))
    await back.work()
    assert [device for device, _ in back.desk.book.homes()] == [bytes(net.devices[0].account)]
