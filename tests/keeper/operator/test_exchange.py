"""Operators that exchange files, some of whom serve something else."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.operator import collecting
from keeper.operator.operator import Operator
from keeper.operator.store import evidence_name, pings_name, transfers_name, wave_name
from keeper.operator.waves import Held, Taken
from keeper.pow import files
from keeper.pow.codes import Code
from keeper.pow.connectivity import Transfer
from keeper.pow.messages import Commit, decode
from keeper.rewards.peers import Peers
from tests.keeper.operator.bad_peer import peer, says
from tests.keeper.operator.network import ADDRESS, Net, held, say
from tests.keeper.operator.serving import serving
from tests.programs.world import HOUR, START, key

DATA = bytes(range(256)) * 10
DIGEST = sha256(DATA).digest()


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


def commit(net: Net, operator: Operator, wave: Held, number: int) -> None:
    device = net.devices[number]
    proof = device.prove(wave.wave, net.profiles)
    taken = say(operator, device.commit(wave.wave, proof.root))
    assert isinstance(taken, Taken)


def open_to(net: Net, operator: Operator, wave: Held, number: int) -> None:
    data = net.devices[number].opening(wave, net.profiles)
    expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
    assert operator.desk.intake.bind(expected, data[96:]) is None
    operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))


def posts(net: Net, number: int, hour: int, kind: int, slot: int, digest: bytes) -> None:
    """An operator posts whatever hash."""
    signer = net.world.operators[number]
    net.world.do(staking.post(signer.pubkey(), hour, kind, slot, digest), signers=[signer])


async def test_two_operators_come_to_the_same_files(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each device reaches one operator alone; in the end both hold everything, verified by both."""
    first = await net.operator(0)
    async with serving(first) as (url, _):
        second = await net.operator(1, peers=[url])
        async with serving(second) as (back, _):
            first.collecting._peers = Peers([back], clock=net.monotonic)
            wave = await net.until_wave(first, second)
            other = held(second, wave.wave)
            commit(net, first, wave, 0)
            commit(net, second, other, 1)
            await net.go(70, first, second)
            for each in (first, second):
                record = held(each, wave.wave)
                assert len(record.roots) == 2
            # Each device opens to the operator that it didn't commit to.
            open_to(net, first, wave, 1)
            open_to(net, second, other, 0)
            await net.go(70, first, second)
            net.world.chain.warp_to(START + 2 * HOUR + 75)
            await net.go(120, first, second)
            for each in (first, second):
                found = each.desk.store.listing(1)
                names = {wave_name(wave.wave.slot, at.desk.operator) for at in (first, second)}
                names |= {
                    make(at.desk.operator)
                    for at in (first, second)
                    for make in (pings_name, transfers_name, evidence_name)
                }
                assert names <= found.keys()
                codes = {opened.device: opened.code for opened in each.desk.book.openings(1)}
                assert codes == {bytes(device.account): Code.PASS for device in net.devices}
            assert first.desk.store.listing(1) == second.desk.store.listing(1)
            # What is all here isn't looked for again, until something of it is lost.
            store, looked = first.desk.store, list[bytes]()
            monkeypatch.setattr(
                store, "has_opening", lambda each: looked.append(each) or type(store).has_opening(store, each)
            )
            await net.go(20, first, second)
            assert looked == []
            digest = first.desk.book.openings(1)[0].sha256
            store.opening_path(digest).write_bytes(b"damaged")
            assert store.opening(digest) is None
            await net.go(20, first, second)
            assert digest in looked
            assert sha256(store.opening(digest) or b"").digest() == digest
            await first.collecting._peers.close()
            await second.collecting._peers.close()


