//! Auctions: starts, the price's path, sales, ends, fees, and the records that must agree.

mod support;

use {
    anchor_lang::prelude::*,
    buyback::{
        constants::*,
        errors::BuybackError as E,
        state::{Auction, Config, Params, Sale, STATUS_SOLD, STATUS_UNSOLD},
    },
    ionet_common::{calendar::DAY, supply::IO},
    support::*,
};

// -- starting -------------------------------------------------------------------------------------

#[test]
fn the_vault_and_the_config_make_the_auction() {
    let mut started = config();
    let terms = started.start(0, 1_234 * USDC, NOW).unwrap();
    let expected = support::terms(1_234 * USDC, 8 * IO, 2 * IO, NOW + DAY);
    assert_eq!(terms, expected);
    assert!(bool::from(started.open));
    assert_eq!((started.started, started.waiting_since, started.fees_usdc), (1, NOW, 1_234 * USDC));
    refused(started.start(1, 1_234 * USDC, NOW + DAY), E::AuctionOpen);
    assert_eq!(config().start(0, u64::MAX, NOW).unwrap().lot, 10_000 * USDC);
    assert_eq!(config().start(0, 100 * USDC, NOW).unwrap().lot, 100 * USDC);
    refused(config().start(0, 100 * USDC - 1, NOW), E::LotTooSmall);
    refused(config().start(0, 0, NOW), E::LotTooSmall);
    refused(config().start(1, 100 * USDC, NOW), E::WrongNumber);
    let waiting = Config { waiting_since: NOW, ..config() };
    refused({ waiting }.start(0, 100 * USDC, NOW + DAY - 1), E::TooEarly);
    { waiting }.start(0, 100 * USDC, NOW + DAY).unwrap();
    refused({ waiting }.start(0, 100 * USDC, 0), E::TooEarly);
}

