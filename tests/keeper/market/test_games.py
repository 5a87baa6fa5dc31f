"""What games of suppliers, renters and operators come to among agents, by the keeper's own rules.

Four days of 150 devices without shocks, one seed: the same everywhere. A month with several seeds is in
docs/benchmarks.md. Figures are for a device, in units of which a processor costs about 0.7 in an hour.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from keeper.market.simulation.findings import Game, game
from keeper.market.simulation.play import play
from keeper.market.simulation.scenario import Attack, Scenario
from keeper.market.simulation.town import Outcome

SCENARIO = Scenario(days=4, devices=150, shocks=())

FIGURES = {
    # what the specification of the rule knew
    (Attack.FLOOD, 10): (-22.0, 1.5, -1.6, 1.01),
    (Attack.FLOOD, 30): (-1.7, -0.4, -0.8, 1.01),
    (Attack.TOUCHES, 30): (-6.4, 3.6, 0.4, 1.00),
    (Attack.TOUCHES, 100): (1.4, 0.0, -2.5, 1.00),
    (Attack.FLASH, 30): (-10.7, 10.9, -24.9, 1.30),
    (Attack.FLASH, 100): (-0.4, 0.0, -27.0, 1.12),
    (Attack.HEAD, 10): (-8.3, 2.7, -5.9, 1.07),
    (Attack.HEAD, 30): (-9.2, 10.0, -22.7, 1.27),
    (Attack.RARE, 3): (-14.1, 2.3, -6.8, 1.08),
    (Attack.RARE, 18): (-12.0, 9.5, -34.1, 1.41),
    (Attack.BAIT, 18): (-11.0, -6.9, -30.5, 0.64),
    (Attack.SELF_HIRE, 10): (-10.0, 4.6, -14.2, 1.17),
    (Attack.SELF_HIRE, 30): (-12.2, 12.3, -41.2, 1.56),
    (Attack.LEAVES, 10): (-9.5, 2.4, -6.1, 1.05),
    (Attack.ABOVE, 10): (-9.5, 3.7, -9.6, 1.10),
    (Attack.WITHHOLDS, 30): (-0.1, 1.3, -5.0, 1.05),
    (Attack.PRICE, 10): (-8.4, 1.5, -0.1, 1.00),
    (Attack.HALF, 10): (-6.5, -0.3, 1.1, 0.98),
    (Attack.MARGIN, 10): (1.9, 1.0, -3.1, 1.03),
    (Attack.MARGIN, 100): (5.5, 0.0, -14.2, 1.14),
    # what it didn't
    (Attack.LULL, 30): (-0.7, 4.1, -10.1, 1.11),
    (Attack.BLINKS, 30): (-10.1, 7.4, -11.6, 1.10),
    (Attack.PROPS, 30): (-1.1, 3.9, -14.1, 1.16),
    (Attack.UNPROVEN, 30): (-11.0, 10.2, -26.2, 1.33),
    (Attack.GANG, 10): (-0.1, -8.2, -24.2, 0.73),
    (Attack.ROGUE, 10): (5.8, -0.1, 0.1, 1.00),
    (Attack.ROGUE, 30): (2.6, -0.3, -0.2, 1.01),
}
"""By attack and percent of devices: what a device of the attacker gains, what one of the others does, by how
many percent renters' surplus is more, and how many times as high the price is."""
PAYS = {Attack.MARGIN, Attack.ROGUE}, {(Attack.TOUCHES, 100)}
"""All that anybody gains by: dearer power, an operator that breaks the rule, all suppliers at once."""
EARNED = {3: 13.2, 10: 9.5, 18: 11.0, 30: 11.6, 100: 11.6}
"""What such a device earns honestly, by percent: it is the first devices that are an attacker's."""


@cache
def honest() -> Outcome:
    return play(SCENARIO)


@cache
def played(attack: Attack, share: int) -> Game:
    scenario = replace(SCENARIO, attack=attack, share=share)
    return game(scenario, honest(), play(scenario))


@pytest.mark.parametrize(("attack", "share"), FIGURES)
def test_what_a_game_brings(attack: Attack, share: int) -> None:
    found = played(attack, share)
    gain, others, surplus, price = FIGURES[attack, share]
    assert (found.gain, found.others, found.surplus) == pytest.approx((gain, others, surplus), abs=0.1)
    assert found.price == pytest.approx(price, abs=0.01)
    assert found.honest == pytest.approx(EARNED[share], abs=0.1)
    assert (found.gain > 0) == (attack in PAYS[0] or (attack, share) in PAYS[1])


@pytest.mark.parametrize("attack", [Attack.ABOVE, Attack.LEAVES, Attack.BAIT])
def test_who_is_never_leased_earns_nothing(attack: Attack) -> None:
    share = 18 if attack is Attack.BAIT else 10
    found = played(attack, share)
    assert (found.gain, found.served) == (-found.honest, -100)


@pytest.mark.parametrize(("attack", "share"), [(Attack.SELF_HIRE, 10), (Attack.RARE, 18)])
def test_who_hires_itself_loses_more_than_it_earned(attack: Attack, share: int) -> None:
    """All that it would have earned, and the fees; others have what the price brings."""
    found = played(attack, share)
    assert found.gain == pytest.approx(-found.honest - found.spent)
    assert found.spent > 0


def test_a_flood_costs_more_than_its_bots_bring() -> None:
    """Cancelled places cost the fee on an hour of each, urgency's too; the bots' hours are a fifth more."""
    found = played(Attack.FLOOD, 10)
    assert found.served > 10
    assert found.spent > 3 * (found.gain + found.spent)
