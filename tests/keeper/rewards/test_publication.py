"""Published hours: the same bytes for everybody, whole or not there, and every kind of tampering seen."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper import disk, tables
from keeper.clients import staking, tokenomics
from keeper.economy import merkle
from keeper.rewards import publication, recomputed
from keeper.rewards.fetch import compare
from keeper.rewards.publication import KINDS, MANIFEST, FolderUnusable, Manifest, PublicationError
from keeper.rewards.rows import INPUT, Hour
from keeper.rewards.tree import EMPTY_ROOT, leaf, tree
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import START, another, classes, key, rows, wallets
from tests.model.schedule import HOUR, IO, root
from tests.model.staking.blocks import leaf as model_leaf

EMITTED = 448_028_673_835


def publish(folder: Path, number: int = 0, *, working: int = 5, devices: int = 6) -> Manifest:
    machines = [another(n, work=1 if n < working else 2) for n in range(devices)]
    hour = Hour(number, START + number * HOUR, EMITTED * (number + 1))
    return publish_rows(folder, hour, rows(machines), classes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three hours, of which one paid nobody."""
    for number, working in enumerate((5, 0, 3)):
        publish(tmp_path, number, working=working)
    return tmp_path


def test_two_keepers_write_the_same_bytes(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    for number, working in enumerate((5, 0, 3)):
        publish(other, number, working=working)
    for number in range(3):
        for name in (*KINDS, MANIFEST):
            path = f"{number}/{name}"
            assert (folder / path).read_bytes() == (other / path).read_bytes(), path


def test_hours_add_up(folder: Path) -> None:
    first, second, third = (recomputed.verify(folder, number) for number in range(3))
    assert (first.succeeded, first.failed, first.missed, first.devices) == (5, 1, 0, 6)
    assert first.pot == EMITTED == first.paid + first.carried
    assert (second.paid, second.pot, second.root) == (0, 2 * EMITTED - first.paid, first.root)
    assert third.pot == second.carried + EMITTED
    assert third.total == first.paid + third.paid
    assert (first.previous, third.previous) == (None, second.hash)
    assert publication.published_hours(folder) == [0, 1, 2]


def test_what_an_operator_says(folder: Path) -> None:
    manifest = publication.read_manifest(folder, 2)
    data = (folder / "2" / MANIFEST).read_bytes()
    said = manifest.attestation
    assert said.data_hash == sha256(data).digest()
    assert (said.root.hex(), said.total, said.devices) == (manifest.root, manifest.total, 6)
    assert b" " not in data
    assert list(json.loads(data)) == sorted(json.loads(data))


def test_the_root_is_the_models(folder: Path) -> None:
    manifest = publication.read_manifest(folder, 2)
    found = publication.read_table(folder, manifest, "wallets.csv")
    program, mint = bytes(staking.PROGRAM.address), bytes(tokenomics.MINT)
    leaves = [
        model_leaf(program, mint, row["wallet"].ljust(32, b"\0"), int(row["lifetime"])) for row in found
    ]
    assert root(leaves).hex() == manifest.root


def test_every_wallet_has_its_proof(folder: Path) -> None:
    for number in range(5):
        wallet = Pubkey(key(f"wallet {number}"))
        found = publication.claimable(folder, 2, wallet)
        hashed = leaf(wallet, found.lifetime)
        assert merkle.verify(found.root, hashed, found.proof)
        assert found.json()["proof"] == [
            found.proof[at : at + 32].hex() for at in range(0, len(found.proof), 32)
        ]
    with pytest.raises(PublicationError, match="has earned nothing by emission hour 2"):
        publication.claimable(folder, 2, Pubkey(key("wallet 5")))


def test_an_hour_in_which_nobody_ever_earned(tmp_path: Path) -> None:
    manifest = publish(tmp_path, working=0)
    assert (manifest.root, manifest.total) == (EMPTY_ROOT.hex(), 0)
    assert tree(wallets({})) is None
    recomputed.verify(tmp_path, 0)
    with pytest.raises(PublicationError, match="nobody has earned anything by hour 0"):
        publication.claimable(tmp_path, 0, Pubkey(key("wallet 1")))


def test_an_hour_follows_the_one_before(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="hour 6 is not in"):
        publish(tmp_path, 7)
    assert publication.published_hours(tmp_path) == []


@pytest.mark.parametrize("name", KINDS)
def test_a_half_written_hour_is_not_there_and_is_written_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    class Full(disk.Growing):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self.is_full = path.name == name

        def add(self, chunks: Iterable[bytes]) -> None:
            if self.is_full and self.size:
                raise OSError("no space left on device")
            super().add(chunks)

    monkeypatch.setattr(disk, "Growing", Full)
    with pytest.raises(FolderUnusable, match="can't be written: no space left on device"):
        publish(folder, 3)
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "2"]
    monkeypatch.undo()
    assert publish(folder, 3).hour == 3
    recomputed.verify(folder, 3)
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "2", "3"]


