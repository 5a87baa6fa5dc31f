"""Build the programs, record what went in, and check that anyone gets the same bytes.

``-m toolchain.programs build``  builds every program into programs/artifacts and writes manifest.json.
``-m toolchain.programs check``  rebuilds them in another folder and compares the bytes.
``-m toolchain.programs quick``  compares hashes of sources and binaries with the manifest, without a build.

Exit codes: 0 good, 1 the sources and the binaries disagree, 2 a tool failed or the command is wrong,
3 the installed toolchain is not the manifest's, so nothing can be said about the sources. Standard
library alone: it runs before any set-up. docs/toolchain.md explains the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = Path("programs/artifacts")
MANIFEST = ARTIFACTS / "manifest.json"
SBF = Path("toolchain/sbf")
SHARED = ("Cargo.toml", "Cargo.lock", "toolchain/sbf", "toolchain/sbpf-solana-solana.json")
"""Files that every program's bytes depend on."""
SELF_TEST = "probe"
"""The toolchain's own program: built and compared like the others, never deployed."""

GOOD = 0
MISMATCH = 1
FAILED = 2
OTHER_TOOLCHAIN = 3

Entries = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What a check found: the exit code, and what to tell the reader."""

    code: int
    lines: tuple[str, ...] = ()


def sha256(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def programs(root: Path) -> dict[str, list[Path]]:
    """Each program's name with the folders of its crate and of the workspace crates it depends on.

    A program is a workspace member that builds a cdylib. Read from the Cargo.toml files, so that
    it needs no Rust.
    """
    workspace = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]
    crates = {Path(m): tomllib.loads((root / m / "Cargo.toml").read_text()) for m in workspace["members"]}

    def closure(folder: Path, seen: set[Path]) -> set[Path]:
        if folder not in seen:
            seen.add(folder)
            for dependency in crates[folder].get("dependencies", {}).values():
                if "path" in dependency:
                    closure((root / folder / dependency["path"]).resolve().relative_to(root.resolve()), seen)
        return seen

    return {
        crate["package"]["name"]: sorted(closure(folder, set()))
        for folder, crate in sorted(crates.items())
        if "cdylib" in crate.get("lib", {}).get("crate-type", [])
    }


def source_files(root: Path, crates: list[Path]) -> list[Path]:
    """Every file that a program's bytes depend on, relative to the root, in a fixed order."""
    files = [Path(name) for name in SHARED]
    for crate in crates:
        files.append(crate / "Cargo.toml")
        files.extend(path.relative_to(root) for path in (root / crate / "src").rglob("*.rs"))
    return sorted(files)


def source_hash(root: Path, crates: list[Path]) -> str:
    """SHA-256 over the names and hashes of a program's source files."""
    lines = (f"{sha256((root / path).read_bytes())}  {path}\n" for path in source_files(root, crates))
    return sha256("".join(lines).encode())


class Toolchain:
    """The compiler, linker and libraries that toolchain/sbf installs and runs."""

    def install(self, root: Path) -> None:
        """Install what is missing, from the package registries."""
        subprocess.run([root / SBF, "install"], check=True)

    def versions(self, root: Path) -> dict[str, str]:
        """Versions of the installed parts, and of the builtins that Cargo.lock names."""
        run = subprocess.run([root / SBF, "versions"], check=True, capture_output=True, text=True)
        versions = dict(line.split(maxsplit=1) for line in run.stdout.splitlines())
        lock = (root / "Cargo.lock").read_text()
        name = 'name = "solana-compiler-builtins"\nversion = "'
        versions["builtins"] = lock.partition(name)[2].partition('"')[0]
        return versions

    def build(self, root: Path, out: Path, target: Path | None = None) -> None:
        """Build every program of the workspace at ``root`` into ``out``."""
        environment = dict(os.environ)
        if target:
            environment["CARGO_TARGET_DIR"] = str(target)
        for name, crates in programs(root).items():
            crate = next(folder for folder in crates if folder.name == name)
            print(f"building {name}", flush=True)
            subprocess.run([root / SBF, "build", root / crate, out], check=True, env=environment)


def describe(root: Path, artifacts: Path) -> Entries:
    """The manifest's entries for the binaries in ``artifacts``; a missing binary has no entry."""
    entries = {}
    for name, crates in programs(root).items():
        path = artifacts / f"{name}.so"
        if path.exists():
            binary = path.read_bytes()
            entries[name] = {
                "source_sha256": source_hash(root, crates),
                "sha256": sha256(binary),
                "bytes": len(binary),
            }
    return entries


def read_manifest(root: Path) -> dict[str, Any]:
    """The committed manifest."""
    manifest: dict[str, Any] = json.loads((root / MANIFEST).read_text())
    return manifest


