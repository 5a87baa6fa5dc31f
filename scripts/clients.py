"""Run other people's clients on the interfaces, and write what they did into docs/clients*.md.

It needs node, npm and their registries the first time, as ``make interop`` does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.interop import installed, resolution, results
from tests.interop.answers import ask

ACCOUNTS = Path(__file__).parents[1] / "docs/clients_accounts.md"


def main() -> None:
    """Write them."""
    reason = installed.lacking()
    if reason is not None:
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as name:
        answers = ask(Path(name))
    ACCOUNTS.write_text(resolution.page(answers))
    results.PAGE.write_text(results.page(results.PAGE.read_text(), answers))


if __name__ == "__main__":
    main()
