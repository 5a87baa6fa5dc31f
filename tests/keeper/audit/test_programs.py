"""The programs of a chain against the published ones: each lie is found as itself."""

from __future__ import annotations

import struct
from dataclasses import replace
from types import SimpleNamespace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import resources
from keeper.audit import parts, programs
from keeper.audit.findings import Code, Exit, Report
from keeper.audit.sources import Source
from keeper.chain import Account, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.clients.programs import PROGRAMS
from tests.programs.world import World, key

HEADER = loader.PROGRAM_DATA_HEADER


@pytest.fixture(scope="module")
def chain() -> EmbeddedChain:
    return World.launched().chain


async def audited(chain: EmbeddedChain, authority: Pubkey | None = None) -> Report:
    return await parts.run(Source("here", chain, authority=authority), ("programs",))


def told_of(chain: EmbeddedChain, name: str) -> tuple[Pubkey, Account]:
    place = loader.program_data_address(PROGRAMS[name].address)
    account = chain.get(place)
    assert account is not None
    return place, account


async def test_the_published_programs_are_told_with_who_may_replace_them(chain) -> None:
    found = await audited(chain)
    (part,) = found.parts
    assert (found.exit, part.findings, part.unchecked) == (Exit.CLEAN, (), ())
    assert part.checked == {"programs": 4, "bytes": sum(len(resources.binary(name)) for name in PROGRAMS)}
    _, account = told_of(chain, "staking")
    assert (
        f"staking may be upgraded by {loader.read_authority(account.data)}; its bytes are of slot 1, "
        "put there by no transaction that is listed"
    ) in part.told


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("at", [0, 70_000, -1], ids=["first", "within", "behind the end"])
async def test_a_byte_that_is_another(chain, monkeypatch, name: str, at: int) -> None:
    place, account = told_of(chain, name)
    data = bytearray(account.data + bytes(1))
    data[at if at < 0 else HEADER + at] ^= 1
    show(chain, monkeypatch, place, replace(account, data=bytes(data)))
    found = await audited(chain)
    (one,) = found.findings
    assert (found.exit, one.code, one.where, one.row) == (
        Exit.FOUND,
        Code.PROGRAM_BYTES,
        str(place),
        f"{name}, sha256",
    )
    assert one.expected == resources.manifest()[name]["sha256"] != one.found
    assert one.signer == str(loader.read_authority(account.data))


@pytest.mark.parametrize("name", PROGRAMS)
async def test_bytes_that_are_gone(chain, monkeypatch, name: str) -> None:
    place, _ = told_of(chain, name)
    show(chain, monkeypatch, place, None)
    (one,) = (await audited(chain)).findings
    assert (one.code, one.where, one.found) == (Code.PROGRAM_MISSING, str(place), None)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_program_that_runs_other_bytes(chain, monkeypatch, name: str) -> None:
    elsewhere = key("elsewhere").pubkey()
    program = PROGRAMS[name].address
    account = chain.get(program)
    assert account is not None
    show(chain, monkeypatch, program, replace(account, data=struct.pack("<I", 2) + bytes(elsewhere)))
    (one,) = (await audited(chain)).findings
    assert (one.code, one.where, one.found) == (Code.PROGRAM_BYTES, str(program), str(elsewhere))


async def test_another_may_replace_one(chain) -> None:
    named = key("multisig").pubkey()
    found = await audited(chain, named)
    _, account = told_of(chain, "staking")
    own = str(loader.read_authority(account.data))
    assert [(each.code, each.expected, each.found) for each in found.findings] == [
        (Code.PROGRAM_AUTHORITY, str(named), own)
    ] * len(PROGRAMS)
    assert (await audited(chain, Pubkey.from_string(own))).exit is Exit.CLEAN


async def test_an_installation_whose_own_binary_is_another(chain, monkeypatch) -> None:
    true = resources.binary
    monkeypatch.setattr(resources, "binary", lambda name: true(name) + b"\1" * (name == "orders"))
    (one,) = (await audited(chain)).findings
    assert (one.code, one.where) == (Code.PACKAGE_BYTES, "orders.so")


async def test_who_put_a_program_there_and_who_may_replace_it_next(monkeypatch) -> None:
    """By the loader's transactions; a slot of which the list has none is a finding."""
    world = World()
    chain, authority, heir = world.chain, key("authority"), key("heir").pubkey()
    chain.airdrop(authority.pubkey(), 10**12)
    program = Keypair()
    binary = resources.binary("buyback")
    assert await loader.deploy(chain, program, binary, authority)
    place = loader.program_data_address(program.pubkey())
    handed = Instruction(
        UPGRADEABLE_LOADER,
        struct.pack("<I", 4),
        [
            AccountMeta(place, False, True),
            AccountMeta(authority.pubkey(), True, False),
            AccountMeta(heir, False, False),
        ],
    )
    chain.execute([handed], [authority])
    known = {"buyback": SimpleNamespace(address=program.pubkey())}
    monkeypatch.setattr(programs, "PROGRAMS", known)
    (part,) = (await audited(chain)).parts
    assert [(each.what, each.who, each.after) for each in part.changes] == [
        ("buyback deployed", f"{authority.pubkey()}, {program.pubkey()}", None),
        ("buyback upgrade authority", str(authority.pubkey()), str(heir)),
    ]
    assert part.findings == ()
    assert part.told == (
        f"buyback may be upgraded by {heir}; its bytes are of slot {part.changes[0].slot:,}",
    )
    account = chain.get(place)
    assert account is not None
    data = account.data[:4] + (7).to_bytes(8, "little") + account.data[12:]
    show(chain, monkeypatch, place, replace(account, data=data))
    (found,) = (await audited(chain)).findings
    assert (found.code, found.expected, found.found) == (Code.PROGRAM_UNSEEN, part.changes[0].slot, 7)


def show(chain: EmbeddedChain, monkeypatch, address: Pubkey, account: Account | None) -> None:
    """Have a node that shows another account at an address."""
    true = chain.get
    monkeypatch.setattr(chain, "get", lambda asked: account if asked == address else true(asked))
