"""Hours that are published part by part: the files of all at once, and no part twice or out of order."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.rewards import publication, recomputed
from keeper.rewards.publication import FILES, KINDS, MANIFEST, WALLETS, encode_table
from keeper.rewards.publishing import Part, publish_parts
from keeper.rewards.rows import Hour, RowsError
from keeper.rewards.rule import reward
from keeper.rewards.tree import EMPTY_ROOT, root
from keeper.tables import Rows
from tests.keeper.rewards.seen import publish_rows, work_of
from tests.keeper.rewards.tables import START, another, classes, rows, wallets
from tests.keeper.rewards.test_rule import EMITTED, MACHINES
from tests.model.schedule import HOUR


def parts_of(table: Rows, sizes: list[int], hour: Hour) -> list[Part]:
    """A table in parts of some sizes, the last of them again and again."""
    found, at = [], 0
    work = work_of(table, hour.number, hour.start)
    while at < len(table) or not found:
        part = slice(at, at + (sizes.pop(0) if len(sizes) > 1 else max(1, sizes[0])))
        found.append(Part(table[part], work.verdicts[part], work.observed[part]))
        at = part.stop
    return found


def publish(folder: Path, hour: Hour, parts: list[Part]) -> publication.Manifest:
    work = work_of(np.concatenate([each.rows for each in parts]), hour.number, hour.start)
    return publish_parts(folder, hour, work.record, iter(parts), classes(), work.rule)


@settings(max_examples=60, deadline=None)
@given(
    machines=st.lists(MACHINES, max_size=25, unique_by=lambda each: each.device),
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6),
)
def test_the_files_are_those_of_all_at_once(machines: list, sizes: list[int]) -> None:
    hours = [Hour(number, START + number * HOUR, EMITTED * (number + 1)) for number in range(2)]
    table, before = rows(machines), wallets({})
    with TemporaryDirectory() as name:
        whole, apart = Path(name) / "whole", Path(name) / "apart"
        for hour in hours:
            publish_rows(whole, hour, table, classes())
            manifest = publish(apart, hour, parts_of(table, list(sizes), hour))
            place = apart / str(hour.number)
            for file in (*FILES, MANIFEST, "wallets.idx"):
                assert (place / file).read_bytes() == (whole / str(hour.number) / file).read_bytes(), file
            # And those that the rule gives of all devices, without any part.
            block = reward(hour, table, classes(), before)
            for file, found in zip(
                list(KINDS)[2:], (table, classes(), block.devices, block.wallets), strict=True
            ):
                assert (place / file).read_bytes() == b"".join(encode_table(file, found, manifest.rule)), file
            assert manifest.root == (root(block.wallets) if len(block.wallets) else EMPTY_ROOT).hex()
            assert (manifest.pot, manifest.paid, manifest.total) == (block.pot, block.paid, block.total)
            recomputed.verify(apart, hour.number)
            before = publication.read_table(apart, manifest, WALLETS)


@pytest.mark.parametrize("order", [(1, 0), (0, 0), (0, 2, 1)])
def test_parts_out_of_order_are_refused(tmp_path: Path, order: tuple[int, ...]) -> None:
    hour = Hour(0, START, EMITTED)
    parts = parts_of(rows([another(number) for number in range(6)]), [2], hour)
    with pytest.raises(RowsError, match="parts must be sorted by address"):
        publish(tmp_path, hour, [parts[at] for at in order])
    assert list(tmp_path.iterdir()) == []
