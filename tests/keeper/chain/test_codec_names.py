"""What the codec derives and names: addresses, constants, errors; and what it refuses to read."""

import hashlib
from typing import Any

import pytest
from solders.pubkey import Pubkey

from keeper.chain import Program, framework
from keeper.chain.program import EVENT_TAG, CodecError
from tests.keeper.chain.conftest import ALICE, BOB, STAKING, TOKENOMICS

A, B = ALICE.pubkey(), BOB.pubkey()


def derived(*seeds: bytes, program: Pubkey = TOKENOMICS.address) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), program)[0]


# -- addresses ----------------------------------------------------------------------------------


def test_addresses_from_constants() -> None:
    for name in ("config", "mint", "genesis_vault"):
        assert TOKENOMICS.pda("launch", name) == derived(name.encode())
    assert TOKENOMICS.pda("emit", "reward_vault") == derived(b"reward_vault")
    assert TOKENOMICS.event_authority == derived(b"__event_authority")


def test_addresses_from_arguments() -> None:
    assert TOKENOMICS.pda("add_allocation", "allocation", id=200) == derived(b"allocation", b"\xc8")
    number = (70_000).to_bytes(4, "little")
    assert TOKENOMICS.pda("open_season", "season_account", season=70_000) == derived(b"season", number)
    assert TOKENOMICS.pda("open_season", "season_vault", season=70_000) == derived(b"season_vault", number)


def test_addresses_of_other_programs() -> None:
    found = TOKENOMICS.pda("initialize", "reward_authority", staking_program=STAKING)
    assert found == derived(b"reward_authority", program=STAKING)


def test_an_instructions_accounts_are_filled_in() -> None:
    built = TOKENOMICS.instruction(
        "initialize", {"staking_program": STAKING, "guardian": B}, admin=A, program_data=B
    )
    assert [meta.pubkey for meta in built.accounts] == [
        A,
        B,
        derived(b"config"),
        derived(b"mint"),
        derived(b"genesis_vault"),
        derived(b"reward_authority", program=STAKING),
        derived(b"reward_vault"),
        framework.TOKEN_PROGRAM,
        framework.SYSTEM_PROGRAM,
        derived(b"__event_authority"),
        TOKENOMICS.address,
    ]


def test_an_account_that_is_given_is_taken() -> None:
    built = TOKENOMICS.instruction(
        "burn", {"amount": 1, "expected": 1}, owner=A, owner_tokens=B, config=STAKING
    )
    assert built.accounts[1].pubkey == STAKING
    zero = TOKENOMICS.instruction("propose_guardian", {"pending": B}, admin=Pubkey.default())
    assert zero.accounts[0].pubkey == Pubkey.default()


def seeded(*seeds: dict[str, Any], **more: Any) -> Program:
    """A program with one instruction whose third account is derived."""
    accounts = [{"name": "owner"}, {"name": "vault", "pda": {"seeds": list(seeds), **more}}]
    form = {"name": "go", "discriminator": [1] * 8, "accounts": accounts, "args": []}
    return Program({"metadata": {"name": "made_up"}, "address": str(STAKING), "instructions": [form]})


def test_addresses_from_other_accounts() -> None:
    codec = seeded({"kind": "const", "value": [118]}, {"kind": "account", "path": "owner"})
    expected = derived(b"v", bytes(A), program=STAKING)
    assert codec.instruction("go", owner=A).accounts[1].pubkey == expected
    assert codec.pda("go", "vault", owner=A) == expected
    with pytest.raises(TypeError, match=r"made_up\.go: give the account vault, or owner to derive it from"):
        codec.pda("go", "vault")


def test_addresses_of_a_program_that_is_an_account() -> None:
    codec = seeded({"kind": "const", "value": [118]}, program={"kind": "account", "path": "owner"})
    assert codec.pda("go", "vault", owner=B) == derived(b"v", program=B)


