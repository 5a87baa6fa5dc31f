"""Every generic test runs on every instruction of every program, as the IDLs list them.

What a test is run on is read from its marks; the IDLs are read from their files. A test leaves an
instruction out for one of the reasons that it gives, and no reason may be without an instruction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import ModuleType

import pytest

from keeper.resources import IDL
from tests.security import (
    test_bumps,
    test_gifts,
    test_guardian,
    test_initialize,
    test_params,
    test_pause,
    test_powers,
    test_prefunded,
    test_replay,
    test_roles,
    test_substitution,
    test_token_accounts,
)
from tests.security.every import EXCUSES, SUBJECTS, Test, named, on_every_instruction

IDLS = {path.stem: json.loads(path.read_text()) for path in IDL.glob("*.json")}
LISTED = {(name, each["name"]) for name, idl in IDLS.items() for each in idl["instructions"]}

ON_EVERY_INSTRUCTION: dict[ModuleType, tuple[str, ...]] = {
    test_substitution: (
        "test_the_valid_call_succeeds",
        "test_no_other_account_will_do",
        "test_no_stranger_takes_a_persons_place_with_a_purse_of_its_own",
        "test_an_account_of_another_version_is_refused",
        "test_a_call_needs_all_its_accounts",
        "test_a_call_needs_all_its_arguments",
        "test_extra_accounts_change_nothing",
        "test_another_program_in_a_programs_place",
    ),
    test_gifts: (
        "test_lamports_given_to_an_account_change_nothing",
        "test_tokens_given_to_the_vaults_change_nothing",
        "test_where_a_gift_shows",
    ),
    test_pause: (
        "test_only_money_coming_in_can_be_stopped",
        "test_a_pause_lapses_to_the_second",
        "test_a_lifted_pause_stops_nothing",
    ),
    test_bumps: ("test_no_second_account_of_the_same_seeds",),
    test_prefunded: ("test_lamports_in_advance_stop_nothing", "test_all_of_a_calls_accounts_at_once"),
    test_replay: ("test_a_second_time_in_a_transaction_of_its_own", "test_twice_in_one_transaction"),
    test_powers: (
        "test_the_guardian_moves_no_token",
        "test_the_admin_moves_no_token_but_its_own",
        "test_nobodys_money_goes_without_their_signature",
    ),
    test_roles: ("test_another_role_is_not_enough",),
    test_token_accounts: (
        "test_only_the_associated_account_is_paid",
        "test_the_owners_account_of_another_mint",
        "test_an_associated_account_handed_to_a_stranger_is_not_paid",
        "test_a_closed_account_is_not_paid_and_anybody_opens_it_again",
        "test_nobody_can_freeze_a_payee",
        "test_a_payee_of_the_newer_token_program",
        "test_another_mints_tokens_count_for_nothing",
        "test_any_account_of_ones_own_may_be_spent_from",
    ),
}
ON_EVERY_PROGRAM: dict[ModuleType, tuple[str, ...]] = {
    test_guardian: (
        "test_nobody_becomes_guardian_at_once",
        "test_the_notice_is_seven_days",
        "test_an_admin_can_not_do_both_steps_in_one_transaction",
        "test_nobody_else_accepts",
        "test_only_the_admin_proposes",
        "test_a_replaced_proposal_is_gone_and_the_notice_begins_anew",
        "test_somebody_proposed_long_ago_is_no_way_round_the_notice",
        "test_a_withdrawn_proposal_can_not_be_accepted",
        "test_an_admin_that_changes_leaves_the_proposal_to_the_next",
    ),
    test_initialize: (
        "test_only_the_upgrade_authority_initialises",
        "test_a_forged_program_data",
        "test_what_the_program_data_must_say",
        "test_the_program_data_must_belong_to_the_loader",
        "test_the_guardian_is_somebody",
        "test_a_program_is_initialised_once",
    ),
    test_pause: ("test_what_a_pause_may_be",),
    test_bumps: ("test_these_are_the_seeds",),
    test_prefunded: ("test_these_are_all_the_accounts_that_the_program_creates",),
    test_replay: ("test_each_instruction_is_in_one_of_the_tables",),
    test_roles: (
        "test_the_admin_is_handed_over_in_two_steps",
        "test_who_had_a_role_has_nothing_left",
        "test_a_withdrawn_proposal_can_not_be_accepted",
        "test_the_roles_do_not_touch_each_other",
        "test_nobody_else_can_send_our_events",
    ),
    test_substitution: (
        "test_the_matrix_is_complete",
        "test_every_account_begins_with_its_version",
        "test_every_reason_is_of_a_case_that_succeeds",
    ),
    test_token_accounts: ("test_these_are_all_the_accounts_of_people", "test_no_person_owns_a_vault"),
}
WITH_PARAMS: dict[ModuleType, tuple[str, ...]] = {
    test_guardian: (
        "test_the_old_guardian_still_drops_what_a_stolen_key_proposes",
        "test_another_guardian_brings_no_proposal_forward",
        "test_the_notice_can_not_be_lowered_below_a_day",
    ),
    test_params: ("test_a_change_takes_its_notice_and_can_be_dropped",),
}


def listed_tests(table: dict[ModuleType, tuple[str, ...]]) -> list[Test]:
    return [getattr(module, name) for module, names in table.items() for name in names]


def run_on(test: Test) -> set[tuple[object, ...]]:
    """What a test is run on: (program, instruction), or (program,)."""
    found: set[tuple[object, ...]] = set()
    for mark in getattr(test, "pytestmark", ()):
        if mark.name != "parametrize":
            continue
        names = mark.args[0] if isinstance(mark.args[0], tuple) else (mark.args[0],)
        if names[0] == "program":
            width = 2 if "instruction" in names else 1
            found |= {tuple(row)[:width] if isinstance(row, tuple) else (row,) for row in mark.args[1]}
    return found


def excused(test: Test) -> dict[str, set[tuple[str, str]]]:
    """What a test is not run on, by the reason."""
    return {
        reason: {(name, each) for name, each in LISTED if holds(SUBJECTS[name], each)}
        for reason, holds in EXCUSES[test].items()
    }


def missing(test: Test, listed: Iterable[tuple[str, str]] = LISTED) -> set[tuple[object, ...]]:
    """The instructions that a test neither is run on nor is excused from."""
    return set(listed) - run_on(test) - set().union(*excused(test).values())


def test_every_idl_has_its_description() -> None:
    assert SUBJECTS.keys() == IDLS.keys()


@pytest.mark.parametrize("test", listed_tests(ON_EVERY_INSTRUCTION), ids=lambda test: test.__name__)
def test_no_instruction_is_left_out(test: Test) -> None:
    assert missing(test) == set()
    assert run_on(test) <= LISTED
    for reason, instructions in excused(test).items():
        assert instructions, f"nothing is excused any more as {reason!r}"
        assert not instructions & run_on(test)


@pytest.mark.parametrize("test", listed_tests(ON_EVERY_PROGRAM), ids=lambda test: test.__name__)
def test_no_program_is_left_out(test: Test) -> None:
    assert run_on(test) == {(name,) for name in IDLS}


@pytest.mark.parametrize("test", listed_tests(WITH_PARAMS), ids=lambda test: test.__name__)
def test_no_program_with_parameters_is_left_out(test: Test) -> None:
    having = {(name,) for name, each in LISTED if each == "propose_params"}
    assert run_on(test) == having


def test_every_generic_test_is_listed_here() -> None:
    assert set(EXCUSES) == set(listed_tests(ON_EVERY_INSTRUCTION))


def test_a_missing_instruction_is_noticed() -> None:
    """One that is new in an IDL, and one that a test doesn't run on."""

    def runs(program: str, instruction: str) -> None: ...
    def runs_too(program: str, instruction: str) -> None: ...

    new = ("orders", "new")
    left_out = ("staking", "claim")
    every = on_every_instruction()(runs)
    assert missing(every, {*LISTED, new}) == {new}
    rows = sorted(LISTED - {left_out})
    some = pytest.mark.parametrize(("program", "instruction"), rows)(runs_too)
    EXCUSES[some] = {}
    assert missing(some) == {left_out}
    EXCUSES[some] = {"why": named(left_out)}
    assert missing(some) == set()
    for each in (every, some):
        del EXCUSES[each]
