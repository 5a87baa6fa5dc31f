"""An hour's steps of all classes: what operators vote for, as the root of a table that anybody can repeat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from keeper.economy import merkle
from keeper.economy.classes import step_leaf
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.market.price import Sample, hour_step, total
from keeper.market.sampling import Sampled, sample_ticks


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


@dataclass(frozen=True, slots=True)
class HourSamples:
    """What was counted in the twelve ticks of an hour, unix time over 3,600."""

    hour: int
    ticks: tuple[Sampled, ...]

    @classmethod
    def of(cls, hour: int, blockhash: bytes, samples: Mapping[int, Sampled]) -> HourSamples:
        """Pick those of the ticks that the next hour's first slot draws by its ``blockhash``, 32 bytes.

        ``samples`` are by tick, and may be more. Raises SamplesMissing.
        """
        drawn = sample_ticks(hour, blockhash)
        missing = [tick for tick in drawn if tick not in samples]
        if missing:
            names = ", ".join(map(str, missing))
            raise SamplesMissing(f"hour {hour} has no samples of the ticks {names}: read them first")
        return cls(hour, tuple(samples[tick] for tick in drawn))

    @property
    def classes(self) -> set[int]:
        """Those that were sampled at a tick at least."""
        return {number for tick in self.ticks for number, _ in tick}

    def total(self, number: int, currency: Currency) -> Sample:
        """The sum of a class's samples."""
        return total(each.get((number, currency), Sample()) for each in self.ticks)

    def table(self, classes: Iterable[int], profiled: Collection[int]) -> StepTable:
        """The steps that follow for ``classes``, those that are open in the next hour's first slot.

        Classes that aren't ``profiled``, for which no proof of work is known, stand still: what their devices
        are is a mere claim.
        """

        def steps(number: int) -> Steps:
            io, usdc = (hour_step(self.total(number, currency)) for currency in Currency)
            return (io, usdc) if number in profiled else (0, 0)

        return StepTable(self.hour, {number: steps(number) for number in classes})


Counted = tuple[HourSamples, StepTable]
"""An hour's samples, and the steps that follow from them."""
