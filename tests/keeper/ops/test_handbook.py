"""What operators read is what the code does: settings, jobs, figures, events, dashboard, alerts."""

import ast
import json
import re
from pathlib import Path

import pytest

from keeper.figures import Figures
from keeper.jobs import names
from keeper.operator.metrics import Metrics as ServiceMetrics
from keeper.runtime import operation
from keeper.runtime.metrics import Metrics
from keeper.runtime.readiness import reasons
from keeper.settings import Settings

ROOT = Path(__file__).parents[3]
HANDBOOK = ROOT / "docs/operations.md"
DASHBOARD = ROOT / "ops/grafana/ionet.json"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
SERIES = re.compile(r"\bionet_[a-z_]+\b")


ALL: tuple[Figures, ...] = Metrics(), ServiceMetrics()
"""A keeper's and a challenge service's figures."""
COLLECTORS = [each for of in ALL for each in vars(of).values() if hasattr(each, "_labelnames")]
FAMILIES = [each for of in ALL for each in of.registry.collect()]
NAMES = set.union(*(each.names() for each in ALL))


def section(title: str) -> str:
    """The part of the handbook under a heading."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", HANDBOOK.read_text(), re.M | re.S)
    assert found, title
    return found[1]


def table(title: str) -> list[list[str]]:
    """The rows of a section's first table, cell by cell."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named(module: ast.Module) -> list[str]:
    """The names in a module's table ``LOGGED``, none when it has no such table."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LOGGED":
            return [row[0] for row in ast.literal_eval(node.value).values()]
    return []


def logged() -> dict[str, set[str]]:
    """Every event name that the code logs, with the levels."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "keeper").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in LEVELS and node.args:
                called_on = ast.unparse(node.func.value)
                if called_on.split(".")[-1] not in ("log", "_log") and "get_logger" not in called_on:
                    continue
                name = node.args[0]
                # A module that logs the programs' events has a table of their names in the log.
                names = [ast.literal_eval(name)] if isinstance(name, ast.Constant) else named(tree)
                assert names, f"{path}:{node.lineno}: an event's name is a constant, what changes is a field"
                level = "error" if node.func.attr == "exception" else node.func.attr
                for each in names:
                    found.setdefault(each, set()).add(level)
    found["library.logged"] = {"warning"}
    return found


def default(name: str) -> str:
    """A setting's default as the handbook has it."""
    if name == "jobs":
        return "all"
    value = Settings.model_fields[name].default
    if name == "name":
        return "the host's"
    return "" if value is None else f"`{value}`"


def test_every_setting_with_its_default():
    rows = {row[0].strip("`"): row[1:] for row in table("Settings")}
    expected = {
        f"IONET_{name.upper()}": [default(name), field.description]
        for name, field in Settings.model_fields.items()
    }
    assert rows == expected


def test_every_job():
    rows = {row[0].strip("`") for row in table("Jobs")}
    assert rows == {*names.NAMES, *operation.OWN}, "docs/operations.md, Jobs"


def test_every_job_that_acts_with_its_actions_keys():
    rows = re.findall(r"^\| `(\w+)` \| .* \| `\w+:", (ROOT / "docs/keeper.md").read_text(), re.M)
    assert tuple(rows) == names.NAMES, "docs/keeper.md, Jobs: in the order in which they run"


def test_every_figure_with_its_meaning():
    families = {
        each.name + ("_total" if each.type == "counter" else ""): each.documentation for each in FAMILIES
    }
    assert {row[0].strip("`"): row[2] for row in table("Figures")} == families


def test_the_labels_of_every_figure():
    labels = {}
    for collector in COLLECTORS:
        suffix = "_total" if collector._type == "counter" else ""
        labels[collector._name + suffix] = ", ".join(collector._labelnames)
    assert {row[0].strip("`"): row[1].replace("`", "") for row in table("Figures")} == labels


def test_every_event_with_its_level():
    rows = {row[0].strip("`"): set(row[1].split(", ")) for row in table("Events")}
    assert rows == logged(), "docs/operations.md, Events: the names and levels of all that is logged"
    assert all(re.fullmatch(r"[a-z]+(\.[a-z_]+)+", name) for name in rows)


def test_every_reason_not_to_be_ready():
    source = ast.parse(Path(reasons.__code__.co_filename).read_text())
    (function,) = [
        each for each in source.body if isinstance(each, ast.FunctionDef) and each.name == "reasons"
    ]
    names = {
        node.slice.value
        for node in ast.walk(function)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and ast.unparse(node.value) == "found"
    }
    assert {row[0].strip("`") for row in table("Health")} == names


def expressions() -> list[str]:
    """All that the dashboard asks Prometheus for."""
    board = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return asked + [each["query"]["query"] for each in board["templating"]["list"] if "refresh" in each]


def test_the_dashboard_shows_what_there_is():
    asked = {name for each in expressions() for name in SERIES.findall(each)}
    assert asked <= NAMES
    shown = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in asked}
    families = {each.name for each in FAMILIES}
    assert families == shown, "every figure is on the dashboard"


def test_the_dashboard_s_labels_are_the_figures_own():
    labels = {"job", "instance", "le", "name", "address"}
    for collector in COLLECTORS:
        labels |= set(collector._labelnames)
    for each in expressions():
        for group in re.findall(r"by \(([^)]*)\)", each):
            assert set(group.split(", ")) <= labels, each
        for matchers in re.findall(r"\{([^}]*)\}", each):
            assert {re.split(r"[=!]", part)[0] for part in matchers.split(",")} <= labels, each


def test_the_dashboard_s_panels_are_whole():
    board = json.loads(DASHBOARD.read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def test_alerts_ask_for_figures_that_there_are():
    rows = table("Alerts")
    asked = {name for row in rows for name in SERIES.findall(row[1])}
    assert asked and asked <= NAMES


@pytest.mark.parametrize("path", ["docs/operations.md", "docs/keeper.md", "ops/grafana/ionet.json"])
def test_files_that_the_handbook_is_linked_by(path):
    assert (ROOT / path).is_file()
    assert path.split("/")[-1] in (ROOT / "README.md").read_text() + HANDBOOK.read_text()
