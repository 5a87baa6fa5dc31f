"""The table of profiles: each follows from a data sheet's figures, and nothing else is read."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from keeper.economy.classes import ProcessorKind, read_classes
from keeper.pow.profiles import ProfilesError, deadline_ms, hired_deadline_ms, read_profiles
from keeper.resources import POW_PROFILES
from scripts import pow_profiles

PROFILES = read_profiles()
CLASSES = {each.name: each for each in read_classes()}
BY_CLASS = {name: PROFILES.of_class(each.id) for name, each in CLASSES.items()}
WITHOUT: set[str] = set()
"""Rewarded classes that have no profile yet: their devices could never prove anything."""
TABLE = json.loads(POW_PROFILES.read_text())
with (POW_PROFILES.parent / "throughput.csv").open() as file:
    SHEETS = {row["class"]: row for row in csv.DictReader(file)}
REACHED = {"int8": 60, "fp16": 75, "fp32": 75}
"""Of a data sheet's figure, per cent."""
DATA_CENTRE = {
    *("B200", "H200", "H100 80GB HBM3", "H100 PCIe", "H100 80G PCIe", "L40S", "L4", "T4", "V100S"),
    *("A100 80GB PCIe", "A100-SXM4-80GB", "A100-PCIE-40GB"),
    *("V100 PCIe 16GB", "V100 SXM2 16GB", "V100 PCIe 32GB", "V100 SXM2 32GB"),
}


def test_the_file_is_what_the_script_writes() -> None:
    assert POW_PROFILES.read_text() == pow_profiles.text()
    assert PROFILES.hash == sha256(POW_PROFILES.read_bytes()).digest()


def test_every_rewarded_class_has_a_profile_and_no_other() -> None:
    rewarded = {name for name, each in CLASSES.items() if each.multiplier}
    assert {name for name, profile in BY_CLASS.items() if profile} == rewarded - WITHOUT
    numbers = {number for each in PROFILES.values() for number in each.classes}
    assert numbers <= {each.id for each in CLASSES.values()}


def test_no_two_models_share_a_profile() -> None:
    for each in PROFILES.values():
        kinds = {row.kind for row in CLASSES.values() if row.id in each.classes}
        assert len(each.classes) <= 1 or kinds == {ProcessorKind.CPU}


