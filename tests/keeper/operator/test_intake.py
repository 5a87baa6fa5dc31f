"""What is taken of what devices send, and the code of each refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.keypair import Keypair

from keeper.clients import staking
from keeper.economy.supply import IO
from keeper.operator.intake import PING_SECONDS, TRIES, Asked, Intake
from keeper.operator.limits import Gate, Limits
from keeper.operator.operator import Operator
from keeper.operator.refusals import STATUS, Refusal, Why
from keeper.operator.roster import Entry, Roster
from keeper.operator.store import wave_name
from keeper.operator.waves import Held, State, Taken
from keeper.pow import files
from keeper.pow.clock import Ping, Shares, Wave, WaveKind
from keeper.pow.messages import Commit
from keeper.pow.profiles_by_hour import ProfilesByHour
from keeper.pow.seeds import ALL
from tests.keeper.operator.network import ADDRESS, Net, held, say
from tests.keeper.rewards.hours import profiles_in
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS
from tests.programs.world import key

ROOT = bytes([1]) * 32
OTHER = bytes([2]) * 32


@pytest.fixture
async def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


@pytest.fixture
async def operator(net: Net) -> Operator:
    return await net.operator(0)


@pytest.fixture
async def wave(net: Net, operator: Operator) -> Held:
    return await net.until_wave(operator)


def why(found: object) -> Why:
    assert isinstance(found, Refusal), found
    assert found.detail.endswith(".")
    return found.why


def test_every_code_has_a_status_of_its_kind() -> None:
    assert STATUS.keys() == set(Why)
    assert all(400 <= status < 500 for reason, status in STATUS.items() if reason is not Why.BUSY)


async def test_a_commit_has_the_time_of_its_last_byte(net: Net, operator: Operator, wave: Held) -> None:
    seen = wave.seen
    assert seen is not None
    first = say(operator, net.devices[0].commit(wave.wave, ROOT))
    net.extra_seconds = 7.4321
    second = say(operator, net.devices[1].commit(wave.wave, ROOT))
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    assert (first.ms, second.ms) == (
        round((net.monotonic() - 7.4321 - seen) * 1000),
        round((net.monotonic() - seen) * 1000),
    )


async def test_the_same_commit_again_is_the_same_receipt(net: Net, operator: Operator, wave: Held) -> None:
    data = net.devices[0].commit(wave.wave, ROOT)
    first = say(operator, data)
    assert isinstance(first, Taken)
    receipt = await operator.desk.receipt(first)
    net.extra_seconds = 5
    again = say(operator, data, "203.0.113.9")
    assert again is first
    assert await operator.desk.receipt(again) == receipt
    # Signed anew to the same root, with other figures: the first counts.
    assert say(operator, net.devices[0].commit(wave.wave, ROOT, device_ms=1)) is first


async def test_a_second_root_is_a_conflict_and_kept(net: Net, operator: Operator, wave: Held) -> None:
    device = net.devices[0]
    commits = [device.commit(wave.wave, bytes([number]) * 32) for number in (1, 2, 3)]
    assert isinstance(say(operator, commits[0]), Taken)
    assert why(say(operator, commits[1])) == why(say(operator, commits[2])) == Why.CONFLICT
    assert isinstance(say(operator, commits[0]), Taken)
    await net.go(45, operator)
    data = operator.desk.store.read(1, wave_name(wave.wave.slot, operator.desk.operator))
    assert data is not None
    assert files.wave_commits(wave.wave.seed, files.read_wave(data)) == commits[:2]


async def test_strangers_and_the_unstaked_have_codes_of_their_own(
    net: Net, operator: Operator, wave: Held
) -> None:
    poor = net.device("poor", stake=0)
    apple = net.world.device("apple", net.world.earner("of apple", 900 * IO), device_class=APPLE_CLASS)
    net.world.do(staking.stake(apple, 900 * IO), signers=[key("of apple")])
    await operator.desk.refresh_roster()
    apple_account = staking.device_address(key("apple").pubkey())
    device = net.devices[0]
    nobody = key("nobody").pubkey()
    cases = {
        Why.UNKNOWN_DEVICE: type(device)("nobody", nobody, 1).commit(wave.wave, ROOT),
        Why.NOT_STAKED: poor.commit(wave.wave, ROOT),
        Why.BAD_SIGNATURE: device.commit(wave.wave, ROOT, key("worker b")),
        Why.UNKNOWN_WAVE: bytes(32) + device.commit(wave.wave, ROOT)[32:],
    }
    assert {expected: why(say(operator, data)) for expected, data in cases.items()} == {
        expected: expected for expected in cases
    }
    of_no_profile = type(device)("apple", apple_account, 4).commit(wave.wave, ROOT)
    found = say(operator, of_no_profile)
    assert why(found) == Why.NOT_STAKED
    assert "no profile" in found.detail


@pytest.mark.parametrize(
    "changed", [{"procs": 2}, {"procs": 0}, {"profile": 7}, {"kind": WaveKind.RESIDENCY}], ids=str
)
async def test_other_work_than_the_devices(net: Net, operator: Operator, wave: Held, changed: dict) -> None:
    assert wave.wave.kind is WaveKind.PRODUCT
    data = net.devices[0].commit(wave.wave, ROOT, **changed)
    assert why(say(operator, data)) == Why.WRONG_WORK
    unknown = (
        net.devices[0].commit(wave.wave, ROOT)[:64] + b"\x09" + net.devices[0].commit(wave.wave, ROOT)[65:]
    )
    assert why(say(operator, unknown)) == Why.WRONG_WORK
    assert not held(operator, wave.wave).taken


async def test_after_sealing_it_is_too_late(net: Net, operator: Operator, wave: Held) -> None:
    data = net.devices[0].commit(wave.wave, ROOT)
    await net.go(45, operator)
    assert why(say(operator, data)) == Why.TOO_LATE


async def test_wrong_signatures_use_up_a_strangers_budget_alone(
    net: Net, operator: Operator, wave: Held
) -> None:
    device = net.devices[0]
    forged = [device.commit(wave.wave, bytes([number, 9]) * 16, key("x")) for number in range(100)]
    found = [why(say(operator, data, "10.9.9.9")) for data in forged]
    assert found.count(Why.BAD_SIGNATURE) == operator.desk.intake.gate.limits.stranger.burst
    assert set(found[60:]) == {Why.TOO_MANY}
    assert isinstance(say(operator, device.commit(wave.wave, ROOT)), Taken)


async def test_what_is_refused_at_a_glance_uses_up_a_budget_too(
    net: Net, operator: Operator, wave: Held
) -> None:
    """Who asks about waves and devices that there aren't is answered as slowly as any flood."""
    device, intake, now = net.devices[0], operator.desk.intake, net.monotonic()
    proof = device.prove(wave.wave, net.profiles)
    right = device.commit(wave.wave, proof.root)
    unknown = right[:32] + bytes([9]) * 32 + right[64:]
    no_wave = bytes([9]) * 32 + right[32:]
    for data, reason in ((no_wave, Why.UNKNOWN_WAVE), (unknown, Why.UNKNOWN_DEVICE)):
        for _ in range(30):
            assert why(intake.commit(data, "192.0.2.9", now)) is reason
    assert why(intake.commit(unknown, "192.0.2.9", now)) is Why.TOO_MANY
    assert why(intake.ping(unknown[:128], "192.0.2.9", now)) is Why.TOO_MANY
    # Nobody else has less for it, and the device that is known there hasn't, either.
    intake.gate.proved("192.0.2.9", bytes(device.account), now)
    refused = [intake.commit(no_wave, "192.0.2.9", now) for _ in range(20)]
    assert [why(each) for each in refused] == [Why.UNKNOWN_WAVE] * 12 + [Why.TOO_MANY] * 8
    assert isinstance(intake.commit(right, "192.0.2.9", now), Taken)
    assert isinstance(intake.commit(right, ADDRESS, now), Taken)


