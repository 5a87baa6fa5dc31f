"""What is committed: binaries, addresses and IDLs belong to the sources beside them."""

import json
import re
import tomllib
from typing import Any

import pytest

from scripts.compute_units import BINARY_LIMITS
from toolchain import idl, legacy, program_ids, programs

ROOT = programs.ROOT
SIZE_LIMITS = {"probe": 60 * 1024, **BINARY_LIMITS}
"""A binary's bytes; what stays under it is cheap to deploy and to keep rent free."""
NAMES = sorted(programs.programs(ROOT))
DEPLOYED = sorted(program_ids.deployed(ROOT))


def test_binaries_manifest_and_sources_belong_together() -> None:
    assert programs.sources_verdict(ROOT) == programs.Verdict(programs.GOOD)


def test_the_manifest_names_every_program_and_the_toolchain() -> None:
    manifest = programs.read_manifest(ROOT)
    assert sorted(manifest["programs"]) == NAMES
    assert sorted(manifest["toolchain"]) == ["builtins", "linker", "llvm", "rustc"]
    assert all(manifest["toolchain"].values())


@pytest.mark.parametrize("name", NAMES)
def test_binary_is_small_sbpf_v3(name: str) -> None:
    binary = (ROOT / programs.ARTIFACTS / f"{name}.so").read_bytes()
    assert len(binary) <= SIZE_LIMITS[name]
    assert binary[:4] == b"\x7fELF"
    flags_at = 48  # e_flags of a 64-bit ELF header: the SBPF version
    assert int.from_bytes(binary[flags_at : flags_at + 4], "little") == 3


def test_program_ids_agree() -> None:
    assert program_ids.check(ROOT) == []


def test_development_keys_are_the_only_keys() -> None:
    assert sorted(path.name for path in (ROOT / "keys").iterdir()) == ["README.md", "dev"]
    for path in (ROOT / "keys/dev").iterdir():
        assert program_ids.key_address(path)


def test_anchor_toml_builds_the_programs_and_runs_the_tests() -> None:
    anchor = tomllib.loads((ROOT / "Anchor.toml").read_text())
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert anchor["scripts"] == {"test": "make test"}
    assert anchor["provider"]["cluster"] == "localnet"
    assert f"={anchor['toolchain']['anchor_version']}" == cargo["workspace"]["dependencies"]["anchor-lang"]
    for member in anchor["workspace"]["members"]:
        assert (ROOT / member / "src/lib.rs").exists()


@pytest.mark.parametrize("name", DEPLOYED)
def test_legacy_idl_is_the_conversion_of_the_idl(name: str) -> None:
    modern = json.loads((ROOT / f"idl/{name}.json").read_text())
    expected = json.dumps(legacy.legacy(modern), indent=1) + "\n"
    assert (ROOT / f"idl/legacy/{name}.json").read_text() == expected


def test_no_idl_without_a_program() -> None:
    for folder in ("idl", "idl/legacy"):
        assert sorted(path.stem for path in (ROOT / folder).glob("*.json")) == DEPLOYED


@pytest.mark.parametrize("name", DEPLOYED)
def test_legacy_idl_has_the_older_structure(name: str) -> None:
    text = (ROOT / f"idl/legacy/{name}.json").read_text()
    converted: dict[str, Any] = json.loads(text)
    modern = json.loads((ROOT / f"idl/{name}.json").read_text())
    assert "discriminator" not in text
    assert '"pubkey"' not in text
    assert converted["metadata"] == {"address": modern["address"]}
    camel = re.compile(r"[a-z][A-Za-z0-9]*")
    for old, new in zip(converted["instructions"], modern["instructions"], strict=True):
        assert camel.fullmatch(old["name"])
        assert old["name"].lower() == new["name"].replace("_", "")
        assert len(old["args"]) == len(new["args"])
        for before, after in zip(old["accounts"], new["accounts"], strict=True):
            optional = {"isOptional"} if after.get("optional", False) else set()
            derived = {"pda"} if "pda" in after else set()
            assert set(before) == {"name", "isMut", "isSigner", "docs"} | optional | derived
            assert camel.fullmatch(before["name"])
            assert before["isMut"] == after.get("writable", False)
            assert before["isSigner"] == after.get("signer", False)
    fields = [field for account in converted["accounts"] for field in account["type"]["fields"]]
    assert fields
    assert all(camel.fullmatch(field["name"]) for field in fields)
    assert all(field["index"] is False for event in converted["events"] for field in event["fields"])


def test_idl_files_are_named_after_their_program() -> None:
    for name in DEPLOYED:
        for folder, where in (("idl", ("metadata", "name")), ("idl/legacy", ("name",))):
            found: Any = json.loads((ROOT / folder / f"{name}.json").read_text())
            for key in where:
                found = found[key]
            assert found == name


def instruction(**changes: Any) -> dict[str, Any]:
    """The smallest IDL, with one instruction."""
    digest = [175, 175, 109, 31, 13, 152, 155, 237]  # sha256("global:initialize")
    one = {"name": "initialize", "discriminator": digest, "accounts": [], "args": []} | changes
    return {
        "address": "11111111111111111111111111111111",
        "metadata": {"name": "p", "version": "0.1.0"},
        "instructions": [one],
        **{part: [] for part in ("accounts", "events", "errors", "types", "constants")},
    }


def test_conversion_of_types_and_names() -> None:
    types: list[Any] = [
        "u64",
        "pubkey",
        {"array": ["pubkey", 4]},
        {"option": "pubkey"},
        {"vec": {"defined": {"name": "Row"}}},
    ]
    args = [{"name": f"_the_arg_{index}", "type": each} for index, each in enumerate(types)]
    accounts = [{"name": "new_admin", "signer": True}, {"name": "config", "writable": True}]
    (converted,) = legacy.legacy(instruction(args=args, accounts=accounts))["instructions"]
    assert [arg["name"] for arg in converted["args"]] == [f"theArg{index}" for index in range(5)]
    assert [arg["type"] for arg in converted["args"]] == [
        "u64",
        "publicKey",
        {"array": ["publicKey", 4]},
        {"option": "publicKey"},
        {"vec": {"defined": "Row"}},
    ]
    assert converted["accounts"] == [
        {"name": "newAdmin", "isMut": False, "isSigner": True},
        {"name": "config", "isMut": True, "isSigner": False},
    ]


def test_what_the_older_format_cannot_say_is_refused() -> None:
    with pytest.raises(SystemExit, match="discriminator"):
        legacy.legacy(instruction(discriminator=[1] * 8))
    variants = [{"name": "A"}, {"name": "B", "fields": ["u64"]}]
    with pytest.raises(SystemExit, match="Choice"):
        legacy.legacy_struct({"name": "Choice", "type": {"kind": "enum", "variants": variants}})
    simple = {"name": "Choice", "type": {"kind": "enum", "variants": variants[:1]}}
    assert legacy.legacy_struct(simple)["type"] == {"kind": "enum", "variants": [{"name": "A"}]}


def test_an_expression_is_no_address() -> None:
    fixed = {"name": "token_program", "address": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"}
    computed = {"name": "guardian", "address": "config.guardian"}
    alias = {"name": "Bool", "type": {"kind": "type", "alias": "u8"}}
    described = idl.tidy(instruction(accounts=[fixed, computed]) | {"types": [alias]})
    assert described["instructions"][0]["accounts"] == [fixed, {"name": "guardian"}]
    assert described["types"] == []
