"""Time that passes quickly, except while devices have to answer."""

from __future__ import annotations

import pytest
from solders.hash import Hash

from keeper.clients import staking
from keeper.localnet.chain import LocalChain
from keeper.localnet.haste import AT_A_PING, AT_A_WAVE, AT_AN_HOUR
from keeper.pow.clock import HOUR, Network, Ping, Wave, WaveClock

START = 1_800_000_000
SPEED = 20


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> LocalChain:
    """A network at the start of an hour, whose time is told by :func:`pass_`."""
    monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda: 0.0))
    made = LocalChain(now=START, genesis=Hash(bytes([7]) * 32))
    made.set_speed(SPEED)
    made.slow_for(network(made))
    return made


def network(chain: LocalChain) -> Network:
    return Network(bytes(chain.hash_at(0))[:32], staking.PROGRAM.address, START)


def run(
    chain: LocalChain, monkeypatch: pytest.MonkeyPatch, until: int, each: float
) -> list[tuple[float, int, int]]:
    """Let time pass in steps of ours; gives our time with the chain's time and slot after each."""
    ours, found = 0.0, []
    while chain.now() < until:
        ours += each
        monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda at=ours: at))
        chain.tick()
        found.append((ours, chain.now(), chain.newest_slot()))
    return found


def drawn(chain: LocalChain, hours: int) -> list[Wave | Ping]:
    """What the chain has asked in its first hours."""
    clock, found = WaveClock(network(chain), 1), []
    while not clock.is_over(hours - 1):
        event = clock.feed(chain._pace.head(bytes(chain._genesis), clock.next_slot, chain.newest_slot()))
        if event:
            found.append(event)
    return found


def test_an_hour_passes_in_minutes_and_what_is_asked_is_asked_slowly(chain, monkeypatch) -> None:
    passed = run(chain, monkeypatch, START + HOUR, 0.4)
    asked = drawn(chain, 1)
    assert any(isinstance(each, Wave) for each in asked)
    for event in asked:
        slow = AT_A_WAVE if isinstance(event, Wave) else AT_A_PING
        before = next(ours for ours, _, slot in passed if slot >= event.slot)
        after = next(ours for ours, now, _ in passed if now >= event.time + slow.seconds)
        assert after - before >= slow.seconds / slow.speed - 1
    whole = passed[-1][0]
    least = AT_AN_HOUR.seconds / AT_AN_HOUR.speed + AT_A_WAVE.seconds / AT_A_WAVE.speed
    assert least < whole < HOUR / 8


def test_a_block_that_asks_is_never_far_behind_when_it_is_seen(chain, monkeypatch) -> None:
    """It stops being quick at the block, however rarely it is read: operators are deaf 25 slots later."""
    passed = run(chain, monkeypatch, START + HOUR, 0.4)
    for event in drawn(chain, 1):
        _, _, slot = next(each for each in passed if each[2] >= event.slot)
        assert slot - event.slot <= 4


def test_a_clock_that_is_slower_or_stands_stays_so(chain, monkeypatch) -> None:
    chain.set_speed(1)
    assert run(chain, monkeypatch, START + 400, 1.0)[-1][0] == pytest.approx(400, abs=2)
    chain.set_speed(0)
    now = chain.now()
    monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda: 9_999.0))
    chain.tick()
    assert chain.now() == now


def test_a_clock_that_was_moved_on_goes_on_from_there(chain, monkeypatch) -> None:
    chain.advance(5 * HOUR)
    passed = run(chain, monkeypatch, START + 6 * HOUR, 0.4)
    assert passed[-1][0] < HOUR / 8
