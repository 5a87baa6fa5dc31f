//! Vectors of what staking computes, as JSON that the Python side reads and checks itself against.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::{
        calendar::{DAY, HOUR},
        hash::sha256v,
        merkle::LEAF_TAG,
    },
    serde_json::{json, Value},
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{
            next_price, Attestation, Block, BlockStatus, Bounds, Class, CoStake, CoStakeState, Config,
            Currency, Device, LeaseOutcome, Params, Prices, Wallet,
        },
    },
    support::{check, hex, Spread},
};

#[path = "../../common/tests/support/mod.rs"]
mod support;

const NOW: u64 = 1_720_000_000;

fn device() -> Device {
    let key = Address::new_from_array([1; 32]);
    Device {
        version: ACCOUNT_VERSION,
        processors: 1,
        tier: 1,
        country: *b"CH",
        payout: key,
        ..Device::zeroed()
    }
}

#[test]
fn minimums() {
    let mut rows = Vec::new();
    for multiplier in [0, 1, 25, 99, 100, 101, 125, 1_000, MAX_MULTIPLIER] {
        for (pending, at) in [(0, 0), (150, NOW - 1), (150, NOW), (150, NOW + 1), (0, NOW)] {
            let class = Class { multiplier, pending_multiplier: pending, pending_at: at, ..Class::zeroed() };
            for processors in [1, 3, MAX_PROCESSORS] {
                rows.push(json!({
                    "multiplier": multiplier,
                    "pending_multiplier": pending,
                    "pending_at": at,
                    "now": NOW,
                    "processors": processors,
                    "minimum": class.minimum(processors, NOW).unwrap(),
                }));
            }
        }
    }
    check("staking_minimum.json", &rows);
}

#[test]
fn counted_stakes() {
    let mut spread = Spread(11);
    let mut rows = Vec::new();
    for state in [CoStakeState::None, CoStakeState::Active, CoStakeState::Waiting, CoStakeState::Cooling] {
        for until in [0, NOW - 1, NOW, NOW + 1, NOW + 7 * DAY] {
            for _ in 0..4 {
                let (own, amount) = (spread.any() / 2, spread.any() / 2);
                let co = CoStake { amount, until, state: state as u8, ..CoStake::zeroed() };
                let counted = Device { own, co, ..device() }.counted(NOW);
                rows.push(json!({
                    "own": own,
                    "co_amount": amount,
                    "co_state": state as u8,
                    "co_until": until,
                    "now": NOW,
                    "counted": counted,
                }));
            }
        }
    }
    check("staking_counted.json", &rows);
}

#[test]
fn slashes() {
    let mut spread = Spread(12);
    let mut rows = Vec::new();
    for bps in [1, 333, 1_000, 2_000, MAX_SLASH_BPS] {
        for number in 0..30 {
            // A quarter each: together they fit 64 bits, as the stakes of all devices do.
            let mut amounts = [0; 4].map(|_| spread.any() / 4);
            if number == 0 {
                amounts = [u64::MAX / 4; 4];
            }
            let [own, own_cooling, co, leaving] = amounts;
            let stake = |amount| CoStake {
                staker: Address::new_from_array([2; 32]),
                amount,
                state: CoStakeState::Cooling as u8,
                ..CoStake::zeroed()
            };
            let mut device = Device { own, own_cooling, co: stake(co), leaving: stake(leaving), ..device() };
            let burned = device.slash(bps, 1, NOW).unwrap();
            rows.push(json!({
                "bps": bps,
                "before": amounts,
                "after": [device.own, device.own_cooling, device.co.amount, device.leaving.amount],
                "burned": burned,
            }));
        }
    }
    check("staking_slash.json", &rows);
}

