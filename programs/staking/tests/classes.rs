//! Every transition of a class and of its prices: where it leads, each of its refusals, and the edges between.

mod fixtures;

use {
    anchor_lang::bytemuck::Zeroable,
    fixtures::*,
    ionet_common::{
        calendar::{DAY, HOUR},
        supply::IO,
    },
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{next_price, Bounds, Class, ClassPrices, Currency, Price},
    },
};

/// The hour of `NOW`, and a time in it.
const HOURS: u32 = (NOW / HOUR) as u32;
const BEGIN: u64 = HOURS as u64 * HOUR;

const PRICES: ClassPrices = ClassPrices {
    price_io: 1_000,
    low_io: 10,
    high_io: 5_000,
    price_usdc: 400,
    low_usdc: 4,
    high_usdc: 2_000,
};
const BOUNDS: Bounds = Bounds { low_io: 10, high_io: 5_000, low_usdc: 4, high_usdc: 2_000 };

/// A class of so much, open for long.
fn class(multiplier: u16) -> Class {
    let mut class = Class {
        version: ACCOUNT_VERSION,
        multiplier,
        price_io: PRICES.price_io,
        price_usdc: PRICES.price_usdc,
        bounds: BOUNDS,
        ..Class::zeroed()
    };
    class.name[0] = b'X';
    class
}

fn price(class: &Class, now: u64) -> (u64, u64) {
    (class.price(Currency::Io, now).amount, class.price(Currency::Usdc, now).amount)
}

// -- multiplier -----------------------------------------------------------------------------------

#[test]
fn minimum_of_a_class() {
    for (multiplier, processors, io) in
        [(1_000, 8, 16_000), (125, 4, 1_000), (101, 1, 202), (100, 1, 200), (99, 1, 200), (0, 8, 1_600)]
    {
        assert_eq!(class(multiplier).minimum(processors, NOW), Ok(io * IO));
    }
    assert_eq!(class(MAX_MULTIPLIER).minimum(MAX_PROCESSORS, NOW), Ok(800_000 * IO));
}

#[test]
fn another_multiplier_after_its_notice() {
    let mut class = class(100);
    class.change(250, NOTICE, NOW).unwrap();
    assert_eq!((class.multiplier(NOW), class.multiplier(NOW + NOTICE - 1)), (100, 100));
    assert_eq!((class.multiplier(NOW + NOTICE), class.minimum(1, NOW + NOTICE)), (250, Ok(500 * IO)));
    // A proposal in place of one that waits, and one after it has taken effect.
    class.change(300, NOTICE, NOW + DAY).unwrap();
    assert_eq!((class.multiplier(NOW + NOTICE), class.multiplier(NOW + DAY + NOTICE)), (100, 300));
    let later = NOW + DAY + NOTICE;
    class.change(0, DAY, later).unwrap();
    assert_eq!((class.multiplier(later + DAY - 1), class.multiplier(later + DAY)), (300, 0));
    refused(class.change(MAX_MULTIPLIER + 1, DAY, NOW), E::ClassInvalid);
    refused(class.change(1, DAY, u64::MAX), E::Overflow);
}

// -- opening --------------------------------------------------------------------------------------

fn opening() -> Class {
    let mut class = Class { version: ACCOUNT_VERSION, ..Class::zeroed() };
    class.name[0] = b'X';
    class.open(250, &PRICES, NOTICE, NOW).unwrap();
    class
}

#[test]
fn a_new_class_opens_and_earns_after_its_notice() {
    let class = opening();
    assert_eq!((class.multiplier, class.bounds, price(&class, NOW)), (0, BOUNDS, (1_000, 400)));
    assert_eq!((class.multiplier(NOW + NOTICE - 1), class.multiplier(NOW + NOTICE)), (0, 250));
    refused(class.require_open(NOW + NOTICE - 1), E::ClassNotOpen);
    class.require_open(NOW + NOTICE).unwrap();
    let mut class = self::class(0);
    refused(class.open(MAX_MULTIPLIER + 1, &PRICES, NOTICE, NOW), E::ClassInvalid);
    refused(class.open(1, &PRICES, NOTICE, u64::MAX), E::Overflow);
    refused(class.open(1, &ClassPrices { low_io: 1_001, ..PRICES }, NOTICE, NOW), E::PricesInvalid);
    refused(class.open(1, &ClassPrices { high_usdc: 399, ..PRICES }, NOTICE, NOW), E::PricesInvalid);
}

