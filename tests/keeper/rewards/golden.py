"""Whole hours of rewards, and what is said of them once somebody changed a file, by pages and commands alike.

``python -m tests.keeper.rewards.golden`` writes tests/vectors/rewards.json, which the keeper must give and
``web/src/verify`` must say.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

from solders.pubkey import Pubkey

from keeper.clients.staking import Attestation
from keeper.economy import calendar, emission
from keeper.rewards import publication, publishing, recomputed
from keeper.rewards.fetch import compare
from keeper.rewards.publication import MANIFEST, Manifest, PublicationError
from keeper.rewards.rows import Hour
from tests.keeper.rewards.seen import work_of
from tests.keeper.rewards.tables import CLASSES, another, classes, key, rows, wallets
from tests.model.rewards import Machine
from tests.model.schedule import DAY, HOUR, IO

VECTORS = Path(__file__).parents[2] / "vectors/rewards.json"
MONTH = calendar.month_number(2024, 7)
SECOND_MONTH = 31 * 24
"""The first hour of August, by hours of the emission."""

Change = Callable[[Path], None]


def machines(start: int, seed: int) -> list[Machine]:
    """Devices with every reason by itself, every state of a co-stake, at every bound; and some by chance."""
    draw = random.Random(seed)
    aged = {"sufficient_since": start - DAY, "up_since": start - DAY}
    both = {"co_staker": key("co 1"), "co_reward_bps": 3_333, "co_amount": 500 * IO}
    told: list[dict[str, Any]] = [
        {},
        {"class_id": 1, "processors": 8, "own": 16_000 * IO, "hired": True},
        {"class_id": 2, "own": 1_000 * IO, "co_state": 1, **both},
        {"class_id": 2, "own": 1_000 * IO, "co_state": 1, **both, "co_reward_bps": 10_000},
        {"class_id": 5},
        {"class_id": 77},
        {"terminated": True},
        {"slash_pending": True},
        {"sufficient_since": start + 1},
        {"own": 800 * IO - 1},
        {"own": 300 * IO, "co_state": 2, "co_until": start + 1, **both},
        {"own": 300 * IO, "co_state": 2, "co_until": start, **both},
        {"own": 800 * IO, "co_state": 3, **both},
        {"up_since": start - 5 * HOUR},
        {"up_since": start - 5 * HOUR - 1},
        {"vram_failures": 4, "vram_failed_at": start - 12 * HOUR},
        {"vram_failures": 4, "vram_failed_at": start - 12 * HOUR - 1},
        *({"work": code} for code in (0, 2, 3, 4)),
        {"online": False},
        {"barred_until": start + 1},
        {"barred_until": start},
        {"measured_tier": 2, "processors_shown": 3},
        {"tier": 1, "measured_tier": 0, "payout": bytes(32)},
        {"online": False, "work": 2, "barred_until": start + 5},
    ]
    found = [replace(another(number), **{**aged, **each}) for number, each in enumerate(told)]
    for number in range(len(told), len(told) + 4):
        by_chance = another(
            number,
            **aged,
            class_id=draw.choice([1, 2, 3, 4]),
            processors=draw.randint(1, 8),
            own=16_000 * IO,
            tier=draw.randint(1, 4),
        )
        found.append(replace(by_chance, payout=key(f"wallet {draw.randrange(6)}")))
    return [replace(each, device=sha256(each.device).digest()) for each in found]


def publish(folder: Path, number: int, seed: int) -> Manifest:
    """An hour with such devices, of the schedule; by rule 5 for odd seeds: a table has a column more."""
    start = calendar.month_start(MONTH) + number * HOUR
    hour = Hour(number, start, emission.cumulative(MONTH, number + 1))
    table = rows(machines(start, seed))
    work = replace(work_of(table, number, start), rule=5 if seed % 2 else 3)
    return publishing.publish(folder, hour, work, table, classes(CLASSES))


def lived(folder: Path) -> None:
    """The first two hours, of which one paid one pool alone; and three around a month's end."""
    publish(folder, 0, 0)
    publish(folder, 1, 1)
    held = {key("wallet 1"): 3 * 10**14, sha256(b"gone").digest(): 10**13}
    with mock.patch.object(publishing, "hour_before", lambda *_: (wallets(held), "ab" * 32)):
        publish(folder, SECOND_MONTH - 2, 2)
    publish(folder, SECOND_MONTH - 1, 3)
    publish(folder, SECOND_MONTH, 4)


