"""Random sequences of actions: how each is chosen, and until when a test goes on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence, Set
from random import Random
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, currently_in_test_context, given, note, seed, settings
from hypothesis import strategies as st
from solders.instruction import Instruction

from tests.model.state import Address, Event
from tests.programs.side_by_side import SideBySide

T = TypeVar("T")

MOST_ROUNDS = 8
"""Rounds of sequences after which what was not met yet counts as never met."""


def tell(what: str) -> None:
    """Say what was done where Hypothesis shows a failing sequence; other drivers keep their own list."""
    if currently_in_test_context():
        note(what)


class Acts:
    """Acts on both sides of ``pair``; ``met`` counts each action that succeeded, each refusal and event."""

    pair: SideBySide
    met: Counter[str]

    def act(
        self,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction,
        *signers: Address,
    ) -> str:
        """One action on both sides; the name when it succeeds, the refusal's name otherwise."""
        outcome = self.pair.act(name, call, instruction, signers)
        tell(f"{name}: {outcome}")
        self.met.update((outcome, *(f"event {each}" for each in self.pair.said)))
        return outcome


class RandomActs(Acts):
    """An action is a method; its arguments are mostly good, sometimes bad in one way."""

    random: Random

    def choose(self, *options: T) -> T:
        """One of the options."""
        return self.random.choice(options)

    def mostly(self, good: T, *bad: T) -> T:
        """The first as a rule, each of the others one time in 16."""
        return good if self.random.random() > len(bad) / 16 else self.random.choice(bad)

    def step(self, action: str) -> None:
        """Do the next of a sequence's actions."""
        getattr(self, action)()

    def finish(self) -> None:
        """What is looked at once a sequence is over."""
        self.pair.compare_accounts()


Begin = Callable[[int, Counter[str]], RandomActs]
"""Starts a history by its seed, and counts in the other what it meets."""


def explore(begin: Begin, actions: Sequence[str], wanted: Set[str], *, examples: int) -> None:
    """Play rounds of ``examples`` sequences of ``actions``, until all of ``wanted`` was met.

    The draws are the same in every run. What a change of actions, arguments or Hypothesis makes of them
    costs more rounds at the worst. HYPOTHESIS_PROFILE=long plays ten times as many sequences in each.
    """
    times = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1
    met: Counter[str] = Counter()

    # A byte is an action, and with the start the seed of its arguments: both stay the same when
    # Hypothesis leaves other steps out of a failing sequence. One draw for all of them, as it
    # would spend five of six sequences on repeating the parts of a list. 0 is no action: what a
    # failure doesn't need shrinks to it.
    def sequence(start: int, steps: bytes) -> None:
        acts = begin(start, met)
        for position, step in enumerate(steps):
            if step:
                acts.random.seed(f"{start} {step} {steps[:position].count(step)}")
                acts.step(actions[step % len(actions)])
        acts.finish()

    drawn: Any = given(start=st.integers(0, 2**32), steps=st.binary(min_size=40, max_size=80))
    limits = settings(
        max_examples=examples * times,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    for number in range(MOST_ROUNDS):
        seed(number)(limits(drawn(sequence)))()
        if wanted <= met.keys():
            return
    raise AssertionError(f"never met: {sorted(wanted - met.keys())}")
