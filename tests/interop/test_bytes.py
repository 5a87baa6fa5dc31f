"""Instructions, accounts and events: every client's bytes and values are those of the keeper's codec.

Of each instruction, account and event of every interface, with three sets of values: all at their lower
limit, all at their upper one, some in between. Beside them accounts and events out of real chains.
"""

from __future__ import annotations

import pytest

from keeper.clients.programs import PROGRAMS
from tests.interop.answers import CLIENTS, Answers
from tests.interop.cases import cases
from tests.interop.values import SETS, alike, differences

on_every_client = pytest.mark.parametrize("client", CLIENTS)
on_every_program = pytest.mark.parametrize("program", PROGRAMS)


def wrong(answers: Answers, kind: str, program: str) -> list[str]:
    """Each case that a client answered otherwise, with the field."""
    return [
        f"{name}{line}"
        for name, wanted in cases().answers[kind].items()
        if name.startswith(f"{program}.")
        for line in differences(alike(wanted), alike(answers[kind][name]))
    ]


@on_every_client
@on_every_program
def test_an_instruction_has_the_keepers_bytes_and_accounts(
    answers: dict[str, Answers], client: str, program: str
) -> None:
    assert wrong(answers[client], "instructions", program) == []


@on_every_client
@on_every_program
def test_an_instructions_arguments_are_read_back(
    answers: dict[str, Answers], client: str, program: str
) -> None:
    assert wrong(answers[client], "parsed", program) == []


@on_every_client
@on_every_program
def test_an_account_is_read_as_the_keeper_reads_it(
    answers: dict[str, Answers], client: str, program: str
) -> None:
    assert wrong(answers[client], "accounts", program) == []


@on_every_client
@on_every_program
def test_an_event_is_read_as_the_keeper_reads_it(
    answers: dict[str, Answers], client: str, program: str
) -> None:
    assert wrong(answers[client], "events", program) == []


def test_the_cases_have_everything_that_the_interfaces_have() -> None:
    asked = {kind: {each.rpartition("/")[0] for each in found} for kind, found in cases().answers.items()}
    of = {
        "instructions": lambda its: its.instructions,
        "parsed": lambda its: its.instructions,
        "accounts": lambda its: its.account_fields,
        "events": lambda its: its.event_fields,
    }
    for kind, listed in of.items():
        all_of_them = {f"{its.name}.{each}" for its in PROGRAMS.values() for each in listed(its)}
        assert asked[kind] == all_of_them
        sets = [f"{each}/{which}" for each in all_of_them for which in SETS]
        assert set(sets) <= cases().answers[kind].keys()


def test_every_kind_of_account_is_there_from_a_real_chain() -> None:
    real = {each.rpartition("/")[0] for each in cases().answers["accounts"] if "/real " in each}
    assert real == {f"{its.name}.{each}" for its in PROGRAMS.values() for each in its.account_fields}


def test_anchorpy_alone_does_not_build_a_struct_with_addresses(answers: dict[str, Answers]) -> None:
    """What docs/clients.md says of it, and mends in two lines, with which all of the above pass."""
    said = answers["anchorpy 0.21.0"]["alone"]
    failed = {name: each for name, each in said.items() if "error" in each}
    refused = "TypeError: cannot pickle 'solders.pubkey.Pubkey' object"
    assert failed == {
        f"staking.{name}/{which}": {"error": refused}
        for name in ("initialize", "propose_params")
        for which in SETS
    }
