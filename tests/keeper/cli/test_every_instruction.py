"""Every instruction of the programs is sent: by a command, or by a job of the keeper's."""

from __future__ import annotations

import pytest

from keeper.clients.programs import PROGRAMS
from scripts import reach
from scripts.reach import Code
from scripts.senders import NOBODYS, senders, sent, starts

INSTRUCTIONS = {f"{program}.{name}" for program, found in PROGRAMS.items() for name in found.instructions}
GUARDIANS = {f"{program}.accept_guardian" for program in PROGRAMS}


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """Who sends each instruction."""
    return senders(Code())


def test_each_instruction_has_a_command_or_a_job(found: dict[str, list[str]]) -> None:
    assert set(found) <= INSTRUCTIONS
    assert INSTRUCTIONS - set(found) == set(NOBODYS)


@pytest.mark.parametrize(
    ("module", "line", "lost"),
    [
        ("cli.guardian", "roles.accept_guardian(", GUARDIANS),
        ("cli.stake", "stakes.overflow(", {"staking.withdraw_overflow"}),
        ("wallet.seasons", "tokenomics.claim_season(", {"tokenomics.claim_season"}),
        ("wallet.roles", "client.propose_guardian(", {f"{each}.propose_guardian" for each in PROGRAMS}),
        ("jobs.blocks", "staking.finalise(", {"staking.finalise"}),
        ("jobs.steps", "staking.vote_prices(", {"staking.vote_prices"}),
        ("clients.orders.instructions", "_ROLES.propose_admin", {"orders.propose_admin"}),
    ],
)
def test_a_path_that_is_cut_is_noticed(
    found: dict[str, list[str]], module: str, line: str, lost: set[str]
) -> None:
    """With a line cut, none of those who sent these instructions does any more."""

    def text(name: str) -> str | None:
        whole = reach.source(name)
        if whole is None or name != f"keeper.{module}":
            return whole
        assert line in whole
        return whole.replace(line, "dict(" if line.endswith("(") else "dict")

    cut = Code(text)
    for instruction in lost:
        assert not [who for who in found[instruction] if instruction in sent(cut, starts()[who])]
