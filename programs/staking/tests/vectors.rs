//! Vectors of what staking computes, as JSON that the Python side reads and checks itself against.

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::{calendar::DAY, hash::sha256v, merkle::LEAF_TAG},
    serde_json::{json, Value},
    staking::{
        constants::*,
        errors::StakingError as E,
        state::{Attestation, Block, BlockStatus, Class, CoStake, CoStakeState, Config, Device, Wallet},
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
