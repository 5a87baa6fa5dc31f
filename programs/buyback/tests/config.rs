//! The config: its layout, parameters, roles, pause, and the first price.

mod support;

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    buyback::{
        constants::*,
        errors::BuybackError as E,
        state::{Auction, Config, Params, Sale, STATUS_OPEN, STATUS_VOID},
    },
    ionet_common::{
        calendar::{DAY, HOUR},
        supply::IO,
    },
    support::*,
};

// -- layout ---------------------------------------------------------------------------------------

#[test]
fn sizes_never_change() {
    assert_eq!(core::mem::size_of::<Params>(), 48);
    assert_eq!(core::mem::size_of::<Config>(), 16 + 8 * 32 + 8 * 8 + 4 * 4 + 2 * 8 + 2 * 48 + 8 + 8 + 96);
    assert_eq!(core::mem::size_of::<Auction>(), 8 + 8 * 8 + 32 + 32);
}

#[test]
fn unknown_versions_are_refused() {
    for version in [0, 1, 3] {
        let unknown = Config { version, pending_at: 1, first_price_at: 1, pending_admin: HEIR, ..config() };
        let with =
            |change: fn(&mut Config) -> Result<()>| refused(change(&mut { unknown }), E::UnknownVersion);
        with(|config| config.begin(ADMIN, GUARDIAN, params()));
        with(|config| config.set_pause(PAUSE_BID, NOW + 1, NOW).map(|_| ()));
        with(|config| config.propose(params(), NOW).map(|_| ()));
        with(|config| config.cancel());
        with(|config| config.apply(NOW).map(|_| ()));
        with(|config| config.propose_admin(HEIR));
        with(|config| config.accept_admin().map(|_| ()));
        with(|config| config.propose_guardian(HEIR, NOW).map(|_| ()));
        with(|config| config.cancel_first_price().map(|_| ()));
        with(|config| config.start(0, 100 * USDC, NOW).map(|_| ()));
        with(|config| config.sell(1, 1, WHOLE, Sale { price: 1, cost: 1 }));
        with(|config| config.end_unsold(1));
        with(|config| config.burn_fees(1));
        let mut named = Config { pending_guardian: HEIR, ..unknown };
        refused(named.accept_guardian(NOW), E::UnknownVersion);
        let mut unpriced = Config { reference_price: 0, ..unknown };
        refused(unpriced.propose_first_price(PRICE, NOW), E::UnknownVersion);
        let terms = terms(1, 2, 1, NOW + 1);
        let unknown = Auction { version, ..auction(&terms) };
        refused({ unknown }.sell(&BIDDER, 1, 1, NOW), E::UnknownVersion);
        refused({ unknown }.end_unsold(false, NOW + 1), E::UnknownVersion);
    }
}

#[test]
fn a_config_begins_with_somebody_in_office_and_a_small_lot() {
    let begun = fresh();
    assert_eq!((begun.admin, begun.guardian, begun.params), (ADMIN, GUARDIAN, params()));
    assert_eq!((begun.next_share_bps, begun.reference_price, begun.anchor_price), (625, 0, 0));
    let begin = |admin, guardian, params| {
        Config { version: ACCOUNT_VERSION, ..Config::zeroed() }.begin(admin, guardian, params)
    };
    begin(ADMIN, GUARDIAN, params()).unwrap();
    refused(begin(ADMIN, Address::default(), params()), E::ZeroAddress);
    refused(begin(Address::default(), GUARDIAN, params()), E::ZeroAddress);
    refused(begin(ADMIN, GUARDIAN, Params { duration: 0, ..params() }), E::ParamsInvalid);
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
    assert_eq!(config.propose(other, NOW), Ok(NOW + 7 * DAY));
    refused(config.apply(NOW + 7 * DAY - 1), E::NoticeNotOver);
    assert_eq!(config.params, params());
    let mut cancelled = config;
    cancelled.cancel().unwrap();
    refused(cancelled.apply(u64::MAX), E::NothingProposed);
    assert_eq!(config.apply(NOW + 7 * DAY), Ok(1), "the first change's revision");
    assert_eq!((config.params, config.pending_at, config.revision), (other, 0, 1));
    config.propose(params(), NOW).unwrap();
    assert_eq!(config.apply(NOW + 7 * DAY), Ok(2));
    refused(config.propose(other, u64::MAX), E::Overflow);
}

