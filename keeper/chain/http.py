"""HTTP to nodes, operators and peers: nothing that they leave behind is kept."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2 as httpx

PATIENCE = 5.0
"""Seconds for a connection, and between two pieces, unless told otherwise."""


def http_client(
    timeout: float | httpx.Timeout = PATIENCE, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """A client that may live for months: whoever it asks can't have it keep cookies, which nothing bounds."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(timeout=timeout, headers=headers, cookies=jar)
