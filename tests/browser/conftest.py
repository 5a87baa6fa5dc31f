"""What tests in a browser need: node, the packages of ``web/``, and Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; skips, saying why, where something lacks."""
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or CHROMIUM names one")
    if shutil.which("node") is None:
        pytest.skip("no node: install Node.js 20")
    if not (WEB / "node_modules/playwright-core").is_dir():
        pytest.skip("web/ isn't installed: make web")
    return CHROMIUM
