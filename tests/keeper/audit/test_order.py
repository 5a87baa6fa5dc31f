"""One order audited: honest ones add up and give no finding; lies of money, matches and votes are named."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.audit import market as of_market
from keeper.audit import order as of_order
from keeper.audit import parts
from keeper.audit.findings import Code, Finding, Part
from keeper.audit.order import NoSuchOrder
from keeper.audit.sources import Source
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.token import read_token_account
from keeper.clients import buyback, orders, staking
from keeper.compute.verdicts import FAULTS
from tests.keeper.audit.falsified import Falsified
from tests.keeper.audit.world import MidLife
from tests.keeper.indexer.test_folds import Let
from tests.keeper.jobs.market import three
from tests.keeper.jobs.test_faults import Court, silent_after
from tests.keeper.jobs.test_replays import FRIEND, favoured, honest
from tests.keeper.operator.test_board import place
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import HOUR, START, key


async def audited(chain: object, order: Pubkey, **folders: list[Path]) -> Part:
    """What is found of an order."""
    source = Source("here", chain, **folders)  # type: ignore[arg-type]
    report = await parts.only(source, partial(of_order.check, order=order))
    return report.parts[0]


def orders_of(chain: EmbeddedChain) -> list[Pubkey]:
    """All orders that there ever were."""
    events = [each for record in chain.transactions() for each in orders.PROGRAM.events(record)]
    return list(dict.fromkeys(each.fields["cluster_id"] for each in events if each.name == "BookProduct"))


@pytest.fixture(scope="module")
def let() -> Let:
    """Orders in every state, gangs, faults without evidence, money that waits."""
    world = Let.started()
    world.begin()
    return world


async def test_what_parties_got_is_what_moved(let: Let) -> None:
    """Of every order, ended or not: what was put in is with somebody, and it is where the tokens are."""
    world = let
    chain, fees, paid = world.chain, Counter[str](), defaultdict[tuple[str, str], int](int)
    for order in orders_of(chain):
        part = await audited(chain, order)
        # No operator here posts a batch of what it matches, or publishes evidence of a fault.
        assert {each.code for each in part.findings} <= {Code.BATCH_UNPOSTED}
        assert all("fault" in gap.what or "match" in gap.what for gap in part.unchecked), part.unchecked
        assert sum(each.put_in for each in part.shares) == sum(each.got for each in part.shares) > 0
        for each in part.shares:
            if each.role == "vault":
                account = chain.get(orders.vault_address(order))
                assert account is not None and read_token_account(account.data).amount == each.got
            elif each.role == "network":
                fees[each.currency] += each.got
                assert each.who in (str(buyback.IO_VAULT), str(world.orders_config().usdc_fees))
            elif each.role == "supplier":
                paid[each.who, each.currency] += each.got
    config = world.orders_config()
    for currency, vault in (("IO", config.io_fees), ("USDC", config.usdc_fees)):
        account = chain.get(vault)
        assert account is not None
        parked = await _parked(world, vault)
        assert read_token_account(account.data).amount + parked == fees[currency]
    assert fees["IO"] and fees["USDC"] and sum(paid.values())


async def _parked(world: Let, vault: Pubkey) -> int:
    accounts = await world.chain.program_accounts(orders.PROGRAM.address)
    found = [each.data for each in accounts.values() if orders.PROGRAM.kind_of(each.data) == "Parked"]
    return sum(each.amount for each in map(orders.parse_parked, found) if each.destination == vault)


async def test_a_vault_that_is_short_is_named_for_its_order_alone(mid: MidLife) -> None:
    chain = mid.chain
    there = [each for each in orders_of(chain) if chain.get(orders.vault_address(each)) is not None]
    vault = orders.vault_address(there[0])
    account = chain.get(vault)
    assert account is not None
    held = read_token_account(account.data).amount
    data = account.data[:64] + (held - 1).to_bytes(8, "little") + account.data[72:]
    lie = Falsified(chain, accounts_shown={vault: replace(account, data=data)})
    found = [each for each in (await audited(lie, there[0])).findings if each.code is not Code.BATCH_UNPOSTED]
    assert {each.code for each in found} == {Code.VAULT_MOVED_UNSEEN, Code.VAULT_SHORT}
    assert {each.where for each in found} == {str(vault)}
    for other in set(orders_of(chain)) - {there[0]}:
        found = (await audited(lie, other)).findings
        assert {each.code for each in found} <= {Code.BATCH_UNPOSTED}


@pytest.mark.parametrize("field", ["deposit", "free", "held", "paid", "fees", "refunded", "open"])
async def test_each_sum_that_an_account_shows_is_held_to_the_events(mid: MidLife, field: str) -> None:
    chain = mid.chain
    address = next(each for each in orders_of(chain) if chain.get(each) is not None)
    account = chain.get(address)
    assert account is not None
    table = orders.PROGRAM.dtype("Order")
    at = table.fields[field][1]
    shown = bytearray(account.data)
    shown[at] ^= 1
    lie = Falsified(chain, accounts_shown={address: replace(account, data=bytes(shown))})
    all_ = (await audited(lie, address)).findings
    found = [(each.code, each.where, each.row) for each in all_ if each.code is not Code.BATCH_UNPOSTED]
    assert found == [(Code.FIELD_DIFFERS, str(address), f"Order {field}")]


async def test_an_order_that_never_was(mid: MidLife) -> None:
    with pytest.raises(NoSuchOrder, match="there never was an order"):
        await audited(mid.chain, key("nobody").pubkey())


# -- matches ---------------------------------------------------------------------------------------


@pytest.fixture
async def market(tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[tuple[OrdersWorld, list]]:
    """Three operators, and three devices of which the last is a friend's."""
    world = OrdersWorld.ready(now=START - HOUR)
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier)
        world.chain.advance(600)
    world.let(FRIEND, world.supplier("rogue's friend"))
    world.chain.warp_to(START + HOUR)
    async with three(world, tmp_path, empty_sqlite) as operators:
        yield world, operators


