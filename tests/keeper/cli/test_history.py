"""An address' history and an order's receipt: by a file alone, by a keeper's database, equal to balances."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.chain.framework import associated_token_address
from keeper.clients import orders, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.economy.supply import IO
from tests.keeper.indexer.test_folds import Let
from tests.programs.buyback.world import USDC, USDC_MINT
from tests.programs.world import DAY

CHAIN = ("--chain", "network.chain")
BEGAN = 100_000
"""What a renter has first, in whole units of either currency."""


class Told(Let):
    """All orders that were closed and are still open, in a file."""

    @classmethod
    def saved(cls, place: Path) -> Told:
        world = cls.started()
        assert isinstance(world, Told)
        world.begin()
        world.finish()
        world.chain.save(place)
        return world


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told.saved(tmp_path / "network.chain")


def receipts(ionet, world: Told) -> Iterator[dict]:
    ruth = world.ruth.pubkey()
    for number in range(1, 6):
        address = orders.order_address(ruth, number)
        code, out, _ = ionet("order", "receipt", address, "--json", *CHAIN)
        assert code == 0
        (found,) = json.loads(out)["receipts"]
        yield found


def test_receipts_are_what_the_accounts_hold(ionet, told):
    """What renters have less, suppliers and fee vaults have more, to the base unit."""
    config = told.orders_config()
    spent = {"IO": 0, "USDC": 0}
    fees = {"IO": 0, "USDC": 0}
    paid: dict[tuple[str, str], int] = {}
    for each in receipts(ionet, told):
        currency, deposit, back = each["currency"], int(each["deposit"]), int(each["refunded"])
        there = int(each["free"]) + int(each["held"])
        assert deposit == int(each["paid"]) + int(each["fees"]) + back + there
        assert (each["closed"] is None) == bool(there)
        assert sum(int(lease["paid"]) for lease in each["leases"]) == int(each["paid"])
        spent[currency] += deposit - back
        fees[currency] += int(each["fees"])
        for lease in each["leases"]:
            key = lease["payout"], currency
            paid[key] = paid.get(key, 0) + int(lease["paid"])
    for mint, unit, currency, vault in (
        (tokenomics.MINT, IO, "IO", config.io_fees),
        (USDC_MINT, USDC, "USDC", config.usdc_fees),
    ):
        renter = associated_token_address(told.ruth.pubkey(), mint)
        assert told.tokens(renter) == BEGAN * unit - spent[currency]
        assert told.tokens(vault) == fees[currency]
    assert {currency for _, currency in paid} == {"IO", "USDC"} and all(paid.values())


def test_a_receipt_for_people(ionet, told):
    address = orders.order_address(told.ruth.pubkey(), 1)
    code, out, err = ionet("order", "receipt", address, *CHAIN)
    assert code == 0 and "Traceback" not in err
    assert "were put into this order" in out
    head = out.split("Payments")[0]
    assert max(map(len, head.splitlines())) <= 80
    for said in ("escrowed", "paid to suppliers", "given back", "served", "completed", "fees"):
        assert said in out
    code, _, err = ionet("order", "show", address, *CHAIN)
    assert code == 1 and "ionet order receipt" in err


def test_pages_are_all_of_it_once_newest_first(ionet, told):
    """Page by page, at once as CSV, and as JSON: the same events, which name the address."""
    ruth = str(told.ruth.pubkey())
    pages, before = [], None
    while True:
        more = ("--before", before) if before else ()
        code, out, _ = ionet("history", ruth, "--json", "--limit", 7, *more, *CHAIN)
        assert code == 0
        page = json.loads(out)
        pages += page["events"]
        before = page["before"]
        if before is None:
            break
    named = [
        (str(record.signature), found.event.name)
        for record in told.chain.transactions()
        for program in PROGRAMS.values()
        for found in program.located_events(record)
        if told.ruth.pubkey() in found.event.fields.values()
    ]
    assert [(each["signature"], each["event"]) for each in reversed(pages)] == named
    code, out, _ = ionet("history", ruth, "--csv", *CHAIN)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["signature"] for row in rows] == [each["signature"] for each in pages]
    assert [json.loads(row["fields"]) for row in rows] == [each["fields"] for each in pages]
    order = orders.order_address(told.ruth.pubkey(), 2)
    code, out, _ = ionet("history", order, "--event", "Refund", "--program", "orders", *CHAIN)
    assert code == 0 and "USDC of this address went back to its renter" in " ".join(out.split())


def test_a_keepers_database_says_how_old_it_is(ionet, told):
    """What is there is read, not made again; another chain's isn't taken for this one's."""
    ruth = told.ruth.pubkey()
    assert ionet("index", *CHAIN)[0] == 0
    code, out, _ = ionet("history", ruth, *CHAIN)
    assert code == 0 and "s ago, by ionet.db" in " ".join(out.split())
    told.order(told.ruth, 9, devices=1)
    told.chain.save(Path("network.chain"))
    assert "s ago" in ionet("order", "receipt", orders.order_address(ruth, 9), *CHAIN)[2]
    other = Let.started()
    other.chain.advance(DAY)
    other.chain.save(Path("other.chain"))
    code, out, _ = ionet("history", ruth, "--chain", "other.chain")
    assert code == 0 and "now" in out


def test_views_are_made_anew_by_one_command(ionet, told):
    assert ionet("db", "rebuild")[1] == "there is nothing to make views from yet\n"
    assert ionet("index", *CHAIN)[0] == 0
    ruth = told.ruth.pubkey()
    before = ionet("history", ruth, "--json", *CHAIN)[1]
    code, out, _ = ionet("db", "rebuild")
    assert (code, out) == (0, "all views are made anew\n")
    assert ionet("history", ruth, "--json", *CHAIN)[1] == before
