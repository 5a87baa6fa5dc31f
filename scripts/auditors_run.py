"""The auditors' run, `make audit`: the demo's network audited, and every test that docs/assurance.md names.

On the embedded chain it audits what ``make demo`` left in out/demo, and makes that first if it isn't there.
The demo has liars for it: what they do must be found, and nothing else. On a validator it runs the scenarios
of tests/e2e. Figures go into tests/assurance/runs.json, and from there into the page.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from scripts import assurance

ROOT = assurance.ROOT
DEMO = ROOT / "out/demo"
BIN = Path(sys.executable).parent
PLANTED = {
    ("hours", "input_differs"): "a false payout in what rewards were computed from",
    ("hours", "attestation_differs"): "its root and manifest, attested",
    ("hours", "attestation_conflict"): "the same hour, attested otherwise by the others",
    ("pow", "roots_conflict"): "a worker's key on two machines",
    ("pow", "evidence_missing"): "files of the hour in which the demo stops its operators",
    ("market", "batch_differs"): "a match that favours a friend",
}
"""What the demo leaves to be found, mostly by its liars: by the audit's part and the code of its findings."""
Figures = dict[str, int | str]


def main() -> None:
    """Run, write what each part found, and end with 1 where something isn't so."""
    chain = sys.argv[1] if len(sys.argv) > 1 else "embedded"
    if chain not in PARTS:
        raise SystemExit("CHAIN is embedded or validator")
    problems: list[str] = []
    commit = _commit()  # Before anything is written: a page with figures makes the tree a changed one.
    for part, run in PARTS[chain].items():
        figures, wrong = run()
        problems += wrong
        _write(chain, part, {"commit": commit, **figures})
    sys.exit("\n".join(problems) or 0)


def _write(chain: str, part: str, figures: Figures) -> None:
    runs = json.loads(assurance.RUNS.read_text())
    runs.setdefault(chain, {})[part] = figures
    assurance.RUNS.write_text(json.dumps(runs, indent=2) + "\n")
    assurance.PAGE.write_text(assurance.text())
    for what, figure in figures.items():
        print(f"{part}, {what}: {figure}")


def _audit() -> tuple[Figures, list[str]]:
    """What ``ionet audit`` looked at and found, and what of it isn't as it has to be."""
    if not (DEMO / "network.chain").exists():
        subprocess.run([BIN / "ionet", "demo"], cwd=ROOT, check=True)
    folders = [
        argument
        for option, name in (("--pow", "pow"), ("--rewards", "rewards"), ("--market", "market"))
        for folder in sorted((DEMO / name).iterdir())
        if folder.is_dir()
        for argument in (option, str(folder))
    ]
    command = [str(BIN / "ionet"), "audit", "--json", "--chain", str(DEMO / "network.chain"), *folders]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(done.stderr)
    answer = json.loads(done.stdout)
    figures: Figures = {"demo": json.loads((DEMO / "results.json").read_text())["summary"]}
    for part in answer["parts"]:
        looked = ", ".join(f"{count:,} {what}" for what, count in part["checked"].items())
        figures[f"looked at, {part['part']}"] = looked
    found = Counter((part["part"], each["code"]) for part in answer["parts"] for each in part["findings"])
    for key, what in PLANTED.items():
        figures[f"found: {what} (`{key[1]}`)"] = found[key]
    others = found - Counter({key: found[key] for key in PLANTED})
    figures["findings beside these"] = others.total()
    figures["left unchecked"] = sum(len(part["unchecked"]) for part in answer["parts"])
    problems = [
        f"the audit finds {code} in {part}, which the demo doesn't leave to be found" for part, code in others
    ]
    problems += [f"the audit doesn't find {what}" for key, what in PLANTED.items() if not found[key]]
    if figures["left unchecked"]:
        problems.append("the audit couldn't check all: ionet audit says what")
    return figures, problems


def _pytest(arguments: list[str]) -> tuple[Figures, list[str]]:
    """How many tests passed, and which failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(BIN / "pytest"), "-q", f"--junitxml={report}", *arguments]
        if subprocess.run(command, check=False, cwd=ROOT).returncode not in (0, 1):
            raise SystemExit("the tests couldn't be run")
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = [each for each in cases if each.find("failure") is not None or each.find("error") is not None]
    skipped = [each for each in cases if each.find("skipped") is not None]
    figures: Figures = {
        "passed": len(cases) - len(failed) - len(skipped),
        "failed": len(failed),
        "left out": len(skipped),
    }
    return figures, [f"{each.get('classname')}::{each.get('name')} failed" for each in failed]


def _named() -> tuple[Figures, list[str]]:
    """All that the page names, in Python."""
    return _pytest(["-n", "4", *(test for test in assurance.all_tests() if ".py" in test)])


def _scenarios() -> tuple[Figures, list[str]]:
    """Those of tests/e2e, on a validator of their own."""
    return _pytest(["--chain", "validator", "tests/e2e"])


def _cargo() -> tuple[Figures, list[str]]:
    """How many native tests of the programs passed."""
    cargo = shutil.which(os.environ.get("CARGO", "cargo"))
    if cargo is None:
        return {"passed": "not run: no Rust here"}, []
    command = [cargo, "test", "--quiet", "--workspace", "--locked"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    passed = sum(map(int, re.findall(r"^test result: \w+\. (\d+) passed", done.stdout, re.M)))
    return {"passed": passed}, [done.stdout + done.stderr] if done.returncode else []


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


PARTS: dict[str, dict[str, Callable[[], tuple[Figures, list[str]]]]] = {
    "embedded": {"audit": _audit, "tests": _named, "native": _cargo},
    "validator": {"tests": _scenarios},
}
"""What runs on each chain, in order; each is written down when it is done."""


if __name__ == "__main__":
    main()