def test_an_hour_is_published_anew_in_place_of_the_old(folder: Path) -> None:
    before = publication.read_manifest(folder, 2)
    after = publish(folder, 2, working=4)
    assert recomputed.verify(folder, 2) == after != before


# -- tampering ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_byte(folder: Path, name: str) -> None:
    path = folder / "2" / name
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    with pytest.raises(PublicationError, match=rf"{name} is not the file that the manifest names"):
        recomputed.verify(folder, 2)


@pytest.mark.parametrize("name", [*KINDS, MANIFEST])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / "2" / name).unlink()
    with pytest.raises(PublicationError, match=rf"{name} is missing"):
        recomputed.verify(folder, 2)


def forge(folder: Path, name: str, old: str, new: str) -> None:
    """Change a table, and the manifest with it: what a lying operator would publish."""
    path = folder / "2" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    manifest = json.loads((folder / "2" / MANIFEST).read_text())
    data = path.read_bytes()
    entry = {"sha256": sha256(data).hexdigest(), "bytes": len(data), "rows": data.count(b"\n") - 1}
    manifest["files"][name] = entry
    encoded = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    (folder / "2" / MANIFEST).write_text(encoded)


def rewrite(folder: Path, name: str, lines: list[str]) -> Manifest:
    """Replace a table's rows, and what the manifest says of the file."""
    path = folder / "2" / name
    path.write_text("\n".join(lines) + "\n")
    manifest = json.loads((folder / "2" / MANIFEST).read_text())
    data = path.read_bytes()
    manifest["files"][name] = {
        "sha256": sha256(data).hexdigest(),
        "bytes": len(data),
        "rows": len(lines) - 1,
    }
    encoded = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    (folder / "2" / MANIFEST).write_text(encoded)
    return publication.read_manifest(folder, 2)


def changed_cell(cell: str) -> str:
    """Another value of the same kind."""
    return str(int(cell) + 1) if cell.isdecimal() else str(Pubkey(key("somebody else")))


def changes(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Every way to change one cell of one row; then neighbours swapped, each row dropped, each doubled."""
    header, *rows = lines
    for at, row in enumerate(rows):
        cells = row.split(",")
        for column, name in enumerate(header.split(",")):
            other = [*cells[:column], changed_cell(cells[column]), *cells[column + 1 :]]
            yield f"{name} of row {at + 1}", [header, *rows[:at], ",".join(other), *rows[at + 1 :]]
        yield f"row {at + 1} dropped", [header, *rows[:at], *rows[at + 1 :]]
        yield f"row {at + 1} doubled", [header, *rows[: at + 1], *rows[at:]]
        if at:
            swapped = [*rows[: at - 1], row, rows[at - 1], *rows[at + 1 :]]
            yield f"rows {at} and {at + 1} swapped", [header, *swapped]


@pytest.mark.parametrize("name", KINDS)
def test_every_cell_of_every_row_counts(folder: Path, name: str) -> None:
    """Changed alone, it isn't the manifest's file. With a manifest of its own, it doesn't follow from inputs.

    Inputs that were changed together with the manifest are others' observations, which may give the same
    rewards: then it is the manifest that isn't the one that was attested. Whether observations follow from
    the files that operators anchored, this doesn't ask.
    """
    path, manifest_path = folder / "2" / name, folder / "2" / MANIFEST
    original, manifest_bytes = path.read_text(), manifest_path.read_bytes()
    attested = publication.read_manifest(folder, 2)
    count = 0
    for what, lines in changes(original.splitlines()):
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(PublicationError, match="is not the file that the manifest names"):
            recomputed.verify(folder, 2)
        forged = rewrite(folder, name, lines)
        assert forged != attested
        try:
            recomputed.verify(folder, 2)
        except PublicationError as error:
            assert "hour 2" in str(error) or ".csv" in str(error), what
        else:
            taken = "inputs.csv", "classes.csv", publication.VERDICTS, publication.OBSERVED
            assert name in taken, f"{what} went unnoticed"
        with pytest.raises(PublicationError, match="data_hash on chain is"):
            compare(forged, attested.attestation)
        path.write_text(original)
        manifest_path.write_bytes(manifest_bytes)
        count += 1
    columns, rows = original.split("\n", 1)[0].count(",") + 1, attested.files[name].rows
    assert count == rows * (columns + 2) + rows - 1
    compare(recomputed.verify(folder, 2), attested.attestation)


def test_a_forged_reward(folder: Path) -> None:
    manifest = publication.read_manifest(folder, 2)
    devices = publication.read_table(folder, manifest, "rewards.csv")
    paid = str(devices["reward"].max())
    forge(folder, "rewards.csv", paid, str(int(paid) + 1))
    with pytest.raises(PublicationError, match=r"rewards.csv: row 1, reward: \d+, but the rule gives "):
        recomputed.verify(folder, 2)


def test_a_forged_lifetime(folder: Path) -> None:
    manifest = publication.read_manifest(folder, 2)
    found = publication.read_table(folder, manifest, "wallets.csv")
    forge(folder, "wallets.csv", str(found["lifetime"].max()), "9" * 15)
    with pytest.raises(PublicationError, match=r"wallets\.csv: row 1, lifetime: 999999999999999, but"):
        recomputed.verify(folder, 2)
    with pytest.raises(PublicationError, match=r"hour 2: wallets\.csv has root"):
        publication.claimable(folder, 2, Pubkey(key("wallet 1")))


def test_a_forged_input(folder: Path) -> None:
    """A device whose failure is struck out of the inputs: rewards don't follow from them any more."""
    text = (folder / "2/inputs.csv").read_text().splitlines()
    failed = next(line for line in text if line.endswith(",1,2,0,0,4,0,0"))
    forge(folder, "inputs.csv", failed, failed.replace(",1,2,0,0,4,0,0", ",1,1,0,0,4,0,0"))
    with pytest.raises(PublicationError, match="the rule gives"):
        recomputed.verify(folder, 2)


def test_a_row_that_is_left_out(folder: Path) -> None:
    line = (folder / "2/rewards.csv").read_text().splitlines()[-1]
    forge(folder, "rewards.csv", line + "\n", "")
    with pytest.raises(PublicationError, match="has 5 rows, but the rule gives 6"):
        recomputed.verify(folder, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total", 1),
        ("root", "00" * 32),
        ("previous", None),
        ("devices", 7),
        ("program", "11111111111111111111111111111111"),
        ("carried", 0),
    ],
)
def test_a_forged_manifest(folder: Path, field: str, value: object) -> None:
    path = folder / "2" / MANIFEST
    changed = {**json.loads(path.read_text()), field: value}
    path.write_text(json.dumps(changed, sort_keys=True, separators=(",", ":")))
    with pytest.raises(PublicationError, match=rf"manifest of hour 2: {field} is "):
        recomputed.verify(folder, 2)


