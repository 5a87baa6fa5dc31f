"""Write the programs' interface descriptions (IDLs), or check that they are current.

``-m toolchain.idl write`` makes idl/<program>.json from the programs' own code, and
idl/legacy/<program>.json, the same in the format before Anchor 0.30 that older clients (anchorpy)
read. ``-m toolchain.idl check`` makes them in memory and compares. Needs cargo; standard library alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from toolchain.programs import ROOT, SELF_TEST, programs

IDL = Path("idl")

Json = dict[str, Any]


def camel(name: str) -> str:
    """``claim_season`` as ``claimSeason``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def is_address(text: str) -> bool:
    """Whether ``text`` looks like a base58 address."""
    return re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{32,44}", text) is not None


def tidy(idl: Json) -> Json:
    """Keep to the format: an account's ``address`` is a fixed address.

    The framework also writes the expression of ``address = config.guardian`` there, which readers
    of the format would take for a key. Aliases (its name for a one-byte bool) are resolved already.
    """
    for instruction in idl["instructions"]:
        for account in instruction["accounts"]:
            if "address" in account and not is_address(account["address"]):
                del account["address"]
    idl["types"] = [each for each in idl["types"] if each["type"]["kind"] != "type"]
    return idl


def generate(root: Path, name: str, crate: Path) -> Json:
    """The IDL of one program, from its code."""
    environment = {key: value for key, value in os.environ.items() if key != "RUSTUP_TOOLCHAIN"}
    build = ["cargo", "build", "--quiet", "--locked", "--package", "idl"]
    subprocess.run(build, cwd=root, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    run = subprocess.run(
        [target / "debug/idl", root / crate], env=environment, capture_output=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"no IDL for {name}:\n{run.stderr.decode()}")
    return tidy(json.loads(run.stdout))


def legacy_type(kind: Any) -> Any:
    """A type in the older notation."""
    if kind == "pubkey":
        return "publicKey"
    if isinstance(kind, dict):
        if "defined" in kind:
            return {"defined": kind["defined"]["name"]}
        if "array" in kind:
            return {"array": [legacy_type(kind["array"][0]), kind["array"][1]]}
        (outer, inner), *_ = kind.items()
        return {outer: legacy_type(inner)}
    return kind


def legacy_fields(fields: list[Json]) -> list[Json]:
    """Fields or arguments in the older notation."""
    return [
        {"name": camel(field["name"].lstrip("_")), "type": legacy_type(field["type"])} for field in fields
    ]


def legacy_struct(definition: Json) -> Json:
    """An account or a type in the older notation."""
    kind = definition["type"]
    if kind["kind"] == "enum":
        if any("fields" in variant for variant in kind["variants"]):
            raise SystemExit(f"{definition['name']}: enums whose variants carry fields are not converted")
        body: Json = {"kind": "enum", "variants": [{"name": v["name"]} for v in kind["variants"]]}
    else:
        body = {"kind": "struct", "fields": legacy_fields(kind["fields"])}
    return {"name": definition["name"], "type": body}


def require_implied(kind: str, name: str, discriminator: list[int]) -> None:
    """The older format has no discriminators: they must be the ones that its readers derive."""
    derived = list(hashlib.sha256(f"{kind}:{name}".encode()).digest()[:8])
    if derived != discriminator:
        raise SystemExit(f"{kind} {name} has a discriminator that the older format can't express")


def legacy(idl: Json) -> Json:
    """The same IDL in the format before Anchor 0.30."""
    types = {each["name"]: each for each in idl["types"]}
    for instruction in idl["instructions"]:
        require_implied("global", instruction["name"], instruction["discriminator"])
    for account in idl["accounts"]:
        require_implied("account", account["name"], account["discriminator"])
    for event in idl["events"]:
        require_implied("event", event["name"], event["discriminator"])
    own = {each["name"] for each in idl["accounts"] + idl["events"]}
    return {
        "version": idl["metadata"]["version"],
        "name": idl["metadata"]["name"],
        "constants": [
            {"name": each["name"], "type": legacy_type(each["type"]), "value": each["value"]}
            for each in idl["constants"]
        ],
        "instructions": [
            {
                "name": camel(each["name"]),
                "accounts": [
                    {
                        "name": camel(account["name"]),
                        "isMut": account.get("writable", False),
                        "isSigner": account.get("signer", False),
                        **({"isOptional": True} if account.get("optional") else {}),
                    }
                    for account in each["accounts"]
                ],
                "args": legacy_fields(each["args"]),
            }
            for each in idl["instructions"]
        ],
        "accounts": [legacy_struct(types[each["name"]]) for each in idl["accounts"]],
        "types": [legacy_struct(each) for name, each in types.items() if name not in own],
        "events": [
            {
                "name": each["name"],
                "fields": [
                    {**field, "index": False}
                    for field in legacy_fields(types[each["name"]]["type"]["fields"])
                ],
            }
            for each in idl["events"]
        ],
        "errors": [
            {"code": each["code"], "name": each["name"], "msg": each["msg"]} for each in idl["errors"]
        ],
        "metadata": {"address": idl["address"]},
    }


def outputs(root: Path) -> dict[Path, str]:
    """Every IDL file with its text."""
    files = {}
    for name, crates in programs(root).items():
        if name == SELF_TEST:
            continue
        idl = generate(root, name, next(folder for folder in crates if folder.name == name))
        for path, content in ((IDL / f"{name}.json", idl), (IDL / "legacy" / f"{name}.json", legacy(idl))):
            files[path] = json.dumps(content, indent=1) + "\n"
    return files


def main() -> int:
    """Run one command."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in {"write", "check"}:
        print(__doc__)
        return 2
    stale = []
    for path, text in outputs(ROOT).items():
        full = ROOT / path
        if command == "write":
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_text(text)
            print(f"{path} {len(text):,} bytes")
        elif not full.exists() or full.read_text() != text:
            stale.append(str(path))
    if stale:
        print(f"not what the programs say: {', '.join(stale)}; run `make idl` and commit")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