#[test]
fn the_guardian_drops_what_does_not_hold_yet() {
    // A class that isn't open yet never opens, and nothing can be changed of it any more.
    let mut never = opening();
    never.change_bounds(&BOUNDS, NOTICE, NOW).unwrap();
    never.cancel(NOW + NOTICE - 1).unwrap();
    assert_eq!((never.opens_at, never.pending_at, never.bounds_at), (u64::MAX, 0, 0));
    assert_eq!(
        (never.multiplier(u64::MAX), never.pending_multiplier, never.next_bounds),
        (0, 0, Bounds::zeroed())
    );
    refused(never.require_open(u64::MAX - 1), E::ClassNotOpen);
    refused(never.cancel(NOW), E::NothingProposed);
    refused(never.change(1, NOTICE, NOW), E::ClassNotOpen);
    refused(never.change_bounds(&BOUNDS, NOTICE, NOW), E::ClassNotOpen);
    refused(never.step(HOURS, 1, 1, NOW), E::ClassNotOpen);
    // One that is open stays open.
    refused(opening().cancel(NOW + NOTICE), E::NothingProposed);
    // An opening alone, when the notice became shorter meanwhile and another multiplier holds before it.
    let mut sooner = opening();
    sooner.change(300, DAY, NOW).unwrap();
    sooner.cancel(NOW + NOTICE - 1).unwrap();
    assert_eq!((sooner.opens_at, sooner.multiplier(NOW + NOTICE)), (u64::MAX, 300));
    let higher = Bounds { high_io: 9_000, ..BOUNDS };
    let mut class = class(100);
    refused(class.cancel(NOW), E::NothingProposed);
    class.change(250, NOTICE, NOW).unwrap();
    class.change_bounds(&higher, NOTICE, NOW + 1).unwrap();
    let mut both = class;
    both.cancel(NOW + NOTICE - 1).unwrap();
    assert_eq!((both.multiplier(u64::MAX), both.bounds_at, both.opens_at), (100, 0, 0));
    refused(both.cancel(NOW), E::NothingProposed);
    // The multiplier holds already: the bounds alone are dropped. A second later there is nothing.
    let mut one = class;
    one.cancel(NOW + NOTICE).unwrap();
    assert_eq!((one.multiplier(NOW + NOTICE), one.pending_multiplier, one.bounds_at), (250, 250, 0));
    assert_eq!(one.price(Currency::Io, u64::MAX / 2).high, 5_000);
    refused(class.cancel(NOW + NOTICE + 1), E::NothingProposed);
    // The other way round.
    let mut class = self::class(100);
    class.change_bounds(&higher, NOTICE, NOW).unwrap();
    class.change(250, NOTICE, NOW + 1).unwrap();
    class.cancel(NOW + NOTICE).unwrap();
    assert_eq!((class.multiplier(u64::MAX), class.next_bounds), (100, higher));
    assert_eq!(class.price(Currency::Io, NOW + NOTICE).high, 9_000);
}

// -- price ----------------------------------------------------------------------------------------

#[test]
fn the_next_price_by_the_published_figures() {
    const MOST: u64 = 1_000_000_000_000;
    for (amount, step, low, high, next) in [
        (100_000_000, 1_250, 1, MOST, 112_500_000),
        (100_000_000, -1_250, 1, MOST, 87_500_000),
        (1, -1_250, 1, MOST, 1),
        (1, 1, 1, MOST, 2),
        (7, 1_250, 1, MOST, 8),
        (100_000_000, 333, 1, 103_000_000, 103_000_000),
        (100_000_000, -333, 99_000_000, MOST, 99_000_000),
    ] {
        assert_eq!(next_price(amount, step, low, high), next);
    }
    assert_eq!((next_price(0, 1_250, 0, 0), next_price(0, 1_250, 5, 9)), (0, 0));
    assert_eq!(next_price(1, -1_250, 0, 9), 1);
    assert_eq!(next_price(MAX_PRICE, MAX_STEP, 1, u64::MAX), MAX_PRICE / 8 * 9);
    assert_eq!(next_price(MAX_PRICE, -MAX_STEP, 1, u64::MAX), MAX_PRICE / 8 * 7);
}