#[test]
fn claims() {
    let mut spread = Spread(13);
    let mut rows = Vec::new();
    let limit = ProgramError::from(E::WalletLimit);
    for share_bps in [MIN_WALLET_SHARE_BPS, 1_000, 3_333, 10_000] {
        for number in 0..25 {
            let opened_total = spread.any();
            let total = opened_total.saturating_add(spread.any());
            let most = (u128::from(total - opened_total) * u128::from(share_bps) / 10_000) as u64;
            // The first wallet of each share has all that it allows.
            let claimed = if number == 0 { most } else { spread.next() % most.saturating_add(1) };
            for lifetime in [claimed, claimed.saturating_add(1), most, most.saturating_add(1)] {
                let wallet = Wallet { opened_total, claimed, ..Wallet::zeroed() };
                let result = wallet.due(lifetime, total, share_bps);
                rows.push(json!({
                    "opened_total": opened_total,
                    "claimed": claimed,
                    "lifetime": lifetime,
                    "total": total,
                    "share_bps": share_bps,
                    "amount": result.as_ref().ok(),
                    "refusal": result.err().map(|error| {
                        if error == limit { "WalletLimit" } else { "NothingToClaim" }
                    }),
                }));
            }
        }
    }
    check("staking_claim.json", &rows);
}

#[test]
fn hashes() {
    let mut spread = Spread(14);
    let mut key = || Address::new_from_array([0; 32].map(|_: u8| spread.next() as u8));
    let mut rows: Vec<Value> = Vec::new();
    for total in [0, 1, 448_028_673_835, u64::MAX] {
        for devices in [0, 1, 1_000_000, u32::MAX] {
            for _ in 0..4 {
                let (mint, wallet, root, data_hash) = (key(), key(), key().to_bytes(), key().to_bytes());
                let said = Attestation { root, total, devices, data_hash };
                let leaf = sha256v(&[
                    &LEAF_TAG,
                    staking::ID.as_ref(),
                    mint.as_ref(),
                    wallet.as_ref(),
                    &total.to_le_bytes(),
                ]);
                // A tree of one leaf: the program takes it for its own.
                let block = Block { status: BlockStatus::Final as u8, root: leaf, ..Block::zeroed() };
                block.require_leaf(&Config { mint, ..Config::zeroed() }, &wallet, total, &[]).unwrap();
                rows.push(json!({
                    "program": hex(staking::ID.as_ref()),
                    "mint": hex(mint.as_ref()),
                    "wallet": hex(wallet.as_ref()),
                    "lifetime": total,
                    "leaf": hex(&leaf),
                    "root": hex(&root),
                    "devices": devices,
                    "data_hash": hex(&data_hash),
                    "attestation": hex(&said.hash()),
                }));
            }
        }
    }
    check("staking_hashes.json", &rows);
}

#[test]
fn prices() {
    let mut spread = Spread(15);
    let mut rows = Vec::new();
    let begin = NOW - NOW % HOUR;
    for number in 0..60 {
        let price = if number < 4 { [0, 1, 7, MAX_PRICE][number] } else { 1 + spread.any() % MAX_PRICE };
        let low = if price == 0 { 0 } else { 1 + spread.any() % price };
        let high = price + if price == 0 { 0 } else { spread.any() % (MAX_PRICE - price + 1) };
        let next_low = spread.any() % MAX_PRICE * (spread.next() % 4).min(1);
        let next_high = if next_low == 0 { 0 } else { next_low + spread.any() % (MAX_PRICE - next_low) };
        let step = [0, 1_250, -1_250, 1, -1, (spread.next() % 2_501) as i16 - 1_250][number % 6];
        let price_hour = [0, (begin / HOUR) as u32 - spread.next() as u32 % 28][number / 7 % 2];
        let bounds_at = [0, begin - HOUR, begin, begin + 1, begin - 3 * HOUR][(spread.next() % 5) as usize];
        let mut class = Class { price_hour, bounds_at, ..Class::zeroed() };
        // The one currency and the other alike.
        let currency = if number % 2 == 0 {
            class.price_io = price;
            class.bounds = Bounds { low_io: low, high_io: high, ..class.bounds };
            class.next_bounds = Bounds { low_io: next_low, high_io: next_high, ..class.next_bounds };
            class.next_io = step;
            Currency::Io
        } else {
            class.price_usdc = price;
            class.bounds = Bounds { low_usdc: low, high_usdc: high, ..class.bounds };
            class.next_bounds = Bounds { low_usdc: next_low, high_usdc: next_high, ..class.next_bounds };
            class.next_usdc = step;
            Currency::Usdc
        };
        for now in [begin - 1, begin, begin + 1, begin + HOUR] {
            let found = class.price(currency, now);
            rows.push(json!({
                "price": price,
                "low": low,
                "high": high,
                "next_low": next_low,
                "next_high": next_high,
                "bounds_at": bounds_at,
                "price_hour": price_hour,
                "step": step,
                "now": now,
                "next_price": next_price(price, step, low, high),
                "amount": found.amount,
                "low_now": found.low,
                "high_now": found.high,
                "stale": found.stale,
            }));
        }
    }
    check("staking_price.json", &rows);
}