def test_what_cant_be_derived() -> None:
    with pytest.raises(ValueError, match=r"launch derives no account admin"):
        TOKENOMICS.pda("launch", "admin")
    with pytest.raises(ValueError, match=r"launch derives no account nothing"):
        TOKENOMICS.pda("launch", "nothing")
    with pytest.raises(TypeError, match=r"give the account allocation, or id to derive it from"):
        TOKENOMICS.pda("add_allocation", "allocation")
    with pytest.raises(CodecError, match=r"tokenomics\.add_allocation: "):
        TOKENOMICS.pda("add_allocation", "allocation", id=256)


# -- names --------------------------------------------------------------------------------------


def test_unknown_names() -> None:
    for ask in (TOKENOMICS.instruction, lambda name: TOKENOMICS.pda(name, "config")):
        with pytest.raises(ValueError, match="tokenomics has no instruction nothing"):
            ask("nothing")
    for question in (TOKENOMICS.discriminator, TOKENOMICS.dtype, lambda k: TOKENOMICS.decode_accounts(k, [])):
        with pytest.raises(ValueError, match="tokenomics has no account Nothing"):
            question("Nothing")


def test_constants() -> None:
    constants = TOKENOMICS.constants
    assert constants["MAX_SUPPLY"] == 800_000_000 * 10 ** constants["IO_DECIMALS"]
    assert constants["CONFIG_SEED"] == b"config"


def test_errors_of_the_program_the_framework_and_nobody() -> None:
    own = TOKENOMICS.error(6000)
    assert (own.code, own.name) == (6000, "NotUpgradeAuthority")
    assert own.message
    assert TOKENOMICS.error(2012).name == "ConstraintAddress"
    assert all(TOKENOMICS.error(code).name == name for code, (name, _) in framework.ERRORS.items())
    unknown = TOKENOMICS.error(77)
    assert (unknown.code, unknown.name) == (77, "Unknown")
    assert "77" in unknown.message


def test_every_error_of_the_program_has_its_own_name_and_number() -> None:
    errors = TOKENOMICS.errors
    assert list(errors) == list(range(6000, 6000 + len(errors)))
    assert len({error.name for error in errors.values()}) == len(errors)


# -- what is no data of the program ------------------------------------------------------------------


def test_data_of_others() -> None:
    assert TOKENOMICS.decode_instruction(b"") is None
    assert TOKENOMICS.decode_instruction(bytes(8)) is None
    assert TOKENOMICS.decode_instruction(EVENT_TAG) is None
    assert TOKENOMICS.decode_event(b"") is None
    assert TOKENOMICS.decode_event(bytes(100)) is None
    with pytest.raises(CodecError, match="no account of tokenomics starts with 0000000000000000"):
        TOKENOMICS.decode_account(bytes(100))
    with pytest.raises(CodecError, match="no account of tokenomics"):
        TOKENOMICS.decode_account(b"")


def test_another_kind_of_account() -> None:
    season = TOKENOMICS.discriminator("Season") + bytes(TOKENOMICS.dtype("Season").itemsize)
    with pytest.raises(CodecError, match="expected a Config of tokenomics, found a Season"):
        TOKENOMICS.account("Config", season)


def test_data_cut_short() -> None:
    burn = TOKENOMICS.instruction("burn", {"amount": 1, "expected": 1}, owner=A, owner_tokens=B)
    with pytest.raises(CodecError, match=r"^burn: "):
        TOKENOMICS.decode_instruction(bytes(burn.data)[:-1])
    whole = TOKENOMICS.discriminator("Allocation") + bytes(TOKENOMICS.dtype("Allocation").itemsize - 9)
    with pytest.raises(CodecError, match=r"^Allocation: "):
        TOKENOMICS.decode_account(whole)
    with pytest.raises(CodecError, match=r"^Emitted: "):
        TOKENOMICS.decode_event(hashlib.sha256(b"event:Emitted").digest()[:8] + bytes(39))