#[test]
fn a_step_rounds_away_from_no_change_and_never_to_zero() {
    let mut spread = Spread(3);
    for _ in 0..20_000 {
        let shift = spread.below(50);
        let amount = 1 + spread.below(MAX_PRICE >> shift);
        let step = spread.below(2_501) as i64 - 1_250;
        let product = i128::from(amount) * i128::from(10_000 + step);
        let expected = if step > 0 { (product + 9_999) / 10_000 } else { product / 10_000 }.max(1);
        assert_eq!(i128::from(next_price(amount, step as i16, 0, u64::MAX)), expected, "{amount} {step}");
        let (low, high) = (spread.below(amount + 1), amount + spread.below(amount));
        let within = next_price(amount, step as i16, low, high);
        assert_eq!(i128::from(within), expected.min(i128::from(high)).max(i128::from(low)));
    }
}

#[test]
fn a_step_holds_from_two_hours_after_its_hour_began() {
    let mut class = class(100);
    class.step(HOURS - 1, 1_250, -1_250, NOW).unwrap();
    let holds = BEGIN + HOUR;
    assert_eq!((price(&class, NOW), price(&class, holds - 1)), ((1_000, 400), (1_000, 400)));
    assert_eq!((price(&class, holds), class.price_io), ((1_125, 350), 1_000));
    // The next one finds it written down.
    class.step(HOURS, -100, 0, holds).unwrap();
    assert_eq!((class.price_io, class.price_usdc, class.next_io, class.next_usdc), (1_125, 350, -100, 0));
    assert_eq!((price(&class, holds + HOUR - 1), price(&class, holds + HOUR)), ((1_125, 350), (1_113, 350)));
    // Each hour once, and none that is past.
    refused(class.step(HOURS, 1, 1, holds), E::StepApplied);
    refused(class.step(HOURS - 1, 1, 1, holds), E::StepApplied);
    for step in [MAX_STEP + 1, -MAX_STEP - 1, i16::MAX, i16::MIN] {
        refused(class.step(HOURS + 1, step, 0, NOW), E::StepTooLarge);
        refused(class.step(HOURS + 1, 0, step, NOW), E::StepTooLarge);
    }
    // Hours may be missed.
    class.step(HOURS + 30, MAX_STEP, -MAX_STEP, holds + 30 * HOUR).unwrap();
    assert_eq!((class.price_hour, price(&class, holds + 31 * HOUR)), (HOURS + 30, (1_253, 306)));
}

#[test]
fn the_guardian_drops_an_announced_step() {
    let mut class = class(100);
    refused(class.cancel_step(0), E::NothingProposed);
    class.step(HOURS - 1, 0, 0, NOW).unwrap();
    refused(class.cancel_step(NOW), E::NothingProposed);
    for (io, usdc) in [(1_250, 0), (0, -1_250), (5, 5)] {
        let mut class = self::class(100);
        class.step(HOURS - 1, io, usdc, NOW).unwrap();
        refused(Class { ..class }.cancel_step(BEGIN + HOUR), E::NothingProposed);
        class.cancel_step(BEGIN + HOUR - 1).unwrap();
        assert_eq!((class.next_io, class.next_usdc, price(&class, BEGIN + HOUR)), (0, 0, (1_000, 400)));
        // The hour is over for it: the same step can't be applied again.
        refused(class.step(HOURS - 1, io, usdc, NOW), E::StepApplied);
        refused(class.cancel_step(NOW), E::NothingProposed);
    }
}