# -- what somebody changes ---------------------------------------------------------------------


def cell(name: str, row: int, column: str, value: str) -> Change:
    """Write another value into a table's row (from 1)."""

    def change(hour: Path) -> None:
        lines = (hour / name).read_text().splitlines()
        cells = lines[row].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[row] = ",".join(cells)
        (hour / name).write_text("\n".join(lines) + "\n")

    return change


def text(name: str, old: str, new: str) -> Change:
    """Replace a text once; an empty one is the file's beginning."""

    def change(hour: Path) -> None:
        whole = (hour / name).read_text()
        assert old in whole
        (hour / name).write_text(whole.replace(old, new, 1))

    return change


def without(name: str, row: int) -> Change:
    """Drop a table's row."""

    def change(hour: Path) -> None:
        lines = (hour / name).read_text().splitlines()
        del lines[row]
        (hour / name).write_text("\n".join(lines) + "\n")

    return change


def missing(name: str) -> Change:
    """Take a file away."""
    return lambda hour: (hour / name).unlink()


def field(name: str, value: object) -> Change:
    """Write another value into the manifest."""

    def change(hour: Path) -> None:
        stated = json.loads((hour / MANIFEST).read_text())
        at = stated
        *above, last = name.split("/")
        for each in above:
            at = at[each]
        at[last] = value
        (hour / MANIFEST).write_text(json.dumps(stated, sort_keys=True, separators=(",", ":")))

    return change


def stated(change: Change, *names: str) -> Change:
    """A change after which the manifest names the files as they are then: what lying operators publish."""

    def both(hour: Path) -> None:
        change(hour)
        for name in names:
            data = (hour / name).read_bytes()
            field(f"files/{name}/sha256", sha256(data).hexdigest())(hour)
            field(f"files/{name}/bytes", len(data))(hour)
            field(f"files/{name}/rows", data.count(b"\n") - 1)(hour)

    return both


def altered() -> Iterator[tuple[str, Change]]:
    """What whoever serves files may change: their hashes tell."""
    yield "a reward", cell("rewards.csv", 3, "reward", "1")
    yield "a reason", cell("rewards.csv", 5, "reasons", "0")
    yield "a reward that is no number", cell("rewards.csv", 2, "reward", "12x")
    yield "a reward in front of which is a zero", text("rewards.csv", ",2635849445,", ",02635849445,")
    yield "the zero address written out", text("inputs.csv", ",,", f",{'1' * 32},")
    yield "a lifetime", cell("wallets.csv", 4, "lifetime", "999999999999")
    yield "a wallet left out", without("wallets.csv", 2)
    yield "a device left out", without("rewards.csv", 30)
    yield (
        "an end cut off",
        lambda hour: (hour / "rewards.csv").write_bytes((hour / "rewards.csv").read_bytes()[:-1]),
    )
    yield "a header", text("wallets.csv", "lifetime", "lifetimes")
    yield "an input that was seen otherwise", cell("inputs.csv", 7, "online", "3")
    yield "an input that gives another reward", cell("inputs.csv", 6, "own", "0")
    yield "an input that is out of range", cell("inputs.csv", 6, "tier", "256")
    yield "an input that no network has", cell("inputs.csv", 6, "co_reward_bps", "10001")
    yield "an input that changes nothing", cell("inputs.csv", 2, "barred_until", "1")
    yield "an address that is none", cell("inputs.csv", 1, "payout", "0OIl")
    yield "an address that is too long", cell("inputs.csv", 1, "payout", "z" * 44)
    yield "a value too few", text("inputs.csv", ",4,4,0,", ",4,4,")
    yield "a class", cell("classes.csv", 3, "multiplier", "101")
    yield "what was seen", cell("observed.csv", 4, "measured_tier", "1")
    yield "a verdict", cell("verdicts.csv", 4, "code", "9")
    yield "the record", text("pow.json", '"hour":1', '"hour":2')
    for name in publication.FILES:
        yield f"{name} away", missing(name)


