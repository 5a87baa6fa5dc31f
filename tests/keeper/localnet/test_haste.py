"""Time that passes quickly, except while somebody has something to do."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from solders.hash import Hash

from keeper.clients import staking
from keeper.localnet import haste
from keeper.localnet.chain import LocalChain
from keeper.localnet.haste import Report, WaveAt
from keeper.operator.hours import HourState
from keeper.operator.progress import ATTENDED, MISSED
from keeper.operator.waves import POST_BEFORE, SEAL_AFTER, State
from keeper.pow.clock import HOUR, OPEN_AFTER, Network, Ping, Wave, WaveClock

START = 1_800_000_000
SPEED = 600
TICK = 0.4
LATE = 3.0
"""Seconds of ours that a slow crew takes for each thing."""


@dataclass
class Crew:
    """Operators and devices that do each thing ``late`` seconds of ours after it is there to be done."""

    chain: LocalChain
    late: float = 0.0
    ours: float = 0.0
    trading: bool = False
    workers: int = 2
    is_up: bool = True
    gone: set[str] = field(default_factory=set)
    """What is never done."""
    _since: dict[object, float] = field(default_factory=dict)
    asked: dict[int, Wave | Ping] = field(default_factory=dict)
    _clock: WaveClock | None = None

    def done(self, what: str, of: int) -> bool:
        since = self._since.setdefault((what, of), self.ours)
        return what not in self.gone and self.ours >= since + self.late

    @property
    def reports(self) -> list[Report | None]:
        if not self.is_up:
            return [None]
        slot, now = self.chain.newest_slot(), self.chain.now()
        self._clock = self._clock or WaveClock(network(self.chain), 1)
        while head := self.chain._pace.head(bytes(self.chain._genesis), self._clock.next_slot, slot):
            if event := self._clock.feed(head):
                self.asked[event.slot] = event
        hour = (now - START) // HOUR
        hours = {each: ATTENDED for each in range(hour + 1) if self.done("attend", each)}
        hours |= {each: HourState.POSTED for each in range(hour) if self.done("evidence", each)}
        waves, pings = {}, {}
        for event in self.asked.values():
            if isinstance(event, Ping):
                pings[event.slot] = self.workers if self.done("pong", event.slot) else 0
                continue
            at, commits = event.slot, self.workers if self.done("commit", event.slot) else 0
            waves[at] = WaveAt(State.OPEN, commits, None)
            if slot >= at + SEAL_AFTER and self.done("post", at):
                waves[at] = WaveAt(State.CLOSED, commits, None)
            if slot >= at + OPEN_AFTER and self.done("open", at):
                waves[at] = WaveAt(State.DRAWN, commits, 0)
        return [Report(slot if "read" not in self.gone else 0, hours, waves, pings)]

    def is_agreed(self, hour: int) -> bool:
        return self.done("agree", hour)

    def is_trading(self) -> bool:
        return self.trading


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> LocalChain:
    """A network at the start of an hour, whose time is told by :func:`run`."""
    monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda: 0.0))
    made = LocalChain(now=START, genesis=Hash(bytes([7]) * 32))
    made.set_speed(SPEED)
    return made


def network(chain: LocalChain) -> Network:
    return Network(bytes(chain.hash_at(0))[:32], staking.PROGRAM.address, START)


def working(chain: LocalChain, **how) -> Crew:
    crew = Crew(chain, **how)
    chain.wait_for(network(chain), crew)
    return crew


def run(chain: LocalChain, monkeypatch: pytest.MonkeyPatch, crew: Crew, until: int) -> dict[int, float]:
    """Let time pass in ticks of ours; gives for how long each slot was the newest after a tick."""
    stood: dict[int, float] = {}
    while chain.now() < until and crew.ours < 24 * HOUR:
        crew.ours += TICK
        monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda at=crew.ours: at))
        chain.tick()
        stood[chain.newest_slot()] = stood.get(chain.newest_slot(), 0) + TICK
    return stood


def within(stood: dict[int, float], since: int, until: int) -> float:
    """How long it stood at one of these slots, at most."""
    return max((seconds for slot, seconds in stood.items() if since <= slot < until), default=0.0)


def slots_of(event: Wave | Ping) -> dict[str, tuple[int, int]]:
    """Between which slots time may stand for what is due at a block."""
    at = event.slot
    if isinstance(event, Ping):
        return {"pong": (at, at + haste.PING_SLOTS)}
    sealed, opened = at + SEAL_AFTER, at + OPEN_AFTER
    return {
        "commit": (at, sealed),
        "post": (sealed, opened),
        "open": (opened, at + haste.OPENED_AFTER),
    }


def test_an_hour_passes_in_seconds_where_everything_is_done_at_once(chain, monkeypatch) -> None:
    crew = working(chain)
    stood = run(chain, monkeypatch, crew, START + 2 * HOUR)
    assert any(isinstance(each, Wave) for each in crew.asked.values())
    assert crew.ours < 2 * (HOUR / SPEED + 20)
    assert max(stood.values()) <= 2 * TICK + 0.01


def test_time_stands_for_a_slow_crew_at_each_thing(chain, monkeypatch) -> None:
    """However long it takes, nobody is late or away by the chain's time."""
    crew = working(chain, late=LATE)
    stood = run(chain, monkeypatch, crew, START + 2 * HOUR)
    for event in crew.asked.values():
        for since, until in slots_of(event).values():
            assert within(stood, since, until) >= LATE - TICK
            first = min(slot for slot, seconds in stood.items() if seconds > 2 * TICK and slot >= since)
            assert first - since <= 4
    assert max(stood.values()) < 3 * LATE


