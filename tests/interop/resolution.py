"""What a client has to be given beside signers and arguments, as the page docs/clients_accounts.md."""

from __future__ import annotations

from keeper.clients.programs import PROGRAMS
from tests.interop.answers import RESOLVERS, Answers
from tests.interop.cases import cases

HEAD = """\
# Accounts that clients find

A client fills in the accounts of an instruction that its interface says how to find: fixed addresses, those
derived from constants, arguments and other accounts, and, in Anchor's TypeScript client, fields of accounts
that it reads from the chain. The table names what has to be **given** to it beside the signers and the
arguments. [clients.md](clients.md) shows how. anchorpy reads the older format of interfaces, in which no
account has an address: it must be given all of them.

A name in bold is one that a client otherwise fills in with a wrong address, without a word: it derives an
address of another program under the program that is called. The program refuses that; give it.

`python -m scripts.clients` writes this page, from what the clients did on a call of each instruction that
succeeds; `make interop` compares.
"""


def page(answers: dict[str, Answers]) -> str:
    """The page as it should be by what clients said."""
    columns = _columns(answers)
    parts = [HEAD, _summary(columns)]
    for program in PROGRAMS.values():
        parts += [f"## {program.name}\n", _table(program.name, columns)]
    return "\n".join(parts)


def counts(answers: dict[str, Answers]) -> dict[str, int]:
    """How many instructions a client needs nothing else for."""
    return {
        name: sum(not each["given"] for each in answers[name]["scenes"].values()) if name in RESOLVERS else 0
        for name in answers
    }


def _columns(answers: dict[str, Answers]) -> dict[str, Answers]:
    """By the names of the clients that find the same: what they found."""
    alike: list[tuple[list[str], Answers]] = []
    for name in RESOLVERS:
        found = answers[name]["scenes"]
        same = next((names for names, theirs in alike if theirs == found), None)
        if same is None:
            alike.append(([name], found))
        else:
            same.append(name)
    return {", ".join(names): found for names, found in alike}


def _summary(columns: dict[str, Answers]) -> str:
    lines = ["| client | instructions that need nothing else | accounts to give, all together |"]
    lines.append("| :--- | ---: | ---: |")
    for name, found in columns.items():
        nothing = sum(not each["given"] for each in found.values())
        given = sum(len(each["given"]) for each in found.values())
        lines.append(f"| {name} | {nothing} of {len(found)} | {given} |")
    return "\n".join(lines) + "\n"


def _table(program: str, columns: dict[str, Answers]) -> str:
    lines = [f"| instruction | signers | {' | '.join(columns)} |", "| :--- " * (2 + len(columns)) + "|"]
    for question in cases().questions["scenes"]:
        if question["program"] != program:
            continue
        cells = [_names(question["signers"])]
        cells += [_cell(found[question["id"]]) for found in columns.values()]
        lines.append(f"| {question['instruction']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(found: dict[str, list[str]]) -> str:
    return _names([f"**{each}**" if each in found["wrong"] else each for each in found["given"]])


def _names(names: list[str]) -> str:
    return ", ".join(names) or "-"
