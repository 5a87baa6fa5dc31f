"""Whom to tell of a hole in a program, as its binary says: ``security.txt``, as explorers read it."""

from __future__ import annotations

BEGIN = b"=======BEGIN SECURITY.TXT V1=======\0"
END = b"=======END SECURITY.TXT V1=======\0"


def contact(binary: bytes) -> dict[str, str]:
    """The fields that a program's bytes state, in their order; none where they state none that can be read.

    The form is that of https://github.com/neodyme-labs/solana-security-txt: names and values in turn, each
    ended by a zero byte. Whoever deployed the program wrote them: they prove nothing.
    """
    _, begun, rest = binary.partition(BEGIN)
    stated, ended, _ = rest.partition(END)
    if not begun or not ended or not stated.endswith(b"\0"):
        return {}
    try:
        texts = stated[:-1].decode().split("\0")
    except UnicodeDecodeError:
        return {}
    return dict(zip(texts[::2], texts[1::2], strict=True)) if len(texts) % 2 == 0 else {}
