"""What parts of one audit share: no transaction is read twice, no event decoded twice; one index is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.audit import index, parts
from keeper.chain import Program, TransactionRecord
from keeper.clients.programs import PROGRAMS
from tests.keeper.audit.falsified import Falsified, audited
from tests.keeper.audit.life import Life
from tests.keeper.audit.world import MidLife

ALL = "chain", "hours", "pow", "market"


class Counting(Falsified):
    """A node that counts how often it was asked for a transaction."""

    asked: Counter[Signature]

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        self.asked.update(signatures)
        return await super().records(signatures)


async def test_parts_read_a_transaction_once_and_make_one_index(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    own = index._made

    def making(chain: Any) -> Any:
        made.append(chain)
        return own(chain)

    monkeypatch.setattr(index, "_made", making)
    chain = Counting(life.hours.world.chain)
    chain.asked = Counter()
    source = replace(life.source(), chain=chain)
    report = await parts.run(source, ALL)
    assert not report.findings and len(made) == 1
    ours = {program.address for program in PROGRAMS.values()}
    there = {each.signature for each in life.hours.world.chain.transactions() if set(each.programs) & ours}
    assert there <= chain.asked.keys() and set(chain.asked.values()) == {1}
    alone = [(await parts.run(source, (name,))).parts[0] for name in ALL]
    assert report.parts == tuple(alone) and len(made) == 4


async def test_an_event_is_decoded_once(mid: MidLife, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: Counter[tuple[Pubkey, Signature]] = Counter()
    own = Program.located_events

    def counting(program: Program, record: TransactionRecord) -> Any:
        decoded[program.address, record.signature] += 1
        return own(program, record)

    monkeypatch.setattr(Program, "located_events", counting)
    part = await audited(mid.chain)
    assert set(decoded.values()) == {1} and len(decoded) == 4 * part.checked["transactions"]
