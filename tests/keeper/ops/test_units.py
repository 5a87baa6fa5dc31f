"""What systemd and Kubernetes are given: read by their own rules, fitting the settings and each other."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from keeper.settings import Settings

OPS = Path(__file__).parents[3] / "ops"
UNIT, PODS = OPS / "ionet-worker.service", OPS / "ionet-workers.yaml"


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(PODS.read_text()))


def verified(unit: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """What systemd says of a user's unit."""
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    command = ["systemd-analyze", "--user", "--man=no", "verify", str(unit)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't here")
def test_systemd_takes_the_unit_and_refuses_a_wrong_one(tmp_path: Path) -> None:
    program = tmp_path / ".local/share/ionet/venv/bin/ionet"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/true")
    found = verified(UNIT, tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    wrong = tmp_path / UNIT.name
    wrong.write_text(UNIT.read_text().replace("Delegate=yes", "Delegate=perhaps\nDelegates=yes"))
    found = verified(wrong, tmp_path)
    assert "perhaps" in found.stderr and "Delegates" in found.stderr


def test_the_unit_limits_sandboxes_and_has_no_last_restart() -> None:
    lines = UNIT.read_text().splitlines()
    for line in ("Delegate=yes", "Restart=always", "StartLimitIntervalSec=0", "KillMode=mixed"):
        assert lines.count(line) == 1


def test_kubernetes_schema_takes_the_manifest_and_refuses_a_wrong_one() -> None:
    version = kubernetes_validate.latest_version()
    for each in documents():
        kubernetes_validate.validate(each, version, strict=True)
    wrong = documents()[1]
    wrong["spec"]["template"]["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_a_pod_has_the_settings_that_there_are_a_key_and_a_folder_of_its_own_and_no_privilege() -> None:
    settings, pods = documents()
    spec = pods["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    named = {each["name"] for each in container["env"]} - {"POD"} | settings["data"].keys()
    fields = {f"IONET_{each.upper()}" for each in Settings.model_fields}
    assert named == {"IONET_OPERATORS", "IONET_CHAIN", "IONET_KEYPAIR", "IONET_WORKER"} and named <= fields
    (source,) = container["envFrom"]
    assert source["configMapRef"]["name"] == settings["metadata"]["name"]
    mounts = {each["name"] for each in container["volumeMounts"]}
    claims = {each["metadata"]["name"] for each in pods["spec"]["volumeClaimTemplates"]}
    assert mounts == {each["name"] for each in spec["volumes"]} | claims
    assert spec["securityContext"]["runAsNonRoot"] and not spec["automountServiceAccountToken"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    apart = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [each["topologyKey"] for each in apart] == ["kubernetes.io/hostname"]
    labels = pods["spec"]["template"]["metadata"]["labels"]
    assert [each["labelSelector"]["matchLabels"] for each in apart] == [labels]
