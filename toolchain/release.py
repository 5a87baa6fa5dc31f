"""Make a release: package, programs, interfaces and pages' scripts in one folder, with hashes.

``-m toolchain.release``  takes the newest commit out into two folders of different names, builds all of
it in each from source, and puts it into ``dist/`` if every byte is equal. Exit codes: 0 good, 1 with what
went wrong.

It needs what `make check-programs`, `make check-idl` and `make check-web` need, as it runs them: a binary
that doesn't come from the commit's sources is in no release. docs/release.md: how to check and deploy one.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from toolchain import sbom, wheel
from toolchain.calls import Failed, call, tell
from toolchain.programs import ARTIFACTS, ROOT, SELF_TEST

DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
TREES = {"idl": "idl", "keeper/web/static": "web", "ops": "ops"}
"""Folders of a checkout that a release has, and what it calls them."""
FILES = ("CHANGELOG.md", "LICENSE", "SECURITY.md")

Check = Callable[[Path], None]
"""Raises Failed unless a checkout's committed files are what its sources make."""


@dataclass(frozen=True)
class Commit:
    """What is released."""

    name: str
    """Its full hash."""
    version: str
    """As pyproject.toml has it."""
    moment: int
    """Unix seconds of the commit: the only time that is in a release."""

    @property
    def folder(self) -> str:
        """What its release is called."""
        return f"ionet-{self.version}"


def newest(root: Path) -> Commit:
    """The newest commit of a checkout; raises Failed where there is something that isn't committed."""
    if left := call(["git", "status", "--porcelain"], root):
        raise Failed(f"a release is of a commit; commit these first, or take them away:\n{left}")
    name, moment = call(["git", "show", "-s", "--format=%H %ct"], root).split()
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return Commit(name, version, int(moment))


def take_out(root: Path, commit: Commit, folder: Path) -> None:
    """Put a commit's files, and nothing else, into a new folder."""
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    call(["git", "archive", "-o", archive, commit.name], root)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()


def rebuild(checkout: Path) -> None:
    """Build programs, interfaces and pages' scripts from source; raises Failed where others are committed."""
    for module, arguments in (("programs", ["check"]), ("idl", ["check"]), ("web", ["check"])):
        call([sys.executable, "-m", f"toolchain.{module}", *arguments], checkout)


def make(checkout: Path, commit: Commit, out: Path, check: Check = rebuild) -> None:
    """Put a checkout's release into a new folder; raises Failed for what isn't made of its sources."""
    check(checkout)
    out.mkdir(parents=True)
    settings = {"SOURCE_DATE_EPOCH": str(commit.moment)}
    wheel.build(checkout, out, "sdist", settings)
    package = wheel.build(checkout, out, "wheel", settings)
    (out / "programs").mkdir()
    for binary in sorted((checkout / ARTIFACTS).iterdir()):
        if binary.stem != SELF_TEST:
            shutil.copyfile(binary, out / "programs" / binary.name)
    for tree, name in TREES.items():
        shutil.copytree(checkout / tree, out / name, copy_function=shutil.copyfile)
    for name in FILES:
        shutil.copyfile(checkout / name, out / name)
    moment = datetime.fromtimestamp(commit.moment, UTC)
    (out / f"{commit.folder}.cdx.json").write_text(sbom.write(checkout, commit.version, moment))
    (out / "requirements.txt").write_text(requirements(checkout, package))
    (out / "COMMIT").write_text(f"{commit.name}\n")
    (out / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums(out).items()))


def requirements(checkout: Path, package: Path) -> str:
    """What ``pip install --no-deps --require-hashes`` puts in: the wheel beside it, and all that it needs."""
    shipped = {each.name for each in sbom.of_python(checkout, sbom.PYTHON) if each.shipped}
    lines = [block for name, _, block in sbom.blocks(checkout / sbom.PYTHON) if name in shipped]
    own = f"./{package.name} --hash=sha256:{hashlib.sha256(package.read_bytes()).hexdigest()}\n"
    return own + "".join(lines)


def sums(folder: Path) -> dict[str, str]:
    """Each file's SHA-256 but of the list itself, by its path below a folder, in order."""
    names = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names if name != SUMS}


def compare(first: Path, second: Path) -> None:
    """Raise Failed for the first file that two releases don't have alike."""
    left, right = sums(first), sums(second)
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            raise Failed(f"{name} comes out otherwise in another folder: it depends on more than the commit")


def release(root: Path, dist: Path, check: Check = rebuild) -> Path:
    """Make the newest commit's release below ``dist``, twice; returns its folder. Raises Failed.

    One of the same name is replaced, once the new one is whole.
    """
    commit = newest(root)
    with tempfile.TemporaryDirectory(prefix="ionet-release-") as made:
        results = []
        for place in ("a", "another/and/longer"):
            began = time.monotonic()
            checkout, out = Path(made, place, "checkout"), Path(made, place, commit.folder)
            take_out(root, commit, checkout)
            make(checkout, commit, out, check)
            shutil.rmtree(checkout)
            results.append(out)
            tell(f"{commit.folder} of {commit.name[:12]}, {len(sums(out))} files", began)
        compare(*results)
        dist.mkdir(exist_ok=True)
        target, beside = dist / commit.folder, dist / f"{commit.folder}.new"
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(results[0], beside)
        shutil.rmtree(target, ignore_errors=True)
        beside.rename(target)
    return target


def main() -> int:
    """Make the release; returns the exit code."""
    try:
        made = release(ROOT, DIST)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"two folders, every byte equal: {made.relative_to(ROOT)}, check it with sha256sum -c {SUMS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
