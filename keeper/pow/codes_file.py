"""The file ``codes`` in an hour's folder: what an operator's service found of openings, for its own keeper.

The service verifies openings as they come. The keeper, which puts the hour together in a process of its own,
needn't do it again. It is nothing to anybody else; what the keeper verifies itself it remembers in
:class:`keeper.rewards.work.Remembering`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from keeper.pow.codes import Code
from keeper.pow.hashing import digest

NAME = "codes"
"""The file's, in an hour's folder."""
KEY = 32


def opening_key(wave_seed: bytes, device: bytes, root: bytes, blob: bytes) -> bytes:
    """What a code is kept under; ``blob`` is the opening's SHA-256."""
    return digest("code", wave_seed, device, root, blob)


def add_codes(path: Path, found: Iterable[tuple[bytes, Code]]) -> None:
    """Add codes by their keys. What a power cut takes away is verified again."""
    data = b"".join(key + bytes([code]) for key, code in found)
    # One write: half a record at the end, of a disk that was full, would shift all later ones.
    size = path.stat().st_size if path.exists() else 0
    with path.open("r+b" if size else "wb") as file:
        file.seek(size - size % (KEY + 1), os.SEEK_SET)
        file.write(data)


def read_codes(path: Path) -> dict[bytes, Code]:
    """All codes that are in a file, none where there is no file; half a record at its end is passed over."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    ends = range(KEY, len(data), KEY + 1)
    return {data[end - KEY : end]: Code(data[end]) for end in ends if data[end] in _CODES}


_CODES = {code.value for code in Code}
