"""Bad input: an error that says what is wrong, and nothing moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import Instruction

from keeper.chain import token
from keeper.clients import buyback, staking, tokenomics
from keeper.clients import orders as client
from keeper.clients.orders import Params
from keeper.economy.orders import Currency
from tests.model.state import U64
from tests.programs.world import DAY, HOUR, key
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
        {"id": 1, "terms": {**TERMS.fields(), **changed}},
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
        ({"_pad": b"\0\0\1"}, "WishInvalid"),
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


def test_an_order_of_almost_all_that_64_bits_hold() -> None:
    """Every figure of it fits, and its sums are exact to the last base unit."""
    world = stages.ready()
    free = U64 - token.read_mint(world.account(USDC_MINT).data).supply
    mint_usdc(world, usdc("carol"), free)
    price = (U64 - 10**11) * 10_000 // 10_225 // 4
    one = device(world, RUNNING)
    do(world, staking.change_device(one, tier=4, country="CH", ask_io=0, ask_usdc=price))
    do(world, create(terms=IN_USDC, price=price, hours=1, devices=1))
    assert order(world).deposit == 4 * price + fee(4 * price, 225) > 2**63
    stages.run(world, RUNNING)
    world.chain.advance(3 * HOUR - 1)
    assert refused(world, stages.extend(world)) == "LeaseOver"
    assert stages.moved(world, settle(world)) == {}
    world.chain.advance(1)
    before = world.tokens(usdc("alice")), fees(world, Currency.USDC)
    do(world, settle(world), stages.end(world, "mallory"))
    assert world.tokens(usdc("alice")) - before[0] == 4 * price - fee(4 * price)
    assert fees(world, Currency.USDC) - before[1] == fee(4 * price) + fee(4 * price, 225)
    do(world, client.close_lease(lease(world)), stages.close(world))


def test_an_extension_past_64_bits() -> None:
    world = stages.ready()
    price = U64 // 4 // 3
    one = device(world, RUNNING)
    do(world, staking.change_device(one, tier=4, country="CH", ask_io=0, ask_usdc=price))
    free = U64 - token.read_mint(world.account(USDC_MINT).data).supply
    mint_usdc(world, usdc("carol"), free)
    do(world, create(terms=IN_USDC, price=price, hours=1, devices=1))
    stages.run(world, RUNNING)
    for hours, error in ((8_000, "Overflow"), (3, "Overflow"), (2, "Overflow")):
        assert refused(world, stages.extend(world, hours)) == error


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
        {"match_window": DAY + 1},
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
        Params(DAY, DAY, DAY, 90 * DAY, 100, 100, 500),
        Params(1, 1, 0, 1, 0, 0, 0),
    ):
        world = stages.ready(params)
        do(world, create(terms=IN_USDC))
        stages.run(world, RUNNING)
        whole = 40 * stages.ASK_USDC
        taken = fee(whole, params.renter_fee_bps + params.usdc_fee_bps)
        assert lease(world).held == whole + taken
        assert fees(world, Currency.USDC) == order(world).fees == 0
        world.chain.advance(10 * HOUR + params.settlement_lag)
        before = world.tokens(usdc("alice"))
        do(world, settle(world))
        cut = fee(whole, params.supplier_fee_bps)
        assert world.tokens(usdc("alice")) - before == whole - cut
        assert (fees(world, Currency.USDC), order(world).fees) == (cut + taken, taken)


def test_padding_that_is_not_zero() -> None:
    bad = {**Params().fields(), "_pad": b"\0\1"}
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
