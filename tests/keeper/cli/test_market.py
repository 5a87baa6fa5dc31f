"""``ionet market``: prices, quotes, the book, and an order that is opened by a quote, on a saved chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import orders, tokenomics
from keeper.economy.calendar import moment
from keeper.economy.classes import STALE
from keeper.economy.orders import fee
from keeper.market.folder import MarketFolder
from keeper.market.steps import StepTable
from tests.keeper.cli.test_orders import (
    Chained,
    chained,
    order_of,
    shown,
    step,
    transfers,
    words,
    world,
)
from tests.programs.orders.world import HOUR, IO, USDC, OrdersWorld
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import finish, key

__all__ = ["chained", "world"]

ON = ("--chain", "test.chain")
ASKED = ("--class", "rtx 4090", "--currency", "io", "--hours", 10, "--processors", 4)
OPENING = ("order", "create", "--number", 1, "--keypair", "renter.json", *ON, "--yes", "--quote")


def at(chained: Chained, second: int) -> OrdersWorld:
    """Bring the clock to a second of the next hour."""
    world = chained.load()
    world.chain.warp_to((world.chain.now() // HOUR + 1) * HOUR + second)
    return world


def save(chained: Chained) -> None:
    chained.world.chain.save(chained.path)


def quote(ionet, *more: object) -> dict:
    code, out, err = ionet("market", "quote", *ASKED, *more, "--json", *ON)
    assert code == 0, err
    Path("quote.json").write_text(out)
    return json.loads(out)


def fails(ionet, *arguments: object) -> str:
    code, _, err = ionet(*arguments)
    assert code == 1, err
    return words(err)


# -- prices --------------------------------------------------------------------------------------


def test_prices_with_what_is_announced(ionet, chained):
    world = at(chained, 30 * 60)
    step(world, 1_000, -1_000)
    save(chained)
    hour = world.chain.now() // HOUR * HOUR
    later, stale = moment(hour + HOUR), moment(hour + HOUR + STALE)
    code, out, err = ionet("market", "price", *ON)
    assert code == 0, err
    bounds = "0.00000001 1,000.00000000"
    assert f"RTX 4090 IO 2.00000000 {bounds} 2.20000000 (+10.00 %) {later} {stale}" in words(out)
    assert f"0.900000 (-10.00 %) {later} {stale}" in words(out)
    assert f"M4 IO 2.00000000 {bounds} - - a step changes it" in words(out)
    assert f"Before {later} nothing can hold but what is announced here" in words(out)


def test_a_class_and_a_currency_alone_for_programs(ionet, chained):
    world = at(chained, 30 * 60)
    step(world, 1_000, -1_000)
    save(chained)
    hour = world.chain.now() // HOUR * HOUR
    code, out, err = ionet("market", "price", "--class", "rtx 4090", "--currency", "usdc", "--json", *ON)
    assert code == 0, err
    (row,) = json.loads(out)["prices"]
    assert row == {
        "class": GPU_CLASS,
        "name": "RTX 4090",
        "currency": "usdc",
        "price": str(USDC),
        "low": "1",
        "high": str(1_000 * USDC),
        "stale": False,
        "stale_from": hour + HOUR + STALE,
        "opens_at": row["opens_at"],
        "step": {"at": hour + HOUR, "bps": -1_000, "price": "900000"},
        "bounds": None,
    }
    chained.later(HOUR)
    code, out, _ = ionet("market", "price", "--class", "rtx 4090", "--currency", "usdc", "--json", *ON)
    (row,) = json.loads(out)["prices"]
    assert (row["price"], row["step"]) == ("900000", None), "it holds by itself"


def test_a_stale_price_says_so(ionet, chained):
    world = at(chained, 0)
    step(world, 1_000, 0)
    world.chain.advance(HOUR + STALE)
    save(chained)
    _, out, _ = ionet("market", "price", *ON)
    assert "RTX 4090 IO 2.20000000, stale" in words(out)
    assert "asks bind" in words(out)
    said = fails(ionet, "market", "quote", *ASKED, *ON)
    assert "the price of RTX 4090 is stale, its devices' asks bind: say by --price of ionet order" in said


def test_past_steps_are_where_somebody_names_them(ionet, chained):
    world = at(chained, 60)
    save(chained)
    hour = world.chain.now() // HOUR
    assert "--dir names an operator's folder of them, or --explain" in fails(
        ionet, "market", "price", "--hours", 2, *ON
    )
    folder = MarketFolder(Path("market"))
    folder.write_steps(StepTable(hour - 1, {GPU_CLASS: (-89, 849)}))
    folder.write_steps(StepTable(hour - 3, {GPU_CLASS: (1, 2)}))
    arguments = ("market", "price", "--class", "rtx 4090", "--hours", 2, "--dir", "market", *ON)
    code, out, err = ionet(*arguments)
    assert code == 0, err
    measured, held = moment((hour - 1) * HOUR), moment((hour + 1) * HOUR)
    assert f"{measured} RTX 4090 -0.89 % +8.49 % {held}" in words(out)
    _, out, _ = ionet(*arguments, "--json")
    (found,) = json.loads(out)["published"]
    assert (found["hour"], found["steps"]) == (hour - 1, [{"class": GPU_CLASS, "io": -89, "usdc": 849}])
    said = fails(ionet, "market", "price", "--dir", "nowhere", *ON)
    assert "nowhere has no steps of the last 1 hours" in said


# -- quotes --------------------------------------------------------------------------------------


def test_a_quote_in_words(ionet, chained):
    world = at(chained, 10 * 60)
    save(chained)
    until = moment(world.chain.now() + 30 * 60)
    code, out, err = ionet("market", "quote", *ASKED, "--devices", 2, *ON)
    assert code == 0, err
    assert "RTX 4090 2.00000000 80.00000000 0.20000000 80.20000000 1" in words(out)
    assert "ordinary 0.25 % 0.40000000 160.40000000 IO" in words(out)
    assert "soon 1.25 % 2.00000000 162.00000000 IO" in words(out)
    assert "now 3.25 % 5.20000000 165.20000000 IO" in words(out)
    assert f"an order that is opened until {until} costs no more" in words(out)
    assert "1 of its 2 places can be filled." in words(out)
    assert "Devices of one country would be those of CH." in words(out)
    assert "Not certain: that what is free now is free then" in words(out)
    _, out, _ = ionet("market", "quote", *ASKED, "--devices", 2, "--min-devices", 2, *ON)
    assert "Nothing can serve it: it takes 2 at once." in words(out)


def test_a_quote_has_what_will_hold_in_its_time(ionet, chained):
    world = at(chained, 30 * 60)
    step(world, 1_000, -1_000)
    world.chain.warp_to(world.chain.now() // HOUR * HOUR + 40 * 60 - 1)
    save(chained)
    found = quote(ionet)
    assert (found["until"] - found["at"], found["terms"]["price"]) == (1, 2 * IO)
    chained.later(1)
    found = quote(ionet)
    assert (found["until"] - found["at"], found["terms"]["price"]) == (HOUR, 22 * IO // 10)
    assert found["classes"] == [{"number": GPU_CLASS, "name": "RTX 4090", "price": 22 * IO // 10, "free": 1}]
    assert found["costs"][0] == {
        "urgency": "ordinary",
        "fee_bps": 25,
        "lease": 88 * IO,
        "fee": 22 * IO // 100,
    }


def test_an_order_is_opened_by_a_quote(ionet, chained):
    at(chained, 10 * 60)
    save(chained)
    quote(ionet, "--urgency", "soon", "--country", "CH", "--country", "DE")
    code, out, err = ionet(*OPENING, "quote.json")
    assert code == 0, err
    world = chained.load()
    place = 2 * IO * 4 * 10 + fee(2 * IO * 4 * 10, 125)
    order = order_of(world)
    assert shown(out) == transfers(world)
    assert transfers(world) == [(str(tokenomics.tokens_address(order.renter)), str(order.vault), place)]
    terms = order.terms
    assert (terms.price, terms.hours, terms.processors, terms.classes) == (2 * IO, 10, 4, (GPU_CLASS,))
    assert (terms.urgency.name, terms.countries) == ("SOON", ("CH", "DE"))


def test_what_nothing_can_serve_is_said_before_money_moves(ionet, chained, monkeypatch):
    """By a quote, and by an order that is shown and not signed yet: which limit excludes what."""
    save(chained)
    nowhere = (*ASKED, "--country", "IS")
    code, out, err = ionet("market", "quote", *nowhere, *ON)
    assert code == 0, err
    assert "Nothing can serve it: it takes one." in words(out)
    assert "none in IS." in words(out)
    opening = ("order", "create", "--number", 1, "--keypair", "renter.json", *ON)

    def no(*_: object, **__: object) -> bool:
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", no)
    said = words("".join(map(str, ionet(*opening, *nowhere)[1:])))
    assert "Nothing can serve it: it takes one." in said and "none in IS" in said
    assert not finish(orders.read_orders(chained.load().chain)), "nobody said yes"


def test_a_quote_holds_to_its_last_second(ionet, chained):
    at(chained, 10 * 60)
    save(chained)
    quote(ionet)
    chained.later(30 * 60)
    code, _, err = ionet(*OPENING, "quote.json", "--dry-run")
    assert code == 0, err
    chained.later(1)
    assert "the quote has ended 1 seconds ago: ionet market quote makes another one" in fails(
        ionet, *OPENING, "quote.json"
    )


def test_no_order_is_opened_above_its_quote(ionet, chained):
    at(chained, 10 * 60)
    save(chained)
    found = quote(ionet)

    def changed(**more: object) -> str:
        Path("other.json").write_text(json.dumps({**found, **more}))
        return fails(ionet, *OPENING, "other.json")

    dearer = [{**found["classes"][0], "price": 2 * IO - 1}]
    assert "RTX 4090 costs more now than the quote says" in changed(classes=dearer)
    costs = [{**each, "fee_bps": each["fee_bps"] - 1} for each in found["costs"]]
    assert "the fee is higher now than the quote says" in changed(costs=costs)
    assert "the quote is of another network" in changed(network="elsewhere")
    gone = {"classes": [{**found["classes"][0], "number": 9}], "terms": {**found["terms"], "classes": [9]}}
    assert "the network has no class RTX 4090: make a new quote" in changed(**gone)
    assert "prices of other classes than its terms" in changed(classes=[])
    assert "the quote's terms don't belong together" in changed(costs=[])
    more = {**found["terms"], "min_devices": 2}
    assert "the quote's terms don't belong together" in changed(terms=more)
    assert "no quote that ionet market quote --json wrote: form" in changed(form=2)
    assert "no quote that ionet market quote --json wrote: terms.hours" in changed(
        terms={**found["terms"], "hours": 0}
    )
    assert not chained.load().chain.get(orders.order_address(key("renter").pubkey(), 1))


def test_a_price_that_is_announced_after_a_quote_doesnt_reach_it(ionet, chained):
    world = at(chained, 10 * 60)
    save(chained)
    quote(ionet)
    step(world, 1_000, 0)
    world.chain.advance(30 * 60)
    save(chained)
    code, _, err = ionet(*OPENING, "quote.json")
    assert code == 0, err
    assert order_of(chained.load()).terms.price == 2 * IO


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--hours", 1), "--quote has all of the order's terms: leave --hours out"),
        (("--price", "3"), "leave --price out, or the quote"),
        (("--min-devices", 1), "leave --min-devices out"),
        (("--class", "rtx 4090"), "leave --class out"),
    ],
)
def test_a_quote_and_other_terms_dont_go_together(ionet, chained, more, said):
    at(chained, 10 * 60)
    save(chained)
    quote(ionet)
    assert said in fails(ionet, *OPENING, "quote.json", *more)


# -- the book ------------------------------------------------------------------------------------


def test_the_book(ionet, chained):
    world = chained.load()
    supplier = key("supplier")
    world.let("dear", supplier, ask_io=5 * IO)
    world.let("hired", supplier)
    world.let("off", supplier, ask_io=0, ask_usdc=0)
    first = world.order(key("renter"), 7, devices=1)
    world.run(first, "hired")
    gang = world.order(key("renter"), 8, devices=3, min_devices=3)
    world.chain.advance(299)
    save(chained)
    code, out, err = ionet("market", "book", *ON)
    assert code == 0, err
    assert "RTX 4090 4 CH 4 12 4 8" in words(out), "hired, free, willing for IO, for USDC"
    assert f"{gang.address} 00:04:59 ordinary 3 RTX 4090 4 3.00000000 IO 3 at once" in words(out)
    assert "keeps what it could have" not in words(out)
    assert str(first.address) not in words(out), "it has its device"
    chained.later(1)
    _, out, _ = ionet("market", "book", "--json", *ON)
    found = json.loads(out)
    willing = {"io": 4, "usdc": 8}
    assert found["supply"] == [
        {
            "class": GPU_CLASS,
            "name": "RTX 4090",
            "tier": 4,
            "country": "CH",
            "hired": 4,
            "free": 12,
            "willing": willing,
        }
    ]
    (row,) = found["orders"]
    assert (row["order"], row["age"], row["minimum"], row["holds"]) == (str(gang.address), 300, 3, True)
    _, out, _ = ionet("market", "book", "--class", "M4", "--json", *ON)
    assert json.loads(out) == {"supply": [], "orders": []}


def test_a_chain_without_a_market(ionet, tmp_path):
    EmbeddedChain().save(tmp_path / "test.chain")
    assert "orders is not set up on this chain" in fails(ionet, "market", "quote", *ASKED, *ON)
    assert "this chain has no classes yet" in fails(ionet, "market", "price", "--class", "M4", *ON)
