"""Write docs/reference.md from the programs' interfaces and the table of costs, or check it with --check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keeper.chain import types
from keeper.chain.program import DISCRIMINATOR_LENGTH
from keeper.chain.token import ACCOUNT_SIZE, MINT_SIZE
from keeper.clients.programs import PROGRAMS
from keeper.resources import idl
from scripts.pages import rewritten, span, table, write
from scripts.reach import Code
from scripts.senders import NOBODYS, senders

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference.md"
COSTS = ROOT / "docs/compute_units.md"
NAMES = {"PostCounter": "counter", "Parked": "record"}
"""What instructions call an account that they don't call by its kind."""
TOKENS = re.compile(r"(vault|fees)$|^mint$")
"""Accounts that are no program's own kind: what tokens are in, and the mint."""
BEGIN, END = "<!-- reference.py: begin -->", "<!-- reference.py: end -->"

Idl = Mapping[str, Any]


def text() -> str:
    """The page as it has to be."""
    costs, sent_by = _costs(COSTS.read_text()), senders(Code())
    tables = "\n\n".join(_program(idl(name), costs[name], sent_by) for name in PROGRAMS)
    return rewritten(PAGE.read_text(), BEGIN, END, f"\n{tables}\n")


def _program(described: Idl, costs: Mapping[str, str], sent_by: Mapping[str, list[str]]) -> str:
    """All tables of a program."""
    name = described["metadata"]["name"]
    parts = [
        f"## {name}",
        f"{described['metadata']['description']} At `{described['address']}` in this repository's networks.",
        f"### {name}: instructions",
        table(
            ("instruction", "does", "signs", "sent by", "compute units"),
            _instructions(described, costs, sent_by),
        ),
        f"### {name}: accounts",
        table(("account", "what it is", "bytes", "seeds"), _accounts(described)),
        f"### {name}: bounds and other constants",
        table(("constant", "value", "is"), _constants(described)),
    ]
    if any(each["name"] == "Params" for each in described["types"]):
        parts += [
            f"### {name}: parameters",
            table(("parameter", "what it is", "type"), _parameters(described)),
        ]
    return "\n\n".join(
        [
            *parts,
            f"### {name}: events",
            table(("event", "when", "fields"), _events(described)),
            f"### {name}: errors",
            table(("number", "name", "says"), _errors(described)),
        ]
    )


def _instructions(
    described: Idl, costs: Mapping[str, str], sent_by: Mapping[str, list[str]]
) -> Iterator[tuple[str, ...]]:
    for each in described["instructions"]:
        signers = ", ".join(f"`{account['name']}`" for account in each["accounts"] if account.get("signer"))
        called = f"{described['metadata']['name']}.{each['name']}"
        who = ", ".join(sent_by.get(called, ())) or NOBODYS[called]
        yield f"`{each['name']}`", " ".join(each["docs"]), signers or "-", who, costs[each["name"]]


def _accounts(described: Idl) -> Iterator[tuple[str, ...]]:
    """Accounts of the program's own kinds, then the tokens that it keeps."""
    definitions = {each["name"]: each for each in described["types"]}
    found: dict[str, str] = {}
    for name, seeds in _seeds(described):
        found.setdefault(name, seeds)
    for each in described["accounts"]:
        kind = each["name"]
        name = NAMES.get(kind, re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower())
        size = DISCRIMINATOR_LENGTH + types.layout({"defined": {"name": kind}}, definitions).sizeof()
        yield kind, " ".join(definitions[kind]["docs"]), f"{size:,}", found[name]
    for name in sorted(each for each in found if TOKENS.search(each)):
        size = MINT_SIZE if name == "mint" else ACCOUNT_SIZE
        yield f"`{name}`", _docs_of(described, name), str(size), found[name]


def _seeds(described: Idl) -> Iterator[tuple[str, str]]:
    """Of each account that has seeds under this program: its name in instructions, and the seeds in words."""
    for instruction in described["instructions"]:
        for account in instruction["accounts"]:
            if "pda" not in account or "program" in account["pda"]:
                continue
            seeds = account["pda"]["seeds"]
            yield account["name"], ", ".join(_seed(each) for each in seeds)


def _seed(seed: Mapping[str, Any]) -> str:
    if seed["kind"] == "const":
        return f'"{bytes(seed["value"]).decode()}"'
    return f"`{seed['path'].rpartition('.')[2]}`"


def _docs_of(described: Idl, name: str) -> str:
    """What interfaces say of an account of this name."""
    accounts = (account for each in described["instructions"] for account in each["accounts"])
    return " ".join(next(each for each in accounts if each["name"] == name)["docs"])


def _constants(described: Idl) -> Iterator[tuple[str, ...]]:
    for each in described["constants"]:
        if each["type"] != "bytes":
            yield f"`{each['name']}`", f"{int(each['value']):,}", " ".join(each["docs"])


def _parameters(described: Idl) -> Iterator[tuple[str, ...]]:
    params = next(each for each in described["types"] if each["name"] == "Params")
    for each in params["type"]["fields"]:
        if not each["name"].startswith("_"):
            yield f"`{each['name']}`", " ".join(each["docs"]), _type(each["type"])


def _type(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    if "array" in kind:
        inner, length = kind["array"]
        return f"{length} times {_type(inner)}"
    return str(kind["defined"]["name"])


def _events(described: Idl) -> Iterator[tuple[str, ...]]:
    definitions = {each["name"]: each for each in described["types"]}
    for each in described["events"]:
        event = definitions[each["name"]]
        fields = (field["name"] for field in event["type"]["fields"])
        shown = ", ".join(f"`{name}`" for name in fields if not name.startswith("_"))
        yield f"`{each['name']}`", " ".join(event["docs"]), shown


def _errors(described: Idl) -> Iterator[tuple[str, ...]]:
    for each in described["errors"]:
        yield str(each["code"]), f"`{each['name']}`", each["msg"]


def _costs(page: str) -> dict[str, dict[str, str]]:
    """By program and instruction: the fewest and the most units of any of its rows."""
    found: dict[str, dict[str, str]] = {}
    for name in PROGRAMS:
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        units: dict[str, list[int]] = {}
        for instruction, cell in re.findall(r"^\| `(\w+)`[^|]*\| ([^|]+) \|", section, re.M):
            units.setdefault(instruction, []).extend(
                int(each.replace(",", "")) for each in cell.split(" to ")
            )
        found[name] = {each: span(some) for each, some in units.items()}
    return found


if __name__ == "__main__":
    write(PAGE, text(), "docs/reference.md isn't what the interfaces say")
