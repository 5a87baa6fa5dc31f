//! Vectors of the shared arithmetic, as JSON that the Python side reads and checks itself against.

use {
    anchor_lang::prelude::Address,
    ionet_common::{
        calendar::{hours_in_month, month_of, month_start, DAY, HOUR, LAST_MONTH},
        emission::{cumulative, hours_ended, total_hours},
        hash::sha256v,
        math::mul_div_floor,
        merkle::{verify, LEAF_TAG, NODE_TAG},
        roles::{require_running, Pause, Proposal, Refusal, Roles, MAX_PAUSE},
        roles_of,
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
        add(&root, None, &[0; 31], false);
        if count > 1 {
            let (leaf, proof) = (&leaves[0], &proofs[0]);
            add(leaf, Some(&preimages[0]), &proof[..proof.len() - 1], false);
            add(leaf, Some(&preimages[0]), &proof[32..], false);
            add(leaf, Some(&preimages[0]), &proofs[1], false);
            for more in [&[0; 1][..], &[0; 31], &[0; 32], &[0; 33]] {
                add(leaf, Some(&preimages[0]), &[proof, more].concat(), false);
            }
        }
    }
    check("merkle.json", &rows);
}

/// Everything that `roles.rs` works on, as a program's config has it; the notice is the only parameter.
#[derive(Default)]
struct Office {
    admin: Address,
    pending_admin: Address,
    guardian: Address,
    pending_guardian: Address,
    guardian_at: u64,
    pause_mask: u32,
    pause_until: u64,
    notice: u64,
    pending_notice: u64,
    pending_at: u64,
    revision: u32,
}

impl Office {
    fn roles(&mut self) -> Roles<'_> {
        roles_of!(self)
    }

    fn proposal(&mut self) -> Proposal<'_, u64> {
        Proposal {
            params: &mut self.notice,
            pending: &mut self.pending_notice,
            pending_at: &mut self.pending_at,
            revision: &mut self.revision,
        }
    }

    /// One call by whoever may make it: its arguments, and the refusal or what it returns.
    fn step(&mut self, call: &str, now: u64, spread: &mut Spread) -> (Value, Result<Value, Refusal>) {
        // Nobody, and a few people: the same ones again and again.
        let person = spread.next() % 4;
        let notice = self.notice;
        match call {
            "propose_admin" => {
                self.roles().propose_admin(somebody(person));
                (json!({"pending": person}), Ok(Value::Null))
            }
            "accept_admin" => (json!({}), self.roles().accept_admin().map(|from| json!(number(&from)))),
            "propose_guardian" => {
                let at = self.roles().propose_guardian(somebody(person), notice, now);
                (json!({"pending": person}), at.map(|at| json!(at)))
            }
            "accept_guardian" => {
                (json!({}), self.roles().accept_guardian(now).map(|from| json!(number(&from))))
            }
            "set_pause" => {
                let mask = [0, 1, 2, 3, 3, 3, 4, u32::MAX][(spread.next() % 8) as usize];
                let until = [0, now, now + DAY, now + MAX_PAUSE, now + MAX_PAUSE + 1, u64::MAX];
                let until = until[(spread.next() % 6) as usize];
                let mut pause = Pause { mask: &mut self.pause_mask, until: &mut self.pause_until };
                let set = pause.set(mask, 3, until, now);
                (json!({"mask": mask, "until": until}), set.map(|()| Value::Null))
            }
            "running" => {
                let operations = 1 + spread.next() as u32 % 3;
                let running = require_running(self.pause_mask, self.pause_until, operations, now);
                (json!({"operations": operations}), running.map(|()| Value::Null))
            }
            "propose_params" => {
                let next = [notice, notice + 1, DAY - 1, DAY, 7 * DAY][(spread.next() % 5) as usize];
                let at = self.proposal().propose(next, notice, next, now);
                (json!({"notice": next}), at.map(|at| json!(at)))
            }
            "cancel_params" => (json!({}), self.proposal().cancel().map(|()| Value::Null)),
            "apply_params" => (json!({}), self.proposal().apply(now).map(|revision| json!(revision))),
            other => unreachable!("{other}"),
        }
    }

    fn fields(&self) -> Value {
        json!({
            "admin": number(&self.admin),
            "pending_admin": number(&self.pending_admin),
            "guardian": number(&self.guardian),
            "pending_guardian": number(&self.pending_guardian),
            "guardian_at": self.guardian_at,
            "pause_mask": self.pause_mask,
            "pause_until": self.pause_until,
            "notice": self.notice,
            "pending_at": self.pending_at,
            "revision": self.revision,
        })
    }
}

/// People by number, nobody is 0.
fn somebody(person: u64) -> Address {
    Address::new_from_array([person as u8; 32])
}

fn number(person: &Address) -> u8 {
    person.to_bytes()[0]
}

const ROLE_CALLS: [&str; 10] = [
    "propose_admin",
    "accept_admin",
    "propose_guardian",
    "accept_guardian",
    "set_pause",
    "running",
    "running",
    "propose_params",
    "cancel_params",
    "apply_params",
];

/// Stories: each row is a step, and its first (`begin`) says with which notice the offices are filled.
#[test]
fn roles() {
    let mut spread = Spread(6);
    let mut rows = Vec::new();
    let mut add =
        |call: &str, now: u64, arguments: Value, result: Result<Value, Refusal>, office: &Office| {
            rows.push(json!({
                "call": call,
                "now": now,
                "arguments": arguments,
                "refused": result.as_ref().err().map(|refusal| format!("{refusal:?}")),
                "returns": result.unwrap_or(Value::Null),
                "config": office.fields(),
            }));
        };
    for notice in [7 * DAY, DAY, DAY - 1, 10] {
        for admin in [0, 1, 1] {
            let mut now = 1_720_000_000;
            let mut office = Office { notice, ..Office::default() };
            let begun = office.roles().appoint(somebody(admin), somebody(2));
            let arguments = json!({"admin": admin, "guardian": 2, "notice": notice});
            add("begin", now, arguments, begun.map(|()| Value::Null), &office);
            if begun.is_err() {
                continue;
            }
            for _ in 0..60 {
                let call = ROLE_CALLS[(spread.next() % 10) as usize];
                let (arguments, result) = office.step(call, now, &mut spread);
                add(call, now, arguments, result, &office);
                // On to a deadline, to the second before it, or not at all.
                let deadlines = [office.guardian_at, office.pending_at, office.pause_until];
                let due = deadlines[(spread.next() % 3) as usize];
                now = now.max(due.saturating_sub(spread.next() % 3));
            }
        }
    }
    check("roles.json", &rows);
}
