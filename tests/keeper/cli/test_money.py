"""``ionet balance``, ``send``, ``burn``, ``key``, ``season`` and ``vesting``, on a saved chain."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.chain.framework import TOKEN_PROGRAM, UPGRADEABLE_LOADER, associated_token_address
from keeper.clients import orders, staking, tokenomics
from keeper.clients.tokenomics import SeasonStatus
from keeper.economy.calendar import DAY
from keeper.economy.seasons import Points, points_file
from keeper.economy.supply import IO
from keeper.settings.keys import read_private_keypair
from tests.keeper.cli.saved import CHAIN, FUTURE, Typed, later
from tests.programs.buyback.world import USDC, USDC_MINT, give_usdc
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import finish, key

RICH, POOR = key("rich").pubkey(), key("poor").pubkey()
COMMUNITY = key("community")


@pytest.fixture
def world(tmp_path: Path) -> OrdersWorld:
    """A network with somebody who has IO and USDC, somebody who has SOL alone, and the genesis' community."""
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    world.renter("rich", 1_000 * IO, 500 * USDC)
    world.person("poor")
    world.chain.airdrop(COMMUNITY.pubkey(), 10**10)
    world.give(world.admin.pubkey(), 100_000 * IO)
    for name in ("rich", "poor", "admin", "guardian", "community"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    world.chain.save(tmp_path / CHAIN)
    return world


def test_what_a_wallet_has(world: OrdersWorld, by: Typed) -> None:
    found = json.loads(by("rich", "balance", "--json"))
    assert (found["io"], found["usdc"], found["staked"]) == (str(1_000 * IO), str(500 * USDC), "0")
    assert "IO 1,000.00000000" in by("poor", "balance", RICH)
    world.let("one", world.supplier("supplier"))
    world.chain.save(CHAIN)
    found = json.loads(by("rich", "balance", key("supplier").pubkey(), "--json"))
    assert (found["staked"], found["cooling"]) == (str(1_000 * IO), "0")
    device = world.read_device("one")
    world.do(staking.unstake(device), signers=[key("supplier")])
    world.chain.save(CHAIN)
    found = json.loads(by("rich", "balance", key("supplier").pubkey(), "--json"))
    assert (found["staked"], found["cooling"]) == ("0", str(1_000 * IO))


def test_sent_to_somebody_who_has_no_account_yet(world: OrdersWorld, by: Typed) -> None:
    said = by("rich", "send", "250.5", "io", POOR, "--yes")
    assert "rent: an IO account 0.00203928 when its owner closes it, to the owner" in said
    assert f"SOL that {RICH} pays" in said and f"It goes to the wallet {POOR}." in said
    assert world.balance(POOR) == 250 * IO + IO // 2
    by("rich", "send", "1.5", "usdc", POOR, "--yes")
    assert world.tokens(associated_token_address(POOR, USDC_MINT)) == 1_500_000
    assert "IO, but 2,000.00000000 are needed" in by("rich", "send", "2000", "io", POOR, ends=1)
    assert "name an amount above 0" in by("rich", "send", "0", "io", POOR, ends=1)
    assert "that is the wallet that it comes from" in by("rich", "send", "1", "io", RICH, ends=1)


def test_nothing_is_sent_where_nobody_could_spend_it(world: OrdersWorld, by: Typed) -> None:
    """As a wallet would: what is there and whose it is, and whom to name instead."""
    one = world.let("one", world.supplier("supplier")).worker
    vault = Pubkey.find_program_address([b"vault"], UPGRADEABLE_LOADER)[0]
    world.chain.save(CHAIN)
    tokens = tokenomics.tokens_address(RICH)
    for to, said in (
        (tokens, f"is a token account, for IO, and no wallet. It belongs to {RICH}: name that wallet"),
        (staking.STAKE_VAULT, "is a token account, for IO, and no wallet. It is a program's own"),
        (tokenomics.MINT, "is IO's mint, not a wallet"),
        (USDC_MINT, "is a mint, not a wallet"),
        (orders.PROGRAM.address, "is the program orders: what is sent to it is lost"),
        (TOKEN_PROGRAM, "is a program: what is sent to it is lost"),
        (orders.CONFIG, "is this network's own: orders keeps a config there"),
        (staking.device_address(one), "is this network's own: staking keeps a device there"),
        (vault, "has no key: only a program could spend what is sent there"),
        (Pubkey.from_string("SysvarRent111111111111111111111111111111111"), "has no key"),
    ):
        assert said in by("rich", "send", "1", "io", to, "--yes", ends=1), to
    assert "orders keeps a config there" in by(
        "rich", "send", "1", "io", orders.CONFIG, "--yes", "--keyless", ends=1
    )
    assert "only the program that it belongs to can spend" in by(
        "rich", "send", "1", "io", vault, "--yes", "--keyless"
    )
    assert world.balance(vault) == IO


def test_a_receivers_account_that_takes_no_payment(world: OrdersWorld, by: Typed) -> None:
    """An issuer froze it, or its owner gave it away: the sender is told before signing."""
    place = associated_token_address(POOR, USDC_MINT)
    give_usdc(world, POOR, 1)
    there = world.account(place)
    for changed, said in (
        (there.data[:108] + b"\2" + there.data[109:], "can't be paid: it is frozen"),
        (there.data[:32] + bytes(RICH) + there.data[64:], f"can't be paid: it belongs to {RICH} now"),
    ):
        world.chain.set_account(place, replace(there, data=changed))
        world.chain.save(CHAIN)
        assert said in by("rich", "send", "1", "usdc", POOR, "--yes", ends=1)


def test_usdc_is_what_the_network_says_with_its_decimals(world: OrdersWorld, by: Typed, monkeypatch) -> None:
    """A node that names another mint makes nobody send that."""
    said = by("rich", "send", "1", "usdc", POOR, "--dry-run")
    assert f"USDC's mint is {USDC_MINT}, by orders' config {orders.CONFIG}." in said
    config = finish(orders.read_config(world.chain))
    assert config is not None

    def lies(mint: Pubkey) -> None:
        async def read(_: object) -> orders.Config:
            return replace(config, usdc_mint=mint)

        monkeypatch.setattr(orders, "read_config", read)

    lies(tokenomics.MINT)
    assert "has other decimals than USDC" in by("rich", "send", "1", "usdc", POOR, "--yes", ends=1)
    lies(RICH)
    assert "which is none: ask a node that you trust" in by(
        "rich", "send", "1", "usdc", POOR, "--yes", ends=1
    )


def test_burned_is_burned(world: OrdersWorld, by: Typed) -> None:
    before = world.supply()
    assert "nobody: it is burned 10.00000000 IO" in by("rich", "burn", "10", "--yes")
    assert (before - world.supply(), world.balance(RICH)) == (10 * IO, 990 * IO)
    assert "IO, but 5,000.00000000 are needed" in by("rich", "burn", "5000", ends=1)


def test_a_new_key_is_private_and_never_overwritten(ionet, tmp_path: Path) -> None:
    code, out, err = ionet("key", "new", "new.json")
    assert code == 0, err
    assert str(read_private_keypair(tmp_path / "new.json").pubkey()) in out
    code, _, err = ionet("key", "new", "new.json")
    assert (code, "a key is never overwritten" in err) == (1, True)


def test_a_season_from_its_points_to_a_claim(world: OrdersWorld, by: Typed, tmp_path: Path) -> None:
    points = [Points(RICH, "gpu", 3), Points(POOR, "gpu", 1), Points(POOR, "cpu", 7)]
    (tmp_path / "points.csv").write_bytes(points_file(points))
    start, end = "2090-01-10", "2090-03-01"
    opening = ("season", "open", 1, "--points", "points.csv", "--start", start, "--end", end)
    assert "There is no season yet." in by("poor", "season", "show")
    assert "only the admin" in by("poor", *opening, "--gpu", "100", ends=1)
    said = by("admin", *opening, "--gpu", "100", "--cpu", "50", "--yes")
    assert "for 2 wallets; what they don't claim comes back" in said
    claim = ("season", "claim", 1, "--points", "points.csv")
    assert "claims open at 2090-01-10" in by("poor", *claim, ends=1)
    later(world, 10 * DAY)
    said = by("poor", *claim, "--yes")
    assert "a page of claims, if it is the first" in said
    assert world.balance(POOR) == 75 * IO
    assert "has claimed its 75.00000000 IO" in by("poor", *claim, ends=1)
    by("poor", *claim, "--wallet", RICH, "--yes")
    assert world.balance(RICH) == 1_075 * IO
    said = by("poor", *claim, "--wallet", key("nobody").pubkey(), ends=1)
    assert "got nothing in season 1" in said
    (found,) = json.loads(by("poor", "season", "show", "--json"))["seasons"]
    assert (found["claimed"], found["claims"], found["status"]) == (str(150 * IO), 2, "open")
    assert "claims open until 2090-03-01" in by("poor", "season", "show")
    said = by("poor", "season", "publish", 1, "--points", "points.csv", "--dir", "served")
    assert said == "served/seasons/1/points.csv: season 1, 2 wallets"
    said = by("poor", "season", "publish", 1, "--points", "points.csv", "--dir", "served", "--json")
    assert json.loads(said) == {"season": 1, "wallets": 2, "file": "served/seasons/1/points.csv"}
    served = tmp_path / "served/seasons/1"
    written = {each.name: each.read_bytes() for each in served.iterdir()}
    assert written.keys() == {"points.csv", "wallets.idx"}
    assert written["points.csv"] == points_file(points)
    (tmp_path / "points.csv").write_bytes(points_file(points[:2]))
    assert "not the file of points" in by("poor", *claim, ends=1)
    publish = ("season", "publish", 1, "--points", "points.csv", "--dir", "served")
    assert "not the file of points" in by("poor", *publish, ends=1)
    assert {each.name: each.read_bytes() for each in served.iterdir()} == written
    assert "there is no season 2; there are 1" in by(
        "poor", "season", "claim", 2, "--points", "points.csv", ends=1
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "is no CSV"),
        (b"", "is no CSV"),
        (b"wallet,points\n", "begins with 'wallet,points'"),
        (b"wallet,pool,points\nme,gpu,1\n", "line 2 of the file of points has no address"),
        (b"wallet,pool,points\nme,tpu,1\n", "line 2 of the file of points is no wallet,pool,points"),
        (b"wallet,pool,points\nme,gpu,-1\n", "line 2 of the file of points is no wallet,pool,points"),
    ],
)
def test_points_that_are_none(
    world: OrdersWorld, by: Typed, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "points.csv").write_bytes(content)
    opening = ("season", "open", 1, "--points", "points.csv", "--start", "2090-01-10", "--end", "2090-03-01")
    assert said in by("admin", *opening, "--gpu", "1", ends=1)


