"""The pages' scripts: what is committed is of these sources, by hashes; make check-web builds it again."""

import gzip
import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from scripts import web_texts
from toolchain import web
from toolchain.calls import Failed

MANIFEST = json.loads((web.BUILT / "manifest.json").read_text())


def test_the_manifest_is_of_the_committed_sources_and_files() -> None:
    assert MANIFEST["sources"] == web.sources(), "make web"
    found = {each.name for each in web.BUILT.iterdir()} - {"manifest.json"}
    assert found == set(MANIFEST["files"])
    for name, told in MANIFEST["files"].items():
        content = (web.BUILT / name).read_bytes()
        digest = b64encode(hashlib.sha384(content).digest()).decode()
        assert told == {"bytes": len(content), "integrity": f"sha384-{digest}"}, name


def test_the_manifest_names_the_locks_tools() -> None:
    packages = json.loads((web.WEB / "package-lock.json").read_text())["packages"]
    locked = {name: packages[f"node_modules/{name}"]["version"] for name in MANIFEST["tools"]}
    assert locked == MANIFEST["tools"]


def test_the_lock_names_no_registry_and_the_hash_of_each_package() -> None:
    text = (web.WEB / "package-lock.json").read_text()
    assert '"resolved"' not in text
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert [name for name, each in packages.items() if not each.get("integrity")] == []


@pytest.mark.parametrize("name", web_texts.TEXTS)
def test_errors_and_constants_are_the_interfaces(name: str) -> None:
    assert (web_texts.FOLDER / name).read_text() == web_texts.TEXTS[name](), "python -m scripts.web_texts"


def test_the_first_difference_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ROOT", tmp_path)
    made, committed = tmp_path / "made", tmp_path / "built"
    for folder in (made, committed):
        folder.mkdir()
        (folder / "a.js").write_text("1")
    web.compare(made, committed, "make web")
    (committed / "b.js").write_text("2")
    with pytest.raises(Failed, match=r"^built/b.js is not what its sources make: make web$"):
        web.compare(made, committed, "make web")
    (made / "b.js").write_text("3")
    with pytest.raises(Failed, match=r"built/b\.js"):
        web.compare(made, committed, "make web")


BUDGET = 60_000
"""Of scripts that a page loads, bytes as they are sent."""


@pytest.mark.parametrize("island", MANIFEST["entries"])
def test_a_page_loads_no_more_than_its_budget(island: str) -> None:
    loaded = [(web.BUILT / name).read_bytes() for name in MANIFEST["entries"][island]]
    assert sum(len(gzip.compress(each, 9, mtime=0)) for each in loaded) <= BUDGET
