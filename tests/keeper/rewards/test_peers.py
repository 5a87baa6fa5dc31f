"""Peers that have what is asked for, don't, or send something else."""

from __future__ import annotations

from hashlib import sha256

import pytest

from keeper.rewards import peers as module
from keeper.rewards.peers import PAUSE_SECONDS, Peers
from tests.keeper.operator.bad_peer import Answer, closing, endless, peer, says, trickling

DATA = bytes(range(256)) * 10
DIGEST = sha256(DATA).digest()


@pytest.mark.parametrize(
    "bad",
    [
        says(b"garbage"),
        says(DATA + b"x"),
        says(DATA[:-1]),
        says(DATA, "500 Oh"),
        says(DATA, "302 Found\r\nlocation: /elsewhere"),
        endless,
        trickling,
        closing,
    ],
    ids=["garbage", "too long", "too short", "500", "302", "endless", "trickling", "closing"],
)
async def test_what_a_bad_peer_sends_isnt_kept_and_the_next_is_asked(
    bad: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    failures: list[tuple[str, str]] = []
    now = 0.0
    async with peer(bad) as (worse, asked), peer(says(DATA)) as (better, _):
        peers = Peers([worse, better], lambda *words: failures.append(words), lambda: now)
        assert await peers.fetch("/x", DIGEST, len(DATA)) == DATA
        assert ([host for host, _ in failures], len(asked)) == (["127.0.0.1"], 1)
        # It is left alone for a while, longer each time.
        assert await peers.fetch("/x", DIGEST, len(DATA)) == DATA
        assert len(asked) == 1
        now = PAUSE_SECONDS + 1
        assert await peers.fetch("/x", DIGEST, len(DATA)) == DATA
        assert len(asked) == 2
        now += PAUSE_SECONDS + 1
        await peers.fetch("/x", DIGEST, len(DATA))
        assert len(asked) == 2
        await peers.close()


async def test_a_peer_that_lacks_something_hasnt_failed() -> None:
    failures: list[object] = []
    async with peer(says(b"", "404 No")) as (url, asked), peer(says(b"", "429 Slow")) as (busy, _):
        peers = Peers([url, busy, "http://127.0.0.1:1"], lambda *words: failures.append(words))
        assert await peers.fetch("/x", DIGEST, 10) is None
        assert await peers.fetch("/x", DIGEST, 10) is None
        assert (len(asked), len(failures)) == (2, 1)
        await peers.close()


async def test_a_compressed_answer_is_no_answer() -> None:
    async with peer(says(DATA, "200 OK\r\ncontent-encoding: gzip")) as (url, _):
        peers = Peers([url])
        assert await peers.fetch("/x", DIGEST, len(DATA)) == DATA  # As it was sent, never unpacked.
        await peers.close()


async def test_a_peer_leaves_nothing_behind() -> None:
    """A service asks its peers for months: cookies that one sets would fill its memory."""
    cookies = "".join(f"set-cookie: c{number}={'x' * 900}\r\n" for number in range(50))
    async with peer(says(DATA, f"200 OK\r\n{cookies}x: y")) as (url, _):
        peers = Peers([url])
        for _ in range(2):
            assert await peers.fetch("/x", DIGEST, len(DATA)) == DATA
        assert peers._client is not None
        assert len(peers._client.cookies) == 0
        await peers.close()
