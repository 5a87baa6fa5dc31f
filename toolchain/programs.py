"""Build the programs, record what went in, and check that anyone gets the same bytes.

``programs.py build``  builds every program into programs/artifacts and writes manifest.json.
``programs.py check``  rebuilds from the committed sources in another folder and compares the bytes.
``programs.py quick``  compares hashes of sources and binaries with the manifest, without a build.

Exit codes: 0 good, 1 the sources and the binaries disagree, 3 the installed toolchain is not the
manifest's, so nothing can be said about the sources. Standard library alone: it runs before any
set-up.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = Path("programs/artifacts")
MANIFEST = ARTIFACTS / "manifest.json"
SBF = Path("toolchain/sbf")
SHARED = ("Cargo.toml", "Cargo.lock", "toolchain/sbf", "toolchain/sbpf-solana-solana.json")
"""Files that every program's bytes depend on."""

MISMATCH = 1
OTHER_TOOLCHAIN = 3


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
                    closure((root / folder / dependency["path"]).resolve().relative_to(root), seen)
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


def toolchain_versions(root: Path) -> dict[str, str]:
    """Versions of the installed compiler, linker, LLVM and builtins, by part."""
    lines = subprocess.run([root / SBF, "versions"], check=True, capture_output=True, text=True).stdout
    versions = dict(line.split(maxsplit=1) for line in lines.splitlines())
    lock = (root / "Cargo.lock").read_text()
    name = 'name = "solana-compiler-builtins"\nversion = "'
    versions["builtins"] = lock.partition(name)[2].partition('"')[0]
    return versions


def build(root: Path, out: Path, target: Path | None = None) -> None:
    """Build every program of the workspace at ``root`` into ``out``."""
    environment = dict(os.environ)
    if target:
        environment["CARGO_TARGET_DIR"] = str(target)
    for name, crates in programs(root).items():
        crate = next(folder for folder in crates if folder.name == name)
        print(f"building {name}", flush=True)
        subprocess.run([root / SBF, "build", root / crate, out], check=True, env=environment)


def describe(root: Path, artifacts: Path) -> dict[str, Any]:
    """The manifest for the binaries in ``artifacts``, without the toolchain's versions."""
    entries = {}
    for name, crates in programs(root).items():
        binary = (artifacts / f"{name}.so").read_bytes()
        entries[name] = {
            "source_sha256": source_hash(root, crates),
            "sha256": sha256(binary),
            "bytes": len(binary),
        }
    return entries


def read_manifest(root: Path) -> dict[str, Any]:
    """The committed manifest."""
    return json.loads((root / MANIFEST).read_text())


def install(root: Path) -> None:
    """Install what the toolchain lacks, from the package registries."""
    subprocess.run([root / SBF, "install"], check=True)


def command_build(root: Path) -> int:
    """``make programs``."""
    install(root)
    build(root, root / ARTIFACTS)
    manifest = {"toolchain": toolchain_versions(root), "programs": describe(root, root / ARTIFACTS)}
    (root / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    for name, entry in manifest["programs"].items():
        print(f"{name:12} {entry['bytes']:>8,} bytes  {entry['sha256']}")
    return 0


def stale(root: Path) -> list[str]:
    """What differs between sources, binaries and manifest, a sentence each."""
    recorded = read_manifest(root)["programs"]
    found = describe(root, root / ARTIFACTS)
    problems = [f"{name} is not in the manifest" for name in found.keys() - recorded.keys()]
    for name in sorted(found.keys() & recorded.keys()):
        if found[name]["source_sha256"] != recorded[name]["source_sha256"]:
            problems.append(f"{name}: the sources changed after {name}.so was built")
        if found[name]["sha256"] != recorded[name]["sha256"]:
            problems.append(f"{name}: {name}.so is not the one in the manifest")
    return problems


def command_quick(root: Path) -> int:
    """The part of the check that needs no toolchain."""
    problems = stale(root)
    for problem in problems:
        print(problem)
    if problems:
        print("run `make programs` and commit programs/artifacts")
    return MISMATCH if problems else 0


def other_toolchain(recorded: dict[str, str], installed: dict[str, str]) -> list[str]:
    """Parts of the toolchain whose versions differ, a sentence each."""
    return [
        f"{part}: the manifest's is {recorded.get(part)}, installed is {installed.get(part)}"
        for part in sorted(recorded.keys() | installed.keys())
        if recorded.get(part) != installed.get(part)
    ]


def command_check(root: Path) -> int:
    """``make check-programs``: rebuild the committed sources elsewhere, compare byte by byte."""
    if code := command_quick(root):
        return code
    install(root)
    manifest = read_manifest(root)
    if differences := other_toolchain(manifest["toolchain"], toolchain_versions(root)):
        print("the installed toolchain is not the one that built programs/artifacts:")
        print("\n".join(f"  {line}" for line in differences))
        print("that says nothing against the sources; to move to it: `make programs`, commit the artifacts")
        return OTHER_TOOLCHAIN
    with tempfile.TemporaryDirectory(prefix="rebuild-") as name:
        copy, out = Path(name) / "source", Path(name) / "out"
        copy.mkdir()
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", copy], input=archive, check=True)
        build(copy, out, target=Path(name) / "target")
        different = [
            program
            for program in manifest["programs"]
            if (out / f"{program}.so").read_bytes() != (root / ARTIFACTS / f"{program}.so").read_bytes()
        ]
    for program in different:
        print(f"{program}: a rebuild from source gives other bytes than programs/artifacts/{program}.so")
    if not different:
        print(f"{len(manifest['programs'])} programs rebuilt from source, every byte equal")
    return MISMATCH if different else 0


def main() -> int:
    """Run one command."""
    commands = {"build": command_build, "check": command_check, "quick": command_quick}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:  # noqa: PLR2004 - the program and its command
        print(__doc__)
        return 2
    return commands[sys.argv[1]](ROOT)


if __name__ == "__main__":
    sys.exit(main())