@pytest.mark.parametrize("name", SHEETS)
def test_k_and_t_follow_from_the_data_sheet(name: str) -> None:
    """Once more, in other words: K is one of the two multiples around 8 s, and the nearer."""
    sheet, profile = SHEETS[name], BY_CLASS[name]
    assert profile is not None and not profile.measured
    rate = Fraction(sheet["tops"]) * 10**10 * REACHED[sheet["unit"]]
    seconds = 2 * profile.m * profile.n * profile.K / rate
    assert abs(profile.T_ms - 1000 * seconds) <= Fraction(1, 2)
    step = seconds / (profile.K // 1024)
    if profile.K < 1 << 17 or seconds >= 8:
        assert abs(seconds - 8) <= min(step / 2, Fraction(8 * 5, 100))
    elif name == "B200":
        assert profile.T_ms == 6672
    else:
        assert seconds >= Fraction(8 * 95, 100) - Fraction(2, 100)


@pytest.mark.parametrize("name", SHEETS)
def test_a_plot_fits_its_card(name: str) -> None:
    sheet, profile = SHEETS[name], BY_CLASS[name]
    assert profile is not None
    if CLASSES[name].kind == ProcessorKind.APPLE:
        assert profile.residency is None
        return
    plot = profile.residency
    assert plot is not None and not plot.measured
    memory = int(sheet["mib"]) << 20
    assert plot.m == (1 << 19 if memory < 16 << 30 else 1 << 20)
    for inner, fill in ((plot.K_many, 92), (plot.K, 92 if name in DATA_CENTRE else 88)):
        # At most what a plot should fill, and not by a step of 1,024 less.
        assert 100 * plot.m * inner <= fill * memory < 100 * plot.m * (inner + 1024)
    assert (plot.inner(4), plot.inner(5)) == (plot.K, plot.K_many)
    rate = Fraction(sheet["tops"]) * 10**10 * REACHED[sheet["unit"]]
    least = plot.passes * plot.m * plot.K_many * max(512 / rate, Fraction(1, int(sheet["gbps"]) * 10**9))
    assert 1000 * least <= plot.T_ms <= 1.2 * 1000 * least + 12 * plot.passes + 1


@pytest.mark.parametrize("number", list(PROFILES))
def test_a_card_serves_one_device(number: int) -> None:
    profile = PROFILES[number]
    assert profile.T_ms <= 10_000
    assert 2 * profile.T_ms > deadline_ms(profile.T_ms)
    # Also one that is a quarter faster than the fastest kernel known.
    assert 2 * profile.T_ms > Fraction(5, 4) * deadline_ms(profile.T_ms)
    if profile.residency:
        assert profile.residency.T_ms <= 10_000
        assert 2 * profile.residency.T_ms > deadline_ms(profile.residency.T_ms)


def test_deadlines() -> None:
    assert (deadline_ms(8000), hired_deadline_ms(8000)) == (11_900, 19_100)
    # The longest is over before operators seal, 40 s after the block.
    assert hired_deadline_ms(10_000) == 23_500


def test_profiles_for_tests_and_cpus() -> None:
    assert PROFILES[0].m * PROFILES[0].n * PROFILES[0].K < 1 << 26
    cpu = PROFILES[7]
    assert (cpu.m, cpu.n, cpu.K, cpu.segments, cpu.record) == (1 << 14, 1 << 13, 1 << 13, 32, 256)
    assert cpu.residency is not None and cpu.residency.m * cpu.residency.K == 64 << 20
    assert (cpu.residency.rounds, cpu.residency.leaves) == (16, 256)


# -- what is refused ---------------------------------------------------------------------------------


def changed(tmp_path: Path, **values: Any) -> Path:
    rows = [dict(each) for each in TABLE["profiles"][:3]]
    plot = values.pop("plot", {})
    rows[2] = {**rows[2], "residency": {**rows[2]["residency"], **plot}, **values}
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps({"profiles": rows}))
    return path


def test_an_unchanged_one_is_read(tmp_path: Path) -> None:
    assert read_profiles(changed(tmp_path))[7] == PROFILES[7]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"id": 0}, "profile 0 is there twice"),
        ({"id": -1}, "out of bounds"),
        ({"id": 1 << 16}, "out of bounds"),
        ({"id": True}, "out of bounds"),
        ({"m": 12_000}, "no power of two"),
        ({"m": 1}, "no power of two"),
        ({"n": 128}, "no power of two"),
        ({"n": "8192"}, "no power of two"),
        ({"K": 1000}, "out of bounds"),
        ({"K": (1 << 17) + 1024}, "out of bounds"),
        ({"q": 0}, "out of bounds"),
        ({"T_ms": 10_001}, "out of bounds"),
        ({"T_ms": 8000.0}, "out of bounds"),
        ({"measured": 1}, "out of bounds"),
        ({"classes": [1, 1]}, "class 1 is there twice"),
        ({"classes": 1}, "classes are a list"),
        ({"classes": ["1"]}, "classes are a list"),
        ({"more": 1}, "its fields are"),
        ({"residency": 5}, "residency: its fields are"),
        ({"plot": {"m": 64}}, "residency: a number"),
        ({"plot": {"rounds": 0}}, "residency: a number"),
        ({"plot": {"passes": 0}}, "residency: a number"),
        ({"plot": {"K_many": None}}, "residency: a number"),
        ({"plot": {"T_ms": 0}}, "residency: a number"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfilesError, match=words):
        read_profiles(changed(tmp_path, **values))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"profiles": 1}', '{"profiles": [1]}', "\xff"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "profiles.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ProfilesError, match="profiles"):
        read_profiles(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfilesError, match="No such file"):
        read_profiles(tmp_path / "none.json")
