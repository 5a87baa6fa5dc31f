//! Every transition of every account: where it leads, each of its refusals, and the edges between.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    buyback::{
        constants::*,
        errors::BuybackError as E,
        state::{Auction, Config, Params, Sale, Terms, STATUS_OPEN, STATUS_SOLD, STATUS_UNSOLD, STATUS_VOID},
    },
    ionet_common::{
        calendar::{DAY, HOUR},
        supply::IO,
    },
};

const BIDDER: Address = Address::new_from_array([7; 32]);
const GUARDIAN: Address = Address::new_from_array([8; 32]);
const HEIR: Address = Address::new_from_array([9; 32]);
const NOW: u64 = 1_720_000_000;
const PRICE: u64 = 4 * IO;

#[track_caller]
fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

fn params() -> Params {
    Params {
        max_lot: 10_000 * USDC,
        min_lot: 100 * USDC,
        min_price: IO / 100,
        duration: DAY,
        notice: 7 * DAY,
        start_bps: 20_000,
        floor_bps: 5_000,
        _pad: [0; 2],
    }
}

/// A config whose first price was set a day ago.
fn config() -> Config {
    let mut config = Config { version: ACCOUNT_VERSION, params: params(), ..Config::zeroed() };
    config.set_first_price(PRICE, NOW - DAY).unwrap();
    config
}

fn auction(terms: &Terms) -> Auction {
    Auction {
        version: ACCOUNT_VERSION,
        lot: terms.lot,
        start_price: terms.start_price,
        floor_price: terms.floor_price,
        started_at: NOW,
        ends_at: terms.ends_at,
        ..Auction::zeroed()
    }
}

// -- layout ---------------------------------------------------------------------------------------

#[test]
fn sizes_never_change() {
    assert_eq!(core::mem::size_of::<Params>(), 48);
    assert_eq!(core::mem::size_of::<Config>(), 16 + 8 * 32 + 7 * 8 + 4 * 4 + 2 * 48 + 8 + 128);
    assert_eq!(core::mem::size_of::<Auction>(), 8 + 8 * 8 + 32 + 32);
}

#[test]
fn unknown_versions_are_refused() {
    let mut unknown = Config { version: 2, ..config() };
    refused(unknown.burn_fees(1), E::UnknownVersion);
    let terms = Terms { lot: 1, start_price: 2, floor_price: 1, ends_at: NOW + 1 };
    let mut unknown = Auction { version: 0, ..auction(&terms) };
    refused(unknown.sell(&BIDDER, 1, 1, NOW), E::UnknownVersion);
}

// -- parameters -----------------------------------------------------------------------------------

#[test]
fn parameters_at_and_past_their_bounds() {
    let p = params();
    for good in [
        Params { max_lot: MAX_LOT, min_lot: MIN_LOT, ..p },
        Params { max_lot: MIN_LOT, min_lot: MIN_LOT, ..p },
        Params { min_price: 1, ..p },
        Params { min_price: MAX_PRICE, ..p },
        Params { duration: MIN_DURATION, ..p },
        Params { duration: MAX_DURATION, ..p },
        Params { notice: MIN_NOTICE, ..p },
        Params { notice: MAX_NOTICE, ..p },
        Params { start_bps: MIN_START_BPS, floor_bps: MIN_FLOOR_BPS, ..p },
        Params { start_bps: MAX_START_BPS, floor_bps: MAX_FLOOR_BPS, ..p },
    ] {
        good.check().unwrap();
    }
    for bad in [
        Params { max_lot: MAX_LOT + 1, ..p },
        Params { min_lot: MIN_LOT - 1, ..p },
        Params { min_lot: p.max_lot + 1, ..p },
        Params { min_price: 0, ..p },
        Params { min_price: MAX_PRICE + 1, ..p },
        Params { duration: MIN_DURATION - 1, ..p },
        Params { duration: MAX_DURATION + 1, ..p },
        Params { notice: MIN_NOTICE - 1, ..p },
        Params { notice: MAX_NOTICE + 1, ..p },
        Params { start_bps: MIN_START_BPS - 1, ..p },
        Params { start_bps: MAX_START_BPS + 1, ..p },
        Params { floor_bps: MIN_FLOOR_BPS - 1, ..p },
        Params { floor_bps: MAX_FLOOR_BPS + 1, ..p },
        Params { _pad: [0, 1], ..p },
    ] {
        refused(bad.check(), E::ParamsInvalid);
        refused(config().propose(bad, NOW), E::ParamsInvalid);
    }
}

