"""A chain in a file that several use at a time, here in one process: turns, and what is on the disk when."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path

import pytest
from solders.message import MessageV0

from keeper.chain import ChainError, ChainUnreachable, Commitment, TransactionFailed, TransactionRecord
from keeper.chain import filelock as locks
from keeper.chain import snapshot as snapshots
from keeper.chain.connect import connect, refresh, writing
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import AnotherChain, ChainLocked, ChainNotSaved
from keeper.chain.fees import FeePolicy
from keeper.chain.filelock import FileLock
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.landing import follow, land, prepare
from keeper.chain.saved import SavedChain
from keeper.chain.signer import sign
from tests.keeper.chain import mortal_writer
from tests.keeper.chain.conftest import ALICE, BOB, LAMPORTS, pay
from tests.keeper.forks import forks

CONFIRMED, FINALIZED = Commitment.CONFIRMED, Commitment.FINALIZED
LATE = 4_000_000_000
"""A time of the chain's that no machine's clock is ahead of."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    chain = EmbeddedChain(now=LATE)
    chain.airdrop(ALICE.pubkey(), LAMPORTS)
    chain.airdrop(BOB.pubkey(), LAMPORTS)
    chain.save(tmp_path / "chain")
    return tmp_path / "chain"


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0)


def on_disk(path: Path) -> list[TransactionRecord]:
    return EmbeddedChain.load(path).transactions()


def inode(path: Path) -> tuple[int, int]:
    return path.stat().st_ino, path.stat().st_mtime_ns


