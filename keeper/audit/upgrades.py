"""Who put a program's bytes on a chain, replaced them, or handed on the right to: by the loader's calls."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from solders.pubkey import Pubkey

from keeper.audit.findings import Change
from keeper.audit.history import Executed
from keeper.chain.framework import UPGRADEABLE_LOADER

PLACED = {2: "deployed", 3: "upgraded"}
"""The loader's instructions that put bytes there."""
_ACTS = {**PLACED, 4: "upgrade authority", 5: "closed", 6: "extended", 7: "upgrade authority", 9: "extended"}
_HANDED_ON = {4, 7}
_NEXT = 2
"""Where an instruction that hands the right on names who has it next; without one, nobody."""
_TAG = struct.Struct("<I")


def upgrades(name: str, place: Pubkey, history: Iterable[Executed]) -> Iterator[tuple[int, Change]]:
    """What was done to the account of a program's bytes: the loader's instruction, and the change."""
    for executed in history:
        for call in executed.calls:
            if call.program != UPGRADEABLE_LOADER or place not in call.accounts or len(call.data) < _TAG.size:
                continue
            (tag,) = _TAG.unpack_from(call.data)
            if tag not in _ACTS:
                continue
            after = None
            if tag in _HANDED_ON:
                after = str(call.accounts[_NEXT]) if len(call.accounts) > _NEXT else "nobody"
            record, what = executed.record, f"{name} {_ACTS[tag]}"
            yield (
                tag,
                Change(record.slot, record.time, executed.signers, what, None, after, executed.name),
            )
