"""Whether an hour's steps are what the rule gives: those published, voted for and announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keeper.chain.program import Event
from keeper.clients.staking import Class
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.market.findings import SAME, Finding, Verdict, of_error
from keeper.market.folder import MarketFolder
from keeper.market.steps import StepTable


def of_published(folder: MarketFolder, rule: StepTable) -> Finding:
    """Compare an hour's published steps with those that the rule gives."""
    try:
        stated = folder.steps(rule.hour)
    except UserError as error:
        return of_error(error)
    for number in sorted(stated.steps.keys() | rule.steps.keys()):
        one, other = stated.steps.get(number), rule.steps.get(number)
        if one != other:
            return Finding(
                Verdict.DIFFERENT,
                f"class {number}: {_steps(one)} published, but the rule gives {_steps(other)}",
            )
    return SAME


def of_vote(events: Sequence[Event], rule: StepTable) -> Finding:
    """Compare what operators agreed on, by a chain's events, with what the rule gives."""
    votes = [each for each in events if each.name == "PricesVoted" and each.fields["hour"] == rule.hour]
    if not votes:
        return Finding(Verdict.MISSING, f"the chain has no vote on the steps of hour {rule.hour}")
    agreed = next((each.fields["root"] for each in votes if each.fields["agreed"]), None)
    if agreed is None:
        return Finding(Verdict.MISSING, f"operators haven't agreed on the steps of hour {rule.hour}")
    if agreed != rule.root:
        return Finding(
            Verdict.DIFFERENT,
            f"operators agreed on the root {agreed.hex()}, but the rule gives {rule.root.hex()}",
        )
    return SAME


def of_announced(
    events: Sequence[Event], rule: StepTable, classes: Mapping[int, Class]
) -> tuple[Finding, int]:
    """Compare an hour's announced steps, and the prices that they go on from; how many there are, too.

    ``classes`` are as of the first slot after the hour: what they cost until the new step holds follows.
    """
    found = [each for each in events if each.name == "PriceApplied" and each.fields["hour"] == rule.hour]
    for each in found:
        number, at = each.fields["class"], each.fields["at"]
        one, other = (each.fields["step_io"], each.fields["step_usdc"]), rule.steps.get(number)
        if one != other:
            what = f"class {number}: {_steps(one)} announced, but the rule gives {_steps(other)}"
            return Finding(Verdict.DIFFERENT, what), len(found)
        prices = each.fields["price_io"], each.fields["price_usdc"]
        follow = tuple(classes[number].price(currency, at).amount for currency in Currency)
        if prices != follow:
            what = f"class {number} costs {prices}, but from its steps follows {follow}, base units"
            return Finding(Verdict.DIFFERENT, what), len(found)
    return SAME, len(found)


def _steps(found: tuple[int, int] | None) -> str:
    if found is None:
        return "nothing"
    return ", ".join(f"{step:+} bps in {each.name}" for each, step in zip(Currency, found, strict=True))
