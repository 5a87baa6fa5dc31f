"""anchorpy on the cases, in an environment of its own: ``python anchorpy_side.py IDLS CASES ANSWERS``.

IDLS is the folder of interfaces, whose ``legacy`` anchorpy reads.
"""

from __future__ import annotations

import copyreg
import json
import sys
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

from anchorpy import Context, Idl, Program, Provider, Wallet
from pyheck import snake
from solana.rpc.async_api import AsyncClient
from solders.pubkey import Pubkey

IDLS = Path(sys.argv[1])


@cache
def written(name: str) -> dict[str, Any]:
    """An interface as it is written today, for the types of arguments."""
    return json.loads((IDLS / f"{name}.json").read_text())


@cache
def program(name: str) -> Program:
    """A program; its provider connects to nothing."""
    idl = Idl.from_json((IDLS / "legacy" / f"{name}.json").read_text())
    provider = Provider(AsyncClient("http://127.0.0.1:9"), Wallet.dummy())
    return Program(idl, Pubkey.from_string(written(name)["address"]), provider)


def typed(kind: Any, value: Any, its: Program, name: str) -> Any:
    """A value out of JSON, as anchorpy wants it."""
    if kind == "bool":
        return value
    if kind == "pubkey":
        return Pubkey.from_string(value)
    if kind == "bytes":
        return bytes.fromhex(value)
    if isinstance(kind, str):
        return int(value)
    if "array" in kind:
        inner = kind["array"][0]
        return list(bytes.fromhex(value)) if inner == "u8" else [typed(inner, v, its, name) for v in value]
    named = kind["defined"]["name"]
    fields = next(each for each in written(name)["types"] if each["name"] == named)["type"]["fields"]
    # Its structs have the fields' names in snake_case, without a leading underscore.
    return its.type[named](
        **{snake(each["name"]): typed(each["type"], value[each["name"]], its, name) for each in fields}
    )


def plain(value: Any) -> Any:
    """A value as anchorpy reads it, in JSON."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Pubkey):
        return str(value)
    if isinstance(value, bytes | list | tuple):
        return [plain(each) for each in value]
    fields = value if isinstance(value, dict) else vars(value)
    return {key: plain(each) for key, each in fields.items() if not key.startswith("_io")}


def instructions(question: dict[str, Any]) -> Any:
    """Build an instruction."""
    name, its = question["program"], program(question["program"])
    form = next(each for each in written(name)["instructions"] if each["name"] == question["instruction"])
    arguments = [typed(each["type"], question["arguments"][each["name"]], its, name) for each in form["args"]]
    accounts = {
        snake(key): Pubkey.from_string(each) if each else its.program_id
        for key, each in question["accounts"].items()
    }
    call = its.instruction[form["name"]](*arguments, ctx=Context(accounts=accounts))
    metas = [[str(each.pubkey), each.is_signer, each.is_writable] for each in call.accounts]
    return {"data": call.data.hex(), "accounts": metas}


def parsed(question: dict[str, Any]) -> Any:
    """Read an instruction's data."""
    return plain(program(question["program"]).coder.instruction.parse(bytes.fromhex(question["data"])).data)


def accounts(question: dict[str, Any]) -> Any:
    """Read an account."""
    read = program(question["program"]).coder.accounts.parse(b64decode(question["data"]))
    return {"kind": read.name, "fields": plain(read.data)}


def events(question: dict[str, Any]) -> Any:
    """Read an event."""
    read = program(question["program"]).coder.events.parse(b64decode(question["data"]))
    return {"kind": read.name, "fields": plain(read.data)}


TASKS = {"instructions": instructions, "parsed": parsed, "accounts": accounts, "events": events}


def answer(task: Any, question: dict[str, Any]) -> Any:
    """What it says, or its error."""
    try:
        return task(question)
    except Exception as error:  # whatever a client's user would see
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answer every case of a kind that it has a task for; ``alone``, before anything is mended."""
    cases = json.loads(Path(sys.argv[2]).read_text())
    answers = {"alone": {each["id"]: answer(instructions, each) for each in cases["instructions"]}}
    # It copies a struct of arguments deeply, and solders' addresses don't say how.
    copyreg.pickle(Pubkey, lambda key: (Pubkey.from_bytes, (bytes(key),)))
    for kind, task in TASKS.items():
        answers[kind] = {each["id"]: answer(task, each) for each in cases[kind]}
    Path(sys.argv[3]).write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