#[test]
fn a_price_that_nobody_renews_binds_for_a_day() {
    let stale = |class: &Class, now| class.price(Currency::Usdc, now).stale;
    let mut class = class(100);
    // A class whose price was never voted keeps its first one.
    assert!(!stale(&class, u64::MAX / 2));
    class.step(HOURS - 1, 0, 0, NOW).unwrap();
    let ends = BEGIN + HOUR + STALE;
    assert!(!stale(&class, ends - 1) && stale(&class, ends));
    let last = Price { amount: 1_000, low: 10, high: 5_000, stale: true };
    assert_eq!(class.price(Currency::Io, ends), last);
    class.step(HOURS + 24, 0, 0, ends).unwrap();
    assert!(!stale(&class, ends));
}

#[test]
fn other_bounds_after_their_notice_take_the_price_with_them() {
    let at = NOW + NOTICE;
    let narrow = Bounds { low_io: 2_000, high_io: 3_000, low_usdc: 5, high_usdc: 100 };
    let mut class = class(100);
    class.change_bounds(&narrow, NOTICE, NOW).unwrap();
    assert_eq!((class.bounds_at, price(&class, at - 1), price(&class, at)), (at, (1_000, 400), (2_000, 100)));
    assert_eq!(
        class.price(Currency::Io, at - 1),
        Price { amount: 1_000, low: 10, high: 5_000, stale: false }
    );
    assert_eq!(class.price(Currency::Usdc, at), Price { amount: 100, low: 5, high: 100, stale: false });
    // A proposal in place of one that waits; and one after it holds: that is written down.
    let mut other = class;
    other.change_bounds(&BOUNDS, NOTICE, NOW + 1).unwrap();
    assert_eq!((other.bounds, other.price_io, price(&other, u64::MAX / 2)), (BOUNDS, 1_000, (1_000, 400)));
    class.change_bounds(&BOUNDS, NOTICE, at).unwrap();
    assert_eq!((class.bounds, class.price_io, class.price_usdc), (narrow, 2_000, 100));
    let mut written = class;
    written.settle(at + NOTICE);
    assert_eq!((written.bounds, written.next_bounds, written.bounds_at), (BOUNDS, Bounds::zeroed(), 0));
    assert_eq!(price(&class, at + NOTICE), (2_000, 100));
    // A currency ends, and another begins at its lowest.
    let none = Bounds { low_usdc: 0, high_usdc: 0, ..BOUNDS };
    class.change_bounds(&none, NOTICE, at).unwrap();
    assert_eq!(price(&class, at + NOTICE), (2_000, 0));
    class.change_bounds(&BOUNDS, NOTICE, at + NOTICE).unwrap();
    assert_eq!((price(&class, at + NOTICE), price(&class, at + 2 * NOTICE)), ((2_000, 0), (2_000, 4)));
    for bad in [
        Bounds { low_io: 0, ..BOUNDS },
        Bounds { low_io: 5_001, ..BOUNDS },
        Bounds { high_usdc: 0, ..BOUNDS },
        Bounds { low_usdc: 0, ..BOUNDS },
        Bounds { high_usdc: MAX_PRICE + 1, ..BOUNDS },
        Bounds { high_io: MAX_PRICE + 1, ..BOUNDS },
    ] {
        refused(Class { ..class }.change_bounds(&bad, NOTICE, NOW), E::PricesInvalid);
    }
    let widest = Bounds { low_io: 1, high_io: MAX_PRICE, low_usdc: MAX_PRICE, high_usdc: MAX_PRICE };
    class.change_bounds(&widest, NOTICE, NOW).unwrap();
    refused(class.change_bounds(&BOUNDS, NOTICE, u64::MAX), E::Overflow);
}