#[test]
fn a_proposal_waits_for_its_notice() {
    let mut config = config();
    let other = Params { max_lot: 5_000 * USDC, ..params() };
    refused(config.apply(NOW), E::NothingProposed);
    refused(config.cancel(), E::NothingProposed);
    config.propose(other, NOW).unwrap();
    assert_eq!(config.pending_at, NOW + 7 * DAY);
    refused(config.apply(NOW + 7 * DAY - 1), E::NoticeNotOver);
    assert_eq!(config.params, params());
    let mut cancelled = config;
    cancelled.cancel().unwrap();
    refused(cancelled.apply(u64::MAX), E::NothingProposed);
    config.apply(NOW + 7 * DAY).unwrap();
    assert_eq!((config.params, config.pending_at), (other, 0));
    refused(config.propose(other, u64::MAX), E::Overflow);
}

#[test]
fn another_guardian_after_the_notice() {
    let mut config = config();
    config.guardian = GUARDIAN;
    assert_eq!(config.propose_guardian(HEIR, NOW), Ok(NOW + 7 * DAY));
    refused(config.accept_guardian(NOW + 7 * DAY - 1), E::GuardianNoticeNotOver);
    assert_eq!((config.guardian, config.pending_guardian), (GUARDIAN, HEIR));
    // Another proposal takes the place of the one before, and waits as long.
    assert_eq!(config.propose_guardian(GUARDIAN, NOW + 1), Ok(NOW + 1 + 7 * DAY));
    refused(config.accept_guardian(NOW + 7 * DAY), E::GuardianNoticeNotOver);
    config.propose_guardian(HEIR, NOW).unwrap();
    assert_eq!(config.accept_guardian(NOW + 7 * DAY), Ok(GUARDIAN));
    assert_eq!((config.guardian, config.pending_guardian, config.guardian_at), (HEIR, Address::default(), 0));
    // Zero withdraws, and needs no time.
    config.propose_guardian(GUARDIAN, NOW).unwrap();
    assert_eq!(config.propose_guardian(Address::default(), NOW), Ok(0));
    assert_eq!((config.pending_guardian, config.guardian_at), (Address::default(), 0));
    refused(config.propose_guardian(GUARDIAN, u64::MAX), E::Overflow);
}

// -- the first price ------------------------------------------------------------------------------

#[test]
fn the_first_price_is_set_once() {
    let mut config = Config { version: ACCOUNT_VERSION, params: params(), ..Config::zeroed() };
    refused(config.start(0, 100 * USDC, NOW), E::NoFirstPrice);
    refused(config.set_first_price(0, NOW), E::PriceOutOfBounds);
    refused(config.set_first_price(IO / 100 - 1, NOW), E::PriceOutOfBounds);
    refused(config.set_first_price(MAX_PRICE + 1, NOW), E::PriceOutOfBounds);
    for edge in [IO / 100, MAX_PRICE] {
        let mut other = config;
        other.set_first_price(edge, NOW).unwrap();
        refused(other.set_first_price(PRICE, NOW), E::FirstPriceSet);
    }
    config.set_first_price(PRICE, NOW).unwrap();
    refused(config.start(0, 100 * USDC, NOW + DAY - 1), E::TooEarly);
    config.start(0, 100 * USDC, NOW + DAY).unwrap();
}

// -- starting -------------------------------------------------------------------------------------

