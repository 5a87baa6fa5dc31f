"""What ops/ starts: services whose commands, settings and addresses are this package's own."""

import json
import re
from pathlib import Path

import pytest
import yaml

from keeper.cli.answering import walk
from keeper.cli.main import COMMANDS
from keeper.settings import Settings
from scripts import alerts

OPS = Path(__file__).parents[3] / "ops"
COMPOSE = yaml.safe_load((OPS / "compose.yaml").read_text())
OWN = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "ionet"}
EXAMPLES = (OPS / "example.env").read_text()
EXAMPLE = dict(line.split("=", 1) for line in EXAMPLES.splitlines() if not line.startswith("#"))
SETTINGS = {f"IONET_{name.upper()}" for name in Settings.model_fields}


def test_prometheus_has_the_handbook_s_alerts() -> None:
    written = alerts.RULES.read_text()
    assert written == alerts.write(alerts.HANDBOOK.read_text()), "python -m scripts.alerts"
    (group,) = yaml.safe_load(written)["groups"]
    rules = {each["alert"]: each for each in group["rules"]}
    assert len(rules) == len(group["rules"]) >= 28
    assert rules["Hours are not minted"] == {
        "alert": "Hours are not minted",
        "expr": "max(ionet_emission_lag_hours) > 2",
        "for": "10m",
        "labels": {"severity": "page"},
    }


@pytest.mark.parametrize("when", ["often", "`up` sometimes", "`up` for two weeks"])
def test_an_alert_that_is_no_rule_is_told(when: str) -> None:
    with pytest.raises(ValueError, match=f"^it is late: {when} is no expression"):
        alerts.rules(f"\n## Alerts\n| it is late | {when} | no |\n## Next\n")


@pytest.mark.parametrize("name", OWN)
def test_commands_and_settings_of_services_are_there_are(name: str) -> None:
    group, command, *options = OWN[name]["command"]
    found = dict(walk(COMMANDS))[f"{group} {command}"]
    known = {each for option in found.params for each in option.opts}
    assert {each for each in options if each.startswith("--")} <= known
    assert set(OWN[name]["environment"]) <= SETTINGS


def test_prometheus_asks_where_services_answer() -> None:
    config = yaml.safe_load((OPS / "prometheus/prometheus.yml").read_text())
    asked = {
        target
        for job in config["scrape_configs"]
        for each in job["static_configs"]
        for target in each["targets"]
    }
    answers = {
        f"{name}:{OWN[name]['environment'][setting].rpartition(':')[2]}"
        for name, setting in (("keeper", "IONET_HTTP"), ("operator", "IONET_POW_METRICS"))
    }
    assert asked == answers
    assert [(OPS / "prometheus" / each).is_file() for each in config["rule_files"]] == [True]


def test_only_what_devices_need_is_reachable_from_outside() -> None:
    outside = {
        (name, port)
        for name, each in COMPOSE["services"].items()
        for port in each.get("ports", [])
        if not port.startswith("127.0.0.1:")
    }
    assert outside == {("operator", "9470:9470"), ("operator", "9472:9472/udp")}


def test_nothing_that_answers_strangers_has_more_than_it_needs() -> None:
    for name, each in OWN.items():
        assert each["read_only"] is True and each["cap_drop"] == ["ALL"], name
    assert not any("keys" in volume for volume in OWN["api"]["volumes"])
    assert "IONET_KEYPAIR" not in OWN["api"]["environment"]


@pytest.mark.parametrize("name", OWN)
def test_services_start_with_the_least_that_the_example_asks_for(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for each in SETTINGS:
        monkeypatch.delenv(each, raising=False)
    filled = EXAMPLE | {name: "https://x.example" for name, value in EXAMPLE.items() if not value}
    for setting, value in OWN[name]["environment"].items():
        if value is not None:  # Which is the environment's, and not there.
            monkeypatch.setenv(setting, re.sub(r"\$\{(\w+)[^}]*\}", lambda found: filled[found[1]], value))
    settings = Settings()
    assert settings.web_node is None and str(settings.chain) == "https://x.example"


def test_files_that_are_mounted_are_there() -> None:
    mounted = {
        volume.split(":")[0]
        for each in COMPOSE["services"].values()
        for volume in each["volumes"]
        if volume.startswith("./")
    }
    assert mounted - {"./keys"} and all((OPS / each).exists() for each in mounted - {"./keys"})
    named = {volume.split(":")[0] for each in COMPOSE["services"].values() for volume in each["volumes"]}
    assert named - mounted == set(COMPOSE["volumes"])


def test_the_example_names_each_value_that_is_asked_for() -> None:
    text = (OPS / "compose.yaml").read_text()
    assert set(EXAMPLE) == set(re.findall(r"\$\{(\w+)", text))
    needed = set(re.findall(r"\$\{(\w+):\?", text))
    assert {name for name, value in EXAMPLE.items() if not value} == needed
    passed_on = {
        name for each in OWN.values() for name, value in each["environment"].items() if value is None
    }
    assert passed_on == set(re.findall(r"^#(IONET_\w+)=", EXAMPLES, re.MULTILINE)) == {"IONET_WEB_NODE"}


def test_grafana_has_its_source_and_the_dashboard() -> None:
    folder = OPS / "grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in COMPOSE["services"]
    (provider,) = yaml.safe_load((folder / "dashboards/ionet.yaml").read_text())["providers"]
    place = provider["options"]["path"]
    assert f"./grafana/ionet.json:{place}/ionet.json:ro" in COMPOSE["services"]["grafana"]["volumes"]
    variables = json.loads((OPS / "grafana/ionet.json").read_text())["templating"]["list"]
    assert variables[0]["query"] == source["type"]


def test_the_image_copies_what_a_release_has() -> None:
    lines = (OPS / "Containerfile").read_text().splitlines()
    (copied,) = (line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line)
    assert copied == ["requirements.txt", "ionet-*.whl"]
    assert any("--require-hashes" in line for line in lines)
