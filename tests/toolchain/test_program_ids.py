"""The programs' addresses: the same in every file, and moved to other keys as one."""

import json
import re
from pathlib import Path

import pytest
from solders.keypair import Keypair

from toolchain import program_ids, programs

REAL = Keypair.from_seed(bytes(range(32)))


def write_key(folder: Path, name: str, pair: Keypair = REAL) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(list(bytes(pair))))
    return path


def real_keys(tree: Path) -> dict[str, str]:
    """A folder outside the tree with a key for each program."""
    addresses = {}
    for index, name in enumerate(program_ids.deployed(tree)):
        pair = Keypair.from_seed(bytes([index + 1]) * 32)
        write_key(tree.parent / "real", name, pair)
        addresses[name] = str(pair.pubkey())
    return addresses


def test_public_keys_equal_the_reference() -> None:
    for index in range(20):
        pair = Keypair.from_seed(bytes([index]) * 32)
        public = program_ids.public_key(bytes([index]) * 32)
        assert public == bytes(pair.pubkey())
        assert program_ids.base58(public) == str(pair.pubkey())


def test_base58_keeps_leading_zeros() -> None:
    assert program_ids.base58(bytes(32)) == "1" * 32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "no keypair"),
        ("[1, 2, 300]", "no keypair"),
        ("[1, 2, 3]", "3 bytes"),
        (json.dumps([*range(32), *bytes(32)]), "the public key is not the secret's"),
    ],
)
def test_a_bad_key_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(program_ids.IdError, match=message):
        program_ids.key_address(path)


def test_the_tree_agrees(tree: Path) -> None:
    assert program_ids.check(tree) == []


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("Anchor.toml", "Anchor.toml [programs.localnet]"),
        ("idl/tokenomics.json", "idl/tokenomics.json"),
        ("idl/legacy/tokenomics.json", "idl/legacy/tokenomics.json"),
    ],
)
def test_one_other_address_is_found(tree: Path, file: str, place: str) -> None:
    own = program_ids.declared(tree, Path("programs/tokenomics"))
    assert own
    other = str(REAL.pubkey())
    replace(tree / file, own, other)
    assert program_ids.check(tree) == [f"tokenomics: {place} says {other}, declare_id! says {own}"]


def test_another_development_key_is_found(tree: Path) -> None:
    write_key(tree / "keys/dev", "tokenomics")
    (problem,) = program_ids.check(tree)
    assert problem.startswith(f"tokenomics: keys/dev/tokenomics.json says {REAL.pubkey()}")


def test_missing_places_are_found(tree: Path) -> None:
    (tree / "idl/tokenomics.json").unlink()
    own = program_ids.declared(tree, Path("programs/tokenomics"))
    anchor = tree / "Anchor.toml"
    anchor.write_text(re.sub(r"(\[programs.devnet\][^\[]*?)tokenomics = .*\n", r"\1", anchor.read_text()))
    assert program_ids.check(tree) == [
        f"tokenomics: Anchor.toml [programs.devnet] has no address, declare_id! says {own}",
        f"tokenomics: idl/tokenomics.json has no address, declare_id! says {own}",
    ]


def test_an_undeclared_program_is_found(tree: Path) -> None:
    replace(tree / "programs/tokenomics/src/lib.rs", "declare_id!(", "anchor_lang::declare_id!(")
    (problem,) = program_ids.check(tree)
    assert problem.startswith("tokenomics: programs/tokenomics/src/lib.rs has no line")
    with pytest.raises(program_ids.IdError, match=r"in the lib.rs of tokenomics"):
        program_ids.sync(tree, tree / "keys/dev")


def test_anchor_names_no_other_programs(tree: Path) -> None:
    replace(tree / "Anchor.toml", "[programs.devnet]\n", f'[programs.devnet]\nolder = "{REAL.pubkey()}"\n')
    replace(tree / "Anchor.toml", 'members = ["', 'members = ["programs/older", "')
    first, second = program_ids.check(tree)
    assert first == "older: in Anchor.toml [programs.devnet], but no program"
    assert second.startswith("Anchor.toml: [workspace] members should be")


def test_sync_moves_every_place_it_owns(tree: Path) -> None:
    addresses = real_keys(tree)
    lines = program_ids.sync(tree, tree.parent / "real")
    for name, crate in program_ids.deployed(tree).items():
        assert program_ids.declared(tree, crate) == addresses[name]
        assert (tree / "Anchor.toml").read_text().count(addresses[name]) == 2
        assert any(line.startswith(f"{name}: ") and line.endswith(addresses[name]) for line in lines)
    assert any("make programs idl" in line for line in lines)
    assert any(line.startswith("and `git rm keys/dev/") for line in lines)
    left = program_ids.check(tree)
    assert left
    assert all(": idl/" in line or ": keys/dev/" in line for line in left)


def test_sync_writes_no_secret(tree: Path) -> None:
    real_keys(tree)
    before = {path for path in tree.rglob("*") if path.is_file()}
    program_ids.sync(tree, tree.parent / "real")
    after = {path for path in tree.rglob("*") if path.is_file()}
    assert after == before


def test_sync_there_and_back_changes_nothing(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    real_keys(tree)
    program_ids.sync(tree, tree.parent / "real")
    assert {path: path.read_bytes() for path in before} != before
    program_ids.sync(tree, tree / "keys/dev")
    assert {path: path.read_bytes() for path in before} == before
    assert program_ids.sync(tree, tree / "keys/dev") == []


def test_sync_gives_a_new_program_its_lines(tree: Path) -> None:
    crate = tree / "programs/newcomer"
    (crate / "src").mkdir(parents=True)
    (crate / "src/lib.rs").write_text('declare_id!("11111111111111111111111111111111");\n')
    (crate / "Cargo.toml").write_text('[package]\nname = "newcomer"\n[lib]\ncrate-type = ["cdylib", "lib"]\n')
    replace(tree / "Cargo.toml", 'members = ["', 'members = ["programs/newcomer", "')
    write_key(tree / "keys/dev", "newcomer")
    program_ids.sync(tree, tree / "keys/dev")
    assert program_ids.declared(tree, Path("programs/newcomer")) == str(REAL.pubkey())
    assert (tree / "Anchor.toml").read_text().count(f'newcomer = "{REAL.pubkey()}"\n') == 2
    assert {line.split(" has no address")[0] for line in program_ids.check(tree)} == {
        "newcomer: idl/newcomer.json",
        "newcomer: idl/legacy/newcomer.json",
    }


def test_a_missing_key_changes_nothing(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    (tree.parent / "empty").mkdir()
    with pytest.raises(program_ids.IdError, match="no keypair"):
        program_ids.sync(tree, tree.parent / "empty")
    assert {path: path.read_bytes() for path in before} == before


def test_real_keys_inside_the_repository_are_refused(tree: Path) -> None:
    for name in program_ids.deployed(tree):
        write_key(tree / "keys/real", name)
    with pytest.raises(program_ids.IdError, match="inside the repository"):
        program_ids.sync(tree, tree / "keys/real")


def test_the_self_test_program_has_no_place_on_chain(tree: Path) -> None:
    assert programs.SELF_TEST in programs.programs(tree)
    assert programs.SELF_TEST not in program_ids.deployed(tree)