#[test]
fn a_step_and_bounds_hold_in_the_order_of_time() {
    let holds = BEGIN + HOUR;
    let low = Bounds { low_io: 10, high_io: 1_050, ..BOUNDS };
    for (bounds_at, bounds, expected) in [
        // The bounds first: 1,000 up to 1,125, cut to 1,050; the step first: the same by another way.
        (holds - 1, low, 1_050),
        (holds, low, 1_050),
        (holds + 1, low, 1_050),
        // The bounds first lift the price to 2,000, and the step lifts that; the step first is lifted away.
        (holds - 1, Bounds { low_io: 2_000, ..BOUNDS }, 2_250),
        (holds, Bounds { low_io: 2_000, ..BOUNDS }, 2_000),
        (holds + 1, Bounds { low_io: 2_000, ..BOUNDS }, 2_000),
        // The step is cut by the old bounds when it comes first, and not by them when it comes later.
        (holds - 1, Bounds { low_io: 4_800, high_io: 9_000, ..BOUNDS }, 5_400),
        (holds + 1, Bounds { low_io: 4_800, high_io: 9_000, ..BOUNDS }, 4_800),
        // A currency that ends is not brought back by a step.
        (holds - 1, Bounds { low_io: 0, high_io: 0, ..BOUNDS }, 0),
        (holds + 1, Bounds { low_io: 0, high_io: 0, ..BOUNDS }, 0),
    ] {
        let mut class = class(100);
        class.change_bounds(&bounds, bounds_at - NOW, NOW).unwrap();
        class.step(HOURS - 1, 1_250, 0, NOW).unwrap();
        let both = holds.max(bounds_at);
        assert_eq!(price(&class, both).0, expected, "{bounds:?} at {bounds_at}");
        class.invariant().unwrap();
    }
}

#[test]
fn writing_down_changes_no_price() {
    let mut spread = Spread(4);
    for _ in 0..3_000 {
        let mut class = class(100);
        let mut bounds = || {
            let low = spread.below(3) * 700;
            Bounds { low_io: low, high_io: low * 2, low_usdc: low / 7, high_usdc: low }
        };
        class.bounds = Bounds { low_io: 700, high_io: 1_400, low_usdc: 100, high_usdc: 700 };
        class.next_bounds = bounds();
        class.price_hour = HOURS - spread.below(3) as u32;
        class.next_io = spread.below(2_501) as i16 - 1_250;
        class.next_usdc = spread.below(3) as i16 - 1;
        class.bounds_at = spread.below(2) * (BEGIN + spread.below(4) * HOUR);
        class.invariant().unwrap();
        let times: Vec<u64> = (0..6).map(|_| BEGIN + spread.below(5) * HOUR + spread.below(2) - 1).collect();
        let mut written = class;
        let mut sorted = times.clone();
        sorted.sort();
        for now in sorted {
            written.settle(now);
            written.invariant().unwrap();
            for later in times.iter().filter(|later| **later >= now) {
                for currency in [Currency::Io, Currency::Usdc] {
                    assert_eq!(written.price(currency, *later), class.price(currency, *later));
                }
            }
        }
    }
}

#[test]
fn class_invariant() {
    let good = Class { pending_multiplier: MAX_MULTIPLIER, ..class(MAX_MULTIPLIER) };
    good.invariant().unwrap();
    for bad in [
        Class { name: [0; 24], ..good },
        Class { pool: 2, ..good },
        Class { kind: 3, ..good },
        Class { multiplier: MAX_MULTIPLIER + 1, ..good },
        Class { pending_multiplier: MAX_MULTIPLIER + 1, ..good },
    ] {
        refused(bad.invariant(), E::ClassInvalid);
    }
    for bad in [
        Class { price_io: 9, ..good },
        Class { price_io: 5_001, ..good },
        Class { price_io: 0, ..good },
        Class { price_usdc: 3, ..good },
        Class { price_usdc: 2_001, ..good },
        Class { bounds: Bounds { low_io: 0, high_io: 0, ..BOUNDS }, ..good },
        Class { bounds: Bounds { low_io: 0, ..BOUNDS }, ..good },
        Class { next_bounds: Bounds { low_usdc: 0, ..BOUNDS }, ..good },
    ] {
        refused(bad.invariant(), E::PricesInvalid);
    }
    let none = Bounds { low_io: 0, high_io: 0, ..BOUNDS };
    Class { bounds: none, price_io: 0, ..good }.invariant().unwrap();
    refused(Class { bounds: none, price_io: 1, ..good }.invariant(), E::PricesInvalid);
    for edge in [10, 5_000] {
        Class { price_io: edge, ..good }.invariant().unwrap();
    }
}
