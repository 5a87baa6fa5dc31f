"""A release's bill of materials in CycloneDX, from the lock files alone.

Python's packages with the hashes of requirements.lock, Ray's of a renter's runtime, crates with Cargo.lock's
checksums, and what the pages' scripts are built with. It says who brings whom, so that a scanner which finds
a hole in one of them shows whether users have it: what only tests and builds need is marked as excluded.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

PYTHON, RUNTIME, CRATES, SCRIPTS = (
    Path("requirements.lock"),
    Path("keeper/compute/runtime.lock"),
    Path("Cargo.lock"),
    Path("web/package-lock.json"),
)
OWN = "ionet"
LOCK = "ionet:lock"
"""The property that names the lock file which a component is of."""


@dataclass(frozen=True)
class Package:
    """One version that a lock file names."""

    ecosystem: str
    """As in a package URL: pypi, cargo or npm."""
    name: str
    version: str
    hashes: tuple[tuple[HashAlgorithm, str], ...]
    lock: Path
    brings: frozenset[tuple[str, str]] = frozenset()
    """Names and versions of those of the same lock that it needs."""
    shipped: bool = True
    """Whether users run it, and not only tests or builds."""

    @property
    def url(self) -> PackageURL:
        """Its package URL."""
        namespace, _, name = self.name.rpartition("/")
        return PackageURL(self.ecosystem, namespace or None, name, self.version)

    @property
    def reference(self) -> str:
        """Its name in the bill: two lock files may have the same version."""
        return f"{self.lock.as_posix()}#{self.url}"


def blocks(lock: Path) -> Iterator[tuple[str, str, str]]:
    """Name, version and lines of each package in a requirements file."""
    for block in re.split(r"^(?=[\w.-]+==)", lock.read_text(), flags=re.MULTILINE):
        if head := re.match(r"([\w.-]+)==([^\s;]+)", block):
            yield head[1], head[2], block


def of_python(root: Path, lock: Path) -> list[Package]:
    """Packages of a requirements file with hashes; which of them bring others it says behind ``via``."""
    found: dict[str, list[tuple[str, list[str], set[str]]]] = {}
    for name, version, block in blocks(root / lock):
        parents = set(re.findall(r"^    #(?: via|  ) ([\w.-]+)", block, re.MULTILINE))
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", block)
        found.setdefault(name, []).append((version, hashes, parents))
    brings: dict[str, set[tuple[str, str]]] = {name: set() for name in found}
    for name, versions in found.items():
        for version, _, parents in versions:
            for parent in parents & found.keys():
                brings[parent].add((name, version))
    shipped = _shipped(root, {name: {other for other, _ in each} for name, each in brings.items()})
    return [
        Package(
            "pypi",
            name,
            version,
            tuple((HashAlgorithm.SHA_256, each) for each in sorted(hashes)),
            lock,
            frozenset(brings[name]),
            lock == RUNTIME or name in shipped,
        )
        for name, versions in found.items()
        for version, hashes, _ in versions
    ]


def _shipped(root: Path, brings: dict[str, set[str]]) -> set[str]:
    """What the project's own dependencies and extras need, those of tests left out."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    waiting = [re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in wanted]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += brings.get(name, ())
    return seen


def of_crates(root: Path) -> list[Package]:
    """Crates of the registry that Cargo.lock names: all that the workspace's crates bring, tests and all."""
    listed = tomllib.loads((root / CRATES).read_text())["package"]
    versions: dict[str, list[str]] = {}
    for each in listed:
        versions.setdefault(each["name"], []).append(each["version"])

    def brought(each: dict[str, object]) -> Iterable[tuple[str, str]]:
        for words in map(str.split, each.get("dependencies", [])):  # type: ignore[call-overload]
            # A version is named where there are several.
            yield words[0], words[1] if len(words) > 1 else versions[words[0]][0]

    own = {each["name"] for each in listed if "source" not in each}
    return [
        Package(
            "cargo",
            each["name"],
            each["version"],
            ((HashAlgorithm.SHA_256, each["checksum"]),),
            CRATES,
            frozenset(pair for pair in brought(each) if pair[0] not in own),
        )
        for each in listed
        if "source" in each
    ]


def of_scripts(root: Path) -> list[Package]:
    """What the pages' scripts are made of and built with."""
    packages = json.loads((root / SCRIPTS).read_text())["packages"]
    found = []
    for path, each in packages.items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        algorithm, _, digest = each["integrity"].partition("-")
        hashed = (HashAlgorithm(f"SHA-{algorithm.removeprefix('sha')}"), base64.b64decode(digest).hex())
        shipped = not (each.get("dev") or each.get("devOptional"))
        found.append(Package("npm", name, each["version"], (hashed,), SCRIPTS, shipped=shipped))
    return list({each.reference: each for each in found}.values())


def packages(root: Path) -> list[Package]:
    """All that the lock files of a checkout name."""
    return [*of_python(root, PYTHON), *of_python(root, RUNTIME), *of_crates(root), *of_scripts(root)]


def write(root: Path, version: str, moment: datetime) -> str:
    """The bill of a checkout as CycloneDX 1.6, the same text for the same lock files, version and moment."""
    own = Component(
        name=OWN,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=OWN,
        purl=PackageURL("pypi", None, OWN, version),
        licenses=[LicenseExpression("Apache-2.0")],
    )
    found = packages(root)
    named = "\n".join([version, *sorted(each.reference for each in found)])
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, named))
    bom.metadata.timestamp = moment.astimezone(UTC)
    bom.metadata.component = own
    made = {(each.lock, each.name, each.version): _component(each) for each in found}
    for each in made.values():
        bom.components.add(each)
    for package in found:
        needs = [made[package.lock, *pair] for pair in sorted(package.brings)]
        bom.register_dependency(made[package.lock, package.name, package.version], needs)
    brought = {(package.lock, *pair) for package in found for pair in package.brings}
    bom.register_dependency(own, [each for key, each in made.items() if key not in brought])
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _component(package: Package) -> Component:
    url = package.url
    return Component(
        name=url.name,
        group=url.namespace,
        version=package.version,
        bom_ref=package.reference,
        purl=url,
        scope=ComponentScope.REQUIRED if package.shipped else ComponentScope.EXCLUDED,
        hashes=[HashType(alg=algorithm, content=digest) for algorithm, digest in package.hashes],
        properties=[Property(name=LOCK, value=package.lock.as_posix())],
    )
