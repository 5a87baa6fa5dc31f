"""The picture of the layers is what the import contract and the rooms' docstrings say."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

from scripts.architecture import PICTURE, PLANNED, ROOT, TOUCHES, draw, layers

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_what_the_contract_says() -> None:
    assert PICTURE.read_text() == draw(layers()), "run python -m scripts.architecture"


def test_every_room_is_in_it_and_no_other() -> None:
    names = [
        each.text for each in ElementTree.parse(PICTURE).iter(f"{SVG}text") if each.get("class") == "name"
    ]
    built = {path.stem for path in (ROOT / "keeper").iterdir() if not path.name.startswith("_")}
    assert set(names) == built | PLANNED.keys()
    assert len(names) == len(set(names))


def test_a_planned_room_that_is_built_is_no_longer_dashed(tmp_path: Path) -> None:
    # None is planned any more: this one was.
    layers_of = (ROOT / "pyproject.toml").read_text()
    assert "| audit |" in layers_of
    (tmp_path / "pyproject.toml").write_text(layers_of.replace("| audit |", "| (audit) |"))
    shutil.copytree(ROOT / "keeper", tmp_path / "keeper", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "keeper/audit/__init__.py").write_text('"""Everything again. And more."""\n')
    (room,) = [room for layer in layers(tmp_path) for room in layer if room.name == "audit"]
    assert (room.text, room.planned) == ("Everything again.", False)


def test_what_lines_do_is_said_of_layers_that_there_are() -> None:
    assert TOUCHES.keys() <= {layer[0].name for layer in layers()}