#[test]
fn price_leaves() {
    let mut rows = Vec::new();
    for hour in [1, 255, 65_536, 477_777, 0x0102_0304, u32::MAX - 3] {
        for class in [0, 7, u16::MAX] {
            for (step_io, step_usdc) in [(0, 0), (1_250, -1_250), (-1, 1)] {
                let leaf = sha256v(&[
                    &LEAF_TAG,
                    b"price",
                    &hour.to_le_bytes(),
                    &class.to_le_bytes(),
                    &i16::to_le_bytes(step_io),
                    &i16::to_le_bytes(step_usdc),
                ]);
                // A tree of one leaf: the program takes it for its own.
                let prices = Prices { agreed: true.into(), hour, root: leaf, ..Prices::zeroed() };
                prices.require_leaf(class, step_io, step_usdc, &[], (hour as u64 + 1) * HOUR).unwrap();
                rows.push(json!({
                    "hour": hour,
                    "class": class,
                    "step_io": step_io,
                    "step_usdc": step_usdc,
                    "leaf": hex(&leaf),
                }));
            }
        }
    }
    check("staking_price_leaf.json", &rows);
}

#[test]
fn bars() {
    let mut rows = Vec::new();
    for strikes in [0, 1, 2, 3, 4, 5, 6, 7, 63, 64, 65, 254, u8::MAX] {
        for served in [0, 1, CLEAR - 1, CLEAR, CLEAR + 1] {
            let (at_strike, lease) = (5 * DAY, Address::new_from_array([3; 32]));
            let mut device = Device {
                lease,
                strikes,
                served_at_strike: at_strike,
                hired_seconds: at_strike + served,
                ..device()
            };
            device.free_from(&lease, 0, LeaseOutcome::None, true, NOW).unwrap();
            rows.push(json!({
                "strikes": strikes,
                "served": served,
                "bar": device.barred_until - NOW,
                "strikes_after": device.strikes,
            }));
        }
    }
    check("staking_bar.json", &rows);
}

#[test]
fn reserves() {
    let mut spread = Spread(16);
    let mut rows = Vec::new();
    for number in 0..50 {
        let limit = MIN_CLAIM_LIMIT + spread.any() % MIN_CLAIM_LIMIT;
        let reserve_in_hour = spread.next() % (limit / 2 + 1);
        let open = spread.next() % (limit - limit / 2 + 1);
        // Now and then the limit was lowered within the hour.
        let claimed_in_hour = reserve_in_hour + open + if number % 9 == 0 { limit } else { 0 };
        let taken = spread.next() % (SMALL_CLAIM + 1);
        let due = 1 + spread.any() % (2 * SMALL_CLAIM);
        let config = Config {
            claim_hour: NOW / HOUR,
            claimed_in_hour,
            reserve_in_hour,
            final_total: u64::MAX,
            params: Params { claim_limit: limit, ..Params::zeroed() },
            ..Config::zeroed()
        };
        let wallet = Wallet { claim_hour: NOW / HOUR, claimed_in_hour: taken, ..Wallet::zeroed() };
        for signed in [false, true] {
            for later in [0, HOUR] {
                let (mut config, mut wallet) = (config, wallet);
                let paid = config.claim(&mut wallet, due, signed, NOW + later).ok();
                rows.push(json!({
                    "limit": limit,
                    "claimed_in_hour": claimed_in_hour,
                    "reserve_in_hour": reserve_in_hour,
                    "taken": taken,
                    "due": due,
                    "signed": signed,
                    "next_hour": later > 0,
                    "amount": paid.map(|paid| paid.amount),
                    "reserve": paid.map(|paid| paid.reserve),
                }));
            }
        }
    }
    check("staking_reserve.json", &rows);
}