async def test_pings_are_answered_in_time_by_who_is_asked(net: Net, operator: Operator) -> None:
    await operator.step()
    intake, now = operator.desk.intake, net.monotonic()
    ping = Ping(1, 1, 0, bytes([7]) * 32)
    intake.pings[ping.seed] = Asked(ping, now)
    device, other = net.devices
    assert intake.ping(device.pong(ping.seed), ADDRESS, now + 19) is None
    assert intake.ping(device.pong(ping.seed), ADDRESS, now + 19) is None
    forged = ping.seed + bytes(other.account) + device.pong(ping.seed)[64:]
    assert why(intake.ping(forged, ADDRESS, now)) == Why.BAD_SIGNATURE
    assert why(intake.ping(device.pong(bytes(32)), ADDRESS, now)) == Why.UNKNOWN_WAVE
    assert why(intake.ping(other.pong(ping.seed), ADDRESS, now + PING_SECONDS + 1)) == Why.TOO_LATE
    stranger = type(device)("s", key("s").pubkey(), 1)
    assert why(intake.ping(stranger.pong(ping.seed), ADDRESS, now)) == Why.UNKNOWN_DEVICE
    assert intake.pings[ping.seed].answered == {bytes(device.account)}


async def test_what_was_taken_before_costs_nothing_of_what_is_new(
    net: Net, operator: Operator, wave: Held
) -> None:
    intake, now = operator.desk.intake, net.monotonic()
    ping = Ping(1, 1, 0, bytes([7]) * 32)
    intake.pings[ping.seed] = Asked(ping, now)
    device = net.devices[0]
    pong, commit = device.pong(ping.seed), device.commit(wave.wave, ROOT)
    budget, stranger = intake.gate.limits.device, intake.gate.limits.stranger

    # A receipt comes again as long as there is budget: its time is the first one's.
    first = intake.commit(commit, ADDRESS, now)
    assert isinstance(first, Taken)
    assert intake.commit(commit, ADDRESS, now) is first
    assert [intake.ping(pong, ADDRESS, now) for _ in range(int(budget.burst))] == [None] * 12
    found = intake.ping(pong, ADDRESS, now)
    assert isinstance(found, Refusal)
    assert (found.why, found.retry_after) == (Why.TOO_MANY, 1 / budget.each_second)
    assert [each and each.why for each in intake.answers(pong * 32, ADDRESS, now)] == [Why.TOO_MANY] * 32
    assert why(intake.commit(commit, ADDRESS, now)) == Why.TOO_MANY
    # Nothing is taken back, and what the device has to say next is heard at once.
    assert intake.pings[ping.seed].answered == {bytes(device.account)}
    news = Ping(1, 2, 0, bytes([9]) * 32)
    intake.pings[news.seed] = Asked(news, now)
    assert intake.ping(device.pong(news.seed), ADDRESS, now) is None
    assert intake.ping(pong, ADDRESS, now + found.retry_after) is None

    # Whoever has overheard an answer floods at the cost of its own address alone.
    elsewhere = [intake.ping(pong, "198.51.100.7", now) for _ in range(int(stranger.burst) + 1)]
    assert elsewhere[:-1] == [None] * int(stranger.burst)
    assert why(elsewhere[-1]) == Why.TOO_MANY
    later = Ping(1, 3, 0, bytes([8]) * 32)
    intake.pings[later.seed] = Asked(later, now + 4)
    assert intake.ping(device.pong(later.seed), ADDRESS, now + 4) is None
    assert intake.commit(commit, "192.0.2.77", now) is first