def stale(root: Path) -> list[str]:
    """What differs between sources, binaries and manifest, a sentence each."""
    recorded: Entries = read_manifest(root)["programs"]
    found = describe(root, root / ARTIFACTS)
    names = programs(root).keys()
    problems = [f"{name}: {name}.so is missing" for name in sorted(names - found.keys())]
    problems += [f"{name}: not in the manifest" for name in sorted(found.keys() - recorded.keys())]
    binaries = {path.stem for path in (root / ARTIFACTS).glob("*.so")}
    orphans = sorted((binaries | recorded.keys()) - names)
    problems += [f"{name}: no such program; remove {ARTIFACTS}/{name}.so" for name in orphans]
    for name in sorted(found.keys() & recorded.keys()):
        new, old = found[name], recorded[name]
        if new["source_sha256"] != old["source_sha256"]:
            problems.append(f"{name}: its sources, or files all programs share, changed after the build")
        if (new["sha256"], new["bytes"]) != (old["sha256"], old["bytes"]):
            problems.append(f"{name}: {name}.so is not the one in the manifest")
    return problems


def sources_verdict(root: Path) -> Verdict:
    """Whether sources, binaries and manifest belong together; needs no toolchain."""
    if problems := stale(root):
        return Verdict(MISMATCH, (*problems, f"run `make programs` and commit {ARTIFACTS}"))
    return Verdict(GOOD)


def toolchain_verdict(recorded: dict[str, str], installed: dict[str, str]) -> Verdict:
    """Whether a rebuild with the installed toolchain can be compared with the manifest's at all."""
    differences = [
        f"  {part}: the manifest's is {recorded.get(part)}, installed is {installed.get(part)}"
        for part in sorted(recorded.keys() | installed.keys())
        if recorded.get(part) != installed.get(part)
    ]
    if not differences:
        return Verdict(GOOD)
    return Verdict(
        OTHER_TOOLCHAIN,
        (
            f"the installed toolchain is not the one that built {ARTIFACTS}:",
            *differences,
            f"that says nothing against the sources; to move to it: `make programs`, commit {ARTIFACTS}",
        ),
    )


def rebuild_verdict(root: Path, rebuilt: Path) -> Verdict:
    """Whether the binaries in ``rebuilt`` are the committed ones, byte by byte."""
    names = programs(root)
    different = [
        f"{name}: a rebuild from source gives other bytes than {ARTIFACTS}/{name}.so"
        for name in names
        if (rebuilt / f"{name}.so").read_bytes() != (root / ARTIFACTS / f"{name}.so").read_bytes()
    ]
    if different:
        return Verdict(MISMATCH, tuple(different))
    return Verdict(GOOD, (f"{len(names)} programs rebuilt from source, every byte equal",))


def copy_sources(root: Path, to: Path) -> None:
    """Copy what the source hashes cover, and nothing else of the tree.

    So a rebuild fails when a program takes in a file that its hash leaves out. Workspace members
    that are no part of a program go along, because cargo reads the whole workspace.
    """
    members = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["members"]
    for path in source_files(root, [Path(member) for member in members]):
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, to / path)


def check(root: Path, toolchain: Toolchain) -> Verdict:
    """Rebuild the sources in another folder and compare; the cheap reasons to say no come first."""
    verdict = sources_verdict(root)
    if verdict.code != GOOD:
        return verdict
    toolchain.install(root)
    verdict = toolchain_verdict(read_manifest(root)["toolchain"], toolchain.versions(root))
    if verdict.code != GOOD:
        return verdict
    with tempfile.TemporaryDirectory(prefix="rebuild-") as name:
        copy, out = Path(name) / "source", Path(name) / "out"
        copy_sources(root, copy)
        toolchain.build(copy, out, target=Path(name) / "target")
        return rebuild_verdict(root, out)


def build(root: Path, toolchain: Toolchain) -> Verdict:
    """Build every program into programs/artifacts and write the manifest."""
    toolchain.install(root)
    toolchain.build(root, root / ARTIFACTS)
    entries = describe(root, root / ARTIFACTS)
    manifest = {"toolchain": toolchain.versions(root), "programs": entries}
    (root / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return Verdict(
        GOOD,
        tuple(f"{name:12} {each['bytes']:>8,} bytes  {each['sha256']}" for name, each in entries.items()),
    )


def main() -> int:
    """Run one command."""
    commands = {
        "build": lambda: build(ROOT, Toolchain()),
        "check": lambda: check(ROOT, Toolchain()),
        "quick": lambda: sources_verdict(ROOT),
    }
    if len(sys.argv) != 2 or sys.argv[1] not in commands:  # noqa: PLR2004 - the program and its command
        print(__doc__)
        return FAILED
    try:
        verdict = commands[sys.argv[1]]()
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        print(f"{command} failed with exit code {error.returncode}; docs/toolchain.md says what it needs")
        return FAILED
    for line in verdict.lines:
        print(line)
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
