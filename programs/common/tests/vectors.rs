//! Vectors of the shared arithmetic, as JSON that the Python side reads and checks itself against.

use {
    ionet_common::{
        calendar::{hours_in_month, month_of, month_start, DAY, HOUR, LAST_MONTH},
        emission::{cumulative, hours_ended, total_hours},
        hash::sha256v,
        math::mul_div_floor,
        merkle::{verify, LEAF_TAG, NODE_TAG},
        supply::GENESIS_SUPPLY,
        vesting::Schedule,
    },
    serde_json::{json, Value},
    support::{check, hex, Spread},
};

mod support;

const JULY_2024: u32 = (2024 - 1970) * 12 + 6;
const STARTS: [u32; 5] = [JULY_2024, JULY_2024 + 1, 731, 1_000, LAST_MONTH - 240];

#[test]
fn months() {
    let some = (0..LAST_MONTH).step_by(1_789).chain(JULY_2024 - 8..JULY_2024 + 20);
    let edges = [361, 1_561, LAST_MONTH - 1, LAST_MONTH, LAST_MONTH + 1, u32::MAX];
    let rows: Vec<Value> = some
        .chain(edges)
        .map(|month| json!({"month": month, "start": month_start(month), "hours": hours_in_month(month)}))
        .collect();
    check("months.json", &rows);
}

#[test]
fn times() {
    let mut spread = Spread(1);
    let end = month_start(LAST_MONTH).unwrap() + 31 * DAY;
    let mut times = vec![0, DAY - 1, DAY, 951_782_400 - 1, 951_782_400, end - 1, end, u64::MAX];
    times.extend((0..150).map(|_| spread.next() % end));
    let rows: Vec<Value> = times.iter().map(|&time| json!({"time": time, "month": month_of(time)})).collect();
    check("times.json", &rows);
}

#[test]
fn emission() {
    let mut spread = Spread(2);
    let mut rows = Vec::new();
    for start in STARTS {
        let total = total_hours(start).unwrap();
        let mut hours = vec![0, 1, 671, 672, 743, 744, 745, total - 1, total, total + 1, u64::MAX];
        hours.extend((0..40).map(|_| spread.next() % total));
        for h in hours {
            rows.push(json!({"start_month": start, "hours": h, "cumulative": cumulative(start, h)}));
        }
    }
    for start in [LAST_MONTH - 239, LAST_MONTH, u32::MAX] {
        rows.push(json!({"start_month": start, "hours": 1, "cumulative": cumulative(start, 1)}));
    }
    check("emission.json", &rows);
}

#[test]
fn ended_hours() {
    let mut spread = Spread(3);
    let mut rows = Vec::new();
    for start in STARTS {
        let begin = month_start(start).unwrap();
        let end = begin + total_hours(start).unwrap() * HOUR;
        let mut times = vec![0, begin - 1, begin, begin + HOUR - 1, begin + HOUR, end - 1, end, u64::MAX];
        times.extend((0..20).map(|_| begin + spread.next() % (end - begin)));
        for now in times {
            rows.push(json!({"start_month": start, "now": now, "hours": hours_ended(start, now)}));
        }
    }
    check("hours_ended.json", &rows);
}

#[test]
fn vesting() {
    let mut spread = Spread(4);
    let mut rows = Vec::new();
    for (tge_bps, cliff_months, tranches) in [
        (0, 13, 24),
        (0, 13, 36),
        (3_000, 7, 35),
        (4_500, 1, 41),
        (10_000, 0, 0),
        (9_999, 0, 1),
        (1, 600, u16::MAX),
        (0, u16::MAX, u16::MAX),
        (10_001, 0, 0),
        (10_000, 0, 1),
        (10_000, 1, 0),
        (0, 0, 0),
    ] {
        for amount in [0, 1, 1 + spread.next() % GENESIS_SUPPLY, GENESIS_SUPPLY] {
            let schedule = Schedule { amount, tge_bps, cliff_months, tranches };
            let valid = schedule.is_valid();
            let edges = [0, 1, cliff_months as u32, cliff_months as u32 + tranches as u32];
            for months in edges.into_iter().filter(|_| valid) {
                let at = month_start((JULY_2024 + months).min(LAST_MONTH)).unwrap();
                for now in [at - 1, at, at + spread.next() % (40 * 366 * DAY)] {
                    rows.push(row(&schedule, now));
                }
            }
            rows.push(row(&schedule, u64::MAX));
        }
    }
    check("vesting.json", &rows);
}

