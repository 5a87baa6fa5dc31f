"""The demo's page: whole in itself, all of it from the run's data, whatever is in that."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keeper.web
from keeper.demo import page
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.web import figures
from tests.keeper.demo.page import Page

TEMPLATES = Path(keeper.web.__file__).parent / "templates"


def sections() -> list[Section]:
    sheet = Sheet("What <b>was</b>", ("who", "", "IO"), left=(0, 1))
    sheet.add_row("<script>alert(1)</script>", "&amp;", "1.5", end_section=True)
    sheet.add_row("left out")
    axis = figures.Axis([(0, "first"), (2, "<last>")], 0, 2)
    svg = figures.lines('A "title"', [figures.Series("a", [(0, 1), (1, 3), (2, 2)], steps=True)], axis)
    figure = Picture(svg, ("a", "b"), "IO", sheet)
    one = Section(
        "one", "One & only", "It is about <this>.", [sheet, "Said < so."], [figure], ("show OUT/x",)
    )
    return [one, Section("two", "Two", "Nothing.", [])]


def test_it_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    page.write(sections(), "3 figures", tmp_path)
    read = Page().read((tmp_path / "index.html").read_text())
    assert read.problems == []
    assert read.loaded == ["#one", "#two"]
    assert {"#" + each for each in read.ids} >= set(read.loaded)
    assert len(set(read.ids)) == len(read.ids)
    assert not read.tags & {"script", "img", "link", "iframe", "object"}
    assert read.named == ['A "title"']


def test_what_it_shows_is_what_programs_get(tmp_path: Path) -> None:
    page.write(sections(), "3 figures", tmp_path)
    read = Page().read((tmp_path / "index.html").read_text())
    found = json.loads((tmp_path / "results.json").read_text())
    tables = [each for one in found["sections"].values() for each in one["tables"]]
    assert tables[0]["rows"] == [["<script>alert(1)</script>", "&amp;", "1.5"], ["left out", "", ""]]
    assert [[each["columns"], *each["rows"]] for each in tables] == read.tables
    assert found["sections"]["one"]["texts"] == ["It is about <this>.", "Said < so."]
    assert all(text in read.texts for text in found["sections"]["one"]["texts"])
    assert f".venv/bin/ionet show {tmp_path}/x" in " ".join(read.texts)


def test_no_figure_is_typed_into_a_template() -> None:
    for path in TEMPLATES.glob("*.html"):
        bare = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}|<[^>]*>|SHA-256", "", path.read_text(), flags=re.S)
        assert not re.search(r"\d", bare), path


def test_ticks_are_round_and_hold_all_values() -> None:
    for high in (0.007, 0.99, 1.0, 3.3, 7, 95, 101, 799.99, 12_345_678.9):
        found = figures.ticks(0, high)
        assert found[0] == 0 and found[-1] >= high * (1 - 1e-9) and len(found) <= figures.TICKS + 1
        assert found[-2] < high
    assert figures.ticks(2.2, 2.9)[0] <= 2.2


def test_a_figure_draws_each_value_where_its_scale_has_it() -> None:
    axis = figures.Axis([(0, "0"), (10, "10")], 0, 10)
    svg = str(figures.lines("t", [figures.Series("a", [(0, 0), (10, 5)])], axis))
    low, high = figures.HEIGHT - figures.BOTTOM, figures.TOP
    right = figures.WIDTH - figures.RIGHT
    assert f'd="M{figures.LEFT}.0 {low}.0L{right}.0 {high}.0"' in svg
    svg = str(figures.bars("t", ["x"], [("a", [5]), ("b", [10])]))
    heights = [float(each) for each in re.findall(r'class="bar.*?height="([\d.]+)"', svg)]
    assert heights == [(low - high) / 2, low - high]
    svg = str(figures.areas("t", [figures.Series(n, [(0, 1), (10, 1)]) for n in "ab"], axis, limit=4))
    assert svg.count('class="area') == 2 and 'class="limit"' in svg