#[test]
fn the_vault_and_the_config_make_the_auction() {
    let mut started = config();
    let terms = started.start(0, 1_234 * USDC, NOW).unwrap();
    let expected = Terms { lot: 1_234 * USDC, start_price: 8 * IO, floor_price: 2 * IO, ends_at: NOW + DAY };
    assert_eq!(terms, expected);
    assert!(bool::from(started.open));
    assert_eq!((started.started, started.waiting_since, started.fees_usdc), (1, NOW, 1_234 * USDC));
    refused(started.start(1, 1_234 * USDC, NOW + DAY), E::AuctionOpen);
    assert_eq!(config().start(0, u64::MAX, NOW).unwrap().lot, 10_000 * USDC);
    assert_eq!(config().start(0, 100 * USDC, NOW).unwrap().lot, 100 * USDC);
    refused(config().start(0, 100 * USDC - 1, NOW), E::LotTooSmall);
    refused(config().start(0, 0, NOW), E::LotTooSmall);
    refused(config().start(1, 100 * USDC, NOW), E::WrongNumber);
    refused(config().start(0, 100 * USDC, NOW - 1), E::TooEarly);
    refused(config().start(0, 100 * USDC, 0), E::TooEarly);
}

#[test]
fn prices_keep_to_the_bounds() {
    let at = |reference_price, min_price| {
        let params = Params { min_price, ..params() };
        let mut config = Config { reference_price, params, ..config() };
        let terms = config.start(0, 100 * USDC, NOW).unwrap();
        (terms.start_price, terms.floor_price)
    };
    assert_eq!(at(MAX_PRICE, 1), (MAX_PRICE, MAX_PRICE / 2));
    assert_eq!(at(3, 1), (6, 1), "a floor rounds down, so that a price nobody pays always falls");
    assert_eq!(at(1, 1), (2, 1), "and is never 0");
    assert_eq!(at(3, 2), (6, 2));
    assert_eq!(at(3, 100), (100, 100), "the lowest price was raised above the last sale's");
    assert_eq!(at(1, MAX_PRICE), (MAX_PRICE, MAX_PRICE));
    let params = Params { start_bps: 11_000, ..params() };
    let mut odd = Config { reference_price: 3 * IO + 1, params, ..config() };
    assert_eq!(odd.start(0, 100 * USDC, NOW).unwrap().start_price, 330_000_002, "a start rounds up");
}

#[test]
fn what_came_in_never_falls() {
    let mut config = config();
    config.start(0, 500 * USDC, NOW).unwrap();
    let sale = Sale { price: PRICE, cost: 2_000 * IO };
    refused(config.sell(499 * USDC, 400 * USDC, sale), E::InvariantViolated);
    config.fees_usdc = 0;
    refused(config.sell(399 * USDC, 400 * USDC, sale), E::VaultShort);
}

// -- the price's path -----------------------------------------------------------------------------

#[test]
fn the_price_falls_by_the_second() {
    let terms = config().start(0, 100 * USDC, NOW).unwrap();
    let auction = auction(&terms);
    assert_eq!(auction.price(NOW).unwrap(), 8 * IO);
    assert_eq!(auction.price(NOW + DAY / 2).unwrap(), 5 * IO);
    assert_eq!(auction.price(NOW + 1).unwrap(), 8 * IO - 6_944, "6 IO / 86,400 s = 6,944.4");
    assert_eq!(auction.price(NOW + DAY - 1).unwrap(), 2 * IO + 6_945, "rounded up");
    refused(auction.price(NOW + DAY), E::AuctionOver);
    refused(auction.price(u64::MAX), E::AuctionOver);
    refused(auction.price(NOW - 1), E::InvalidClock);
    let mut last = u64::MAX;
    for second in 0..DAY {
        let price = auction.price(NOW + second).unwrap();
        let exact_num = (8 * IO) as u128 * DAY as u128 - (6 * IO) as u128 * second as u128;
        assert_eq!(price as u128, exact_num.div_ceil(DAY as u128));
        assert!(price < last && price >= 2 * IO);
        last = price;
    }
}

