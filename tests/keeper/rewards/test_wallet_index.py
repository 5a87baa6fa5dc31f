"""``wallets.idx``: each wallet's proof, as the whole tree gives it; what isn't the hour's is refused."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.economy import merkle
from keeper.rewards import earnings, publication, wallet_index
from keeper.rewards.earnings import NotIndexed, earned
from keeper.rewards.publication import PublicationError
from keeper.rewards.rule import WALLET
from keeper.rewards.tree import leaf, tree
from keeper.rewards.wallet_index import NAME, NoIndex
from keeper.tables import Rows
from tests.keeper.rewards.tables import key
from tests.keeper.rewards.test_publication import publish

MANIFEST = "ab" * 32


def wallets(count: int) -> Rows:
    """So many, in the order of their keys, one of which ends in zeros."""
    found = np.zeros(count, WALLET)
    keys = [sha256(f"{number}".encode()).digest() for number in range(count - 1)]
    found["wallet"] = sorted([*keys, b"\x80" + bytes(31)])
    found["lifetime"] = np.arange(1, count + 1, dtype="u8") + np.uint64(2**63)
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400))
def test_every_wallet_has_the_trees_proof(tmp_path_factory: pytest.TempPathFactory, count: int) -> None:
    """Of any number of wallets; and nobody else has one."""
    path = tmp_path_factory.mktemp("index") / NAME
    rows = wallets(count)
    top = tree(rows)
    assert top
    wallet_index.write(path, MANIFEST, rows, top)
    assert path.stat().st_size <= 48 + 40 * count + 32 * (2 * count + 20)
    for number, raw in enumerate(rows["wallet"]):
        wallet = Pubkey(bytes(raw).ljust(32, b"\0"))
        found = wallet_index.look_up(path, 7, MANIFEST, top.root.hex(), wallet)
        assert found
        assert (found.hour, found.lifetime, found.proof) == (7, 2**63 + number + 1, top.proof(number))
        assert merkle.verify(top.root, leaf(wallet, found.lifetime), found.proof)
    for nobody in (bytes(32), b"\xff" * 32, key("nobody")):
        assert wallet_index.look_up(path, 7, MANIFEST, top.root.hex(), Pubkey(nobody)) is None


def test_of_nobody(tmp_path: Path) -> None:
    """An hour in which nobody has earned anything."""
    wallet_index.write(tmp_path / NAME, MANIFEST, wallets(1)[:0], None)
    assert wallet_index.look_up(tmp_path / NAME, 0, MANIFEST, "00" * 32, Pubkey(key("one"))) is None


def test_what_is_no_index_of_the_hour_is_refused(tmp_path: Path) -> None:
    """Cut anywhere, longer, of another manifest, of another root, of another format."""
    path, rows = tmp_path / NAME, wallets(5)
    top = tree(rows)
    assert top
    wallet_index.write(path, MANIFEST, rows, top)
    whole = path.read_bytes()
    root = top.root.hex()
    wallet_index.check(path, MANIFEST, root)
    for manifest, other in (("cd" * 32, root), (MANIFEST, "cd" * 32)):
        with pytest.raises(NoIndex, match="another manifest's"):
            wallet_index.check(path, manifest, other)
    for bad in (*(whole[:end] for end in range(0, len(whole), 9)), whole + b"\0", b"x" + whole[1:]):
        path.write_bytes(bad)
        with pytest.raises(NoIndex):
            wallet_index.check(path, MANIFEST, root)


def test_whoever_publishes_writes_it(tmp_path: Path) -> None:
    publish(tmp_path)
    wallet = Pubkey(key("wallet 1"))
    expected = publication.claimable(tmp_path, 0, wallet)
    assert earnings.indexed_claimable(tmp_path, 0, wallet) == expected
    with pytest.raises(PublicationError, match="has earned nothing by emission hour 0"):
        earnings.indexed_claimable(tmp_path, 0, Pubkey(key("wallet 5")))
    (tmp_path / "0" / NAME).write_bytes(b"")
    with pytest.raises(NotIndexed, match="hour 0 isn't ready for proofs yet"):
        earnings.indexed_claimable(tmp_path, 0, wallet)
    assert earnings.index(tmp_path, 0)
    assert earnings.indexed_claimable(tmp_path, 0, wallet) == expected


def test_hours_are_what_came_in_them(tmp_path: Path) -> None:
    """Newest first, with an index and without; an hour before which there is none tells nothing."""
    for hour in range(3):
        publish(tmp_path, hour)
    wallet = Pubkey(key("wallet 1"))
    expected = [publication.claimable(tmp_path, hour, wallet).lifetime for hour in range(3)]
    found = [(each.hour, each.earned, each.lifetime) for each in earned(tmp_path, wallet, [0, 1, 2])]
    assert found == [
        (hour, expected[hour] - (expected[hour - 1] if hour else 0), expected[hour]) for hour in (2, 1, 0)
    ]
    (tmp_path / "1" / NAME).unlink()
    again = [(each.hour, each.earned, each.lifetime) for each in earned(tmp_path, wallet, [0, 1, 2])]
    assert again == found
    assert [each.hour for each in earned(tmp_path, wallet, [1, 2])] == [2]
    assert list(earned(tmp_path, Pubkey(key("wallet 5")), [0, 1, 2])) == []