def test_a_block_that_asks_is_hardly_behind_when_it_is_seen(chain, monkeypatch) -> None:
    """Time stands at the block, however rarely it is read: operators are deaf 25 slots later."""
    crew = working(chain, late=LATE)
    stood = run(chain, monkeypatch, crew, START + HOUR)
    for event in crew.asked.values():
        assert min(slot for slot in stood if slot >= event.slot) - event.slot <= 4


MOST = {"commit": haste.COMMIT, "post": haste.POST, "open": haste.OPEN, "pong": haste.PONG}


@pytest.mark.parametrize("what", [*MOST, "evidence", "attend", "read"])
def test_time_doesnt_stand_for_ever_for_what_is_never_done(what, chain, monkeypatch) -> None:
    crew = working(chain, gone={what})
    stood = run(chain, monkeypatch, crew, START + 2 * HOUR)
    assert chain.now() >= START + 2 * HOUR
    if what in MOST:
        asked = [slots_of(each).get(what) for each in crew.asked.values()]
        assert all(within(stood, *each) == pytest.approx(MOST[what], abs=2) for each in asked if each)
        assert any(asked)
    else:
        most = {"read": haste.READ}.get(what, haste.EVIDENCE)
        assert max(stood.values()) == pytest.approx(most, abs=2)


def test_an_agreement_is_waited_for_as_on_any_network(chain, monkeypatch) -> None:
    """Blocks go on meanwhile, as yours: what keepers send for it takes more than one of them."""
    crew = working(chain, gone={"agree"})
    run(chain, monkeypatch, crew, START + 2 * HOUR)
    lasts = haste.AGREE_UNTIL - haste.AGREE_FROM
    assert lasts <= crew.ours <= lasts + 2 * (HOUR / SPEED + 20)


def test_nobody_is_left_behind_who_reads_slowly(chain, monkeypatch) -> None:
    crew = working(chain)
    reading = Crew.reports.fget

    def slowly(self: Crew) -> list[Report | None]:
        at = int(self.ours / TICK) * 40
        return [each and each._replace(read=min(at, each.read)) for each in reading(self)]

    monkeypatch.setattr(Crew, "reports", property(slowly))
    while crew.ours < 60:
        crew.ours += TICK
        monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda: crew.ours))
        chain.tick()
        assert chain.newest_slot() <= crew.ours / TICK * 40 + haste.AHEAD + 32


def test_time_stands_until_operators_are_up(chain, monkeypatch) -> None:
    crew = working(chain, is_up=False)
    for _ in range(10):
        crew.ours += TICK
        monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda: crew.ours))
        chain.tick()
    assert chain.now() == START
    crew.is_up = True
    run(chain, monkeypatch, crew, START + HOUR)
    assert chain.now() >= START + HOUR


def test_time_passes_slowly_while_somebody_trades(chain, monkeypatch) -> None:
    crew = working(chain, trading=True)
    run(chain, monkeypatch, crew, START + 900)
    assert crew.ours >= 900 / haste.TRADING


def test_a_clock_that_is_slower_or_stands_stays_so(chain, monkeypatch) -> None:
    crew = working(chain)
    chain.set_speed(1)
    run(chain, monkeypatch, crew, START + 400)
    assert crew.ours == pytest.approx(400, abs=4)
    chain.set_speed(0)
    now = chain.now()
    monkeypatch.setattr(LocalChain, "_clock", staticmethod(lambda: 9_999.0))
    chain.tick()
    assert chain.now() == now


def test_a_clock_that_is_stopped_while_time_waits_makes_blocks(chain) -> None:
    """As one that is stopped at any other moment does: only what nobody has done yet holds blocks back."""
    crew = working(chain, is_up=False)

    def tick() -> int:
        crew.ours += TICK
        chain._clock = lambda: crew.ours
        chain.tick()
        return chain.newest_slot()

    assert tick() == tick()
    chain.set_speed(0)
    assert [tick(), tick()] == [chain.newest_slot() - 1, chain.newest_slot()]
    assert chain.now() == START
    chain.set_speed(SPEED)
    assert tick() == tick()


def test_what_is_jumped_over_had_no_blocks(chain, monkeypatch) -> None:
    """As on a cluster that stood still: nobody has them to read, and nothing was asked in them."""
    crew = working(chain)
    slot = chain.newest_slot()
    chain.advance(30 * 24 * HOUR)
    assert chain.now() == START + 30 * 24 * HOUR and chain.newest_slot() - slot <= 32
    run(chain, monkeypatch, crew, START + (30 * 24 + 1) * HOUR)
    assert min(each.time for each in crew.asked.values()) > START + 30 * 24 * HOUR


def test_it_goes_by_what_operators_do() -> None:
    """The clock imports nothing of an operator's service; these are its own words and numbers."""
    assert (haste.SEAL_AFTER, OPEN_AFTER) == (SEAL_AFTER, POST_BEFORE)
    assert set(haste.ANCHORED) == set(State) - {State.OPEN, State.SEALED}
    assert set(haste.OVER) == {State.COLLECTED, State.VOID}
    assert set(haste.WRITTEN) == {HourState.POSTED, HourState.LATE, MISSED}
