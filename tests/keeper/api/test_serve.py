"""``ionet api serve``, as it is typed."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.keeper.api.life import Life

COMMAND = [str(Path(sys.executable).with_name("ionet")), "api", "serve"]


def environment(file: Path, folder: Path) -> dict[str, str]:
    """This process' without its own settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("IONET_")}
    return {**own, "IONET_DATABASE": f"sqlite:///{file}", "IONET_REWARDS": str(folder)}


def test_it_answers_until_it_is_stopped(life: tuple[Life, Path], tmp_path: Path) -> None:
    world, file = life
    before = file.read_bytes()
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"],
        env=environment(file, world.folder),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        asked = urllib.request.Request(url, headers={"origin": "https://example.com"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.headers["access-control-allow-origin"] == "*"
            assert json.load(answer)["data"]["staked"] == str(world.stake_vault())
        # What is published is there, too.
        root = url.removesuffix("/api/v1/network")
        with urllib.request.urlopen(f"{root}/rewards/1/manifest.json") as answer:
            assert answer.read() == (world.folder / "1/manifest.json").read_bytes()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert file.read_bytes() == before


def test_a_database_without_an_index(tmp_path: Path) -> None:
    found = subprocess.run(
        COMMAND,
        env=environment(tmp_path / "none.db", tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    said = f"error: {tmp_path}/none.db, which IONET_DATABASE names, has no index"
    assert found.stderr.replace("\n", " ").startswith(said)
    assert not (tmp_path / "none.db").exists()
