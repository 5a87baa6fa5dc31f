"""``ionet buyback`` as people use it, on chains in files."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import buyback, tokenomics
from keeper.clients.buyback import AuctionStatus
from keeper.economy.supply import IO
from tests.programs.buyback.world import USDC, USDC_MINT, BuybackWorld
from tests.programs.world import DAY, World, finish


def saved(world: World, folder: Path) -> Path:
    world.chain.save(folder / "network.chain")
    return folder / "network.chain"


def key_file(folder: Path, keypair) -> Path:
    path = folder / "id.json"
    path.write_text(json.dumps(list(bytes(keypair))))
    return path


@pytest.fixture
def chain(tmp_path) -> Path:
    """An auction sold, the next one six hours on."""
    world = BuybackWorld.ready()
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    assert world.bid(world.bidder("alice", 10_000 * IO), 0).error is None
    world.chain.advance(DAY // 2)
    world.start(500 * USDC)
    world.chain.advance(DAY // 4)
    return saved(world, tmp_path)


def words(text: str) -> str:
    return " ".join(text.split())


def test_show(ionet, chain):
    code, out, _ = ionet("buyback", "show", "--chain", chain)
    assert code == 0
    text = words(out)
    assert "IO burned by bidders 5,000.00000000" in text
    assert "USDC that came in 1,500.000000" in text
    assert "auctions: sold, not sold 1, 0" in text
    assert "the next one falls from, to 10.00000000, 2.50000000" in text
    assert "Auction 1: 500.000000 USDC" in text
    # From 10 to 2.5 IO in a day: 8.125 after a quarter.
    assert "8.12500000 4,062.50000000 now" in text
    assert "2024-07-09 00:00:00 10.00000000 5,000.00000000" in text
    assert "reference price, IO per USDC 5.00000000 anchor price, IO per USDC 5.00000000" in text
    assert "and sells of a whole lot 100.00 %" in text
    assert "sold after 12 h 00 min 5.00000000 5,000.00000000" in text


def test_show_of_an_auction_that_is_over(ionet, tmp_path):
    world = BuybackWorld.ready()
    world.start(1_000 * USDC)
    world.chain.advance(DAY)
    code, out, _ = ionet("buyback", "show", "--chain", saved(world, tmp_path))
    assert code == 0
    assert "its time is over: nobody took it" in words(out)
    assert "Past auctions" not in out


@pytest.mark.parametrize("command", [("show",), ("run", "--dry-run", "--keypair", "id.json")])
def test_a_chain_without_it(ionet, tmp_path, command):
    key_file(tmp_path, World().payer)
    code, _, err = ionet("buyback", *command, "--chain", saved(World.launched(), tmp_path))
    assert code == 1
    assert "buyback is not initialised on this chain" in words(err)


def test_a_dry_run_says_what_and_why_and_does_nothing(ionet, tmp_path):
    """The clock is this machine's: the auction of the saved chain is over."""
    world = BuybackWorld.ready()
    world.start(1_000 * USDC)
    path = saved(world, tmp_path)
    before = path.read_bytes()
    key = key_file(tmp_path, world.payer)
    code, out, _ = ionet("buyback", "run", "--dry-run", "--chain", path, "--keypair", key)
    assert code == 0
    text = words(out)
    assert "burn fees no no IO in the vault" in text
    assert "close auction 0 yes its time is over, and nobody took it" in text
    assert "start auction 1 no auction 0 is open" in text
    assert "bid 0 no its time is over" in text
    assert path.read_bytes() == before


def test_run_once_does_what_is_due(ionet, tmp_path, monkeypatch):
    monkeypatch.setenv("IONET_BID_MAX_IO", "1000")
    world = BuybackWorld.priced()
    world.start(1_000 * USDC)
    path, key = saved(world, tmp_path), key_file(tmp_path, world.payer)
    code, _, err = ionet("buyback", "run", "--once", "--chain", path, "--keypair", key)
    assert code == 0
    logs = [json.loads(line) for line in err.splitlines()]
    acted = [each["event"] for each in logs if each.get("job") in ("fees", "auctions", "bids", "burns")]
    assert acted == [
        *("transaction.ended", "auction.unsold"),
        *("transaction.ended", "auction.started"),
        "price.no_sales",
    ]
    assert not {each.get("job") for each in logs} & {"emission", "vesting", "leases"}
    code, out, _ = ionet("keeper", "status", "--chain", path)
    assert code == 0 and "landed" in out, "it acts under intents"
    after = EmbeddedChain.load(path)
    assert [each.status for each in finish(buyback.read_recent(after, 9))] == [
        AuctionStatus.UNSOLD,
        AuctionStatus.OPEN,
    ]