def test_a_season_is_cancelled_before_its_claims_open(world: OrdersWorld, by: Typed, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_bytes(points_file([Points(RICH, "gpu", 3)]))
    opening = ("season", "open", 1, "--points", "points.csv", "--start", "2090-01-10", "--end", "2090-03-01")
    by("admin", *opening, "--gpu", "100", "--yes")
    by("guardian", "guardian", "cancel-season", 1, "--yes")
    (season,) = finish(tokenomics.read_seasons(world.chain))
    assert season.status == SeasonStatus.CANCELLED
    assert "was cancelled" in by("rich", "season", "claim", 1, "--points", "points.csv", ends=1)
    assert "is not a day" in by("admin", *opening[:-1], "soon", "--gpu", "1", ends=1)


def test_an_allocation_changes_hands(world: OrdersWorld, by: Typed) -> None:
    rows = {
        each["allocation"]: each
        for each in json.loads(by("poor", "vesting", "show", "--json"))["allocations"]
    }
    assert rows["community"]["beneficiary"] == str(COMMUNITY.pubkey())
    assert int(rows["community"]["free"]) >= int(rows["community"]["paid"])
    assert "only its beneficiary" in by("poor", "vesting", "offer", "community", POOR, ends=1)
    by("community", "vesting", "offer", "community", POOR, "--yes")
    by("poor", "vesting", "accept", "community", "--yes")
    allocations = {each.label: each for each in finish(tokenomics.read_allocations(world.chain))}
    assert allocations["community"].beneficiary == POOR
    assert "no allocation is called 'me'" in by("poor", "vesting", "accept", "me", ends=1)
