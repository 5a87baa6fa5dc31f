"""What a page weighs: HTML of a whole list, scripts with and without a wallet, also packed by gzip; how much
is asked for before it is there, and how much a browser then holds.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.web import assets
from keeper.web.app import install
from tests.keeper.api.conftest import Client, asking
from tests.keeper.api.life import Life
from tests.keeper.web.test_signing import pages, signing

__all__ = ["signing"]
KB = 1_000
HTML, HTML_PACKED = 40 * KB, 10 * KB
SCRIPTS, SCRIPTS_WITH_WALLET = 12 * KB, 60 * KB
REQUESTS, REQUESTS_WITH_WALLET = 8, 16
"""On a first visit: the page, its style, its scripts; all but the page are kept for ever."""
SENT, SENT_WITH_WALLET = 60 * KB, 220 * KB
"""By all of them, as no proxy has packed them."""
ELEMENTS = 1_200
"""Of a page with a whole list."""
ROWS = 50
"""Of a list's page."""
LISTS = {"view_device": "/devices", "view_order": "/orders"}


@pytest.fixture
async def crowded(life: tuple[Life, Path], tmp_path: Path) -> AsyncIterator[Client]:
    """The same network with more devices and orders than a page shows, each of another's."""
    file = Path(shutil.copy(life[1], tmp_path / "index.db"))
    with sqlite3.connect(file) as database:
        database.row_factory = sqlite3.Row
        for table in LISTS:
            rows = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
            for number in range(ROWS):
                row = dict(rows[number % len(rows)])
                for name in ("address", "worker", "supplier", "payout", "renter", "vault"):
                    if name in row:
                        row[name] = str(Pubkey(sha256(f"{table} {name} {number}".encode()).digest()))
                names = ", ".join(f'"{name}"' for name in row)
                places = ", ".join("?" * len(row))
                database.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(row.values()))
    async with asking(file, life[0].folder, install) as client:
        yield client


def packed(data: bytes) -> int:
    return len(gzip.compress(data, 6))


def scripts(page: str) -> int:
    """Bytes, by gzip, of all files that a page's head names."""
    names = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page))
    return sum(packed((assets.BUILT / name).read_bytes()) for name in names)


def needed(page: str) -> set[str]:
    """All that a browser asks for beside the page, before that is there."""
    head = page.partition("</head>")[0]
    return set(re.findall(r'(?:href|src)="(/[^"]+)"', head))


async def test_a_whole_lists_html(crowded: Client) -> None:
    for path in LISTS.values():
        page = (await crowded.http.get(path)).text
        assert page.count("<tr>") == ROWS + 1, path
        assert len(page.encode()) <= HTML, path
        assert packed(page.encode()) <= HTML_PACKED, path


async def test_scripts_with_a_wallet_and_without(site: Client, signing: Client) -> None:
    for path in (*(await pages(site)).values(), "/", "/audit", "/blocks/1", "/settings"):
        without, signs = [(await each.http.get(path)).text for each in (site, signing)]
        assert 0 < scripts(without) <= SCRIPTS, path
        assert scripts(signs) <= SCRIPTS_WITH_WALLET, path


async def test_what_a_first_visit_asks_for(site: Client, signing: Client) -> None:
    """The favicon is in the page itself: a browser asks for nothing by itself."""
    for path in (
        *(await pages(site)).values(),
        "/",
        "/supply",
        "/audit",
        "/blocks",
        "/blocks/1",
        "/settings",
    ):
        for client, requests, most in (
            (site, REQUESTS, SENT),
            (signing, REQUESTS_WITH_WALLET, SENT_WITH_WALLET),
        ):
            page = (await client.http.get(path)).text
            files = needed(page)
            assert 'rel="icon" href="data:,"' in page
            assert len(files) < requests, (path, files)
            found = [(await client.http.get(each)).content for each in files]
            assert len(page.encode()) + sum(map(len, found)) <= most, path


async def test_how_much_a_browser_holds(crowded: Client) -> None:
    for path in (*LISTS.values(), "/", "/supply", "/blocks/1"):
        page = (await crowded.http.get(path)).text
        elements = len(re.findall(r"<[a-z]", page))
        assert elements <= ELEMENTS, (path, elements)