async def test_a_file_with_a_wrong_signature_teaches_no_root(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    await net.go(42, operator)
    good = net.devices[0].commit(wave.wave, bytes([1]) * 32)
    forged = net.devices[1].commit(wave.wave, bytes([2]) * 32, key("somebody"))
    rows = files.wave_rows([(decode(Commit, good), 5), (decode(Commit, forged), 5)])
    data = files.write_wave(rows)
    liar = net.world.operators[1].pubkey()
    posts(net, 1, 1, 1, wave.wave.slot, sha256(data).digest())
    async with peer(says(data)) as (url, asked):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(5, operator)
        assert operator.desk.store.read(1, wave_name(wave.wave.slot, liar)) == data
        assert wave.roots == {}
        requests = len(asked)
        await net.go(10, operator)
        assert len(asked) == requests
        await operator.collecting._peers.close()


async def test_a_wrong_signature_of_who_isnt_in_the_hour_costs_nobody_else_a_root(net: Net) -> None:
    """Nor does it cost the file, when verdicts are made: what is due by it has to be had."""
    net.world.chain.warp_to(START + HOUR + 50)
    net.devices.append(net.device("worker fresh"))
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    await net.go(42, operator)
    good = net.devices[0].commit(wave.wave, bytes([1]) * 32)
    forged = net.devices[2].commit(wave.wave, bytes([2]) * 32, key("somebody"))
    data = files.write_wave(files.wave_rows((decode(Commit, each), 5) for each in (good, forged)))
    posts(net, 1, 1, 1, wave.wave.slot, sha256(data).digest())
    async with peer(says(data)) as (url, _):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(5, operator)
        assert wave.roots.keys() == {bytes(net.devices[0].account)}
        await operator.collecting._peers.close()


async def test_what_wasnt_posted_in_time_or_by_an_operator_isnt_fetched(net: Net) -> None:
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    async with peer(says(DATA)) as (url, asked):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(65, operator)
        assert net.world.chain.newest_slot() >= wave.wave.slot + 150
        posts(net, 1, 1, 1, wave.wave.slot, DIGEST)
        posts(net, 2, 1, 1, wave.wave.slot + 32, DIGEST)
        await net.go(10, operator)
        assert asked == []
        await operator.collecting._peers.close()


async def test_what_is_posted_before_its_hour_isnt_the_first(net: Net) -> None:
    """An hour is judged by what is posted from its start on, so that is what others have to fetch."""
    operator = await net.operator(0)
    await operator.step()
    posts(net, 1, 2, 2, 0, bytes(32))
    net.world.chain.warp_to(START + 2 * HOUR)
    posts(net, 1, 2, 2, 0, DIGEST)
    posts(net, 1, 2, 2, 0, bytes(32))
    liar = net.world.operators[1].pubkey()
    await operator.desk.postings.refresh(liar)
    found = operator.desk.postings.of_hour(2)
    assert [(key.operator, posted.hash) for key, posted in found.items()] == [(liar, DIGEST)]


async def test_evidence_of_what_cant_be_is_left_alone(net: Net) -> None:
    """Rows about unknown waves, devices, roots and lengths cost no request; a right one is fetched once."""
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit(net, operator, wave, 0)
    await net.go(140, operator)
    net.world.chain.warp_to(START + 2 * HOUR + 75)
    await net.go(100, operator)
    device = net.devices[0]
    root = device.proofs[wave.wave.seed].root
    blob = device.opening(wave, net.profiles)[96:]
    slot, account, nobody = wave.wave.slot, device.account, Pubkey.from_bytes(bytes([3]) * 32)
    right = (slot, account, root, sha256(blob).digest(), len(blob))
    junk = [
        (slot + 1, account, root, bytes([4]) * 32, len(blob)),
        (slot, nobody, root, bytes([5]) * 32, len(blob)),
        (slot, account, bytes([6]) * 32, bytes([6]) * 32, len(blob)),
        (slot, net.devices[1].account, root, bytes([7]) * 32, len(blob) + 1),
    ]
    answers = b"".join(  # Nobody answered any ping.
        each.slot.to_bytes(8, "little") + b"\0" for each in operator.desk.book.pings(1)
    )
    lines = files.Transfers(7, files.transfer_rows({account: Transfer(1, 2, 3, 4)})).write()
    hashes = sha256(answers).digest(), sha256(lines).digest()
    data = files.Evidence(*hashes, files.evidence_rows([right, *junk])).write()
    posts(net, 1, 1, 2, 0, sha256(data).digest())
    liar = net.world.operators[1].pubkey()

    async def serve(writer: object) -> None:
        path = asked[-1].split()[1].decode()
        known = {
            f"/pow/hours/1/{evidence_name(liar)}": data,
            f"/pow/hours/1/{pings_name(liar)}": answers,
            f"/pow/hours/1/{transfers_name(liar)}": lines,
            f"/pow/openings/{sha256(blob).hexdigest()}": blob,
        }
        body = known.get(path)
        await (says(body) if body is not None else says(b"", "404 No"))(writer)  # type: ignore[arg-type]

    async with peer(serve) as (url, asked):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(15, operator)
        paths = [each.split()[1].decode() for each in asked]
        assert len(paths) == len(set(paths)) == 4
        await operator.collecting._peers.close()
    (opened,) = operator.desk.book.openings(1)
    assert (opened.code, operator.desk.store.opening(opened.sha256)) == (Code.PASS, blob)
    # It came after this operator's own evidence, which stays as it is posted.
    own = operator.desk.store.read(1, evidence_name(operator.desk.operator))
    assert own is not None
    assert len(files.Evidence.read(own).rows) == 0
    # Damaged on the disk it is neither judged nor served, but asked for again.
    operator.desk.store.opening_path(opened.sha256).write_bytes(blob[:-1])
    assert operator.desk.store.opening(opened.sha256) is None
    assert not operator.desk.store.has_opening(opened.sha256)


async def test_a_device_that_goes_after_it_opened_to_one_parts_nobody(net: Net) -> None:
    """Its opening is owed all the same, and the others get it: else no two would hold the same evidence."""
    first = await net.operator(0)
    async with serving(first) as (url, _):
        second = await net.operator(1, peers=[url])
        wave = await net.until_wave(first, second)
        for operator in (first, second):
            commit(net, operator, held(operator, wave.wave), 0)
        await net.go(75, first, second)
        open_to(net, first, wave, 0)
        gone = net.devices[0]
        supplier = key(f"supplier of {gone.name}")
        call = staking.terminate_device(net.world.read_device(gone.name))
        net.world.do(call, signers=[supplier])
        await net.go(80, first, second)
        net.world.chain.warp_to(START + 2 * HOUR + 75)
        await net.go(120, first, second)
        assert bytes(gone.account) not in second.desk.intake.roster.entries
        codes = [opened.code for opened in second.desk.book.openings(1)]
        assert codes == [Code.PASS]
        await second.collecting._peers.close()


async def test_openings_that_nobody_has_arent_asked_for_one_by_one(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A liar's file names one for each device: what it owes can't be had whole, so the rest is no use."""
    monkeypatch.setattr(collecting, "AT_ONCE", 1)
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    for number in range(len(net.devices)):
        commit(net, operator, wave, number)
    await net.go(140, operator)
    net.world.chain.warp_to(START + 2 * HOUR + 75)
    await net.go(100, operator)
    rows = []
    for device in net.devices:
        length = len(device.opening(wave, net.profiles)) - 96
        root = device.proofs[wave.wave.seed].root
        rows.append((wave.wave.slot, device.account, root, sha256(root).digest(), length))
    none = sha256(b"").digest()
    data = files.Evidence(none, none, files.evidence_rows(rows)).write()
    posts(net, 1, 1, 2, 0, sha256(data).digest())
    liar = net.world.operators[1].pubkey()

    async def serve(writer: object) -> None:
        wants = asked[-1].split()[1].decode().endswith(evidence_name(liar))
        await (says(data) if wants else says(b"", "404 No"))(writer)  # type: ignore[arg-type]

    async with peer(serve) as (url, asked):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(15, operator)
        blobs = [each for each in asked if b"/openings/" in each]
        assert len(net.devices) == len(rows) > 1
        assert len(blobs) == 3, "one a round"
        await operator.collecting._peers.close()


async def test_devices_that_go_leave_no_file_too_long_to_fetch(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A liar's file is as long as may count by the devices of the hour's start, and then its devices go.

    It gave it to somebody else before: whoever couldn't fetch it any more would never agree with that one.
    """
    monkeypatch.setattr(files, "MORE_DEVICES", 0)
    names = [f"unstaked {number}" for number in range(3)]
    accounts = {name: net.device(name, stake=0) for name in names}
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    limit = files.wave_limit(len(net.devices) + len(names))
    most = (limit - files.HEADER) // files.WAVE.itemsize
    signed = decode(Commit, accounts[names[0]].commit(wave.wave, bytes([1]) * 32))
    rows = files.wave_rows([(signed, 5)]).repeat(most)
    rows["device"] = [bytes([1, number, 0, 1]) * 8 for number in range(most)]
    data = files.write_wave(rows)
    assert len(data) == limit
    for name in names:
        device = net.world.read_device(name)
        net.world.do(staking.terminate_device(device), signers=[key(f"supplier of {name}")])
        net.world.do(staking.close_device(device))
    await net.go(42, operator)
    assert len(operator.desk.intake.roster.workers) == len(net.devices)
    liar = net.world.operators[1].pubkey()
    posts(net, 1, 1, 1, wave.wave.slot, sha256(data).digest())
    async with peer(says(data)) as (url, _):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(5, operator)
        assert operator.desk.store.read(1, wave_name(wave.wave.slot, liar)) == data
        await operator.collecting._peers.close()


async def test_commits_to_work_that_there_isnt_teach_no_root(net: Net) -> None:
    """A device and an operator together can have any commit in a file that counts."""
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    await net.go(42, operator)
    signed = [
        net.devices[0].commit(wave.wave, bytes([1]) * 32, kind=1),
        net.devices[1].commit(wave.wave, bytes([2]) * 32, profile=77),
    ]
    rows = files.wave_rows((decode(Commit, each), 5) for each in signed)
    data = files.write_wave(rows)
    posts(net, 1, 1, 1, wave.wave.slot, sha256(data).digest())
    async with peer(says(data)) as (url, _):
        operator.collecting._peers = Peers([url], clock=net.monotonic)
        await net.go(5, operator)
        assert operator.desk.store.read(1, wave_name(wave.wave.slot, net.world.operators[1].pubkey())) == data
        assert wave.roots == {}
        await operator.collecting._peers.close()


async def test_devices_of_the_hour_itself_are_left_out_of_its_file(net: Net) -> None:
    """However many come: others read a file of as many devices as there were."""
    net.world.chain.warp_to(START + HOUR + 50)
    fresh = net.device("worker fresh")
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    commit(net, operator, wave, 0)
    net.devices.append(fresh)
    commit(net, operator, wave, 2)
    await net.go(45, operator)
    data = operator.desk.store.read(1, wave_name(wave.wave.slot, operator.desk.operator))
    assert data is not None
    assert files.read_wave(data)["device"].tolist() == [bytes(net.devices[0].account)]
