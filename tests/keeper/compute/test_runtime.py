"""What of a machine's Python a renter's code sees."""

from __future__ import annotations

from pathlib import Path

from keeper.compute.runtime import Runtime


def test_a_python_of_a_user_s_own_shows_itself_and_nothing_beside_it(tmp_path: Path) -> None:
    base = tmp_path / ".local"
    for each in ("bin", "lib/python3.11", "lib/python3.12", "share/keyrings"):
        (base / each).mkdir(parents=True)
    for each in ("libpython3.11.so", "libpython3.11.so.1.0", "libsecret.so"):
        (base / "lib" / each).touch()
    runtime = Runtime(tmp_path / "runtime", base)
    assert runtime.folders == (
        runtime.folder,
        base / "bin",
        base / "lib/python3.11",
        base / "lib/libpython3.11.so",
        base / "lib/libpython3.11.so.1.0",
    )


def test_the_machine_s_own_is_there_already() -> None:
    runtime = Runtime(Path("/var/lib/runtime"), Path("/usr"))
    assert runtime.folders == (runtime.folder,)
