"""Bad input: an error that says what is wrong, and nothing moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import Instruction

from keeper.chain import token
from keeper.clients import buyback, staking, tokenomics
from keeper.clients import orders as client
from keeper.clients.orders import Params
from keeper.economy.classes import ClassPrices
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from tests.model.state import U64
from tests.programs.world import DAY, HOUR, World, key
from tests.security import tokens
from tests.security.orders import stages
from tests.security.orders.calls import CALLS
from tests.security.orders.stages import (
    IN_USDC,
    RUNNING,
    TERMS,
    USDC_FEES,
    USDC_MINT,
    create,
    device,
    fee,
    fees,
    lease,
    mint_usdc,
    order,
    put,
    settle,
    stage,
    usdc,
)
from tests.security.outcomes import refused
from tests.security.people import IMPOSTOR, OTHER_MINT, address, do
from tests.security.staking.stages import APPLE, GPU
from tests.security.tokens import TOKEN_2022

ADMIN, GUARDIAN, CAROL, MALLORY = (address(name) for name in ("admin", "guardian", "carol", "mallory"))

# -- terms ---------------------------------------------------------------------------------------


def raw(**changed: object) -> Instruction:
    """Carol's order with fields that the client would not write."""
    return client.PROGRAM.instruction(
        "create_order",
        {"id": 1, "terms": {**TERMS.fields(), **changed}, "max_deposit": stages.NO_LIMIT},
        renter=CAROL,
        mint=tokenomics.MINT,
        renter_tokens=tokenomics.tokens_address(CAROL),
        **{"class": staking.class_address(GPU)},
    )


CLASSES = [GPU, 2, 3, 4, 5, 6, 7, 8]
COUNTRIES = [b"CH", b"DE", b"US", b"FR", b"IT", b"AT", b"ES", b"PT"]
NONE = bytes(2)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"currency": 2}, "CurrencyInvalid"),
        ({"currency": 255}, "CurrencyInvalid"),
        ({"devices": 0}, "DevicesInvalid"),
        ({"devices": 10_001}, "DevicesInvalid"),
        ({"devices": 2**16 - 1}, "DevicesInvalid"),
        ({"processors": 0}, "ProcessorsInvalid"),
        ({"processors": 9}, "ProcessorsInvalid"),
        ({"hours": 0}, "HoursInvalid"),
        ({"hours": 8_761}, "HoursInvalid"),
        ({"hours": 2**32 - 1}, "HoursInvalid"),
        ({"min_tier": 0}, "TierInvalid"),
        ({"min_tier": 5}, "TierInvalid"),
        ({"urgency": 3}, "WishInvalid"),
        ({"colocated": 2}, "WishInvalid"),
        ({"_pad": 1}, "WishInvalid"),
        ({"min_devices": 0}, "DevicesInvalid"),
        ({"min_devices": TERMS.devices + 1}, "DevicesInvalid"),
        ({"min_devices": 2**16 - 1}, "DevicesInvalid"),
        ({"price": 0}, "PriceInvalid"),
        ({"class_count": 0}, "ClassesInvalid"),
        ({"class_count": 9}, "ClassesInvalid"),
        ({"class_count": 255}, "ClassesInvalid"),
        # More than are counted; twice the same; not the first one given.
        ({"classes": [GPU, 2, *[0] * 6]}, "ClassesInvalid"),
        ({"class_count": 2, "classes": [GPU, GPU, *[0] * 6]}, "ClassesInvalid"),
        ({"class_count": 8, "classes": [*CLASSES[:7], GPU]}, "ClassesInvalid"),
        ({"classes": [APPLE, *[0] * 7]}, "ClassesInvalid"),
        ({"class_count": 2, "classes": [APPLE, GPU, *[0] * 6]}, "ClassesInvalid"),
        ({"country_count": 9}, "CountriesInvalid"),
        ({"country_count": 255}, "CountriesInvalid"),
        ({"country_count": 1}, "CountriesInvalid"),
        ({"country_count": 1, "countries": [b"ch", *[NONE] * 7]}, "CountriesInvalid"),
        ({"country_count": 1, "countries": [b"C1", *[NONE] * 7]}, "CountriesInvalid"),
        ({"country_count": 2, "countries": [b"CH", b"CH", *[NONE] * 6]}, "CountriesInvalid"),
        ({"countries": [b"CH", *[NONE] * 7]}, "CountriesInvalid"),
        ({"country_count": 8, "countries": [*COUNTRIES[:7], b"CH"]}, "CountriesInvalid"),
    ],
)
def test_terms_that_can_not_be(changed: dict[str, object], error: str) -> None:
    assert refused(stage("ready"), raw(**changed)) == error