def test_the_keepers_own_run_does_it_too(ionet, tmp_path):
    world = BuybackWorld.priced()
    world.start(1_000 * USDC)
    path, key = saved(world, tmp_path), key_file(tmp_path, world.payer)
    code, _, err = ionet("keeper", "run", "--once", "--chain", path, "--keypair", key)
    assert code == 0
    assert "auction.started" in {json.loads(line)["event"] for line in err.splitlines()}


def test_a_first_price_is_announced(ionet, tmp_path):
    """And another one in its place, as long as no auction has used it."""
    world = BuybackWorld.initialised()
    path, key = saved(world, tmp_path), key_file(tmp_path, world.admin)
    for price in ("5", "4.25"):
        code, out, err = ionet("buyback", "first-price", price, "--yes", "--chain", path, "--keypair", key)
        assert code == 0, err
    config = finish(buyback.read_config(EmbeddedChain.load(path)))
    assert (config.first_price, config.reference_price) == (425_000_000, 0)
    at = f"{datetime.fromtimestamp(config.first_price_at, UTC):%Y-%m-%d %H:%M:%S}"
    assert f"announced: 4.25000000 IO per USDC; the first auction can start from {at} UTC on" in words(out)
    code, out, _ = ionet("buyback", "show", "--chain", path)
    assert "first price, IO per USDC 4.25000000" in words(out)
    assert f"and sells of a whole lot 6.25 % and can start from {at}" in words(out)


def test_a_first_price_after_the_first_auction(ionet, tmp_path):
    world = BuybackWorld.priced()
    world.start(1_000 * USDC)
    path, key = saved(world, tmp_path), key_file(tmp_path, world.admin)
    code, _, err = ionet("buyback", "first-price", "5", "--yes", "--chain", path, "--keypair", key)
    assert code == 1
    assert "buyback: FirstPriceSet: An auction has used the first price" in words(err)


@pytest.mark.parametrize("price", ["0", "-1", "much", "0.000000001", "NaN", "inf"])
def test_a_first_price_that_is_none(ionet, tmp_path, price):
    world = BuybackWorld.initialised()
    path, key = saved(world, tmp_path), key_file(tmp_path, world.admin)
    code, _, err = ionet("buyback", "first-price", "--chain", path, "--keypair", key, "--", price)
    assert code == 1
    assert f"error: '{price}' is not an amount of IO" in words(err)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("IONET_BID_MAX_IO", "-1", "IONET_BID_MAX_IO: it should be greater than or equal to 0"),
        ("IONET_BID_MARGIN_BPS", "10000", "IONET_BID_MARGIN_BPS: it should be less than 10000"),
        ("IONET_PRICE_URL", "ftp://prices", "IONET_PRICE_URL: URL scheme should be 'http' or 'https'"),
        ("IONET_PRICE_MAX_AGE", "0", "IONET_PRICE_MAX_AGE: it should be greater than 0"),
    ],
)
def test_settings_that_make_no_sense(ionet, monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    code, _, err = ionet("buyback", "run", "--once")
    assert code == 1
    assert message in words(err)


def test_genesis_with_a_usdc_mint(ionet, tmp_path):
    world = BuybackWorld.launched()
    world.create_usdc()
    path, key = saved(world, tmp_path), key_file(tmp_path, world.admin)
    people = {each.label: str(each.beneficiary) for each in finish(tokenomics.read_allocations(world.chain))}
    (tmp_path / "people.json").write_text(json.dumps(people))
    options = {
        "chain": path,
        "keypair": key,
        "guardian": world.guardian.pubkey(),
        "beneficiaries": tmp_path / "people.json",
        "usdc-mint": USDC_MINT,
    }
    code, _, err = ionet("genesis", "--yes", *(part for n, v in options.items() for part in (f"--{n}", v)))
    assert code == 0, err
    config = finish(buyback.read_config(EmbeddedChain.load(path)))
    assert (config.usdc_mint, config.params) == (USDC_MINT, buyback.Params())
    options["usdc-mint"] = world.admin.pubkey()
    code, _, err = ionet("genesis", "--yes", *(part for n, v in options.items() for part in (f"--{n}", v)))
    assert code == 1
    assert f"USDC's mint is {USDC_MINT}" in words(err)


def test_prices_come_from_a_server_when_one_is_named(ionet, tmp_path, monkeypatch):
    monkeypatch.setenv("IONET_PRICE_URL", "http://127.0.0.1:9/price?key=s3cret")
    path, key = saved(BuybackWorld.ready(), tmp_path), key_file(tmp_path, World().payer)
    code, out, err = ionet("buyback", "run", "--dry-run", "--chain", path, "--keypair", key)
    assert code == 0
    (line,) = map(json.loads, err.splitlines())
    assert (line["event"], line["server"]) == ("price.unusable", "127.0.0.1")
    assert "s3cret" not in out + err