#[test]
fn prices_keep_to_the_bounds() {
    let at = |reference_price, min_price| {
        let params = Params { min_price, ..params() };
        let mut config = Config { reference_price, anchor_price: reference_price, params, ..config() };
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
    let mut odd = Config { reference_price: 3 * IO + 1, anchor_price: 3 * IO + 1, params, ..config() };
    assert_eq!(odd.start(0, 100 * USDC, NOW).unwrap().start_price, 330_000_002, "a start rounds up");
}

#[test]
fn what_came_in_never_falls() {
    let mut config = config();
    config.start(0, 500 * USDC, NOW).unwrap();
    let sale = Sale { price: PRICE, cost: 2_000 * IO };
    refused(config.sell(499 * USDC, 400 * USDC, WHOLE, sale), E::InvariantViolated);
    config.fees_usdc = 0;
    refused(config.sell(399 * USDC, 400 * USDC, WHOLE, sale), E::VaultShort);
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
    let terms = terms(MAX_LOT, MAX_PRICE, 1, NOW + MAX_DURATION);
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
    let cost = |lot, price| auction(&terms(lot, price, price, NOW + 1)).cost(price).unwrap();
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
    config.sell(12_345 * USDC, terms.lot, terms.share_bps, sale).unwrap();
    assert!(!bool::from(config.open));
    assert_eq!((config.usdc_sold, config.fees_usdc), (10_000 * USDC, 12_345 * USDC));
    assert_eq!((config.burned_auctions, config.reference_price), (50_000 * IO, 5 * IO));
    assert_eq!((config.started, config.sold, config.unsold), (1, 1, 0));
    let next = config.start(1, 2_345 * USDC, NOW + DAY).unwrap();
    let expected = support::terms(2_345 * USDC, 10 * IO, 250_000_000, NOW + 2 * DAY);
    assert_eq!(next, expected);
    assert_eq!(config.fees_usdc, 12_345 * USDC);
}

#[test]
fn totals_stop_at_64_bits() {
    let sale = Sale { price: PRICE, cost: 1 };
    let mut burned = config();
    burned.start(0, 100 * USDC, NOW).unwrap();
    burned.burned_auctions = u64::MAX;
    refused(burned.sell(100 * USDC, 100 * USDC, WHOLE, sale), E::Overflow);
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

// -- how much is sold, and from which price ----------------------------------------------------------

/// A sale at `price` of the lot that a vault of 1 million USDC starts, and what that lot was.
fn sale_at(config: &mut Config, price: u64) -> u64 {
    let now = NOW + config.started as u64 * DAY;
    let terms = config.start(config.started, 1_000_000 * USDC, now).unwrap();
    assert!((terms.floor_price..=terms.start_price).contains(&price));
    config.sell(1_000_000 * USDC, terms.lot, terms.share_bps, Sale { price, cost: 1 }).unwrap();
    config.usdc_sold = 0;
    terms.lot / USDC
}

/// An auction that nobody takes, and what it would have sold, from which price to which.
fn nobody(config: &mut Config) -> (u64, u64, u64) {
    let now = NOW + config.started as u64 * DAY;
    let terms = config.start(config.started, 1_000_000 * USDC, now).unwrap();
    config.end_unsold(terms.floor_price).unwrap();
    (terms.lot / USDC, terms.start_price, terms.floor_price)
}

#[test]
fn a_lot_that_nobody_takes_comes_back_smaller_and_over_a_wider_range() {
    let mut config = config();
    let found: Vec<_> = (0..9).map(|_| nobody(&mut config)).collect();
    let lots = [10_000, 5_000, 2_500, 1_250, 625, 312, 156, 100, 100];
    assert_eq!(found.iter().map(|each| each.0).collect::<Vec<_>>(), lots);
    for (days, (_, start, floor)) in found.into_iter().enumerate() {
        assert_eq!(floor, (PRICE >> (days + 1)).max(IO / 100));
        // From what bidders paid, until that is too far above the floor to fall to it in a day.
        assert_eq!(start, (2 * PRICE).min(256 * floor));
    }
}

#[test]
fn whoever_comes_back_doubles_the_lot_sale_by_sale() {
    let mut config = config();
    for _ in 0..20 {
        nobody(&mut config);
    }
    let lots: Vec<u64> = (0..9).map(|_| sale_at(&mut config, 2 * IO)).collect();
    // Until the price is the limit: by then these sales have drawn the anchor from 4 IO to 3.7.
    assert_eq!(lots[..7], [100, 200, 400, 800, 1_600, 3_200, 5_404]);
    assert!(lots[7] > lots[6] && lots[8] > lots[7]);
    assert_eq!(config.reference_price, 2 * IO);
}

#[test]
fn the_first_lot_is_a_sixteenth_whatever_its_price() {
    let mut config = Config { reference_price: PRICE, ..fresh() };
    // Nobody has paid the first price: it falls with its range, and says nothing about the lot.
    for days in 0..5 {
        let at = PRICE >> days;
        assert_eq!(nobody(&mut config), (625, 2 * at, at / 2));
    }
    let price = config.reference_price;
    let lots: Vec<u64> = (0..6).map(|_| sale_at(&mut config, price)).collect();
    assert_eq!(lots, [625, 1_250, 2_500, 5_000, 10_000, 10_000]);
    assert_eq!((config.anchor_price, config.next_share_bps), (price, WHOLE));
}

#[test]
fn the_anchor_rises_at_once_and_falls_slowly() {
    let mut up = config();
    assert_eq!(sale_at(&mut up, 8 * IO), 10_000);
    assert_eq!((up.reference_price, up.anchor_price, up.share_bps()), (8 * IO, 8 * IO, Ok(WHOLE)));
    let mut down = config();
    assert_eq!(sale_at(&mut down, 2 * IO), 10_000);
    // A whole lot draws it a quarter of the way, half a lot an eighth.
    assert_eq!((down.reference_price, down.anchor_price), (2 * IO, 350_000_000));
    assert_eq!(down.share_bps(), Ok(5_714));
    assert_eq!(sale_at(&mut down, 2 * IO), 5_714);
    assert_eq!(down.anchor_price, 350_000_000 - 150_000_000 * 5_714 / 40_000);
    // The same price again is whole again, in time.
    for _ in 0..40 {
        sale_at(&mut down, 2 * IO);
    }
    assert!(down.share_bps().unwrap() > 9_900);
    // A fall rounds down to nothing at last: a share may stay a hair below the whole.
    let mut near = Config { anchor_price: PRICE + 3, ..config() };
    sale_at(&mut near, PRICE);
    assert_eq!((near.anchor_price, near.share_bps()), (PRICE + 3, Ok(9_999)));
}

#[test]
fn a_small_lot_hardly_moves_the_anchor() {
    let mut config = Config { next_share_bps: MIN_SHARE_BPS, ..config() };
    assert_eq!(sale_at(&mut config, 2 * IO), 100);
    assert_eq!(config.anchor_price, PRICE - 2 * IO / 400);
    assert_eq!((config.reference_price, config.next_share_bps), (2 * IO, 2 * MIN_SHARE_BPS));
}

#[test]
fn a_lot_is_never_below_the_smallest_nor_above_the_vault() {
    let mut small = Config { next_share_bps: MIN_SHARE_BPS, ..config() };
    for (vault, lot) in [(100, 100), (150, 100), (9_999, 100), (20_000, 100)] {
        assert_eq!({ small }.start(0, vault * USDC, NOW).unwrap().lot, lot * USDC);
    }
    small.params.min_lot = 50 * USDC;
    assert_eq!({ small }.start(0, 9_999 * USDC, NOW).unwrap().lot, 99_990_000);
    assert_eq!({ small }.start(0, 9_999_999, NOW).err(), Some(ProgramError::from(E::LotTooSmall)));
    let half = Config { reference_price: PRICE / 2, ..config() };
    assert_eq!({ half }.start(0, 777 * USDC + 1, NOW).unwrap().lot, 388_500_000, "rounded down");
}

#[test]
fn a_lowest_price_above_the_anchor_makes_whole_lots() {
    let params = Params { min_price: 3 * PRICE, ..params() };
    let mut config = Config { params, ..config() };
    assert_eq!(nobody(&mut config), (10_000, 3 * PRICE, 3 * PRICE));
    assert_eq!(config.reference_price, 3 * PRICE);
    assert_eq!(nobody(&mut config), (10_000, 6 * PRICE, 3 * PRICE));
    assert_eq!(sale_at(&mut config, 4 * PRICE), 10_000);
    assert_eq!(config.anchor_price, 4 * PRICE);
}

#[test]
fn the_widest_range() {
    let params = Params { start_bps: MAX_START_BPS, floor_bps: MIN_FLOOR_BPS, min_price: 1, ..params() };
    let top = Config { reference_price: MAX_PRICE, anchor_price: MAX_PRICE, params, ..config() };
    let terms = { top }.start(0, 100 * USDC, NOW).unwrap();
    assert_eq!((terms.start_price, terms.floor_price), (MAX_PRICE, MAX_PRICE / 10));
    let wide = Config { reference_price: 1, ..top };
    let terms = { wide }.start(0, 100 * USDC, NOW).unwrap();
    assert_eq!((terms.start_price, terms.floor_price, terms.share_bps), (256, 1, MIN_SHARE_BPS));
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
        Config { anchor_price: MAX_PRICE + 1, ..good },
        Config { started: 1, unsold: 1, first_price_at: 1, ..good },
        Config { next_share_bps: 0, ..good },
        Config { next_share_bps: MIN_SHARE_BPS - 1, ..good },
        Config { next_share_bps: WHOLE + 1, ..good },
        Config { usdc_sold: 1, ..good },
        Config { burned_fees: 1, ..good },
        Config { fees_io: 1, ..good },
    ] {
        refused(bad.invariant(), E::InvariantViolated);
    }
    let terms = terms(1, 2, 1, NOW + 1);
    let good = auction(&terms);
    good.invariant().unwrap();
    Auction { floor_price: 2, ..good }.invariant().expect("a price may stand still");
    for bad in [
        Auction { lot: 0, ..good },
        Auction { share_bps: MIN_SHARE_BPS - 1, ..good },
        Auction { share_bps: WHOLE + 1, ..good },
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
