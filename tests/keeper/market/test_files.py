"""A tick's files: the same bytes for the same rows, read again whole, wrong ones refused by their fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.errors import UserError
from keeper.market.assignment import assign
from keeper.market.files import (
    KINDS,
    BaseDiffers,
    BaseMissing,
    Batch,
    FileDiffers,
    FileMissing,
    NotCanonical,
    ReplayDiffers,
    RuleUnknown,
    folder,
    read,
    replay,
    require_same,
    write,
)
from keeper.market.manifest import Manifest, ManifestInvalid
from keeper.market.sampling import sample
from keeper.market.snapshot import Out, Snapshot
from keeper.market.valid import RowsInvalid, RowsUnsorted
from keeper.tables import TableError
from tests.keeper.market.ticks import NOW, TICK, as_published, device, key, order, tick, ticks

OPERATOR = Pubkey(key("operator"))
TABLES = ("devices", "orders", "prices", "pairs")
Files = dict[str, bytes]


def plain(**changed: Any) -> Snapshot:
    """Two devices, and an order that gets one of them."""
    there = [device("one"), device("two", idle_since=NOW - 60, **changed)]
    wanted = [order("order", classes=[1, 2], countries=[b"AT", b"CH"])]
    prices = {1: (100, 50), 2: (100, 80), 3: (130, 60), 4: (90, 0)}
    return tick(there, wanted, prices=prices, pairs=[(key("order"), key("two"))])


PLAIN = write(plain(), OPERATOR)


def later(snapshot: Snapshot, ticks: int = 1) -> Snapshot:
    return replace(snapshot, tick=snapshot.tick + ticks)


def same(one: Snapshot, other: Snapshot) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in TABLES)


# -- what is written -----------------------------------------------------------------------------


def test_a_tick_in_its_files() -> None:
    files = write(plain(), OPERATOR)
    one, order_, two = (str(Pubkey(key(name))) for name in ("one", "order", "two"))
    assert files["prices.csv"].decode() == "class,io,usdc\n1,100,50\n2,100,80\n3,130,60\n4,90,0\n"
    assert files["pairs.csv"].decode() == f"order,device\n{order_},{two}\n"
    assert files["matches.csv"].decode() == f"order,device,price\n{order_},{one},100\n"
    header, row, end = files["orders.csv"].decode().split("\n")
    assert header == (
        "order,created_at,match_until,urgency,currency,classes,processors,min_tier,countries,open,minimum,colocated,"
        "country,limit,renter"
    )
    renter = Pubkey(key("renter order"))
    assert row == f"{order_},{NOW - 60},{NOW + 1_140},0,0,1 2,1,1,AT CH,1,1,0,,1000,{renter}"
    assert end == ""
    assert set(files) == {*KINDS, "manifest.json"}
    manifest = json.loads(files["manifest.json"])
    assert manifest["files"]["matches.csv"] == {
        "bytes": len(files["matches.csv"]),
        "rows": 1,
        "sha256": sha256(files["matches.csv"]).hexdigest(),
    }
    assert (manifest["tick"], manifest["slot"], manifest["base"]) == (TICK, 4_000, None)
    assert manifest["operator"] == str(OPERATOR)
    assert Manifest.decode(files["manifest.json"]).hash == sha256(files["manifest.json"]).digest()


def test_the_same_rows_are_these_bytes_for_ever() -> None:
    """Whoever changes a byte of files that are published makes another version of the rule."""
    files = write(plain(), OPERATOR)
    digest = sha256(b"".join(files[name] for name in KINDS)).hexdigest()
    assert digest == "99d3f0ede0434606bf50c46f152493e9b5d18d1eeeb88d4780f039f2321b9095"


def test_a_folder_for_each_day_and_tick() -> None:
    assert folder(2_880 * 7 + 5) == "7/20165"


@given(ticks().map(as_published))
@settings(max_examples=50, deadline=None)
def test_what_is_read_is_what_was_written(snapshot: Snapshot) -> None:
    files = write(snapshot, OPERATOR)
    batch = replay(files)
    assert same(batch.snapshot, snapshot)
    assert write(batch.snapshot, OPERATOR) == files


@given(ticks().map(as_published), st.data())
@settings(max_examples=50, deadline=None)
def test_a_later_tick_has_only_the_devices_that_changed(snapshot: Snapshot, data: st.DataObject) -> None:
    base = read(write(snapshot, OPERATOR))
    there = snapshot.devices
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(there), max_size=len(there))), bool)
    fewer = there[kept].copy()
    different = np.array(data.draw(st.lists(st.booleans(), min_size=len(fewer), max_size=len(fewer))), bool)
    fewer["tier"][different] += 1
    now = replace(later(snapshot), devices=fewer, pairs=snapshot.pairs[:0])
    files = write(now, OPERATOR, base)
    batch = replay(files, base)
    assert same(batch.snapshot, now)
    assert batch.manifest.files["devices.csv"].rows == len(there) - len(fewer) + int(different.sum())
    # As if all devices were there: what came out is the same.
    assert write(now, OPERATOR)["matches.csv"] == files["matches.csv"]


def test_new_devices_and_those_that_are_gone() -> None:
    base = read(write(plain(), OPERATOR))
    now = replace(
        later(plain()), devices=tick([device("one"), device("new")], []).devices, pairs=plain().pairs[:0]
    )
    rows = write(now, OPERATOR, base)["devices.csv"].decode().splitlines()[1:]
    names = {str(Pubkey(key(name))): name for name in ("one", "two", "new")}
    outs = {names[row.split(",")[0]]: int(row.split(",")[10]) for row in rows}
    assert outs == {"new": 0, "two": Out.GONE}


# -- what is refused -----------------------------------------------------------------------------


def sealed(files: Files, **changed: bytes) -> Files:
    """Files with others in their place, which the manifest names: what a cheat would publish."""
    files = {**files, **{f"{name}.csv": data for name, data in changed.items()}}
    manifest = json.loads(files["manifest.json"])
    for name in KINDS:
        rows = max(files[name].count(b"\n") - 1, 0)
        described = {"sha256": sha256(files[name]).hexdigest(), "bytes": len(files[name]), "rows": rows}
        manifest["files"][name] = described
    return {**files, "manifest.json": dumped(manifest)}


def dumped(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()


def stated(**changed: Any) -> Callable[[Files], Files]:
    """Another manifest."""

    def change(files: Files) -> Files:
        return {**files, "manifest.json": dumped({**json.loads(files["manifest.json"]), **changed})}

    return change


def lines(table: str, change: Callable[[list[str]], list[str]]) -> Callable[[Files], Files]:
    """Other rows in a table."""

    def changed(files: Files) -> Files:
        header, *rows = files[f"{table}.csv"].decode().splitlines()
        return sealed(files, **{table: "".join(f"{row}\n" for row in [header, *change(rows)]).encode()})

    return changed


def cell(table: str, column: str, value: str, row: int = 0) -> Callable[[Files], Files]:
    """Another value in a row."""

    def changed(files: Files) -> Files:
        header, *rows = files[f"{table}.csv"].decode().splitlines()
        values = rows[row].split(",")
        values[header.split(",").index(column)] = value
        rows[row] = ",".join(values)
        return sealed(files, **{table: "".join(f"{each}\n" for each in [header, *rows]).encode()})

    return changed


NOT_JSON = b"{"
REFUSED: dict[str, tuple[Callable[[Files], Files], type[UserError], str]] = {
    "no manifest": (lambda files: {k: v for k, v in files.items() if k in KINDS}, FileMissing, "manifest"),
    "nonsense": (lambda files: {**files, "manifest.json": NOT_JSON}, ManifestInvalid, "no manifest"),
    "spaces": (
        lambda files: {**files, "manifest.json": files["manifest.json"].replace(b":", b": ", 1)},
        ManifestInvalid,
        "canonical",
    ),
    "a field too many": (stated(more=1), ManifestInvalid, "manifest"),
    "a tick below 0": (stated(tick=-1), ManifestInvalid, "tick"),
    "a tick in words": (stated(tick="7"), ManifestInvalid, "tick"),
    "an operator that is no key": (stated(operator="me"), ManifestInvalid, "operator"),
    "a seed of another tick": (stated(seed="7"), ManifestInvalid, "seed"),
    "another network's program": (stated(program=str(OPERATOR)), ManifestInvalid, "program"),
    "no files": (stated(files={}), ManifestInvalid, "files"),
    "a later rule": (stated(rule=3), RuleUnknown, "decided by other rules, rule 3 with"),
    "other figures": (
        stated(figures="12" * 32),
        RuleUnknown,
        "decided by other rules, .* figures 12121212, ",
    ),
    "unsorted profiles": (stated(profiled=[2, 1]), ManifestInvalid, "ascending"),
    "no orders": (lambda files: {k: v for k, v in files.items() if k != "orders.csv"}, FileMissing, "orders"),
    "another file": (lambda files: {**files, "prices.csv": b""}, FileDiffers, "prices.csv"),
    "other rows than stated": (
        stated(files={name: {"sha256": "0" * 64, "bytes": 0, "rows": 9} for name in KINDS}),
        FileDiffers,
        "devices.csv",
    ),
    "another header": (
        lambda files: sealed(files, prices=files["prices.csv"].replace(b"io", b"IO")),
        TableError,
        "header",
    ),
    "a row that doesn't end": (
        lambda files: sealed(files, prices=files["prices.csv"][:-1]),
        TableError,
        "end",
    ),
    "a value too few": (lines("prices", lambda rows: ["1,2", *rows[1:]]), TableError, "2 values"),
    "a number below 0": (cell("prices", "io", "-1"), TableError, "io"),
    "a word for a number": (cell("prices", "io", "many"), TableError, "io"),
    "a number too large": (cell("prices", "io", str(2**64)), TableError, "io"),
    "a class too large": (cell("prices", "class", "65536", 3), TableError, "class"),
    "no address": (cell("devices", "device", "me"), TableError, "device"),
    "three letters": (cell("devices", "country", "AUT"), TableError, "country"),
    "nine classes": (cell("orders", "classes", "1 2 3 4 5 6 7 8 9"), TableError, "classes"),
    "two spaces": (cell("orders", "classes", "1  2"), TableError, "classes"),
    "zeros in front": (cell("prices", "io", "0100"), TableError, "prices.csv: row 1, io"),
    "a list with a space": (cell("orders", "countries", "AT CH "), NotCanonical, "orders.csv"),
    "unsorted": (lines("prices", lambda rows: rows[::-1]), RowsUnsorted, "prices.csv: row 2"),
    "twice": (lines("devices", lambda rows: [rows[0], *rows]), RowsUnsorted, "devices.csv: row 2"),
    "a match twice": (lines("matches", lambda rows: rows * 2), RowsUnsorted, "matches.csv"),
    "no processors": (cell("devices", "processors", "0"), RowsInvalid, "processors"),
    "tier 5": (cell("devices", "tier", "5"), RowsInvalid, "tier"),
    "more than all weight": (cell("devices", "weight", "10001", 1), RowsInvalid, "row 2: .*weight"),
    "a device that is gone": (cell("devices", "out", "512"), RowsInvalid, "out"),
    "a time that never comes": (cell("devices", "changed_at", str(2**63)), RowsInvalid, "changed_at"),
    "small letters": (cell("devices", "country", "at"), RowsInvalid, "country"),
    "no country": (cell("devices", "country", ""), RowsInvalid, "country"),
    "urgency 3": (cell("orders", "urgency", "3"), RowsInvalid, "urgency"),
    "currency 2": (cell("orders", "currency", "2"), RowsInvalid, "currency"),
    "no tier": (cell("orders", "min_tier", "0"), RowsInvalid, "min_tier"),
    "nothing at once": (cell("orders", "minimum", "0"), RowsInvalid, "minimum"),
    "more at once than are open": (cell("orders", "minimum", "2"), RowsInvalid, "minimum"),
    "colocated twice": (cell("orders", "colocated", "2"), RowsInvalid, "colocated"),
    "hired and free": (cell("devices", "hired_until", str(NOW + 1)), RowsInvalid, "hired_until"),
    "hired, and until nothing": (cell("devices", "out", "1"), RowsInvalid, "hired_until"),
    "matched no more": (cell("orders", "match_until", str(NOW)), RowsInvalid, "match_until"),
    "opened with the tick": (cell("orders", "created_at", str(NOW)), RowsInvalid, "created_at"),
    "a limit below every price": (cell("orders", "limit", "99"), RowsInvalid, "price it pays"),
    "a class above all": (cell("orders", "classes", "65536"), RowsInvalid, "price it pays"),
    "no class": (cell("orders", "classes", ""), RowsInvalid, "class"),
    "a class twice": (cell("orders", "classes", "1 1"), RowsInvalid, "classes"),
    "a country twice": (cell("orders", "countries", "AT AT"), RowsInvalid, "countries"),
    "countries in small letters": (cell("orders", "countries", "at"), RowsInvalid, "countries"),
    "bound to nowhere": (cell("orders", "country", "a1"), RowsInvalid, "country"),
    "bound and not colocated": (cell("orders", "country", "AT"), RowsInvalid, "colocated"),
    "a price above all": (cell("prices", "usdc", str(10**15 + 1)), RowsInvalid, "usdc"),
    "a pair of no order": (cell("pairs", "order", str(OPERATOR)), RowsInvalid, "order"),
    "a pair of no device": (cell("pairs", "device", str(OPERATOR)), RowsInvalid, "device"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_files_are_refused(name: str) -> None:
    change, error, words = REFUSED[name]
    with pytest.raises(error, match=words) as caught:
        read(change(write(plain(), OPERATOR)))
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_bytes_come_nothing_else_is_raised(data: st.DataObject) -> None:
    """Whether the manifest names them or not."""
    files = dict(PLAIN)
    name = data.draw(st.sampled_from(sorted(files)))
    start = data.draw(st.integers(0, len(files[name])))
    stop = data.draw(st.integers(start, min(start + 8, len(files[name]))))
    some = st.binary(max_size=4) | st.sampled_from(
        [b"-1", b"9" * 30, b"\n", b",", b" ", b"\xff", b'"', b"{}"]
    )
    files[name] = files[name][:start] + data.draw(some) + files[name][stop:]
    if name in KINDS and data.draw(st.booleans()):
        files = sealed(files)
    with suppress(UserError):
        replay(files)


def based() -> tuple[Batch, Files]:
    base = read(write(plain(), OPERATOR))
    return base, write(later(plain(tier=3)), OPERATOR, base)


def test_a_tick_that_goes_on_from_another_needs_that_one() -> None:
    _, files = based()
    with pytest.raises(BaseMissing, match=f"goes on from tick {TICK}"):
        read(files)
    with pytest.raises(BaseDiffers, match=r"another devices.csv"):
        read(files, read(write(plain(tier=2), OPERATOR)))
    with pytest.raises(BaseDiffers, match=r"another devices.csv"):
        read(files, read(write(later(plain(), 2), OPERATOR)))


def test_a_tick_goes_on_from_a_whole_earlier_one_of_its_hour() -> None:
    base, files = based()
    with pytest.raises(BaseDiffers, match="same hour"):
        write(later(plain(), -1), OPERATOR, base)
    with pytest.raises(BaseDiffers, match="same hour"):
        write(plain(), OPERATOR, base)
    with pytest.raises(BaseDiffers, match="same hour"):
        write(later(plain(), 2), OPERATOR, read(files, base))
    assert TICK % 120 == 0
    write(later(plain(), 119), OPERATOR, base)
    with pytest.raises(BaseDiffers, match="same hour"):
        write(later(plain(), 120), OPERATOR, base)


def test_what_changed_is_told_once_and_nothing_else() -> None:
    base, files = based()
    unchanged = write(plain(), OPERATOR)["devices.csv"]
    with pytest.raises(NotCanonical, match="didn't change"):
        read(sealed(files, devices=unchanged), base)
    header = unchanged.split(b"\n", 1)[0]
    gone = ",".join([str(OPERATOR), *"0000"[:3], "", "0", "0", "0", "0", "0", "512", "0", "", "", ""])
    with pytest.raises(NotCanonical, match="didn't change"):
        read(sealed(files, devices=header + b"\n" + gone.encode() + b"\n"), base)


# -- replay --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cell("matches", "price", "99"), r"matches.csv: line 2 is '.*,99', but the rule gives '.*,100'"),
        (lines("matches", lambda rows: []), r"matches.csv: line 2 is '', but the rule gives '.*,100'"),
        (cell("matches", "device", str(Pubkey(key("two")))), "matches.csv: line 2"),
        (cell("devices", "ask_io", "101", 1), "matches.csv: line 2"),
    ],
)
def test_what_the_rule_does_not_give_is_found(change: Callable[[Files], Files], words: str) -> None:
    files = change(write(plain(), OPERATOR))
    assert isinstance(read(files), Batch)
    with pytest.raises(ReplayDiffers, match=words):
        replay(files)


def test_the_first_difference_is_named() -> None:
    files, other = write(plain(), OPERATOR), write(plain(tier=2), OPERATOR)
    with pytest.raises(ReplayDiffers, match=r"devices.csv: line 2"):
        require_same(files, other)
    with pytest.raises(ReplayDiffers, match=r"manifest.json: line 1"):
        require_same(files, write(plain(), Pubkey(key("another operator"))))
    longer = {**files, "matches.csv": files["matches.csv"] + b"x"}
    with pytest.raises(ReplayDiffers, match=r"matches.csv: line 3 is 'x', but the rule gives ''"):
        require_same(longer, files)
    with pytest.raises(FileMissing):
        require_same({}, files)
    require_same(files, dict(files))


@given(ticks())
@settings(max_examples=100, deadline=None)
def test_orders_below_every_price_change_nothing(snapshot: Snapshot) -> None:
    """They may be left out: no device, no chance and no place in a sequence depends on them."""
    fewer = as_published(snapshot)
    assert np.array_equal(assign(fewer), assign(snapshot))
    assert sample(fewer) == sample(snapshot)
