"""``ionet market simulate``: the same seed, the same bytes; tables, figures for programs, a chart."""

from __future__ import annotations

import json
from pathlib import Path

from keeper.market.price import RULE
from keeper.market.simulation.findings import game
from keeper.market.simulation.play import play
from keeper.market.simulation.scenario import Attack, Scenario, Shock

SMALL = ("market", "simulate", "--days", 3, "--devices", 40)
ATTACK = ("--attack", "self-hire", "--share", 20)


def test_the_same_seed_gives_the_same_bytes(ionet):
    first, again = (ionet(*SMALL, *ATTACK, "--json") for _ in range(2))
    assert first == again
    assert first[0] == 0
    assert json.loads(first[1]) != json.loads(ionet(*SMALL, *ATTACK, "--seed", 2, "--json")[1])


def test_what_programs_get_is_what_was_played(ionet):
    scenario = Scenario(
        days=3, devices=40, attack=Attack.SELF_HIRE, share=20, shocks=(Shock(1, 150), Shock(2, 50, 3))
    )
    _, out, _ = ionet(*SMALL, *ATTACK, "--shock", "1:150", "--shock", "2:50:3", "--json")
    found = json.loads(out)
    honest, attacked = play(scenario.honest), play(scenario)
    assert found["scenario"]["rule"] == {"target": RULE.target, "step": RULE.step, "thin": RULE.thin}
    assert found["scenario"]["attack"] == "self-hire"
    assert found["honest"]["prices"] == honest.prices
    assert found["attacked"]["prices"] == attacked.prices
    assert len(honest.prices) == 72
    assert [each["day"] for each in found["honest"]["periods"]] == [0, 1, 2]
    result = game(scenario, honest, attacked)
    assert found["game"]["gain"] == round(result.gain, 6) < 0


def test_what_people_see(ionet):
    code, out, _ = ionet(*SMALL, *ATTACK, "--calm", "--target", 6000)
    assert code == 0
    for each in (
        "A class of 40 devices",
        "8 of 40 devices: hires itself to raise the price",
        "it serves others for longer by  -100.0 %",
        "Costs and values are lognormal",
    ):
        assert " ".join(each.split()) in " ".join(out.split())
    assert "own orders" not in ionet(*SMALL, "--calm")[1], "without an attack there is none"


def test_another_rule_is_another_market(ionet):
    prices = {
        tuple(json.loads(ionet(*SMALL, "--calm", *rule, "--json")[1])["honest"]["prices"])
        for rule in ((), ("--target", 5000), ("--step", 300), ("--thin", 400), ("--demand", 150))
    }
    assert len(prices) == 5


def test_a_chart_is_the_same_again_too(ionet):
    found = []
    for name in ("one.svg", "two.svg", "one.png"):
        assert ionet(*SMALL, *ATTACK, "--chart", name)[0] == 0
        found.append(Path(name).read_bytes())
    assert found[0] == found[1]
    assert b"hires itself to raise the price" in found[0]
    assert found[2].startswith(b"\x89PNG")
