"""A program's list of transactions, from the newest down to one that is known to be in it.

No list is believed to end where it happens to stop: only the known transaction, the anchor, ends one, and
only the same answer three times is taken for the beginning of a program's history. The order inside a page is
not relied on either, nor inside a slot: a page's oldest slot is listed again with the next page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import ChainReader, ChainUnreachable, Commitment, Listed

PAGE = 1_000
"""The most transactions that a node lists at once."""
END_ANSWERS = 3
"""How many times nothing older must be listed before that is taken for the beginning of the history."""


@dataclass(frozen=True, slots=True)
class Bottom:
    """Where a list has to arrive: the anchor; ``floor`` is older, and what nodes are told to stop at."""

    anchor: Signature | None
    floor: Signature | None


class ListCutShort(ChainUnreachable):
    """A list stopped above a transaction that is known to be in it: the node left something out."""


async def walk(
    chain: ChainReader,
    program: Pubkey,
    commitment: Commitment,
    bottom: Bottom,
    *,
    before: Signature | None = None,
    min_slot: int,
    limit: int = PAGE,
) -> AsyncIterator[tuple[list[Listed], bool]]:
    """Pages of up to ``limit`` in falling order of slots, each with whether it is the last.

    Starts below ``before``, which was listed earlier. Raises ListCutShort.
    """
    ends = 0
    seen: set[Signature] = set()
    while True:
        page = await chain.signatures(
            program, commitment, before=before, until=bottom.floor, min_slot=min_slot, limit=limit
        )
        page = sorted(dict.fromkeys(page), key=lambda each: -each.slot)
        names = {each.signature for each in page}
        if bottom.anchor in names:
            yield page, True
            return
        new = [each for each in page if each.signature not in seen]
        lowest_but_one = [each for each in page if each.slot > page[-1].slot] if page else []
        # A page of one slot alone can only be passed by believing its order.
        after = lowest_but_one[-1] if lowest_but_one else page[-1] if page else None
        if new:
            ends = 0
        elif after is None or after.signature == before:
            ends += 1
            if bottom.anchor is not None:
                raise ListCutShort(f"{program}: a list of its transactions ends above {bottom.anchor}")
            if ends == END_ANSWERS:
                yield [], True
                return
            continue
        yield new, False
        if after is not None:
            before = after.signature
        seen = names