#[test]
fn the_widest_path_fits() {
    let terms = Terms { lot: MAX_LOT, start_price: MAX_PRICE, floor_price: 1, ends_at: NOW + MAX_DURATION };
    let auction = auction(&terms);
    assert_eq!(auction.price(NOW).unwrap(), MAX_PRICE);
    let last = auction.price(NOW + MAX_DURATION - 1).unwrap();
    assert_eq!(last, 1 + (MAX_PRICE - 1).div_ceil(MAX_DURATION));
    refused(auction.cost(MAX_PRICE), E::Overflow);
    assert_eq!(auction.cost(1_844_674_407_370).unwrap(), 18_446_744_073_700_000_000);
    refused(auction.cost(1_844_674_407_371), E::Overflow);
}

#[test]
fn a_cost_rounds_up_and_is_never_0() {
    let cost = |lot, price| {
        let terms = Terms { lot, start_price: price, floor_price: price, ends_at: NOW + 1 };
        auction(&terms).cost(price).unwrap()
    };
    assert_eq!(cost(1, 1), 1);
    assert_eq!(cost(USDC, 1), 1);
    assert_eq!(cost(USDC + 1, 1), 2);
    assert_eq!(cost(100 * USDC, 4 * IO), 400 * IO);
    assert_eq!(cost(100 * USDC + 1, 3), 301);
    for lot in 1..1_000 {
        for price in [1, 7, 999_999, 1_000_000, 1_000_001] {
            assert_eq!(cost(lot, price) as u128, (lot as u128 * price as u128).div_ceil(USDC as u128));
        }
    }
}

// -- selling --------------------------------------------------------------------------------------

#[test]
fn a_sale_keeps_to_both_limits() {
    let terms = config().start(0, 100 * USDC, NOW).unwrap();
    let open = auction(&terms);
    let cost = 500 * IO;
    for (max_io, min_usdc, error) in [
        (cost - 1, 0, E::CostAboveLimit),
        (0, 0, E::CostAboveLimit),
        (u64::MAX, 100 * USDC + 1, E::LotBelowLimit),
        (cost, u64::MAX, E::LotBelowLimit),
    ] {
        refused({ open }.sell(&BIDDER, max_io, min_usdc, NOW + DAY / 2), error);
    }
    for (max_io, min_usdc) in [(cost, 100 * USDC), (u64::MAX, 0)] {
        let mut sold = open;
        let sale = sold.sell(&BIDDER, max_io, min_usdc, NOW + DAY / 2).unwrap();
        assert_eq!(sale, Sale { price: 5 * IO, cost });
        assert_eq!((sold.status, sold.closed_at), (STATUS_SOLD, NOW + DAY / 2));
        assert_eq!((sold.price, sold.cost, sold.bidder), (5 * IO, cost, BIDDER));
        refused(sold.sell(&BIDDER, u64::MAX, 0, NOW + DAY / 2), E::AuctionClosed);
        refused(sold.end_unsold(false, NOW + DAY), E::AuctionClosed);
    }
}

#[test]
fn a_sale_is_counted_and_moves_the_price() {
    let mut config = config();
    let terms = config.start(0, 12_000 * USDC, NOW).unwrap();
    let sale = Sale { price: 5 * IO, cost: 50_000 * IO };
    // A gift in the middle is counted as a fee, and stays for the next lot.
    config.sell(12_345 * USDC, terms.lot, sale).unwrap();
    assert!(!bool::from(config.open));
    assert_eq!((config.usdc_sold, config.fees_usdc), (10_000 * USDC, 12_345 * USDC));
    assert_eq!((config.burned_auctions, config.reference_price), (50_000 * IO, 5 * IO));
    assert_eq!((config.started, config.sold, config.unsold), (1, 1, 0));
    let next = config.start(1, 2_345 * USDC, NOW + DAY).unwrap();
    let expected =
        Terms { lot: 2_345 * USDC, start_price: 10 * IO, floor_price: 250_000_000, ends_at: NOW + 2 * DAY };
    assert_eq!(next, expected);
    assert_eq!(config.fees_usdc, 12_345 * USDC);
}