fn row(schedule: &Schedule, now: u64) -> Value {
    let valid = schedule.is_valid();
    json!({
        "amount": schedule.amount,
        "tge_bps": schedule.tge_bps,
        "cliff_months": schedule.cliff_months,
        "tranches": schedule.tranches,
        "valid": valid,
        "start_month": JULY_2024,
        "now": now,
        "vested": if valid { schedule.vested(JULY_2024, now) } else { None },
    })
}

#[test]
fn products() {
    let mut spread = Spread(5);
    let mut inputs = vec![
        (0, 0, 1),
        (7, 3, 2),
        (1, 1, 0),
        (u64::MAX, 2, 0),
        (u64::MAX, 2, 1),
        (u64::MAX, u64::MAX, u64::MAX),
        (u64::MAX, u64::MAX, u64::MAX - 1),
        (1 << 32, 1 << 32, 1),
        (1 << 32, 1 << 32, 2),
    ];
    inputs.extend((0..150).map(|_| (spread.any(), spread.any(), spread.any())));
    let rows: Vec<Value> = inputs
        .iter()
        .map(|&(a, b, d)| json!({"a": a, "b": b, "d": d, "floor": mul_div_floor(a, b, d)}))
        .collect();
    check("mul_div_floor.json", &rows);
}

type Hash = [u8; 32];

/// A node as it is specified; `proofs` has `verify` agree with it.
fn node(a: &Hash, b: &Hash) -> Hash {
    sha256v(&[&NODE_TAG, a.min(b), a.max(b)])
}

/// The root over `leaves` and the proof of each; the odd one out of a level moves up as it is.
fn tree(leaves: &[Hash]) -> (Hash, Vec<Vec<u8>>) {
    let mut proofs = vec![Vec::new(); leaves.len()];
    let mut level = leaves.to_vec();
    let mut height = 0;
    while level.len() > 1 {
        for (position, proof) in proofs.iter_mut().enumerate() {
            if let Some(sibling) = level.get((position >> height) ^ 1) {
                proof.extend_from_slice(sibling);
            }
        }
        level = level
            .chunks(2)
            .map(|pair| if pair.len() == 2 { node(&pair[0], &pair[1]) } else { pair[0] })
            .collect();
        height += 1;
    }
    (level[0], proofs)
}

#[test]
fn proofs() {
    let mut rows = Vec::new();
    for count in [1usize, 2, 3, 5, 8, 11] {
        let preimages: Vec<Vec<u8>> =
            (0..count).map(|i| format!("{count} leaves, {i}").into_bytes()).collect();
        let leaves: Vec<Hash> = preimages.iter().map(|each| sha256v(&[&LEAF_TAG, each])).collect();
        let (root, proofs) = tree(&leaves);
        let mut add = |leaf: &Hash, preimage: Option<&[u8]>, proof: &[u8], proves: bool| {
            assert_eq!(verify(&root, *leaf, proof), proves);
            rows.push(json!({
                "leaves": leaves.iter().map(|each| hex(each)).collect::<Vec<_>>(),
                "root": hex(&root),
                "preimage": preimage.map(hex),
                "leaf": hex(leaf),
                "proof": hex(proof),
                "proves": proves,
            }));
        };
        for (position, proof) in proofs.iter().enumerate() {
            add(&leaves[position], Some(&preimages[position]), proof, true);
        }
        add(&root, None, &[], true);
        if count > 1 {
            let (leaf, proof) = (&leaves[0], &proofs[0]);
            add(leaf, Some(&preimages[0]), &proof[..proof.len() - 1], false);
            add(leaf, Some(&preimages[0]), &proof[32..], false);
            add(leaf, Some(&preimages[0]), &proofs[1], false);
            add(leaf, Some(&preimages[0]), &[proof.as_slice(), &[0; 32]].concat(), false);
        }
    }
    check("merkle.json", &rows);
}
