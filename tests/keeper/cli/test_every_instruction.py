"""Every instruction of the programs is used: by a command, a job, an agent, or a network's beginning."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import keeper
from keeper.clients.programs import PROGRAMS

KEEPER = Path(keeper.__file__).parent
WHERE = ("cli", "wallet", "jobs", "worker", "operator", "deploy")
"""Rooms in which somebody signs."""
CLIENTS = {*PROGRAMS, "client"}
NOBODYS = {
    "staking.lease_device": "orders' match_device calls it: no key can",
    "staking.record_lease": "orders' end_lease and vote_fault call it: no key can",
    "staking.free_device": "orders' end_lease calls it: no key can",
    "staking.settle_device": "every instruction that needs it does the same first; a device's account alone "
    "would look newer",
}
"""Instructions that no person and no job of ours sends, and why."""


def _used(path: Path) -> Iterator[tuple[str, str]]:
    """What a file takes of a client: the client's name, or ``client``, and the attribute's."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            owner = (
                node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            )
            if owner in CLIENTS:
                yield owner, node.attr


def test_each_instruction_has_a_command_or_a_job() -> None:
    files = [each for room in WHERE for each in (KEEPER / room).glob("*.py")]
    used = {found for path in files for found in _used(path)}
    instructions = [(program, name) for program, found in PROGRAMS.items() for name in found.instructions]
    lacking = {
        f"{program}.{name}"
        for program, name in instructions
        if not used & {(program, name), ("client", name)}
    }
    assert lacking == set(NOBODYS)
    assert len(instructions) - len(NOBODYS) > 90
