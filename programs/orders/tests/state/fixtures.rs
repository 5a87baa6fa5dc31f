//! What the tests begin with.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::calendar::{DAY, HOUR},
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{with_fee, Lease, Matcher, Order, Params, Payment, Terms},
    },
};

#[path = "../../../common/tests/support/spread.rs"]
mod spread;

pub use spread::Spread;

pub const NOW: u64 = 1_720_000_000;
pub const LAG: u64 = 2 * HOUR;
pub const BPS: u16 = 25;
pub const CH: [u8; 2] = *b"CH";
pub const DE: [u8; 2] = *b"DE";
/// 4 processors for 10 hours at the highest price, and 25 basis points on it.
pub const PRINCIPAL: u64 = 1_000 * 4 * 10;
pub const PLACE: u64 = PRINCIPAL + 100;
/// A processor's hour at the price that devices are matched for.
pub const PRICE: u64 = 800;
/// What a lease costs at that price, its fee included.
pub const COST: u64 = 800 * 4 * 10 + 80;
/// The fee on an hour of a place, at the highest price.
pub const HOUR_FEE: u64 = 10;
pub const TOKENS: Address = Address::new_from_array([5; 32]);

#[track_caller]
pub fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

pub fn params() -> Params {
    Params {
        match_window: 20 * 60,
        accept_window: 10 * 60,
        settlement_lag: LAG,
        notice: 7 * DAY,
        exclusive: 5 * 60,
        renter_fee_bps: BPS,
        supplier_fee_bps: BPS,
        usdc_fee_bps: 200,
        soon_fee_bps: 100,
        now_fee_bps: 300,
        _pad: [0; 6],
    }
}

pub fn terms() -> Terms {
    let mut terms = Terms { price: 1_000, hours: 10, devices: 3, processors: 4, ..Terms::zeroed() };
    (terms.min_tier, terms.min_devices, terms.class_count, terms.classes[0]) = (1, 1, 1, 7);
    terms
}

pub fn placed(terms: Terms) -> Order {
    let mut order = Order::zeroed();
    order.open(terms, u64::MAX, &params(), NOW).unwrap();
    order
}

/// What the program does when it matches a device of `country` at `price`, or how it refuses.
pub fn try_match(order: &mut Order, price: u64, country: [u8; 2], by: Matcher, now: u64) -> Result<Lease> {
    let mut lease = Lease {
        version: ACCOUNT_VERSION,
        hours: order.terms.hours,
        rate: order.terms.rate(price)?,
        matched_at: now,
        renter_fee_bps: order.renter_fee_bps,
        ..Lease::zeroed()
    };
    lease.held = lease.price()?;
    lease.accept_until = order.take_device(country, lease.held, by, now)?;
    lease.invariant()?;
    Ok(lease)
}

/// Matched by an operator at [`PRICE`].
pub fn matched(order: &mut Order, now: u64) -> Lease {
    try_match(order, PRICE, CH, Matcher::Operator, now).unwrap()
}

/// What the program does when a worker accepts.
pub fn try_accept(order: &mut Order, lease: &mut Lease, now: u64) -> Result<()> {
    lease.accept(&TOKENS, now)?;
    order.accept(now)?;
    touch(order, lease)
}

/// What the program does first whenever it touches a lease.
pub fn touch(order: &Order, lease: &mut Lease) -> Result<()> {
    if lease.starts(order.filled_at) {
        lease.begin(order.filled_at)?;
    }
    Ok(())
}

/// What came in, and what became of it.
pub fn money(order: &Order) -> [u64; 6] {
    [order.deposit, order.free, order.held, order.paid, order.fees, order.refunded]
}

/// A lease of `rate` for `hours`, matched at [`NOW`] with ten minutes to accept.
pub fn lease_of(rate: u64, hours: u32, renter_fee_bps: u16) -> Lease {
    Lease {
        version: ACCOUNT_VERSION,
        hours,
        rate,
        matched_at: NOW,
        accept_until: NOW + 600,
        held: with_fee(rate * hours as u64, renter_fee_bps).unwrap(),
        renter_fee_bps,
        ..Lease::zeroed()
    }
}

/// The same, accepted at `now` where nothing waits for a gang.
pub fn run(mut lease: Lease, now: u64) -> Lease {
    lease.accept(&TOKENS, now).unwrap();
    lease.begin(now).unwrap();
    lease
}

/// A settlement's figures without its time.
pub fn figures(payment: Payment) -> [u64; 4] {
    [payment.amount, payment.fee, payment.net, payment.renter_fee]
}
