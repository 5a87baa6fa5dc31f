"""The clients that pages are built from are what Codama makes of the interfaces now."""

from pathlib import Path

from toolchain import web


def test_the_pages_clients_are_current(machine: None, tmp_path: Path) -> None:
    web.clients(tmp_path / "clients")
    web.compare(tmp_path / "clients", web.CLIENTS, "python -m toolchain.web clients")