def attested() -> Iterator[tuple[str, Change]]:
    """What operators may attest together: the rule tells."""
    yield (
        "a reward in front of which is a zero, attested",
        stated(text("rewards.csv", ",2635849445,", ",02635849445,"), "rewards.csv"),
    )
    yield "a reward attested", stated(cell("rewards.csv", 3, "reward", "1"), "rewards.csv")
    yield "a lifetime attested", stated(cell("wallets.csv", 1, "lifetime", "5"), "wallets.csv")
    yield (
        "a wallet too many attested",
        stated(text("wallets.csv", "earned\n", f"earned\n{Pubkey(key('one more'))},5,5\n"), "wallets.csv"),
    )
    yield "an input attested", stated(cell("inputs.csv", 6, "own", "0"), "inputs.csv")
    yield (
        "an input seen otherwise, attested",
        stated(cell("inputs.csv", 2, "vram_failures", "1"), "inputs.csv"),
    )
    yield "a work without a name attested", stated(cell("inputs.csv", 2, "work", "5"), "inputs.csv")
    yield (
        "inputs out of order attested",
        stated(
            lambda hour: (hour / "inputs.csv").write_text(
                "\n".join([*(found := (hour / "inputs.csv").read_text().splitlines())[:3], *found[:2:-1]])
                + "\n"
            ),
            "inputs.csv",
        ),
    )
    yield "a time past all attested", stated(cell("inputs.csv", 2, "up_since", str(2**64 - 1)), "inputs.csv")
    yield "more paid than emitted attested", field("emitted", 1)
    yield "another start attested", field("start", 1_719_792_001)
    yield "another rule attested", field("rule", 9)
    for name in ("pot", "carried", "succeeded", "missed"):
        yield f"another {name} attested", field(name, 1)
    yield "other rows attested", field("files/rewards.csv/rows", 3)
    yield "another hour before attested", field("previous", "cd" * 32)


def said(folder: Path, hour: int, block: Attestation) -> str:
    """What the keeper says of an hour that isn't right, with files as a page names them."""
    try:
        manifest = recomputed.verify(folder, hour)
        compare(manifest, block)
    except PublicationError as error:
        return str(error).replace(f" in {folder}", "").replace(f"{folder}/", "")
    raise AssertionError("nothing is wrong")


def contents(folder: Path, hour: int) -> dict[str, str]:
    """An hour's files."""
    return {name: (folder / str(hour) / name).read_text() for name in (*publication.FILES, MANIFEST)}


def shown(block: Attestation) -> dict[str, Any]:
    """As the chain has it; 64 bits as text."""
    return {
        "root": block.root.hex(),
        "data_hash": block.data_hash.hex(),
        "total": str(block.total),
        "devices": block.devices,
    }


def vectors() -> dict[str, Any]:
    """All of it: hours that are right, and sentences about those that aren't."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "right"
        lived(folder)
        right = []
        for number in publication.published_hours(folder):
            block = publication.read_manifest(folder, number).attestation
            right.append({"hour": number, "block": shown(block), "files": contents(folder, number)})
        wrong = []
        for kind, changes in (("altered", altered()), ("attested", attested())):
            for what, change in changes:
                other = Path(place) / "wrong"
                shutil.copytree(folder, other)
                change(other / "1")
                manifest = publication.read_manifest(other, 1)
                words = said(other, 1, manifest.attestation)
                had = contents(folder, 1)
                files = {
                    name: (other / "1" / name).read_text() if (other / "1" / name).exists() else None
                    for name in had
                }
                changed = {name: now for name, now in files.items() if now != had[name]}
                block = shown(manifest.attestation)
                wrong.append({"what": what, "kind": kind, "block": block, "files": changed, "says": words})
                shutil.rmtree(other)
    program, mint = (getattr(manifest, name) for name in ("program", "mint"))
    return {"program": program, "mint": mint, "hours": right, "wrong": wrong}


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=0) + "\n")