def test_another_rule_or_hour(folder: Path) -> None:
    path = folder / "2" / MANIFEST
    for field, value, words in (("rule", 1, "follows rule 1"), ("hour", 1, "is of hour 1")):
        original = path.read_text()
        changed = {**json.loads(original), field: value}
        path.write_text(json.dumps(changed, sort_keys=True, separators=(",", ":")))
        with pytest.raises(PublicationError, match=words):
            recomputed.verify(folder, 2)
        path.write_text(original)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files":1}', '{"files":{}, "hour":1}'])
def test_no_manifest_at_all(folder: Path, text: str) -> None:
    (folder / "2" / MANIFEST).write_text(text)
    with pytest.raises(PublicationError, match="is no manifest"):
        publication.read_manifest(folder, 2)


def test_a_manifest_with_other_spacing(folder: Path) -> None:
    path = folder / "2" / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    with pytest.raises(PublicationError, match="not canonical"):
        publication.read_manifest(folder, 2)


# -- tables ------------------------------------------------------------------------------------


def test_tables_come_back_as_they_were(monkeypatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 3)
    table = rows(another(number, own=2**64 - 1 - number) for number in range(10))
    data = b"".join(tables.encode(table))
    assert (tables.decode(data, INPUT, "t") == table).all()
    assert data.count(b"\n") == 11


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("device", "devices", 1), "the header is not"),
        (lambda text: text[:-1], "the last row doesn't end"),
        (
            lambda text: text.replace(",80000000000,", ",-1,", 1),
            "row 1, own: not a whole number from 0 to 18446744073709551615",
        ),
        (
            lambda text: text.replace(",80000000000,", f",{2**64},", 1),
            "row 1, own: not a whole number from 0 to 18446744073709551615",
        ),
        (lambda text: text.replace(",80000000000,", ",x,", 1), "row 1, own: not a whole number"),
        (lambda text: text.replace(",80000000000,", ",", 1), "row 1 has 22 values, not 23"),
        (lambda text: text.replace("\n", "\nnotbase58", 1), "row 1, device: not an address"),
    ],
)
def test_a_table_that_is_none(change, words: str) -> None:
    text = b"".join(tables.encode(rows([another(1)]))).decode()
    assert IO * 800 == 80_000_000_000
    with pytest.raises(tables.TableError, match=words):
        tables.decode(change(text).encode(), INPUT, "inputs.csv")
