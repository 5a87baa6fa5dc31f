"""A copy of the parts of the repository that the build tools read, to break in tests.

Its manifest, addresses and IDLs are made to fit its sources, so that these tests judge the tools and
test_artifacts.py alone judges what is committed.
"""

import json
import shutil
from pathlib import Path

import pytest

from toolchain import program_ids, programs

REPOSITORY = Path(__file__).parents[2]
BUILD_INPUTS = ("Anchor.toml", "Cargo.lock", "Cargo.toml", "idl", "keys", "programs", "toolchain")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    for name in BUILD_INPUTS:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("target", "__pycache__"))
        else:
            shutil.copy2(source, root / name)
    program_ids.sync(root, root / "keys/dev")
    for name, crate in program_ids.deployed(root).items():
        address = program_ids.declared(root, crate)
        (root / f"idl/{name}.json").write_text(json.dumps({"address": address}))
        (root / f"idl/legacy/{name}.json").write_text(json.dumps({"metadata": {"address": address}}))
    for name in programs.programs(root):
        (root / programs.ARTIFACTS / f"{name}.so").write_bytes(f"binary of {name} ".encode() * 100)
    manifest = programs.read_manifest(root)
    manifest["programs"] = programs.describe(root, root / programs.ARTIFACTS)
    (root / programs.MANIFEST).write_text(json.dumps(manifest))
    return root