def remove(path: Path) -> None:
    path.unlink()


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def files(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


# -- turns ------------------------------------------------------------------------------------------


async def test_what_was_sent_is_on_the_disk(path: Path) -> None:
    chain = SavedChain.load(path)
    record = await chain.send([pay(1)], [ALICE])
    assert on_disk(path) == [record]
    with pytest.raises(TransactionFailed):
        await chain.send([pay(2 * LAMPORTS)], [ALICE])
    assert len(on_disk(path)) == 2, "its fee is gone, too"
    assert files(path) == {"chain", "chain.lock"}
    assert (path.parent / "chain.lock").read_bytes() == b""


async def test_what_a_turn_sends_is_on_the_disk_at_its_end(path: Path) -> None:
    chain = SavedChain.load(path)
    async with chain.writing():
        await chain.send([pay(1)], [ALICE])
        async with chain.writing():
            await asyncio.gather(*(chain.send([pay(2 + each)], [ALICE]) for each in range(5)))
        assert on_disk(path) == []
        assert not chain.all_final
    assert chain.all_final
    assert len(on_disk(path)) == 6


async def test_tasks_of_a_process_take_turns_as_processes_do(path: Path, no_patience: None) -> None:
    """Nothing of one comes between what another tries out and sends; and none is left holding the lock."""
    chain, other = SavedChain.load(path), SavedChain.load(path)
    inside, leave, order = asyncio.Event(), asyncio.Event(), []

    async def long() -> None:
        async with chain.writing():
            await chain.send([pay(1)], [ALICE])
            inside.set()
            await leave.wait()
            order.append("long")

    async def short() -> None:
        await chain.send([pay(2)], [ALICE])
        order.append("short")

    async def asking() -> None:
        await chain.clock(FINALIZED)
        order.append("asking")

    tasks = [asyncio.create_task(long())]
    await inside.wait()
    tasks += [asyncio.create_task(short()), asyncio.create_task(asking())]
    await asyncio.sleep(0)
    assert len(await chain.program_accounts(TOKEN_PROGRAM)) == 0, "who reads waits for nobody"
    assert on_disk(path) == []
    leave.set()
    await asyncio.gather(*tasks)
    assert order == ["long", "short", "asking"]
    await other.send([pay(3)], [ALICE])
    assert len(on_disk(path)) == 3


async def test_a_turn_that_fails_keeps_what_was_executed(path: Path) -> None:
    """As a chain would: what came after the failure is what lacks."""
    chain = SavedChain.load(path)
    with pytest.raises(ZeroDivisionError):
        async with chain.writing():
            await chain.send([pay(1)], [ALICE])
            raise ZeroDivisionError
    assert len(on_disk(path)) == 1


async def test_who_sends_nothing_locks_and_writes_nothing(path: Path, no_patience: None) -> None:
    remove(path.with_name("chain.lock"))
    before = inode(path)
    chain, other = SavedChain.load(path), SavedChain.load(path)
    async with chain.writing(), other.writing():
        await chain.slot(FINALIZED)
        await other.accounts([BOB.pubkey()])
    await chain.simulate([pay(1)], [ALICE])
    assert inode(path) == before
    assert files(path) == {"chain"}


async def test_what_a_turn_tries_out_is_what_it_sends(path: Path, no_patience: None) -> None:
    """Nobody comes between the two; who only asks what would happen keeps nobody from anything."""
    first, second = SavedChain.load(path), SavedChain.load(path)
    assert (await second.simulate([pay(LAMPORTS // 2)], [ALICE])).error is None
    await first.send([pay(LAMPORTS // 2)], [ALICE])
    assert (await second.simulate([pay(LAMPORTS // 2)], [ALICE])).error is None
    async with second.writing():
        assert (await second.simulate([pay(LAMPORTS // 2)], [ALICE])).error is not None
        with pytest.raises(ChainLocked):
            await first.send([pay(1)], [ALICE])
    record = await land(first, [pay(1)], [ALICE])
    assert on_disk(path)[1:] == [record]


async def test_two_take_turns_and_see_each_other_s(path: Path) -> None:
    """Each is the same object throughout."""
    first, second = SavedChain.load(path), SavedChain.load(path)
    for number in range(3):
        await first.send([pay(10 + number)], [ALICE])
        await second.send([pay(20 + number)], [ALICE])
    records = second.transactions()
    assert on_disk(path) == records
    assert len(records) == len({each.signature for each in records}) == 6
    assert [each.slot for each in records] == sorted({each.slot for each in records})
    assert first.transactions() == records[:5]
    first.refresh()
    assert first.transactions() == records
    assert await first.accounts([BOB.pubkey()]) == await second.accounts([BOB.pubkey()])
    assert await first.clock() == await second.clock()


async def test_the_second_waits_for_the_first(path: Path) -> None:
    first, second = SavedChain.load(path), SavedChain.load(path)
    async with first.writing():
        one = await first.send([pay(1)], [ALICE])
        waiting = asyncio.create_task(second.send([pay(2)], [ALICE]))
        await asyncio.sleep(3 * locks.TRY_SECONDS)
        assert not waiting.done()
    two = await waiting
    assert on_disk(path) == [one, two]


async def test_nobody_waits_for_ever(path: Path, no_patience: None) -> None:
    first, second = SavedChain.load(path), SavedChain.load(path)
    async with first.writing():
        await first.send([pay(1)], [ALICE])
        with pytest.raises(ChainLocked) as error:
            await second.send([pay(2)], [ALICE])
        assert re.fullmatch(
            rf"{path}: process {os.getpid()} \(.+\) is still writing to it after 0 seconds, so nothing was "
            "sent: try again once that has ended",
            str(error.value),
        )
        with pytest.raises(ChainLocked):
            EmbeddedChain(now=LATE).save(path)
    await second.send([pay(2)], [ALICE])
    assert len(on_disk(path)) == 2


async def test_a_blockhash_holds_for_its_turn(path: Path) -> None:
    """Outside of any, another may come in between, as on a node: the transaction is not executed."""
    first, second = SavedChain.load(path), SavedChain.load(path)
    second.refresh()
    await first.send([pay(1)], [ALICE])
    async with second.writing():
        latest = await second.blockhash()
        message = MessageV0.try_compile(ALICE.pubkey(), [pay(2)], [], latest.hash)
        good = sign(message, [ALICE])
        await second.broadcast(good)
        assert await second.statuses(good.signatures) != [None]
    latest = await first.blockhash()
    await second.send([pay(3)], [ALICE])
    message = MessageV0.try_compile(ALICE.pubkey(), [pay(4)], [], latest.hash)
    late = sign(message, [ALICE])
    await first.broadcast(late)
    assert await first.statuses(late.signatures) == [None]
    assert (await first.tip()).height > latest.last_valid_height
    assert len(on_disk(path)) == 3


async def test_whoever_follows_the_programs_hears_of_others_transactions(path: Path) -> None:
    chain = SavedChain.load(path)
    told = asyncio.create_task(chain.changed([]))
    await asyncio.sleep(0)
    await SavedChain.load(path).send([pay(1)], [ALICE])
    refresh(chain)
    await asyncio.wait_for(told, 1)


# -- what is final ----------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """This machine's, a minute ahead of the chain's; it stands still."""
    shown = [LATE + 60.0]
    monkeypatch.setattr(time, "time", lambda: shown[0])
    yield shown


def live(path: Path) -> SavedChain:
    chain = SavedChain.load(path)
    chain.follow_wall_clock()
    return chain


async def test_no_time_is_final_that_another_s_transaction_may_still_be_before(
    path: Path, clock: list[float], no_patience: None
) -> None:
    """An hour's rewards are made of what happened before its end, once that is final."""
    keeper, other = live(path), live(path)
    async with other.writing():
        early = await other.send([pay(1)], [ALICE])
        clock[0] += 10
        assert (await keeper.clock()).unix_timestamp == clock[0]
        with pytest.raises(ChainLocked):
            await keeper.clock(FINALIZED)
    final = await keeper.clock(FINALIZED)
    assert final.unix_timestamp == clock[0] > early.time
    assert early.slot <= final.slot == await keeper.slot(FINALIZED)
    assert keeper.transactions() == [early]


async def test_a_final_time_stays_before_all_that_comes(path: Path, clock: list[float]) -> None:
    """Even on machines whose clocks are set back."""
    keeper, other = live(path), live(path)
    final = await keeper.clock(FINALIZED)
    clock[0] -= 3_600
    record = await other.send([pay(1)], [ALICE])
    assert record.time >= final.unix_timestamp
    assert record.slot > final.slot


async def test_final_slots_only_move_forwards(path: Path, clock: list[float]) -> None:
    keeper, other = live(path), live(path)
    before = -1
    for number in range(4):
        clock[0] += 5
        await keeper.clock()  # Each reading of a later time is a slot, which others don't see.
        await (other if number % 2 else keeper).send([pay(1 + number)], [ALICE])
        keeper.refresh()
        final = await keeper.slot(FINALIZED)
        assert final > before
        assert final == keeper.transactions()[-1].slot
        before = final


# -- what can't be saved ----------------------------------------------------------------------------


def break_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing gets onto the disk any more."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshots.os, "fsync", fail)


async def test_what_was_not_saved_is_saved_with_the_next_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keeper that goes on: until then it isn't final, and others see the old file."""
    chain, old = SavedChain.load(path), content(path)
    with monkeypatch.context() as patched:
        break_disk(patched)
        with pytest.raises(ChainNotSaved) as error:
            await chain.send([pay(1)], [ALICE])
    assert str(error.value) == (
        f"{path}: can't be saved (No space left on device). The file is as it was, and nothing is kept of "
        "what was to go into it: make room, or see that its folder can be written to"
    )
    assert content(path) == old
    assert files(path) == {"chain", "chain.lock"}
    assert await chain.slot(CONFIRMED) > await chain.slot(FINALIZED)
    async with chain.writing():
        pass
    assert on_disk(path) == chain.transactions()
    assert chain.all_final


async def test_what_was_not_saved_when_others_wrote_has_never_been(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = SavedChain.load(path)
    with monkeypatch.context() as patched:
        break_disk(patched)
        with pytest.raises(ChainNotSaved):
            await chain.send([pay(1)], [ALICE])
    (lost,) = chain.transactions()
    kept = await SavedChain.load(path).send([pay(2)], [ALICE])
    async with chain.writing():
        assert chain.transactions() == [kept]
        assert await chain.statuses([lost.signature]) == [None]
    assert on_disk(path) == [kept]


async def test_the_order_of_what_goes_to_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content, then its name, then the folder; only then is the lock let go."""
    done: list[str] = []
    sync, replace, release = os.fsync, Path.replace, FileLock.release

    def synced(descriptor: int) -> None:
        done.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        done.append(f"{self.name} -> {target.name}")
        return replace(self, target)

    def released(self: FileLock) -> None:
        done.append("release")
        release(self)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(FileLock, "release", released)
    await SavedChain.load(path).send([pay(1)], [ALICE])
    assert done == ["sync chain.new", "chain.new -> chain", f"sync {path.parent.name}", "release"]


def write(path: Path, lamports: int, kill_at: int = 0) -> Counter[str] | None:
    """Execute a transaction in a process of its own; gives its steps, None when it was killed."""
    ours, theirs = Pipe(duplex=False)
    process = forks().Process(target=mortal_writer.main, args=(str(path), lamports, kill_at, theirs))
    process.start()
    theirs.close()
    process.join(60)
    assert process.exitcode == (-signal.SIGKILL if kill_at else 0)
    return None if kill_at else ours.recv()


def test_killed_at_every_step_of_a_save(path: Path, no_patience: None) -> None:
    """The file has the transaction or hasn't, and is whole; the next one who writes is not held up."""
    steps = write(path, 1)
    assert steps is not None
    assert set(steps) == set(mortal_writer.FUNCTIONS)
    kept = [1]
    died: list[bool] = []
    for kill_at in range(1, steps.total() + 1):
        write(path, 10 + kill_at, kill_at)
        chain = EmbeddedChain.load(path)
        died.append(len(chain.transactions()) > len(kept))
        if died[-1]:
            kept.append(10 + kill_at)
        assert files(path) <= {"chain", "chain.lock", "chain.new"}
        account = chain.get(BOB.pubkey())
        assert account
        assert account.lamports - LAMPORTS == sum(kept)
    assert died == sorted(died), "before the new file is in place, and after"
    assert {*died} == {True, False}
    assert write(path, 5)
    assert len(on_disk(path)) == len(kept) + 1
    assert files(path) == {"chain", "chain.lock"}


# -- files that aren't what they were ---------------------------------------------------------------


async def test_a_file_that_was_changed_without_its_lock_is_not_saved_over(path: Path) -> None:
    """The last defence: under the lock nobody else should."""
    chain = SavedChain.load(path)
    stranger = EmbeddedChain.load(path)
    stranger.execute([pay(7)], [ALICE])
    stranger.save(path.with_name("copy"))
    with pytest.raises(ChainNotSaved, match="it was changed since it was read, without its lock"):
        async with chain.writing():
            await chain.send([pay(1)], [ALICE])
            shutil.copy(path.with_name("copy"), path)
    assert content(path) == content(path.with_name("copy"))
    async with chain.writing():
        assert chain.transactions() == stranger.transactions()


def test_an_owner_s_chain_is_not_saved_over_a_file_that_changed(path: Path) -> None:
    mine, theirs = EmbeddedChain.load(path), EmbeddedChain.load(path)
    theirs.execute([pay(1)], [ALICE])
    theirs.save(path)
    mine.execute([pay(2)], [ALICE])
    with pytest.raises(ChainNotSaved, match="run the command again, which reads it anew"):
        mine.save(path)
    assert on_disk(path) == theirs.transactions()
    mine.save(path.with_name("elsewhere"))
    theirs.save(path)


async def test_another_chain_in_the_file_ends_it(path: Path) -> None:
    """Whoever saves a new chain may do so over an old one, knowingly."""
    chain = SavedChain.load(path)
    old, new = await chain.genesis_hash(), EmbeddedChain(now=LATE)
    new.save(path)
    theirs = content(path)
    said = f"{path} holds another chain now \\(genesis {await new.genesis_hash()}\\).*\\(genesis {old}\\)"
    for attempt in (chain.refresh, lambda: refresh(chain)):
        with pytest.raises(AnotherChain, match=said):
            attempt()
    with pytest.raises(AnotherChain, match=said):
        async with chain.writing():
            raise AssertionError
    with pytest.raises(AnotherChain):
        await chain.send([pay(1)], [ALICE])
    assert content(path) == theirs


async def test_another_chain_that_comes_in_the_middle_of_a_turn(path: Path) -> None:
    chain = SavedChain.load(path)
    with pytest.raises(AnotherChain):
        async with chain.writing():
            EmbeddedChain(now=LATE).save(path)
            await chain.send([pay(1)], [ALICE])
    assert on_disk(path) == []
    EmbeddedChain(now=LATE).save(path)


async def test_a_file_that_is_gone_is_not_made_again(path: Path) -> None:
    chain = SavedChain.load(path)
    with pytest.raises(ChainNotSaved):
        async with chain.writing():
            await chain.send([pay(1)], [ALICE])
            remove(path)
    with pytest.raises(ChainError, match="no saved chain here"):
        await chain.send([pay(1)], [ALICE])
    assert content(path) is None


async def test_a_link_stays_one(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to("chain")
    await SavedChain.load(link).send([pay(1)], [ALICE])
    assert link.is_symlink()
    assert len(on_disk(path)) == 1
    assert files(path) == {"chain", "chain.lock", "link"}


def test_what_others_left_behind_disturbs_nobody(path: Path) -> None:
    """Half a file and a journal of a process that was killed, and its name in the lock."""
    other = path.with_name("chain.new")
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE chain (x)")
    connection.close()
    path.with_name("chain.new-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    path.with_name("chain.lock").write_text("process 1 (ionet)")
    chain = EmbeddedChain.load(path)
    record = chain.execute([pay(1)], [ALICE])
    chain.save(path)
    assert on_disk(path) == [record]
    assert files(path) == {"chain", "chain.lock"}


def test_a_lock_that_can_t_be_one(path: Path) -> None:
    """Nothing that a link points to is locked, or emptied."""
    lock, victim = path.with_name("chain.lock"), path.with_name("victim")
    victim.write_text("precious")
    lock.unlink()
    lock.symlink_to("victim")
    with pytest.raises(ChainNotSaved, match=f"{lock}: can't be locked"):
        EmbeddedChain(now=LATE).save(path)
    assert victim.read_text() == "precious"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(ChainNotSaved, match="Is a directory"):
        EmbeddedChain(now=LATE).save(path)


def test_a_lock_that_is_removed_while_somebody_waits_is_made_anew(path: Path) -> None:
    """Who holds the removed file and who holds the new one would both write."""
    first, second, third = FileLock(path), FileLock(path), FileLock(path)
    assert list(first.attempts()) == []
    waiting = second.attempts()
    next(waiting)
    path.with_name("chain.lock").unlink()
    assert list(waiting) == [], "there is nothing that it could see of the first"
    waiting = third.attempts()
    next(waiting)
    first.release()
    next(waiting)
    second.release()
    assert list(waiting) == []
    third.release()


# -- how it is opened -------------------------------------------------------------------------------


async def test_who_opens_a_chain_to_act_gets_one_that_is_saved(path: Path) -> None:
    async with connect(str(path), live=True) as chain, writing(chain):
        assert isinstance(chain, SavedChain)
        await chain.send([pay(1)], [ALICE])
    assert len(on_disk(path)) == 1
    async with connect(str(path), live=True, keep=False) as chain, writing(chain):
        await chain.send([pay(1)], [ALICE])
        refresh(chain)
    async with connect(str(path)) as chain:
        assert not isinstance(chain, SavedChain)
    assert len(on_disk(path)) == 1


def test_a_file_with_a_second_name_is_not_written(path: Path) -> None:
    """The other name would keep what was, and two who use one each would each have a chain of their own."""
    os.link(path, path.with_name("other"))
    with pytest.raises(ChainNotSaved, match="has another name, a hard link"):
        EmbeddedChain.load(path).save(path)
    assert inode(path) == inode(path.with_name("other"))


async def test_a_lock_file_that_is_removed_while_somebody_saves(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one locks anew and saves meanwhile: the first finds the file changed, at the last moment."""
    first, second = SavedChain.load(path), SavedChain.load(path)
    fill, interrupted = snapshots.Snapshot._fill, []

    def interrupting(self: snapshots.Snapshot, to: Path) -> str:
        digest = fill(self, to)
        if not interrupted:
            interrupted.append(True)
            path.with_name(path.name + ".lock").unlink()
            second.execute([pay(2)], [ALICE])
            second.save(path)
            fill(self, to)  # the other one has removed what was written here
        return digest

    monkeypatch.setattr(snapshots.Snapshot, "_fill", interrupting)
    with pytest.raises(ChainNotSaved, match="changed since it was read"):
        async with first.writing():
            await land(first, [pay(1)], [ALICE], poll_seconds=0)
    assert on_disk(path) == second.transactions()


async def test_an_earlier_copy_that_is_put_back(path: Path) -> None:
    """What was signed for a state that is gone can neither land nor expire: it ends, and holds no lock."""
    shutil.copy(path, path.with_name("earlier"))
    chain = SavedChain.load(path)
    await land(chain, [pay(1)], [ALICE], poll_seconds=0)
    signed = await prepare(chain, [pay(2)], [ALICE], FeePolicy())
    path.with_name("earlier").replace(path)
    with pytest.raises(ChainUnreachable, match="signed for a state that the chain doesn't have"):
        async with chain.writing():
            await follow(chain, signed.transaction, signed.last_valid_height, poll_seconds=0)
    await land(SavedChain.load(path), [pay(3)], [ALICE], poll_seconds=0)


async def test_a_defect_is_shown_even_when_its_turn_can_not_be_saved(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: snapshots.Snapshot, to: Path) -> str:
        raise OSError(28, "No space left on device")

    chain = SavedChain.load(path)
    monkeypatch.setattr(snapshots.Snapshot, "_fill", full)
    with pytest.raises(ZeroDivisionError) as raised:
        async with chain.writing():
            await land(chain, [pay(1)], [ALICE], poll_seconds=0)
            raise ZeroDivisionError
    assert "No space left on device" in raised.value.__notes__[0]
