//! Terms, and what a lease costs by them.

use {
    crate::fixtures::*,
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::calendar::HOUR,
    orders::{
        constants::*,
        errors::OrdersError as E,
        state::{earned, price_of, principal, with_fee, Order, Terms},
    },
    staking::state::Price,
};

pub fn classes(some: &[u16]) -> Terms {
    let mut terms = Terms { class_count: some.len() as u8, classes: [0; 8], ..terms() };
    terms.classes[..some.len()].copy_from_slice(some);
    terms
}

pub fn countries(some: &[[u8; 2]]) -> Terms {
    let mut terms = Terms { country_count: some.len() as u8, ..terms() };
    terms.countries[..some.len()].copy_from_slice(some);
    terms
}

#[test]
fn terms_at_their_bounds() {
    let t = terms();
    for good in [
        Terms { devices: MAX_DEVICES, ..t },
        Terms { devices: MAX_DEVICES, min_devices: MAX_DEVICES, ..t },
        Terms { devices: 1, min_devices: 1, ..t },
        Terms { processors: 1, ..t },
        Terms { processors: 8, hours: MAX_HOURS, ..t },
        Terms { min_tier: 4, urgency: MAX_URGENCY, colocated: 1, ..t },
        Terms { price: 1, currency: 1, hours: 1, devices: 1, urgency: 0, ..t },
        classes(&[1, 2, 3, 4, 5, 6, 7, 8]),
        classes(&[0]),
        countries(&[CH, DE, *b"FR", *b"IT", *b"AT", *b"LI", *b"US", *b"ZZ"]),
    ] {
        good.check().unwrap();
    }
    assert!(!terms().is_gang() && Terms { min_devices: 2, ..terms() }.is_gang());
}

#[test]
fn terms_past_their_bounds() {
    let t = terms();
    let stray_country = |at: usize| {
        let mut terms = countries(&[CH]);
        terms.countries[at] = DE;
        terms
    };
    let mut stray_class = t;
    stray_class.classes[7] = 9;
    for (bad, error) in [
        (Terms { currency: 2, ..t }, E::CurrencyInvalid),
        (Terms { devices: 0, ..t }, E::DevicesInvalid),
        (Terms { devices: MAX_DEVICES + 1, ..t }, E::DevicesInvalid),
        (Terms { min_devices: 0, ..t }, E::DevicesInvalid),
        (Terms { min_devices: 4, ..t }, E::DevicesInvalid),
        (Terms { processors: 0, ..t }, E::ProcessorsInvalid),
        (Terms { processors: 9, ..t }, E::ProcessorsInvalid),
        (Terms { hours: 0, ..t }, E::HoursInvalid),
        (Terms { hours: MAX_HOURS + 1, ..t }, E::HoursInvalid),
        (Terms { min_tier: 0, ..t }, E::TierInvalid),
        (Terms { min_tier: 5, ..t }, E::TierInvalid),
        (Terms { urgency: MAX_URGENCY + 1, ..t }, E::WishInvalid),
        (Terms { colocated: 2, ..t }, E::WishInvalid),
        (Terms { _pad: 1, ..t }, E::WishInvalid),
        (Terms { price: 0, ..t }, E::PriceInvalid),
        (Terms { class_count: 0, ..t }, E::ClassesInvalid),
        (Terms { class_count: 9, ..t }, E::ClassesInvalid),
        (Terms { class_count: u8::MAX, ..t }, E::ClassesInvalid),
        (classes(&[1, 2, 1]), E::ClassesInvalid),
        (stray_class, E::ClassesInvalid),
        (Terms { country_count: 9, ..t }, E::CountriesInvalid),
        (countries(&[CH, DE, CH]), E::CountriesInvalid),
        (countries(&[*b"ch"]), E::CountriesInvalid),
        (countries(&[*b"C\0"]), E::CountriesInvalid),
        (stray_country(1), E::CountriesInvalid),
        (stray_country(7), E::CountriesInvalid),
    ] {
        let refusal = ProgramError::from(error);
        assert_eq!(bad.check(), Err(refusal.clone()));
        assert_eq!(Order::zeroed().open(bad, u64::MAX, &params(), NOW), Err(refusal));
    }
}

#[test]
fn prices_of_hours_and_seconds() {
    assert_eq!((terms().rate(999), principal(3_996, 10)), (Ok(3_996), Ok(39_960)));
    assert_eq!((earned(3_600, 1), earned(3_599, 1), earned(u64::MAX, HOUR)), (Ok(1), Ok(0), Ok(u64::MAX)));
    refused(terms().rate(u64::MAX / 4 + 1), E::Overflow);
    refused(principal(u64::MAX / 10 + 1, 10), E::Overflow);
    refused(earned(u64::MAX, HOUR + 1), E::Overflow);
    assert_eq!((with_fee(40_000, 25), with_fee(1, 225), with_fee(7, 0)), (Ok(40_100), Ok(2), Ok(7)));
    refused(with_fee(u64::MAX, 1), E::Overflow);
}

/// A price of 100 within 50 and 200.
fn market() -> Price {
    Price { amount: 100, low: 50, high: 200, stale: false }
}

#[test]
fn a_lease_costs_the_networks_price_whatever_the_device_asks() {
    for ask in [1, 49, 50, 99, 100] {
        assert_eq!(price_of(&market(), ask, 100), Ok(100), "ask {ask}");
        assert_eq!(price_of(&market(), ask, u64::MAX), Ok(100), "ask {ask}");
    }
    assert_eq!(price_of(&Price { amount: 1, low: 1, ..market() }, 1, 1), Ok(1));
    refused(price_of(&market(), 0, 100), E::NotLet);
    refused(price_of(&market(), 101, 1_000), E::AskTooHigh);
    refused(price_of(&market(), 1, 99), E::PriceTooHigh);
    refused(price_of(&Price { amount: 0, low: 0, high: 0, stale: false }, 1, 99), E::NotPriced);
    refused(price_of(&Price { amount: 0, low: 0, high: 0, stale: true }, 1, 99), E::NotPriced);
}

#[test]
fn a_stale_price_binds_nobody_within_its_bounds() {
    let stale = Price { stale: true, ..market() };
    for ask in [50, 100, 101, 200] {
        assert_eq!(price_of(&stale, ask, 200), Ok(ask));
    }
    refused(price_of(&stale, 49, 200), E::AskOutOfBounds);
    refused(price_of(&stale, 201, 300), E::AskOutOfBounds);
    refused(price_of(&stale, 151, 150), E::PriceTooHigh);
    assert_eq!(price_of(&stale, 150, 150), Ok(150));
    refused(price_of(&stale, 0, 200), E::NotLet);
}
