"""The build's bookkeeping: what is stale, what a rebuild proves, what another toolchain means."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolchain import programs
from toolchain.programs import ARTIFACTS, FAILED, GOOD, MANIFEST, MISMATCH, OTHER_TOOLCHAIN, Toolchain


class FakeToolchain(Toolchain):
    """Gives back the committed binaries, as a good toolchain would, and records what it was asked."""

    def __init__(self, committed: Path, **versions: str) -> None:
        recorded = programs.read_manifest(committed)["toolchain"]
        self.committed = committed
        self.installed = {**recorded, **versions}
        self.built_from: list[Path] = []
        self.spoil = ""

    def install(self, root: Path) -> None:
        pass

    def versions(self, root: Path) -> dict[str, str]:
        return self.installed

    def build(self, root: Path, out: Path, target: Path | None = None) -> None:
        self.built_from = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
        out.mkdir(exist_ok=True)
        for name in programs.programs(root):
            binary = (self.committed / ARTIFACTS / f"{name}.so").read_bytes()
            (out / f"{name}.so").write_bytes(binary + b"!" if name == self.spoil else binary)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def quick(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toolchain.programs", "quick"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_fine(tree: Path) -> None:
    run = quick(tree)
    assert (run.returncode, run.stdout, run.stderr) == (GOOD, "", "")


def test_quick_runs_on_the_tree_it_is_in(tree: Path) -> None:
    append(tree / "programs/probe/src/lib.rs", "// changed\n")
    run = quick(tree)
    assert run.returncode == MISMATCH
    assert run.stdout.splitlines() == [
        "probe: its sources, or files all programs share, changed after the build",
        "run `make programs` and commit programs/artifacts",
    ]


def test_changed_source_stops_the_check_before_a_build(tree: Path) -> None:
    append(tree / "programs/tokenomics/src/errors.rs", "\n")
    toolchain = FakeToolchain(tree, rustc="0.0.1")
    verdict = programs.check(tree, toolchain)
    assert verdict.code == MISMATCH
    assert verdict.lines[0].startswith("tokenomics: its sources")
    assert "make programs" in verdict.lines[-1]
    assert not toolchain.built_from


@pytest.mark.parametrize("shared", programs.SHARED)
def test_a_shared_file_makes_every_program_stale(tree: Path, shared: str) -> None:
    append(tree / shared, "\n")
    changed = {line.partition(":")[0] for line in programs.stale(tree)}
    assert changed == set(programs.programs(tree))


def test_a_library_makes_only_its_users_stale(tree: Path) -> None:
    append(tree / "programs/common/src/math.rs", "\n")
    changed = {line.partition(":")[0] for line in programs.stale(tree)}
    users = {name for name, crates in programs.programs(tree).items() if Path("programs/common") in crates}
    assert changed == users
    assert "tokenomics" in changed
    assert "probe" not in changed


@pytest.mark.parametrize("where", ["added", "renamed", "removed"])
def test_files_count_not_only_their_content(tree: Path, where: str) -> None:
    source = tree / "programs/tokenomics/src/errors.rs"
    if where == "added":
        (source.parent / "new.rs").write_text("")
    elif where == "renamed":
        source.rename(source.parent / "other.rs")
    else:
        source.unlink()
    assert [line.partition(":")[0] for line in programs.stale(tree)] == ["tokenomics"]


def test_tampered_binary(tree: Path) -> None:
    path = tree / ARTIFACTS / "tokenomics.so"
    binary = bytearray(path.read_bytes())
    binary[100] ^= 1
    path.write_bytes(binary)
    verdict = programs.check(tree, FakeToolchain(tree))
    assert verdict.code == MISMATCH
    assert verdict.lines[0] == "tokenomics: tokenomics.so is not the one in the manifest"


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("bytes", 1)])
def test_tampered_manifest(tree: Path, field: str, value: object) -> None:
    edit(tree / MANIFEST, lambda manifest: manifest["programs"]["probe"].update({field: value}))
    assert programs.stale(tree) == ["probe: probe.so is not the one in the manifest"]


def test_missing_unknown_and_left_over_binaries(tree: Path) -> None:
    (tree / ARTIFACTS / "probe.so").unlink()
    edit(tree / MANIFEST, lambda manifest: manifest["programs"].pop("tokenomics"))
    (tree / ARTIFACTS / "older.so").write_bytes(b"")
    assert programs.stale(tree) == [
        "probe: probe.so is missing",
        "tokenomics: not in the manifest",
        "older: no such program; remove programs/artifacts/older.so",
    ]


def test_another_toolchain_is_not_the_sources_fault(tree: Path) -> None:
    toolchain = FakeToolchain(tree, llvm="1:99.0-1")
    recorded = programs.read_manifest(tree)["toolchain"]["llvm"]
    verdict = programs.check(tree, toolchain)
    assert verdict.code == OTHER_TOOLCHAIN
    text = "\n".join(verdict.lines)
    assert f"llvm: the manifest's is {recorded}, installed is 1:99.0-1" in text
    assert "rustc" not in text
    assert "says nothing against the sources" in text
    assert "`make programs`" in text
    assert not toolchain.built_from


def test_a_part_that_one_side_lacks_is_a_difference() -> None:
    verdict = programs.toolchain_verdict({"rustc": "1"}, {"rustc": "1", "extra": "2"})
    assert verdict.code == OTHER_TOOLCHAIN
    assert "  extra: the manifest's is None, installed is 2" in verdict.lines


def test_check_rebuilds_from_the_hashed_files_alone(tree: Path) -> None:
    (tree / "programs/tokenomics/notes.txt").write_text("not an input")
    toolchain = FakeToolchain(tree)
    verdict = programs.check(tree, toolchain)
    assert verdict.code == GOOD
    assert verdict.lines == (
        f"{len(programs.programs(tree))} programs rebuilt from source, every byte equal",
    )
    assert {Path("Cargo.lock"), Path("programs/tokenomics/src/lib.rs"), Path("toolchain/sbf")} <= set(
        toolchain.built_from
    )
    assert not [path for path in toolchain.built_from if path.suffix in {".so", ".json.bak", ".txt", ".py"}]
    assert Path("idl/tokenomics.json") not in toolchain.built_from


def test_other_bytes_from_the_same_toolchain(tree: Path) -> None:
    toolchain = FakeToolchain(tree)
    toolchain.spoil = "probe"
    verdict = programs.check(tree, toolchain)
    assert verdict.code == MISMATCH
    assert verdict.lines == (
        "probe: a rebuild from source gives other bytes than programs/artifacts/probe.so",
    )


def test_build_writes_a_manifest_that_makes_everything_fine(tree: Path) -> None:
    append(tree / "programs/common/src/math.rs", "\n")
    committed = tree.parent / "committed"
    shutil.copytree(tree / "programs", committed / "programs")
    toolchain = FakeToolchain(committed, rustc="2.0.0")
    assert programs.stale(tree)
    verdict = programs.build(tree, toolchain)
    assert verdict.code == GOOD
    assert [line.split()[0] for line in verdict.lines] == list(programs.programs(tree))
    assert programs.read_manifest(tree)["toolchain"]["rustc"] == "2.0.0"
    assert programs.check(tree, toolchain).code == GOOD


def test_the_builtins_version_is_the_lock_files(tree: Path) -> None:
    sbf = tree / programs.SBF
    sbf.write_text('#!/bin/sh\necho "rustc 1.2.3"\necho "llvm 1:4-5"\n')
    lock = tree / "Cargo.lock"
    lock.write_text('[[package]]\nname = "solana-compiler-builtins"\nversion = "7.8.9"\nsource = "x"\n')
    assert Toolchain().versions(tree) == {"rustc": "1.2.3", "llvm": "1:4-5", "builtins": "7.8.9"}


def test_a_failing_tool_is_neither_good_nor_the_sources_fault(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(root: Path, toolchain: Toolchain) -> programs.Verdict:
        raise subprocess.CalledProcessError(100, [root / programs.SBF, "install"])

    monkeypatch.setattr(programs, "ROOT", tree)
    monkeypatch.setattr(programs, "check", refuse)
    monkeypatch.setattr(sys, "argv", ["programs", "check"])
    assert programs.main() == FAILED
    assert capsys.readouterr().out == (
        f"{tree}/toolchain/sbf install failed with exit code 100; docs/toolchain.md says what it needs\n"
    )


def test_unknown_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["programs", "clean"])
    assert programs.main() == FAILED
    assert "Exit codes" in capsys.readouterr().out