#[test]
fn totals_stop_at_64_bits() {
    let sale = Sale { price: PRICE, cost: 1 };
    let mut burned = config();
    burned.start(0, 100 * USDC, NOW).unwrap();
    burned.burned_auctions = u64::MAX;
    refused(burned.sell(100 * USDC, 100 * USDC, sale), E::Overflow);
    let mut sold = config();
    (sold.usdc_sold, sold.fees_usdc) = (u64::MAX, u64::MAX);
    refused(sold.start(0, 100 * USDC, NOW), E::Overflow);
    let mut fees = config();
    fees.burn_fees(u64::MAX).unwrap();
    refused(fees.burn_fees(1), E::Overflow);
    let mut last = Config { started: u32::MAX, sold: u32::MAX, ..config() };
    refused(last.start(u32::MAX, 100 * USDC, NOW), E::Overflow);
}

// -- ending without a sale ------------------------------------------------------------------------

#[test]
fn an_unsold_lot_lowers_the_price_to_its_floor() {
    let mut config = config();
    let mut now = NOW;
    let mut floors = vec![];
    for number in 0..12 {
        let terms = config.start(number, 100 * USDC, now).unwrap();
        let mut open = Auction { started_at: now, ..auction(&terms) };
        now += DAY;
        refused({ open }.end_unsold(false, now - 1), E::AuctionRunning);
        open.end_unsold(config.void.into(), now).unwrap();
        assert_eq!((open.status, open.closed_at, open.price, open.cost), (STATUS_UNSOLD, now, 0, 0));
        refused(open.end_unsold(false, now), E::AuctionClosed);
        refused(open.sell(&BIDDER, u64::MAX, 0, now), E::AuctionClosed);
        config.end_unsold(terms.floor_price).unwrap();
        floors.push(config.reference_price);
    }
    let halves: Vec<u64> = (1..=12).map(|k| (PRICE >> k).max(IO / 100)).collect();
    assert_eq!(floors, halves, "never below the config's lowest price");
    assert_eq!((config.started, config.sold, config.unsold), (12, 0, 12));
    assert_eq!((config.usdc_sold, config.fees_usdc), (0, 100 * USDC), "the lot stays");
}

#[test]
fn every_price_that_nobody_pays_falls() {
    for floor_bps in [MIN_FLOOR_BPS, 5_000, MAX_FLOOR_BPS] {
        let params = Params { min_price: 1, floor_bps, ..params() };
        let mut config = Config { params, ..config() };
        for number in 0.. {
            let before = config.reference_price;
            if before == 1 {
                break;
            }
            let terms = config.start(number, 100 * USDC, NOW + number as u64 * DAY).unwrap();
            config.end_unsold(terms.floor_price).unwrap();
            assert!(config.reference_price < before);
        }
    }
}

// -- pause ----------------------------------------------------------------------------------------

#[test]
fn pauses_lapse() {
    let mut config = config();
    refused(config.set_pause(4, NOW + 1, NOW), E::PauseMaskInvalid);
    refused(config.set_pause(u32::MAX, NOW + 1, NOW), E::PauseMaskInvalid);
    refused(config.set_pause(1, NOW + MAX_PAUSE + 1, NOW), E::PauseTooLong);
    for mask in [PAUSE_START, PAUSE_BID, PAUSE_START | PAUSE_BID] {
        config.set_pause(mask, NOW + MAX_PAUSE, NOW).unwrap();
        refused({ config }.start(0, 100 * USDC, NOW + MAX_PAUSE - 1), E::Paused);
        { config }.start(0, 100 * USDC, NOW + MAX_PAUSE).unwrap();
        config.set_pause(0, 0, NOW).unwrap();
        { config }.start(0, 100 * USDC, NOW).unwrap();
    }
    config.set_pause(PAUSE_START, NOW + HOUR, NOW).unwrap();
    config.require_running(PAUSE_BID, NOW).unwrap();
    config.set_pause(PAUSE_BID, NOW + HOUR, NOW).unwrap();
    refused(config.require_running(PAUSE_BID, NOW), E::Paused);
    config.require_running(PAUSE_BID, NOW + HOUR).unwrap();
}

