"""The pages' style sheet, under a name that changes with it, so that it is kept for ever."""

from __future__ import annotations

import zlib

from keeper.web.rendering import render

STYLE = render("site.css")
STYLE_PATH = f"/style-{zlib.crc32(STYLE.encode()):08x}.css"
