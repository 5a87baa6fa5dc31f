"""What games of suppliers, renters and operators come to among agents, by the keeper's own rules.

Four days of 150 devices without shocks, one seed: the same everywhere. Longer ones with several seeds are in
docs/benchmarks.md. The figures are those of docs/market.md, in units of which a processor costs about 0.7.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from keeper.market.simulation.findings import Game, game
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.play import play
from keeper.market.simulation.scenario import WORDS, Attack, Scenario
from tests.keeper.market.test_market_examples import row, table

SCENARIO = Scenario(days=4, devices=150, shocks=())

KNOWN = (
    (Attack.FLOOD, 10),
    (Attack.TOUCHES, 30),
    (Attack.TOUCHES, 100),
    (Attack.FLASH, 30),
    (Attack.FLASH, 100),
    (Attack.HEAD, 10),
    (Attack.HEAD, 30),
    (Attack.RARE, 3),
    (Attack.RARE, 18),
    (Attack.BAIT, 18),
    (Attack.SELF_HIRE, 10),
    (Attack.SELF_HIRE, 30),
    (Attack.LEAVES, 10),
    (Attack.ABOVE, 10),
    (Attack.WITHHOLDS, 30),
    (Attack.PRICE, 10),
    (Attack.HALF, 10),
    (Attack.MARGIN, 10),
    (Attack.MARGIN, 100),
)
"""Games that the rule was made against, with percent of devices."""
NEW = (
    (Attack.LULL, 30),
    (Attack.BLINKS, 30),
    (Attack.PROPS, 30),
    (Attack.UNPROVEN, 30),
    (Attack.GANG, 10),
    (Attack.GANG, 30),
    (Attack.ROGUE, 10),
    (Attack.ROGUE, 30),
    (Attack.VOTES, 10),
)
"""Others."""
PAYS = {
    (Attack.MARGIN, 10),
    (Attack.MARGIN, 100),
    (Attack.TOUCHES, 100),
    (Attack.GANG, 30),
    (Attack.ROGUE, 10),
    (Attack.ROGUE, 30),
    (Attack.VOTES, 10),
}
"""All that anybody gains by: dearer power, all suppliers at once, gangs, and operators that cheat."""


@cache
def honest() -> Outcome:
    return play(SCENARIO)


@cache
def played(attack: Attack, share: int) -> Game:
    scenario = replace(SCENARIO, attack=attack, share=share)
    return game(scenario, honest(), play(scenario))


@pytest.mark.parametrize(("attack", "share"), KNOWN + NEW)
def test_what_a_game_brings_is_what_the_document_says(attack: Attack, share: int) -> None:
    found = played(attack, share)
    assert (found.gain > 0) == ((attack, share) in PAYS)
    others = f"{found.others:+.1f}" if share < 100 else "-"
    cells = f"{share} %", f"{found.honest:.1f}", f"{found.gain:+.1f}", others, f"{found.surplus:+.0f} %"
    expected = row(WORDS[attack], *cells, f"{found.price:.2f}")
    assert expected in table("games")


def test_every_game_of_the_document_is_played() -> None:
    assert len(table("games")) == len(KNOWN + NEW)


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


def test_who_ends_its_game_is_hired_again() -> None:
    """As an operator that is replaced ends its own: from that day on everybody asks its costs."""
    lies = replace(SCENARIO, days=2, devices=40, attack=Attack.ABOVE, share=10)
    for_ever, for_a_day = (play(replace(lies, ends=ends)) for ends in (0, 1))
    assert not for_ever.served[: lies.own].any()
    assert for_a_day.served[: lies.own].sum() > 0
    assert for_a_day.prices[:24] == for_ever.prices[:24]
