"""Keep the programs' addresses the same everywhere, or move them to other keys.

``-m toolchain.program_ids check``               declare_id!, Anchor.toml, the IDLs and keys/dev agree.
``-m toolchain.program_ids sync --keys FOLDER``  writes the addresses of FOLDER/<program>.json into
declare_id! and Anchor.toml; new programs get their lines there. Only public keys are written.

A keypair file is a JSON array of 64 bytes: the secret seed, then the public key. Standard library alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

from toolchain.programs import ROOT, SELF_TEST, programs

ANCHOR = Path("Anchor.toml")
DEV_KEYS = Path("keys/dev")
DECLARATION = re.compile(r'^declare_id!\("(\w+)"\);$', re.MULTILINE)
CLUSTER = re.compile(r'^(\[programs\.\w+\]\n)(?:\w+ = ".*"\n)*', re.MULTILINE)
MEMBERS = re.compile(r"^members = \[.*\]$", re.MULTILINE)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# Ed25519 (RFC 8032): the field's prime, the curve's constant and its base point.
PRIME = 2**255 - 19
CURVE = -121665 * pow(121666, -1, PRIME) % PRIME
BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)
SEED_BYTES = 32

Point = tuple[int, int]


class IdError(Exception):
    """Why an address cannot be read or written."""


def base58(data: bytes) -> str:
    """An address as people write it."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def add(a: Point, b: Point) -> Point:
    """The sum of two points of the curve."""
    product = CURVE * a[0] * b[0] * a[1] * b[1] % PRIME
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, PRIME) % PRIME
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, PRIME) % PRIME
    return x, y


def public_key(seed: bytes) -> bytes:
    """The public key of a secret seed."""
    scalar = int.from_bytes(hashlib.sha512(seed).digest()[:SEED_BYTES], "little")
    scalar = scalar & ((1 << 254) - 8) | 1 << 254
    point, power = (0, 1), BASE
    while scalar:
        if scalar & 1:
            point = add(point, power)
        power = add(power, power)
        scalar >>= 1
    return (point[1] | (point[0] & 1) << 255).to_bytes(SEED_BYTES, "little")


def key_address(path: Path) -> str:
    """The address of a keypair file, whose halves must belong together."""
    try:
        pair = bytes(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise IdError(f"{path}: no keypair: {error}") from None
    if len(pair) != 2 * SEED_BYTES:
        raise IdError(f"{path}: {len(pair)} bytes, a keypair has {2 * SEED_BYTES}")
    seed, public = pair[:SEED_BYTES], pair[SEED_BYTES:]
    if public_key(seed) != public:
        raise IdError(f"{path}: the public key is not the secret's, nothing could sign for it")
    return base58(public)


def deployed(root: Path) -> dict[str, Path]:
    """The programs that go on chain, with their crates' folders."""
    return {
        name: next(folder for folder in crates if folder.name == name)
        for name, crates in programs(root).items()
        if name != SELF_TEST
    }


def declared(root: Path, crate: Path) -> str | None:
    """The address that a program's code states."""
    match = DECLARATION.search((root / crate / "src/lib.rs").read_text())
    return match and match[1]


def stated_elsewhere(root: Path, name: str) -> dict[str, str | None]:
    """What every other place says a program's address is."""
    anchor = tomllib.loads((root / ANCHOR).read_text())
    places = {f"{ANCHOR} [programs.{cluster}]": ids.get(name) for cluster, ids in anchor["programs"].items()}
    for path in (Path("idl") / f"{name}.json", Path("idl/legacy") / f"{name}.json"):
        idl = json.loads((root / path).read_text()) if (root / path).exists() else {}
        places[str(path)] = idl.get("address") or idl.get("metadata", {}).get("address")
    # Real keys stay out of git: their programs have no file here.
    if (root / DEV_KEYS / f"{name}.json").exists():
        places[str(DEV_KEYS / f"{name}.json")] = key_address(root / DEV_KEYS / f"{name}.json")
    return places


def check(root: Path) -> list[str]:
    """Where addresses differ or are missing, a sentence each."""
    problems = []
    crates = deployed(root)
    for name, crate in crates.items():
        own = declared(root, crate)
        if own is None:
            problems.append(f'{name}: {crate}/src/lib.rs has no line `declare_id!("...");`')
            continue
        try:
            places = stated_elsewhere(root, name)
        except IdError as error:
            problems.append(f"{name}: {error}")
            continue
        for place, address in places.items():
            if address is None:
                problems.append(f"{name}: {place} has no address, declare_id! says {own}")
            elif address != own:
                problems.append(f"{name}: {place} says {address}, declare_id! says {own}")
    anchor = tomllib.loads((root / ANCHOR).read_text())
    for cluster, ids in anchor["programs"].items():
        gone = sorted(ids.keys() - crates)
        problems += [f"{name}: in {ANCHOR} [programs.{cluster}], but no program" for name in gone]
    members = [str(folder) for folder in crates.values()]
    if sorted(anchor["workspace"]["members"]) != sorted(members):
        problems.append(f"{ANCHOR}: [workspace] members should be {members}")
    return problems


def sync(root: Path, keys: Path) -> list[str]:
    """Write the addresses of the keypairs in ``keys``; returns what to do next, a line each.

    Everything is read before the first write, so that a bad key changes nothing.
    """
    keys = keys.resolve()
    development = keys == (root / DEV_KEYS).resolve()
    if keys.is_relative_to(root.resolve()) and not development:
        raise IdError(f"{keys} is inside the repository; real keys stay outside, out of reach of git")
    crates = deployed(root)
    addresses = {name: key_address(keys / f"{name}.json") for name in crates}
    before = {name: declared(root, crate) for name, crate in crates.items()}
    if undeclared := [name for name, address in before.items() if address is None]:
        raise IdError(f'no line `declare_id!("...");` in the lib.rs of {", ".join(undeclared)}')
    lines = []
    for name, crate in crates.items():
        if before[name] != addresses[name]:
            path = root / crate / "src/lib.rs"
            path.write_text(DECLARATION.sub(f'declare_id!("{addresses[name]}");', path.read_text()))
            lines.append(f"{name}: {before[name]} -> {addresses[name]}")
    table = "".join(f'{name} = "{address}"\n' for name, address in addresses.items())
    members = ", ".join(f'"{folder}"' for folder in crates.values())
    anchor = CLUSTER.sub(lambda match: match[1] + table, (root / ANCHOR).read_text())
    (root / ANCHOR).write_text(MEMBERS.sub(f"members = [{members}]", anchor))
    if lines:
        lines.append("now run `make programs idl`: address and binary belong together")
    left = [str(DEV_KEYS / f"{name}.json") for name in crates if (root / DEV_KEYS / f"{name}.json").exists()]
    if left and not development:
        lines.append(f"and `git rm {' '.join(left)}`: no longer the programs' keys")
    return lines


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="toolchain.program_ids")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="fail when an address differs between files")
    syncing = commands.add_parser("sync", help="write the addresses of other keypairs")
    syncing.add_argument("--keys", type=Path, required=True, help="folder with <program>.json")
    arguments = parser.parse_args()
    if arguments.command == "check":
        problems = check(ROOT)
        print("\n".join(problems) or f"the same address everywhere: {', '.join(deployed(ROOT))}")
        if problems:
            print(f"development ids: `python3 -m toolchain.program_ids sync --keys {DEV_KEYS}`, `make idl`")
        return 1 if problems else 0
    try:
        print("\n".join(sync(ROOT, arguments.keys)) or "the addresses are these already")
    except IdError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