@pytest.mark.parametrize(
    "changed",
    [
        {"class_count": 8, "classes": CLASSES},
        {"country_count": 8, "countries": COUNTRIES},
        {"urgency": 0, "min_tier": 4, "processors": 8},
        {"urgency": 2, "colocated": 1, "processors": 1},
        {"devices": 10_000, "price": 1, "hours": 1},
        {"devices": 10_000, "price": 1, "hours": 1, "min_devices": 10_000},
        {"hours": 8_760, "price": 1},
    ],
)
def test_terms_at_their_bounds(changed: dict[str, object]) -> None:
    world = stages.ready()
    do(world, raw(**changed))
    assert world.tokens(order(world).vault) == order(world).deposit > 0


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        # The price of the processors, of the hours, with the fee, and of the devices.
        ({"price": U64}, "Overflow"),
        ({"price": U64 // 4, "hours": 2}, "Overflow"),
        ({"price": U64 // 4, "hours": 1}, "Overflow"),
        ({"price": U64 // 4 // 8_760, "hours": 8_760, "devices": 1}, "Overflow"),
        ({"price": U64 // 8, "hours": 1, "devices": 10_000}, "Overflow"),
        ({"price": U64 // 4 // 10_000, "hours": 1, "devices": 10_000}, "Overflow"),
        ({"price": U64 // 5, "hours": 1, "devices": 1}, "Token.InsufficientFunds"),
    ],
)
def test_sums_past_64_bits(changed: dict[str, int], error: str) -> None:
    for terms in (TERMS, IN_USDC):
        assert refused(stage("ready"), create(terms=terms, **changed)) == error


MOST = staking.PROGRAM.constants["MAX_PRICE"]
"""What a processor and hour costs at most."""
LONGEST = 4_510
"""Hours of four such processors whose cost, with the fee, is almost 64 bits."""


def dear() -> World:
    """A device of a class as dear as one can be, leased for almost all that 64 bits hold."""
    world = stages.ready()
    prices = ClassPrices(0, 0, 0, MOST, 1, MOST)
    do(world, staking.add_class(ADMIN, 7, "dear", 100, 0, 0, prices))
    world.chain.advance(7 * DAY)
    alice, worker = address("alice"), address("new worker")
    asks = {"processors": 4, "tier": 4, "country": "CH", "ask_io": 0, "ask_usdc": MOST}
    do(world, staking.register_device(alice, worker, alice, 7, **asks))
    do(world, staking.stake(device(world, "new worker"), 800 * IO))
    free = U64 - token.read_mint(world.account(USDC_MINT).data).supply
    mint_usdc(world, usdc("carol"), free)
    world.chain.advance(1)
    stages.open_order(world, terms=IN_USDC, classes=(7,), price=MOST, hours=LONGEST, devices=1)
    stages.run(world, "new worker")
    return world


def test_an_order_of_almost_all_that_64_bits_hold() -> None:
    """Every figure of it fits, and its sums are exact to the last base unit."""
    world = dear()
    whole = 4 * MOST * LONGEST
    assert order(world).deposit == whole + fee(whole, 225) > U64 - U64 // 10_000
    world.chain.advance(LONGEST * HOUR)
    assert refused(world, stages.extend(world, worker="new worker")) == "LeaseOver"
    world.chain.advance(2 * HOUR)
    before = world.tokens(usdc("alice")), fees(world, Currency.USDC)
    do(world, settle(world, "new worker"), stages.end(world, "mallory", "new worker"))
    assert world.tokens(usdc("alice")) - before[0] == whole - fee(whole)
    assert fees(world, Currency.USDC) - before[1] == fee(whole) + fee(whole, 225)
    do(world, client.close_lease(lease(world, "new worker")), stages.close(world))


def test_an_extension_past_64_bits() -> None:
    world = dear()
    world.chain.warp_to(lease(world, "new worker").stop - HOUR)
    for hours, error in ((8_000, "HoursInvalid"), (4_000, "Overflow"), (167, "Overflow"), (5, "Overflow")):
        assert refused(world, stages.extend(world, hours, "new worker")) == error


def test_nobody_opens_an_order_with_anothers_money() -> None:
    """Neither as the renter, nor from its token account."""
    world = stage("ready")
    as_carol = put(create("mallory"), renter_tokens=stages.io("carol"))
    assert refused(world, as_carol) == "Token.OwnerMismatch"
    assert refused(world, put(create(), renter=MALLORY)) == "InvalidSeeds"


@pytest.mark.parametrize("number", [0, U64])
def test_any_number_is_an_orders(number: int) -> None:
    world = stages.ready()
    do(world, create(number=number))
    assert order(world, number=number).id == number


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"match_window": 0},
        {"match_window": 1_201},
        {"exclusive": 601},
        {"match_window": 1, "exclusive": 1},
        {"soon_fee_bps": 501},
        {"now_fee_bps": 501},
        {"accept_window": 0},
        {"accept_window": DAY + 1},
        {"settlement_lag": DAY + 1},
        {"notice": 0},
        {"notice": 90 * DAY + 1},
        {"renter_fee_bps": 101},
        {"supplier_fee_bps": 101},
        {"usdc_fee_bps": 501},
        {"match_window": U64, "notice": U64},
        {"renter_fee_bps": 2**16 - 1},
    ],
)
def test_parameters_that_can_not_be(changed: dict[str, int]) -> None:
    bad = replace(Params(), **changed)
    assert refused(stage("ready"), client.propose_params(ADMIN, bad)) == "ParamsInvalid"
    start = client.initialize(ADMIN, GUARDIAN, USDC_MINT, bad)
    assert refused(stage("empty"), start) == "ParamsInvalid"


def test_parameters_at_their_bounds() -> None:
    """The highest fees and the longest windows still give exact sums; no lag, no fee are allowed."""
    for params in (
        Params(1_200, DAY, DAY, 90 * DAY, 100, 100, 500, 600, 500, 500),
        Params(1_200, 1, 0, 1, 0, 0, 0, 0, 0, 0),
    ):
        world = stages.ready(params)
        do(world, create(terms=IN_USDC, urgency=2))
        world.chain.advance(stages.MINUTE)
        do(world, stages.match(world, RUNNING), stages.accept_later(world, RUNNING))
        whole = 40 * stages.ASK_USDC
        taken = fee(whole, params.renter_fee_bps + params.usdc_fee_bps + params.now_fee_bps)
        assert lease(world).held == whole + taken
        assert fees(world, Currency.USDC) == order(world).fees == 0
        world.chain.advance(10 * HOUR + params.settlement_lag)
        before = world.tokens(usdc("alice"))
        do(world, settle(world))
        cut = fee(whole, params.supplier_fee_bps)
        assert world.tokens(usdc("alice")) - before == whole - cut
        assert fees(world, Currency.USDC) == order(world).fees == cut + taken


def test_padding_that_is_not_zero() -> None:
    bad = {**Params().fields(), "_pad": b"\0\0\0\0\0\1"}
    call = client.PROGRAM.instruction("propose_params", {"params": bad}, admin=ADMIN)
    assert refused(stage("ready"), call) == "ParamsInvalid"


# -- initialising --------------------------------------------------------------------------------


def initialize(**accounts: object) -> Instruction:
    """The valid call, with other accounts in some slots."""
    return put(CALLS["initialize"].build(stage("empty")), **accounts)  # type: ignore[arg-type]


def test_fees_go_to_buybacks_vaults_alone() -> None:
    """A vault of somebody else's, of the other currency, or that another program's seeds give."""
    world = stages.empty()
    tokens.create_tokens(world, key("mallory's vault"), USDC_MINT, MALLORY)
    for slot, other in (
        ("usdc_fees", key("mallory's vault").pubkey()),
        ("usdc_fees", usdc("admin")),
        ("io_fees", tokenomics.REWARD_VAULT),
        ("io_fees", staking.STAKE_VAULT),
    ):
        assert refused(world, initialize(**{slot: other})) == "InvalidSeeds"
    swapped = initialize(io_fees=USDC_FEES, usdc_fees=buyback.IO_VAULT)
    assert refused(world, swapped) == "InvalidSeeds"
    other_program = client.PROGRAM.instruction(
        "initialize",
        {"buyback_program": IMPOSTOR, "guardian": GUARDIAN, "params": Params().fields()},
        admin=ADMIN,
        program_data=client.PROGRAM_DATA,
        staking_config=staking.CONFIG,
        io_mint=tokenomics.MINT,
        usdc_mint=USDC_MINT,
        io_fees=buyback.IO_VAULT,
        usdc_fees=USDC_FEES,
    )
    assert refused(world, other_program) == "InvalidSeeds"


def test_the_mints_are_stakings_io_and_one_of_six_decimals() -> None:
    world = stages.empty()
    assert refused(world, initialize(io_mint=OTHER_MINT.pubkey())) == "WrongMint"
    six, newer = key("six decimals"), key("of the newer token program")
    tokens.create_mint(world, six, MALLORY, decimals=6)
    assert refused(world, initialize(usdc_mint=six.pubkey())) == "InvalidSeeds"
    tokens.create_mint(world, newer, MALLORY, program=TOKEN_2022, decimals=6)
    assert refused(world, initialize(usdc_mint=newer.pubkey())) == "IllegalOwner"
    twice = initialize(usdc_mint=tokenomics.MINT, usdc_fees=buyback.IO_VAULT)
    assert refused(world, twice) == "WrongMint"


def test_anothers_config_is_not_stakings() -> None:
    assert refused(stage("empty"), initialize(staking_config=tokenomics.CONFIG)) == "IllegalOwner"
