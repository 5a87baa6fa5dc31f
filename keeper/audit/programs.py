"""Whether the programs on a chain are the published ones, and who may replace them.

A build from the sources, which ``make check-programs`` compares with this package's binaries byte by byte,
is what the manifest stands for; here the chain is held to the manifest.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256

from solders.pubkey import Pubkey

from keeper import resources
from keeper.audit.findings import Change, Code, Finding, Part
from keeper.audit.history import History
from keeper.audit.sources import Source, Told
from keeper.audit.upgrades import PLACED, upgrades
from keeper.chain import Account, loader
from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.clients.programs import PROGRAMS

NAME = "programs"
_SLOT = struct.Struct("<4xQ")
"""Of the account of a program's bytes: the slot of its last deployment."""
_OF_PROGRAM = struct.Struct("<I32s")
"""A program's own account: tag, where its bytes are."""
_PROGRAM_TAG = 2


async def check(source: Source, told: Told) -> Part:
    """Hold each program's accounts to the manifest, and the manifest to the binaries that came with it."""
    addresses = [each.address for each in PROGRAMS.values()]
    places = [loader.program_data_address(each) for each in addresses]
    found = await source.chain.accounts([*addresses, *places])
    findings: list[Finding] = []
    words: list[str] = []
    changes: list[Change] = []
    history = History(source.chain, NAME, told)
    await history.list_of(places)
    stated = resources.manifest()
    for at, (name, program) in enumerate(PROGRAMS.items()):
        own, data = found[at], found[at + len(addresses)]
        findings += _package(name, stated[name])
        findings += _pointer(name, program.address, own, places[at])
        if data is None or data.owner != UPGRADEABLE_LOADER:
            findings.append(_finding(Code.PROGRAM_MISSING, places[at], name, "its bytes", None))
        else:
            findings += _bytes(name, places[at], data, stated[name])
            findings += _authority(name, places[at], data, source.authority)
            done = list(upgrades(name, places[at], history.ordered()))
            changes += [change for _, change in done]
            placed = [change.slot for tag, change in done if tag in PLACED]
            findings += _unseen(name, places[at], data, placed)
            words.append(_said(name, data, by_transaction=bool(placed)))
        told(NAME, at + 1, len(PROGRAMS))
    checked = {"programs": len(PROGRAMS), "bytes": sum(stated[each]["bytes"] for each in PROGRAMS)}
    return Part(
        NAME,
        checked,
        tuple(history.unchecked),
        tuple(history.findings + findings),
        tuple(sorted(changes, key=lambda each: each.slot)),
        tuple(words),
    )


def _package(name: str, stated: dict[str, object]) -> Iterator[Finding]:
    digest = sha256(resources.binary(name)).hexdigest()
    if digest != stated["sha256"]:
        yield Finding(
            NAME, Code.PACKAGE_BYTES, f"{name}.so", "sha256", None, str(stated["sha256"]), digest, None
        )


def _pointer(name: str, program: Pubkey, own: Account | None, place: Pubkey) -> Iterator[Finding]:
    """The account that is called: run by the loader, and pointing to the bytes that are compared."""
    if own is None:
        yield _finding(Code.PROGRAM_MISSING, program, name, "a program", None)
        return
    if own.owner != UPGRADEABLE_LOADER or not own.executable:
        runs = f"{'a program' if own.executable else 'data'} of {own.owner}"
        yield _finding(Code.PROGRAM_BYTES, program, name, f"a program of {UPGRADEABLE_LOADER}", runs)
        return
    tag, target = _OF_PROGRAM.unpack_from(own.data.ljust(_OF_PROGRAM.size, b"\0"))
    if tag != _PROGRAM_TAG or Pubkey(target) != place:
        yield _finding(Code.PROGRAM_BYTES, program, "where its bytes are", str(place), str(Pubkey(target)))


def _bytes(name: str, place: Pubkey, data: Account, stated: dict[str, object]) -> Iterator[Finding]:
    digest = loader.digest(data.data[loader.PROGRAM_DATA_HEADER :], int(str(stated["bytes"])))
    if digest != stated["sha256"]:
        slot = _SLOT.unpack_from(data.data)[0]
        signer = loader.read_authority(data.data)
        yield Finding(
            NAME,
            Code.PROGRAM_BYTES,
            str(place),
            f"{name}, sha256",
            slot,
            str(stated["sha256"]),
            digest,
            None if signer is None else str(signer),
        )


def _authority(name: str, place: Pubkey, data: Account, expected: Pubkey | None) -> Iterator[Finding]:
    found = loader.read_authority(data.data)
    if expected is not None and found not in (None, expected):
        yield _finding(Code.PROGRAM_AUTHORITY, place, name, str(expected), str(found))


def _unseen(name: str, place: Pubkey, data: Account, placed: list[int]) -> Iterator[Finding]:
    """Whether the newest transaction that put bytes there is the one that the loader noted.

    A test network's programs were put there by none: then nothing is to be held to anything.
    """
    (slot,) = _SLOT.unpack_from(data.data)
    if placed and slot != placed[-1]:
        yield Finding(NAME, Code.PROGRAM_UNSEEN, str(place), f"{name}, slot", slot, placed[-1], slot, None)


def _said(name: str, data: Account, *, by_transaction: bool) -> str:
    authority = loader.read_authority(data.data)
    who = f"may be upgraded by {authority}" if authority else "can't be upgraded by anybody"
    how = "" if by_transaction else ", put there by no transaction that is listed"
    return f"{name} {who}; its bytes are of slot {_SLOT.unpack_from(data.data)[0]:,}{how}"


def _finding(code: Code, where: Pubkey, row: str, expected: str, found: str | None) -> Finding:
    return Finding(NAME, code, str(where), row, None, expected, found, None)