#[test]
fn another_guardian_after_the_notice() {
    let mut config = config();
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

#[test]
fn the_admin_is_handed_over_in_two_steps() {
    let mut config = config();
    refused(config.accept_admin(), E::NothingProposed);
    config.propose_admin(HEIR).unwrap();
    assert_eq!((config.admin, config.pending_admin), (ADMIN, HEIR));
    assert_eq!(config.accept_admin(), Ok(ADMIN));
    assert_eq!((config.admin, config.pending_admin), (HEIR, Address::default()));
}

// -- the first price ------------------------------------------------------------------------------

#[test]
fn the_first_price_waits_for_its_notice_and_is_used_by_the_first_start() {
    let mut config = fresh();
    refused(config.start(0, 100 * USDC, NOW), E::NoFirstPrice);
    assert_eq!(config.propose_first_price(PRICE, NOW), Ok(NOW + 7 * DAY));
    assert_eq!(config.reference_price, 0);
    refused({ config }.start(0, 100 * USDC, NOW + 7 * DAY - 1), E::NoticeNotOver);
    let terms = config.start(0, 100 * USDC, NOW + 7 * DAY).unwrap();
    assert_eq!((terms.start_price, terms.floor_price), (2 * PRICE, PRICE / 2));
    assert_eq!((config.reference_price, config.first_price, config.first_price_at), (PRICE, 0, 0));
    refused(config.propose_first_price(PRICE, NOW), E::FirstPriceSet);
    refused(config.cancel_first_price(), E::NothingProposed);
}

#[test]
fn a_first_price_keeps_to_the_bounds() {
    for bad in [0, IO / 100 - 1, MAX_PRICE + 1, u64::MAX] {
        refused(fresh().propose_first_price(bad, NOW), E::PriceOutOfBounds);
    }
    for edge in [IO / 100, MAX_PRICE] {
        fresh().propose_first_price(edge, NOW).unwrap();
    }
    refused(fresh().propose_first_price(PRICE, u64::MAX), E::Overflow);
    // The lowest price was raised while it waited: no auction ends below it.
    let mut config = fresh();
    config.propose_first_price(PRICE, NOW).unwrap();
    config.params.min_price = 3 * PRICE;
    let terms = config.start(0, 100 * USDC, NOW + 7 * DAY).unwrap();
    assert_eq!((terms.start_price, terms.floor_price), (3 * PRICE, 3 * PRICE));
}

#[test]
fn a_first_price_that_was_dropped_starts_nothing() {
    let mut config = fresh();
    refused(config.cancel_first_price(), E::NothingProposed);
    for late in [0, 7 * DAY, 400 * DAY] {
        config.propose_first_price(PRICE, NOW).unwrap();
        assert_eq!(config.cancel_first_price(), Ok(PRICE), "even after its notice");
        assert_eq!((config.first_price, config.first_price_at), (0, 0));
        refused({ config }.start(0, 100 * USDC, NOW + late), E::NoFirstPrice);
        refused(config.cancel_first_price(), E::NothingProposed);
    }
    // Another one takes the place of the one before, and waits as long.
    config.propose_first_price(9 * PRICE, NOW).unwrap();
    config.propose_first_price(PRICE, NOW + DAY).unwrap();
    refused({ config }.start(0, 100 * USDC, NOW + 8 * DAY - 1), E::NoticeNotOver);
    config.start(0, 100 * USDC, NOW + 8 * DAY).unwrap();
    assert_eq!(config.reference_price, PRICE);
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
    refused({ config }.sell(100 * USDC, terms.lot, WHOLE, sale), E::AuctionVoid);
    let mut open = auction(&terms);
    assert_eq!(open.status, STATUS_OPEN);
    open.end_unsold(true, NOW + DAY).unwrap();
    assert_eq!(open.status, STATUS_VOID);
    config.end_unsold(terms.floor_price).unwrap();
    assert_eq!(config.reference_price, PRICE, "it said nothing about the price");
    assert!(!bool::from(config.void));
    config.start(1, 100 * USDC, NOW + DAY).unwrap();
    config.sell(100 * USDC, 100 * USDC, WHOLE, sale).unwrap();
}
