"""An hour's steps of all classes: what operators vote for, as the root of a table that anybody can repeat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from keeper.economy import merkle
from keeper.economy.classes import step_leaf
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.market.price import SAMPLES, Sample, hour_step, total
from keeper.market.sampling import Sampled


class SamplesMissing(UserError):
    """An hour of which samples are missing: its steps aren't known."""


Steps = tuple[int, int]
"""A class's steps of its prices in IO and in USDC, basis points."""


@dataclass(frozen=True)
class StepTable:
    """The steps of an hour (unix time over 3,600), by class."""

    hour: int
    steps: Mapping[int, Steps]

    @cached_property
    def _classes(self) -> list[int]:
        """The table's order."""
        return sorted(self.steps)

    @cached_property
    def _tree(self) -> merkle.Tree:
        return merkle.Tree([step_leaf(self.hour, each, *self.steps[each]) for each in self._classes])

    @property
    def root(self) -> bytes:
        """What operators vote for, 32 bytes. The table has a class at least."""
        return self._tree.root

    def proof(self, number: int) -> bytes:
        """What shows a class's steps to be in the table."""
        return self._tree.proof(self._classes.index(number))


def hour_total(hour: int, samples: Sequence[Sampled], number: int, currency: Currency) -> Sample:
    """What an hour's samples come to for a class; raises SamplesMissing."""
    if len(samples) != SAMPLES:
        raise SamplesMissing(
            f"hour {hour} has {len(samples)} of its {SAMPLES} samples: read the ticks that are missing first"
        )
    return total(each.get((number, currency), Sample()) for each in samples)


def step_table(
    hour: int, samples: Sequence[Sampled], classes: Iterable[int], profiled: Collection[int]
) -> StepTable:
    """The steps that follow from an hour's samples; raises SamplesMissing.

    ``classes`` are those that are open in the first slot of the next hour. Those that aren't ``profiled``,
    for which no proof of work is known, stand still: a claim to be of the class would be all that counts.
    """

    def steps(number: int) -> Steps:
        io, usdc = (hour_step(hour_total(hour, samples, number, currency)) for currency in Currency)
        return (io, usdc) if number in profiled else (0, 0)

    return StepTable(hour, {number: steps(number) for number in classes})