async def test_a_match_by_the_rule_and_one_against_it(
    market: tuple[OrdersWorld, list], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the operator's files the line is named, without them it stays open; an honest one isn't."""
    world, operators = market
    await honest(world, operators, 1)
    good = world.read_order(key("renter"), 1).address
    tick, rogue = await favoured(world, operators, 2)
    bad = world.read_order(key("renter"), 2).address
    world.chain.advance(300)
    # As the operators' own states do, these know of no proof of work for any class.
    monkeypatch.setattr(of_market, "read_profiles_by_hour", lambda _: operators[0].profiles)
    folders = [each.folder.path for each in operators]
    part = await audited(world.chain, good, market=folders)
    assert (part.findings, part.checked["matches by operators"]) == ((), 1)
    (found,) = (await audited(world.chain, bad, market=folders)).findings
    who = str(rogue.signer.pubkey())
    assert (found.code, found.signer) == (Code.BATCH_DIFFERS, who)
    assert found.where.endswith("devices.csv") and str(tick) in found.where
    part = await audited(world.chain, bad)
    device = staking.device_address(key(FRIEND).pubkey())
    assert part.findings == () and part.unchecked[0].what == f"tick {tick}"
    assert part.unchecked[0].why.startswith(f"{who} matched {device} to {bad}, to which the rule gives")


# -- votes -----------------------------------------------------------------------------------------


async def test_a_fault_is_held_to_the_evidence_that_was_published(tmp_path: Path) -> None:
    async with place(tmp_path, 3) as here:
        court = Court(here)
        lease, order = court.lease(), here.order.address
        await silent_after(court, 2)
        await court.vote(0)
        await court.vote(1)
        chain = here.world.chain
        rewards = here.folder / "rewards-0"
        part = await audited(chain, order, rewards=[rewards])
        assert (_of_faults(part), part.checked["votes"]) == ([], 2)
        assert not [gap for gap in part.unchecked if "fault" in gap.what]
        assert any("failed, attested by operators" in line for line in part.told)
        (gap,) = [gap for gap in (await audited(chain, order)).unchecked if "fault" in gap.what]
        assert FAULTS in gap.why
        voters = {str(each.pubkey()) for each in here.world.operators[:2]}
        (folder,) = (rewards / FAULTS).iterdir()
        for number, change in enumerate((_less, _of_another_lease, _of_another_minute)):
            lie = tmp_path / f"lie {number}"
            shutil.copytree(folder, lie / FAULTS / folder.name)
            change(lie / FAULTS / folder.name)
            (found,) = _of_faults(await audited(chain, order, rewards=[lie]))
            assert (found.code, set((found.signer or "").split(", "))) == (Code.FAULT_UNFOUNDED, voters)
            assert folder.name in found.row and str(lease.address) in found.row


def _of_faults(part: Part) -> list[Finding]:
    """Its matches were made by an operator that posts no batch."""
    return [each for each in part.findings if each.code is not Code.BATCH_UNPOSTED]


def _less(place: Path) -> None:
    """Operators' observations are gone but for one."""
    about = json.loads((place / "lease.json").read_bytes())
    _write(place, {**about, "observations": 1})


def _of_another_lease(place: Path) -> None:
    about = json.loads((place / "lease.json").read_bytes())
    _write(place, {**about, "lease": {**about["lease"], "number": about["lease"]["number"] + 1}})


def _of_another_minute(place: Path) -> None:
    about = json.loads((place / "lease.json").read_bytes())
    _write(place, {**about, "at": about["at"] + 60})


def _write(place: Path, about: dict[str, object]) -> None:
    (place / "lease.json").write_bytes(json.dumps(about, sort_keys=True, separators=(",", ":")).encode())