#[test]
fn stopping_bids_voids_the_open_auction() {
    let mut config = config();
    assert_eq!(config.set_pause(PAUSE_BID, NOW + 1, NOW), Ok(false), "none is open");
    config.set_pause(0, 0, NOW).unwrap();
    let terms = config.start(0, 100 * USDC, NOW).unwrap();
    assert_eq!(config.set_pause(PAUSE_START, NOW + 1, NOW), Ok(false));
    assert_eq!(config.set_pause(PAUSE_BID, NOW, NOW), Ok(false), "it lapses at once");
    assert_eq!(config.set_pause(PAUSE_BID, NOW + 1, NOW), Ok(true));
    assert_eq!(config.set_pause(0, 0, NOW), Ok(true), "lifting it opens nothing again");
    let sale = Sale { price: PRICE, cost: 1 };
    refused({ config }.sell(100 * USDC, terms.lot, sale), E::AuctionVoid);
    let mut open = auction(&terms);
    assert_eq!(open.status, STATUS_OPEN);
    open.end_unsold(true, NOW + DAY).unwrap();
    assert_eq!(open.status, STATUS_VOID);
    config.end_unsold(terms.floor_price).unwrap();
    assert_eq!(config.reference_price, PRICE, "it said nothing about the price");
    assert!(!bool::from(config.void));
    config.start(1, 100 * USDC, NOW + DAY).unwrap();
    config.sell(100 * USDC, 100 * USDC, sale).unwrap();
}

// -- burning fees ---------------------------------------------------------------------------------

#[test]
fn fees_are_burned_whole() {
    let mut config = config();
    refused(config.burn_fees(0), E::NothingToBurn);
    config.burn_fees(5 * IO).unwrap();
    config.burn_fees(1).unwrap();
    assert_eq!((config.burned_fees, config.fees_io), (5 * IO + 1, 5 * IO + 1));
}

// -- invariants -----------------------------------------------------------------------------------

#[test]
fn records_that_contradict_each_other_are_refused() {
    let good = config();
    good.invariant().unwrap();
    for bad in [
        Config { open: true.into(), ..good },
        Config { void: true.into(), ..good },
        Config { started: 1, ..good },
        Config { sold: 1, ..good },
        Config { started: 1, unsold: 1, reference_price: 0, ..good },
        Config { reference_price: MAX_PRICE + 1, ..good },
        Config { usdc_sold: 1, ..good },
        Config { burned_fees: 1, ..good },
        Config { fees_io: 1, ..good },
    ] {
        refused(bad.invariant(), E::InvariantViolated);
    }
    let terms = Terms { lot: 1, start_price: 2, floor_price: 1, ends_at: NOW + 1 };
    let good = auction(&terms);
    good.invariant().unwrap();
    for bad in [
        Auction { lot: 0, ..good },
        Auction { floor_price: 0, ..good },
        Auction { floor_price: 3, ..good },
        Auction { ends_at: NOW, ..good },
        Auction { closed_at: NOW, ..good },
        Auction { cost: 1, ..good },
        Auction { status: STATUS_SOLD, closed_at: NOW, price: 1, ..good },
        Auction { status: STATUS_SOLD, closed_at: NOW, cost: 1, price: 3, ..good },
        Auction { status: STATUS_UNSOLD, ..good },
    ] {
        refused(bad.invariant(), E::InvariantViolated);
    }
}
