"""The codec against every instruction, account and event of every IDL, and against a second reading."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.chain import Program, types
from keeper.chain.program import CodecError
from tests.keeper.chain.conftest import ALICE, BOB, TOKENOMICS
from tests.keeper.chain.idl_values import IDLS, fields, named

PROGRAMS = {name: Program.load(name) for name in IDLS}
ROUNDS = settings(derandomize=True, max_examples=25, deadline=None)
A, B = ALICE.pubkey(), BOB.pubkey()
BURN_ACCOUNTS = {"owner": A, "owner_tokens": B}


def each(part: str) -> pytest.MarkDecorator:
    """One test for each entry of a part of each IDL."""
    found = [(name, entry["name"]) for name, idl in IDLS.items() for entry in idl[part]]
    assert len(found) > 0
    return pytest.mark.parametrize(("program", "name"), found, ids=[".".join(pair) for pair in found])


def definitions(program: str) -> dict[str, Mapping[str, Any]]:
    return {entry["name"]: entry for entry in IDLS[program]["types"]}


def entry(program: str, part: str, name: str) -> Mapping[str, Any]:
    return next(found for found in IDLS[program][part] if found["name"] == name)


def by_hand(kind: Any, value: Any, known: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Borsh, written down a second time and without a library."""
    if kind == "pubkey":
        return bytes(value)
    if kind == "bool":
        return b"\x01" if value else b"\x00"
    if kind == "bytes":
        return len(value).to_bytes(4, "little") + value
    if isinstance(kind, str):
        return value.to_bytes(int(kind[1:]) // 8, "little", signed=kind[0] == "i")
    if "defined" in kind:
        body = known[kind["defined"]["name"]]["type"]["fields"]
        return b"".join(by_hand(f["type"], value[f["name"]], known) for f in body)
    inner, length = kind["array"]
    assert len(value) == length
    return b"".join(by_hand(inner, item, known) for item in value)


# -- round trips --------------------------------------------------------------------------------


@each("instructions")
@ROUNDS
@given(data=st.data())
def test_instructions_round_trip(program: str, name: str, data: st.DataObject) -> None:
    codec, form, known = PROGRAMS[program], entry(program, "instructions", name), definitions(program)
    arguments = data.draw(fields(form["args"], known))
    keys = {account["name"]: Pubkey(bytes([i + 1]) * 32) for i, account in enumerate(form["accounts"])}
    built = codec.instruction(name, arguments, **keys)
    assert codec.decode_instruction(bytes(built.data)) == (name, arguments)
    body = b"".join(by_hand(a["type"], arguments[a["name"]], known) for a in form["args"])
    assert bytes(built.data) == hashlib.sha256(f"global:{name}".encode()).digest()[:8] + body
    assert built.program_id == Pubkey.from_string(IDLS[program]["address"])
    assert [(m.pubkey, m.is_signer, m.is_writable) for m in built.accounts] == [
        (keys[a["name"]], a.get("signer", False), a.get("writable", False)) for a in form["accounts"]
    ]


@each("accounts")
@ROUNDS
@given(data=st.data())
def test_accounts_round_trip(program: str, name: str, data: st.DataObject) -> None:
    codec, known = PROGRAMS[program], definitions(program)
    value = data.draw(named(name, known))
    raw = codec.discriminator(name) + types.defined(name, known).build(value)
    assert codec.decode_account(raw) == (name, value)
    assert codec.account(name, raw) == value
    assert raw[:8] == hashlib.sha256(f"account:{name}".encode()).digest()[:8]
    assert raw[8:] == by_hand({"defined": {"name": name}}, value, known)


@each("events")
@ROUNDS
@given(data=st.data())
def test_events_round_trip(program: str, name: str, data: st.DataObject) -> None:
    codec, known = PROGRAMS[program], definitions(program)
    value = data.draw(named(name, known))
    body = types.defined(name, known).build(value)
    assert body == by_hand({"defined": {"name": name}}, value, known)
    event = codec.decode_event(hashlib.sha256(f"event:{name}".encode()).digest()[:8] + body)
    assert event is not None
    assert (event.name, event.fields) == (name, value)


# -- what lacks, what is too much ---------------------------------------------------------------


@each("instructions")
def test_every_argument_is_needed_and_no_other_taken(program: str, name: str) -> None:
    codec, form = PROGRAMS[program], entry(program, "instructions", name)
    arguments = {argument["name"]: 0 for argument in form["args"]}
    for lacking in arguments:
        rest = {key: value for key, value in arguments.items() if key != lacking}
        with pytest.raises(TypeError, match=rf"{program}\.{name}: missing \[{lacking}\]"):
            codec.instruction(name, rest)
    with pytest.raises(TypeError, match=rf"{program}\.{name}: .*doesn't take \[surplus\]"):
        codec.instruction(name, {**arguments, "surplus": 1})


@each("instructions")
def test_every_other_account_is_needed(program: str, name: str) -> None:
    codec, form = PROGRAMS[program], entry(program, "instructions", name)
    arguments = values_of(form, definitions(program))
    needed = [
        account["name"]
        for account in form["accounts"]
        if not {"address", "optional"} & account.keys()
        and ("pda" not in account or any("." in seed.get("path", "") for seed in account["pda"]["seeds"]))
    ]
    given_keys = dict.fromkeys(needed, A)
    codec.instruction(name, arguments, **given_keys)
    for lacking in needed:
        rest = {key: value for key, value in given_keys.items() if key != lacking}
        said = rf"{program}\.{name}( needs the account {lacking}|: .*, or {lacking} to derive it from)$"
        with pytest.raises(TypeError, match=said):
            codec.instruction(name, arguments, **rest)
    with pytest.raises(TypeError, match=rf"{program}\.{name} takes no account another, surplus$"):
        codec.instruction(name, arguments, **given_keys, surplus=A, another=B)


def test_an_optional_account_that_is_left_out_is_the_program() -> None:
    """That is the framework's word for none."""
    codec = PROGRAMS["staking"]
    slot = next(n for n, each in enumerate(codec.instructions["withdraw"]) if each.get("optional"))
    keys = {"device": A, "owner": A, "owner_tokens": A, "class": A}
    assert codec.instruction("withdraw", **keys).accounts[slot].pubkey == codec.address
    given = codec.instruction("withdraw", **keys, associated=B).accounts[slot]
    assert (given.pubkey, given.is_signer, given.is_writable) == (B, False, False)


LONGEST_TYPE = 1_024
"""Bytes that every argument's type fits in."""


def values_of(form: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments that are zero all over."""
    zeros: dict[str, Any] = {}
    for argument in form["args"]:
        kind = argument["type"]
        layout = types.layout(kind, known)
        zeros[argument["name"]] = types.plain(layout.parse(bytes(LONGEST_TYPE)))
    return zeros


WRONG: dict[str, Callable[[], object]] = {
    "amount": lambda: TOKENOMICS.instruction("burn", {"amount": -1, "expected": 1}, **BURN_ACCOUNTS),
    "too much": lambda: TOKENOMICS.instruction("burn", {"amount": 2**64, "expected": 1}, **BURN_ACCOUNTS),
    "None": lambda: TOKENOMICS.instruction("burn", {"amount": None, "expected": 1}, **BURN_ACCOUNTS),
    "1.5": lambda: TOKENOMICS.instruction("burn", {"amount": 1.5, "expected": 1}, **BURN_ACCOUNTS),
    "text": lambda: TOKENOMICS.instruction("burn", {"amount": "1", "expected": 1}, **BURN_ACCOUNTS),
    "guardian": lambda: TOKENOMICS.instruction("propose_guardian", {"pending": str(A)}, admin=A),
    "32": lambda: TOKENOMICS.instruction("propose_guardian", {"pending": 32}, admin=A),
    "root": lambda: season(root=5),
    "short": lambda: season(root=bytes(31)),
    "long": lambda: season(data_hash=bytes(33)),
    "pools": lambda: season(pools=[1, 2]),
    "four": lambda: season(pools=[1, 2, 3, 4]),
    "no list": lambda: season(pools=7),
    "seed": lambda: season(season=2**32),
    "proof": lambda: claim(proof="text"),
}


def season(**changed: Any) -> object:
    arguments = values_of(entry("tokenomics", "instructions", "open_season"), definitions("tokenomics"))
    return TOKENOMICS.instruction("open_season", {**arguments, **changed}, admin=A, funder_tokens=B)


def claim(**changed: Any) -> object:
    keys = dict.fromkeys(("season", "claim_page", "season_vault", "wallet", "wallet_tokens"), A)
    return TOKENOMICS.instruction("claim_season", {"index": 1, "amount": 2, "proof": b"", **changed}, **keys)


@pytest.mark.parametrize("build", WRONG.values(), ids=list(WRONG))
def test_values_that_dont_fit(build: Callable[[], object]) -> None:
    season()
    claim()
    with pytest.raises(CodecError, match=r"^tokenomics\.\w+: "):
        build()
