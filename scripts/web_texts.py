"""Write what pages' scripts know of the programs: ``python -m scripts.web_texts``.

Errors with their sentences, of the four programs and of the framework, and the programs' constants, from the
interfaces in ``idl/``.
"""

from __future__ import annotations

import json
from pathlib import Path

from keeper import resources
from keeper.chain.framework import ERRORS as FRAMEWORK
from keeper.clients.programs import PROGRAMS

FOLDER = Path(__file__).parents[1] / "web/src/chain"
HEAD = "// Written by python -m scripts.web_texts from idl/: change it there.\n"


def errors() -> str:
    """``errors.ts``: by a program's address and number, the error's name and what it says."""
    own = {
        str(program.address): {
            each["code"]: [each["name"], each["msg"]] for each in resources.idl(name)["errors"]
        }
        for name, program in PROGRAMS.items()
    }
    framework = {code: list(said) for code, said in FRAMEWORK.items()}
    return "\n".join(
        (
            HEAD,
            "type Errors = Record<number, readonly [name: string, words: string]>;",
            "",
            "/** By a program's address. */",
            f"export const ERRORS: Record<string, Errors> = {_written(own)};",
            "",
            "/** Of the framework, in any of the programs. */",
            f"export const FRAMEWORK: Errors = {_written(framework)};",
            "",
        )
    )


def constants() -> str:
    """``constants.ts``: each program's numbers by name; those of 64 bits are bigints."""
    lines = [HEAD]
    for name in PROGRAMS:
        given = resources.idl(name).get("constants", [])
        numbers = [each for each in given if each["type"] not in ("bytes", "pubkey")]
        lines.append(f"export const {name} = {{")
        for each in numbers:
            big = "n" if "64" in each["type"] else ""
            lines.append(f"  {each['name']}: {resources.constant(each)}{big},")
        lines.append("} as const;\n")
    return "\n".join(lines)


def _written(table: object) -> str:
    return json.dumps(table, indent=1, ensure_ascii=False)


TEXTS = {"errors.ts": errors, "constants.ts": constants}


def main() -> None:
    """Write both files."""
    for name, text in TEXTS.items():
        (FOLDER / name).write_text(text())


if __name__ == "__main__":
    main()
