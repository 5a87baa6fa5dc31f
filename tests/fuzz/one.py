"""One target under atheris: ``python -m tests.fuzz.one NAME [libFuzzer's flags]``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["keeper"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run it until a flag of libFuzzer's ends it, or something is found."""
    name = sys.argv.pop(1)

    def once(data: bytes) -> None:
        TARGETS[name](data)

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
