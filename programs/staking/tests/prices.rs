//! Votes for an hour's steps, their window and their leaves; and postings.

mod fixtures;

use {
    anchor_lang::bytemuck::Zeroable,
    fixtures::*,
    ionet_common::{
        calendar::HOUR,
        hash::sha256v,
        merkle::{LEAF_TAG, NODE_TAG},
    },
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{PostCounter, Prices},
    },
};

const HOURS: u32 = (NOW / HOUR) as u32;
/// The hour after the one that the prices are of.
const BEGIN: u64 = (HOURS as u64 + 1) * HOUR;
const CLOSES: u64 = BEGIN + HOUR - PRICE_NOTICE;

fn prices() -> Prices {
    Prices { version: ACCOUNT_VERSION, hour: HOURS, ..Prices::zeroed() }
}

#[test]
fn enough_operators_vote_the_same_root() {
    let (config, mut prices) = (config(), prices());
    refused(prices.vote(&config, MAX_OPERATORS as usize, [1; 32], BEGIN), E::NotOperator);
    refused(prices.vote(&config, 0, [0; 32], BEGIN), E::PricesInvalid);
    assert_eq!(prices.vote(&config, 0, [1; 32], BEGIN), Ok(false));
    assert_eq!(prices.vote(&config, 0, [1; 32], BEGIN), Ok(false), "one key counts once");
    assert_eq!(prices.vote(&config, 1, [2; 32], BEGIN), Ok(false));
    assert_eq!((bool::from(prices.agreed), prices.root), (false, [0; 32]));
    // The first one changes its mind.
    assert_eq!(prices.vote(&config, 0, [2; 32], BEGIN), Ok(true));
    assert_eq!((bool::from(prices.agreed), prices.root), (true, [2; 32]));
    for root in [[1; 32], [2; 32]] {
        refused(prices.vote(&config, 2, root, BEGIN), E::AlreadyAgreed);
    }
}

#[test]
fn votes_for_prices_stay_with_their_slots() {
    let next = applied(&config(), replaced(params(3, 2), &[0]));
    let mut prices = prices();
    prices.vote(&config(), 0, [1; 32], BEGIN).unwrap();
    assert_eq!(prices.vote(&next, 1, [1; 32], BEGIN), Ok(false), "the first one's key is gone");
    assert_eq!(prices.revision, 1);
    assert_eq!(prices.vote(&next, 0, [1; 32], BEGIN), Ok(true));
    let mut prices = self::prices();
    prices.vote(&config(), 1, [1; 32], BEGIN).unwrap();
    assert_eq!(prices.vote(&next, 2, [1; 32], BEGIN), Ok(true));
}

#[test]
fn an_hours_window_is_the_next_hour_less_the_notice() {
    let (config, leaf) = (config(), leaf(7, 3, -4));
    let mut agreed = prices();
    agreed.vote(&config, 0, leaf, BEGIN).unwrap();
    agreed.vote(&config, 1, leaf, CLOSES - 1).unwrap();
    for now in [0, BEGIN - 1, CLOSES, BEGIN + HOUR, u64::MAX] {
        refused(prices().vote(&config, 0, leaf, now), E::PriceWindow);
        refused(agreed.require_leaf(7, 3, -4, &[], now), E::PriceWindow);
    }
    for now in [BEGIN, CLOSES - 1] {
        agreed.require_leaf(7, 3, -4, &[], now).unwrap();
    }
    refused(agreed.require_over(BEGIN + HOUR - 1), E::PricesStillOpen);
    agreed.require_over(BEGIN + HOUR).unwrap();
    // The first and the last hour that there are.
    Prices { hour: 0, ..prices() }.vote(&config, 0, leaf, HOUR).unwrap();
    refused(Prices { hour: u32::MAX, ..prices() }.vote(&config, 0, leaf, NOW), E::PriceWindow);
}

fn leaf(class: u16, step_io: i16, step_usdc: i16) -> [u8; 32] {
    let parts: [&[u8]; 6] = [
        &LEAF_TAG,
        b"price",
        &HOURS.to_le_bytes(),
        &class.to_le_bytes(),
        &step_io.to_le_bytes(),
        &step_usdc.to_le_bytes(),
    ];
    sha256v(&[parts.concat().as_slice()])
}

#[test]
fn a_step_is_one_under_the_agreed_root() {
    let leaves = [leaf(7, 3, -4), leaf(8, -1_250, 1_250)];
    let root = sha256v(&[&NODE_TAG, leaves.iter().min().unwrap(), leaves.iter().max().unwrap()]);
    let agreed = Prices { agreed: true.into(), root, ..prices() };
    agreed.require_leaf(7, 3, -4, &leaves[1], BEGIN).unwrap();
    agreed.require_leaf(8, -1_250, 1_250, &leaves[0], BEGIN).unwrap();
    for (class, step_io, step_usdc) in [(8, 3, -4), (7, 4, -4), (7, 3, 4), (7, -4, 3)] {
        refused(agreed.require_leaf(class, step_io, step_usdc, &leaves[1], BEGIN), E::InvalidProof);
    }
    refused(agreed.require_leaf(7, 3, -4, &leaves[0], BEGIN), E::InvalidProof);
    let other = Prices { hour: HOURS + 1, ..agreed };
    refused(other.require_leaf(7, 3, -4, &leaves[1], BEGIN + HOUR), E::InvalidProof);
    let voted = Prices { agreed: false.into(), ..agreed };
    refused(voted.require_leaf(7, 3, -4, &leaves[1], BEGIN), E::NotAgreed);
}

#[test]
fn an_operator_posts_so_often_in_an_hour() {
    let mut counter = PostCounter { version: ACCOUNT_VERSION, ..PostCounter::zeroed() };
    for kind in [0, POST_KINDS + 1, u8::MAX] {
        refused(counter.post(kind, BEGIN), E::PostInvalid);
    }
    for number in 0..MAX_POSTS {
        counter.post(1 + (number % 3) as u8, BEGIN + number as u64).unwrap();
    }
    assert_eq!((counter.count, counter.hour), (MAX_POSTS, BEGIN / HOUR));
    refused(counter.post(1, BEGIN + HOUR - 1), E::PostLimit);
    // A clock that is set back starts no hour anew.
    refused(counter.post(1, BEGIN - 1), E::PostLimit);
    counter.post(1, BEGIN + HOUR).unwrap();
    assert_eq!((counter.count, counter.hour), (1, BEGIN / HOUR + 1));
}
