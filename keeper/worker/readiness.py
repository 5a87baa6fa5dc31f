"""Whether a device can serve a lease whose hours would begin now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keeper.market.accepting import Hindrance
from keeper.pow.backend import BackendRefused
from keeper.worker.client import Operator
from keeper.worker.lease_book import KeptLease
from keeper.worker.lease_view import Offer
from keeper.worker.work import Device, Works

PREPARING = "preparing"
"""The code of what hinders an acceptance and passes by itself."""


class Readiness:
    """Looks at what a lease needs, at its acceptance and not before: from then on hours are paid for.

    A lease isn't accepted while something lacks that it is served with, such as the sandbox that a renter's
    work runs in.
    """

    def __init__(
        self,
        operators: Sequence[Operator],
        works: Works,
        serves: Callable[[Device, KeptLease], Hindrance | None] = lambda device, kept: None,
    ) -> None:
        """``operators`` are those that take the devices' proofs of work; ``works`` has the processors.

        ``serves`` says what a device lacks to serve a lease; without it leases are accepted and not served.
        """
        self._operators = operators
        self._works = works
        self._serves = serves

    async def lacks(self, offer: Offer) -> Hindrance | None:
        """What a lease can't be served without; None when its device is ready.

        An operator must answer, as a device that none hears of is taken for gone; and each of its processors
        must be there and exact, once a wave under way lets it go.
        """
        if all(each.identity is None for each in self._operators):
            return Hindrance("no_operator", "no operator answers: see ionet worker doctor")
        if (found := self._serves(offer.device, offer.kept)) is not None:
            return found
        try:
            await self._works.test(offer.device)
        except (BackendRefused, RuntimeError, MemoryError) as error:
            # A card that is gone is PyTorch's RuntimeError.
            return Hindrance("not_exact", f"the processor isn't there or isn't exact: {error}")
        return None