async def test_openings_are_told_what_they_must_be(net: Net, operator: Operator, wave: Held) -> None:
    device, intake = net.devices[0], operator.desk.intake
    proof = device.prove(wave.wave, net.profiles)
    assert isinstance(say(operator, device.commit(wave.wave, proof.root)), Taken)
    head = wave.wave.seed + bytes(device.account) + proof.root

    def ask(data: bytes, length: int = 1_000, address: str = ADDRESS) -> object:
        return intake.expected(data, length, address, net.monotonic())

    assert why(ask(head)) == Why.TOO_EARLY
    await net.go(70, operator)
    assert wave.state is State.DRAWN
    right = device.opening(wave, net.profiles)
    assert why(ask(head, len(right) - 1)) == why(ask(head, len(right) + 1)) == Why.WRONG_LENGTH
    assert why(ask(head[:64] + OTHER, len(right))) == Why.NOT_COMMITTED
    assert why(ask(head[:32] + bytes(net.devices[1].account) + proof.root)) == Why.NOT_COMMITTED
    assert why(ask(bytes(32) + head[32:])) == Why.UNKNOWN_WAVE
    wave.shares = Shares(0, 0)
    assert why(ask(head, len(right))) == Why.NOT_DRAWN
    wave.shares = Shares(ALL, ALL)
    expected = ask(head, len(right))
    assert not isinstance(expected, Refusal)
    assert intake.bind(expected, right[96:]) is None
    # Strangers' garbage of the right length: after two of them the device itself is still heard.
    for number in range(TRIES):
        wrong = bytearray(right[96:])
        wrong[40 + number] ^= 1
        assert why(intake.bind(expected, bytes(wrong))) == Why.WRONG_OPENING
    assert why(ask(head, len(right), "10.1.1.1")) == Why.TOO_MANY
    assert not isinstance(ask(head, len(right)), Refusal)
    await net.go(70, operator)
    assert why(ask(head, len(right))) == Why.TOO_LATE


def test_a_service_goes_over_to_other_profiles_with_a_waves_hour(tmp_path: Path) -> None:
    """Whoever has the new package already, operator or device, works by the old table until then."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = profiles_in(tmp_path / "old"), profiles_in(tmp_path / "new", id=3, K=2048)
    worker, change = Keypair(), 7_200
    account = staking.device_address(worker.pubkey())
    intake = Intake(Gate(Limits()), ProfilesByHour([(0, old), (change, new)]))
    intake.roster = Roster({bytes(account): Entry(account, worker.pubkey(), GPU_CLASS, 1, 0)}, {})
    said = {}
    for hour, time in ((1, change - 1), (2, change)):
        seed = bytes([hour]) * 32
        intake.waves[seed] = Held(Wave(hour, hour, bytes(32), time, seed, WaveKind.PRODUCT, False), 0.0)
        for profile in (0, 3):
            commit = Commit(seed, account, WaveKind.PRODUCT, 1, profile, 0, bytes(32)).sign(worker)
            found = intake.commit(commit.encode(), "1.2.3.4", 1.0)
            said[hour, profile] = found.why if isinstance(found, Refusal) else "taken"
    wrong = Why.WRONG_WORK
    assert said == {(1, 0): "taken", (1, 3): wrong, (2, 0): wrong, (2, 3): "taken"}
