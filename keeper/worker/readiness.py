"""Whether a device can serve a lease whose hours would begin now."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.market.accepting import Hindrance
from keeper.pow.backend import BackendRefused
from keeper.worker.client import Operator
from keeper.worker.work import Device, Works


class Readiness:
    """Looks at what a lease needs, at its acceptance and not before: from then on hours are paid for.

    Whatever has to be made for a lease, such as the sandbox that a renter's work runs in, is made here before
    the answer: a lease isn't accepted while it lacks something.
    """

    def __init__(self, operators: Sequence[Operator], works: Works) -> None:
        """``operators`` are those that take the devices' proofs of work; ``works`` has the processors."""
        self._operators = operators
        self._works = works

    async def lacks(self, device: Device) -> Hindrance | None:
        """What a device can't serve without; None when it is ready.

        An operator must answer, as a device that none hears of is taken for gone; and each of its processors
        must be there and exact, once a wave under way lets it go.
        """
        if all(each.identity is None for each in self._operators):
            return Hindrance("no_operator", "no operator answers: see ionet worker doctor")
        try:
            await self._works.test(device)
        except (BackendRefused, RuntimeError, MemoryError) as error:
            # A card that is gone is PyTorch's RuntimeError.
            return Hindrance("not_exact", f"the processor isn't there or isn't exact: {error}")
        return None
