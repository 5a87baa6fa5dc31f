"""Published hours and proofs over HTTP, from a real server."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.market.files import folder as folder_of
from keeper.market.files import write
from keeper.market.folder import MarketFolder
from keeper.market.steps import StepTable
from keeper.rewards import earnings, publication
from tests.keeper.api.serving import serving
from tests.keeper.market.test_files import plain
from tests.keeper.market.ticks import TICK
from tests.keeper.market.ticks import key as tick_key
from tests.keeper.rewards.tables import key
from tests.keeper.rewards.test_publication import publish


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with an hour in it, and where it is served."""
    publish(tmp_path)
    with serving(tmp_path) as url:
        yield tmp_path, url


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def status(url: str) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url)
    return caught.value.code, caught.value.read().decode()


def test_files_are_served_as_they_are(served: tuple[Path, str]) -> None:
    folder, url = served
    assert json.loads(get(f"{url}/rewards")) == {"hours": [0]}
    for name in (*publication.KINDS, publication.MANIFEST):
        assert get(f"{url}/rewards/0/{name}") == (folder / "0" / name).read_bytes()


def test_evidence_is_served_by_its_hash(served: tuple[Path, str]) -> None:
    folder, url = served
    (folder / "slashes").mkdir()
    for name in ("0" * 64 + ".bin", "0" * 64 + ".part", "secret"):
        (folder / "slashes" / name).write_bytes(b"evidence")
    assert get(f"{url}/rewards/slashes/{'0' * 64}.bin") == b"evidence"
    for name in ("0" * 64 + ".part", "secret", "", "1" * 64 + ".bin"):
        assert status(f"{url}/rewards/slashes/{name}")[0] == 404


def test_a_proof_is_what_the_files_give(served: tuple[Path, str]) -> None:
    folder, url = served
    wallet = Pubkey(key("wallet 1"))
    assert (
        json.loads(get(f"{url}/rewards/0/proof/{wallet}")) == publication.claimable(folder, 0, wallet).json()
    )


def test_what_is_not_there(served: tuple[Path, str]) -> None:
    _, url = served
    nobody = Pubkey(key("wallet 5"))
    nothing = f"{nobody} has earned nothing by emission hour 0"
    assert status(f"{url}/rewards/0/proof/{nobody}") == (404, nothing)
    code, text = status(f"{url}/rewards/9/proof/{nobody}")
    assert (code, text) == (404, "emission hour 9 is not in what is published here")
    assert status(f"{url}/rewards/0/proof/abc")[0] == 400
    assert status(f"{url}/rewards/0/secret")[0] == 404
    assert status(f"{url}/rewards/../pyproject.toml")[0] == 404
    assert status(f"{url}/rewards/{'9' * 300}/proof/{nobody}") == (400, f"no hour: {'9' * 20}")
    assert status(f"{url}/rewards/{'9' * 300}/manifest.json")[0] == 404


def test_what_is_still_being_written_is_not_served(served: tuple[Path, str]) -> None:
    folder, url = served
    for name in (".1.part", "1.old"):
        shutil.copytree(folder / "0", folder / name)
        assert status(f"{url}/rewards/{name}/wallets.csv")[0] == 404


def test_no_proof_reads_or_hashes_an_hour(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However often hours are asked for in turns: a visitor can make nothing be built."""
    folder, url = served
    shutil.copytree(folder / "0", folder / "1")
    expected = {name: publication.claimable(folder, 0, Pubkey(key(name))).json() for name in ("wallet 1",)}
    for slow in ("read_table", "tree"):
        monkeypatch.setattr(publication, slow, None)
    for _ in range(3):
        for name, proof in expected.items():
            assert json.loads(get(f"{url}/rewards/0/proof/{Pubkey(key(name))}")) == proof
            assert json.loads(get(f"{url}/rewards/1/proof/{Pubkey(key(name))}"))["root"] == proof["root"]


def test_an_hour_without_an_index_is_not_ready(served: tuple[Path, str]) -> None:
    """As one that an earlier version published, until the server has gone through it."""
    folder, url = served
    wallet = Pubkey(key("wallet 1"))
    (folder / "0" / "wallets.idx").unlink()
    code, text = status(f"{url}/rewards/0/proof/{wallet}")
    assert (code, text) == (503, "hour 0 isn't ready for proofs yet: try again in a minute")
    assert earnings.index(folder, 0) and not earnings.index(folder, 0)
    found = json.loads(get(f"{url}/rewards/0/proof/{wallet}"))
    assert found == publication.claimable(folder, 0, wallet).json()


def test_ticks_and_steps_are_served_and_nothing_else_of_the_market(tmp_path: Path) -> None:
    rewards, market = tmp_path / "rewards", MarketFolder(tmp_path / "market")
    rewards.mkdir()
    files = write(plain(), Pubkey(tick_key("operator")))
    market.write(TICK, files)
    market.write_steps(StepTable(480_000, {1: (-5, 7)}))
    (market.path / "secret").write_bytes(b"no")
    (market.path / "prices" / ".480000.csv.part").write_bytes(b"no")
    with serving(rewards, market.path) as url:
        for name, content in files.items():
            assert get(f"{url}/market/{folder_of(TICK)}/{name}") == content
        assert get(f"{url}/market/prices/480000.csv") == b"class,io,usdc\n1,-5,7\n"
        for path in (
            "secret",
            "prices/.480000.csv.part",
            "prices/480001.csv",
            "",
            f"{folder_of(TICK)}/",
            "../rewards",
        ):
            assert status(f"{url}/market/{path}")[0] == 404
    with serving(rewards) as url:
        assert status(f"{url}/market/prices/480000.csv")[0] == 404
