"""A folder of the market: ticks and steps come back as they were written, damage is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.market.files import TICKS_A_DAY, TICKS_AN_HOUR, FileMissing, write
from keeper.market.folder import (
    KEEP_DAYS,
    KEEP_HOURS,
    FolderUnusable,
    MarketFolder,
    StepsInvalid,
    StepsMissing,
    TickMissing,
    decode_steps,
    encode_steps,
)
from keeper.market.steps import StepTable
from tests.keeper.market.test_files import later, plain, same
from tests.keeper.market.ticks import TICK, key

OPERATOR = Pubkey(key("operator"))
HOUR = 480_000
TABLE = StepTable(HOUR, {2: (-1_250, 0), 1: (-1, 1_250)})


def test_ticks_come_back_and_go_on_from_the_hours_first(tmp_path: Path) -> None:
    market = MarketFolder(tmp_path)
    assert (market.base(TICK), market.ticks(0, TICK), market.has(TICK)) == (None, [], False)
    market.write(TICK, write(plain(), OPERATOR))
    base = market.base(TICK + 5)
    assert base is not None
    market.write(TICK + 5, write(later(plain(), 5), OPERATOR, base))
    assert market.ticks(TICK, TICK + 9) == [TICK, TICK + 5]
    assert market.ticks(TICK + 1, TICK + 4) == []
    found = market.replay(TICK + 5)
    assert found.manifest.base is not None
    assert found.manifest.base.tick == TICK
    assert same(found.snapshot, later(plain(), 5))
    assert same(market.read(TICK).snapshot, plain())
    assert market.base(TICK // TICKS_AN_HOUR * TICKS_AN_HOUR) is None
    assert sorted(each.name for each in (tmp_path / str(TICK // 2_880)).iterdir()) == [
        f"{TICK}",
        f"{TICK + 5}",
    ]


def test_what_is_over_for_long_is_removed_whole_days_at_a_time(tmp_path: Path) -> None:
    market = MarketFolder(tmp_path)
    day = TICK // TICKS_A_DAY
    content = write(plain(), OPERATOR)
    for each in (day * TICKS_A_DAY, (day + 1) * TICKS_A_DAY - 1, (day + 1) * TICKS_A_DAY):
        market.write(each, content)
    hours = [day * 24, (day + KEEP_DAYS) * 24, (day + KEEP_DAYS) * 24 + KEEP_HOURS]
    for hour in hours:
        market.write_steps(StepTable(hour, {1: (1, 1)}))
    others = tmp_path / "7" / "8" / "mine.txt"
    others.parent.mkdir(parents=True)
    others.write_text("not a tick's")
    assert market.clean((day + 1 + KEEP_DAYS) * 24 - 1) == 0
    assert market.clean((day + 1 + KEEP_DAYS) * 24) == 2
    assert market.ticks(TICKS_A_DAY, TICK + 2 * TICKS_A_DAY) == [(day + 1) * TICKS_A_DAY]
    assert others.read_text() and not (tmp_path / str(day)).exists()
    market.clean(hours[1] + KEEP_HOURS)
    assert [market.has_steps(each) for each in hours] == [False, True, True]


def test_what_is_written_again_replaces_what_was_there_and_what_was_left_half_done(tmp_path: Path) -> None:
    market = MarketFolder(tmp_path)
    place = tmp_path / str(TICK // 2_880)
    (place / f".{TICK}.part").mkdir(parents=True)
    (place / f".{TICK}.part" / "devices.csv").write_bytes(b"half")
    assert not market.has(TICK)
    assert market.ticks(TICK, TICK) == []
    market.write(TICK, write(plain(tier=2), OPERATOR))
    market.write(TICK, write(plain(), OPERATOR))
    assert market.files(TICK) == write(plain(), OPERATOR)


def test_ticks_that_are_missing_damaged_or_wrong(tmp_path: Path) -> None:
    market = MarketFolder(tmp_path)
    with pytest.raises(TickMissing, match="no matches"):
        market.read(TICK)
    market.write(TICK, write(plain(), OPERATOR))
    matches = tmp_path / str(TICK // 2_880) / str(TICK) / "matches.csv"
    matches.unlink()
    with pytest.raises(FileMissing, match=r"matches\.csv"):
        market.read(TICK)
    matches.mkdir()
    with pytest.raises(FolderUnusable, match="can't be read"):
        market.read(TICK)
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="can't be written"):
        MarketFolder(tmp_path / "file").write(TICK, {})


def test_steps_come_back(tmp_path: Path) -> None:
    market = MarketFolder(tmp_path)
    with pytest.raises(StepsMissing, match=f"{HOUR}.csv is missing"):
        market.steps(HOUR)
    market.write_steps(TABLE)
    assert (tmp_path / "prices" / f"{HOUR}.csv").read_bytes() == b"class,io,usdc\n1,-1,1250\n2,-1250,0\n"
    assert market.has_steps(HOUR)
    assert market.steps(HOUR).steps == TABLE.steps
    assert market.steps(HOUR).root == TABLE.root
    with pytest.raises(FolderUnusable, match="can't be written"):
        MarketFolder(tmp_path / "prices" / f"{HOUR}.csv").write_steps(TABLE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"class,io,usdc\n",
        b"1,0,0\n",
        b"class,io,usdc\n1,0,0",
        b"class,io,usdc\n1,0\n",
        b"class,io,usdc\n2,0,0\n1,0,0\n",
        b"class,io,usdc\n1,0,0\n1,0,0\n",
        b"class,io,usdc\n1,+1,0\n",
        b"class,io,usdc\n1,1251,0\n",
        b"class,io,usdc\n65536,0,0\n",
        b"class,io,usdc\n-1,0,0\n",
        b"class,io,usdc\nx,0,0\n",
    ],
)
def test_what_is_no_table_of_steps_is_refused(data: bytes) -> None:
    assert decode_steps(HOUR, encode_steps(TABLE)).steps == TABLE.steps
    with pytest.raises(StepsInvalid, match=f"{HOUR}.csv"):
        decode_steps(HOUR, data)
