//! Random histories of whole orders: whatever happens in whatever order, no money is lost or made, and everybody's
//! worst case is bounded.

use {
    crate::fixtures::*,
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    ionet_common::{
        calendar::{DAY, HOUR},
        math::fee,
    },
    orders::{
        constants::*,
        state::{
            earned, EndReason, Ending, Lease, LeaseStatus, Matcher, Order, OrderStatus, Params, Parked,
            Party, Terms,
        },
    },
};

const PARTIES: [Party; 3] = [Party::Renter, Party::Supplier, Party::Stranger];

/// A lease, with what its renter may expect of it.
struct Row {
    lease: Lease,
    /// Paid to its supplier, or parked for it.
    got: u64,
    closed: bool,
}

/// An order with everything that money can go to.
struct Story {
    order: Order,
    rows: Vec<Row>,
    now: u64,
    vault: u64,
    fee_vault: u64,
    parked: Parked,
    parked_fees: Parked,
    /// Back to the renter.
    back: u64,
    /// Came in.
    deposit: u64,
    /// Fees on cancelled places, and how many places that was.
    charged: u64,
    cancelled: u16,
    spread: Spread,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut spread = Spread(seed);
        let devices = 1 + spread.below(4) as u16;
        let terms = Terms {
            price: 1 + (spread.next() >> spread.one_of(&[30, 40, 56])),
            hours: 1 + spread.below(60) as u32,
            devices,
            min_devices: spread.one_of(&[1, 1, 1 + spread.0 as u16 % devices, devices]),
            processors: 1 + spread.below(8) as u8,
            currency: spread.below(2) as u8,
            urgency: spread.below(3) as u8,
            colocated: spread.below(2) as u8,
            ..terms()
        };
        let params = Params {
            settlement_lag: spread.one_of(&[0, LAG, MAX_SETTLEMENT_LAG]),
            renter_fee_bps: spread.one_of(&[0, 25, MAX_RENTER_FEE_BPS]),
            supplier_fee_bps: spread.one_of(&[0, 25, MAX_SUPPLIER_FEE_BPS]),
            ..params()
        };
        let mut order = Order::zeroed();
        let deposit = order.open(terms, u64::MAX, &params, NOW).unwrap();
        let (parked, parked_fees) = (Parked::zeroed(), Parked::zeroed());
        let rows = Vec::new();
        Self {
            order,
            rows,
            now: NOW,
            vault: deposit,
            fee_vault: 0,
            parked,
            parked_fees,
            back: 0,
            deposit,
            charged: 0,
            cancelled: 0,
            spread,
        }
    }

    /// Does `act` on copies of the order and a lease, as a refusal changes nothing; returns what it did.
    fn on<T>(&mut self, at: usize, act: impl FnOnce(&mut Order, &mut Lease, u64) -> Result<T>) -> Option<T> {
        let row = self.rows.get_mut(at).filter(|row| !row.closed)?;
        let (mut order, mut lease) = (self.order, row.lease);
        let done = touch(&order, &mut lease).and_then(|()| act(&mut order, &mut lease, self.now)).ok()?;
        (self.order, row.lease) = (order, lease);
        Some(done)
    }

    fn step(&mut self) {
        let waits = |row: &Row| !row.closed && row.lease.start == 0 && row.lease.ended_at == 0;
        self.now += if self.order.takes_devices(self.now) || self.rows.iter().any(waits) {
            self.spread.one_of(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 30, 300, 600])
        } else {
            self.spread.one_of(&[0, 1, HOUR - 1, HOUR, 5 * HOUR, DAY])
        };
        let at = self.spread.below(self.rows.len() as u64 + 1) as usize;
        match self.spread.below(16) {
            0..=3 => self.matched(),
            4..=6 => {
                let matched = |row: &Row| !row.closed && row.lease.status == LeaseStatus::Matched as u8;
                let at = self.rows.iter().position(matched).unwrap_or(at);
                self.on(at, try_accept);
            }
            7..=8 => self.ended(at),
            9..=10 => self.settled(at),
            11 => self.faulty(at),
            12 => self.extended(at),
            13 => self.cancelled(),
            14 => {
                let length = self.spread.one_of(&[1, HOUR, MAX_HOLD]);
                self.on(at, |_, lease, now| lease.hold(now + length, now));
            }
            _ => self.rest(at),
        }
        self.check();
    }

    fn matched(&mut self) {
        let most = self.order.terms.price;
        let price = 1 + self.spread.below(most);
        let by = self.spread.one_of(&[Matcher::Operator, Matcher::Operator, Matcher::Supplier]);
        if by == Matcher::Supplier && self.order.require_open_to_suppliers(self.now).is_err() {
            return;
        }
        let country = self.spread.one_of(&[CH, CH, DE]);
        let mut order = self.order;
        if let Ok(lease) = try_match(&mut order, price, country, by, self.now) {
            self.order = order;
            self.rows.push(Row { lease, got: 0, closed: false });
        }
    }

    fn ended(&mut self, at: usize) {
        let party = self.spread.one_of(&PARTIES);
        let before = self.rows.get(at).map_or(0, |row| row.lease.held);
        let ended = self.on(at, |order, lease, now| {
            let stranded = order.is_stranded(now);
            let ending = lease.end(party, order.settlement_lag, stranded, now)?;
            Ok((ending, order.end_lease(&ending, now)?))
        });
        let Some((ending, (charged, cancelled))) = ended else {
            return;
        };
        self.count(charged, (charged > 0) as u16);
        if let Some(cancelled) = cancelled {
            self.count(cancelled.charged, cancelled.open);
        }
        self.blame(&ending, party, before);
    }

    /// Who pays for an end: only who brought it about.
    fn blame(&self, ending: &Ending, party: Party, before: u64) {
        match ending.reason {
            EndReason::Withdrawn | EndReason::Renter => assert_eq!(party, Party::Renter),
            EndReason::Declined | EndReason::Supplier => assert_eq!(party, Party::Supplier),
            _ => {}
        }
        if ending.seconds == 0 {
            assert_eq!(ending.released, before, "nothing was served, and everything is free again");
        }
    }

    fn count(&mut self, charged: u64, places: u16) {
        self.charged += charged;
        self.cancelled += places;
    }

    /// As `settle` or `park_pay` does, whichever is allowed.
    fn settled(&mut self, at: usize) {
        let bps = self.order.supplier_fee_bps;
        let payee_blocked = self.spread.below(4) == 0;
        let paid = self.on(at, |order, lease, now| {
            let payment = lease.settle(order.settlement_lag, bps, now)?;
            order.pay(&payment)?;
            Ok(payment)
        });
        let Some(payment) = paid else {
            return;
        };
        self.vault -= payment.net;
        if payee_blocked {
            self.parked.add(payment.net).unwrap();
        }
        self.rows[at].got += payment.net;
        self.in_time(at);
        self.fees();
    }

    /// A supplier waits for the lag, and for what the guardian holds back, but for nothing and nobody else.
    fn in_time(&self, at: usize) {
        let lease = &self.rows[at].lease;
        if lease.start == 0 {
            return;
        }
        let held = if self.now < lease.hold_until { self.now - lease.hold_from } else { 0 };
        assert!(held < MAX_HOLD);
        let due = (self.now - held).saturating_sub(self.order.settlement_lag).min(lease.stop);
        if due >= lease.start + HOUR {
            assert!(lease.paid >= earned(lease.rate, due - lease.start).unwrap());
        }
    }

    /// Fees leave where the fee vault can be paid; otherwise they wait, or are parked.
    fn fees(&mut self) {
        match self.spread.below(3) {
            0 => {}
            1 => {
                let fees = self.order.take_fees();
                self.vault -= fees;
                self.parked_fees.add(fees).unwrap();
            }
            _ => {
                let fees = self.order.take_fees();
                self.vault -= fees;
                self.fee_vault += fees;
            }
        }
    }

    fn faulty(&mut self, at: usize) {
        let good = self.spread.below(6) as u32;
        self.on(at, |order, lease, now| {
            let ran = lease.status == LeaseStatus::Running as u8;
            let ending = lease.fault(good, order.settlement_lag, now)?;
            if ran {
                assert_eq!(order.end_lease(&ending, now)?, (0, None));
                Ok(())
            } else {
                order.release(ending.released)
            }
        });
    }

    fn extended(&mut self, at: usize) {
        let hours = 1 + self.spread.below(20) as u32;
        let more = self.on(at, |order, lease, now| {
            let amount = lease.extend(hours, u64::MAX, now)?;
            order.extend(amount)?;
            Ok(amount)
        });
        if let Some(more) = more {
            self.deposit += more;
            self.vault += more;
        }
    }

    fn cancelled(&mut self) {
        if self.spread.below(12) > 0 {
            return;
        }
        let mut order = self.order;
        if let Ok(done) = order.cancel(self.now) {
            self.order = order;
            self.count(done.charged, done.open);
        }
    }

    /// What is free goes back; a lease that is done is closed.
    fn rest(&mut self, at: usize) {
        let amount = self.order.give_back(self.now).unwrap();
        self.vault -= amount;
        self.back += amount;
        let closes = self.on(at, |order, lease, _| {
            lease.require_done()?;
            order.forget_lease()
        });
        if closes.is_some() {
            self.rows[at].closed = true;
        }
    }

    /// Everything that is always so.
    fn check(&self) {
        let order = &self.order;
        order.invariant().unwrap();
        assert_eq!(order.deposit, order.free + order.held + order.paid + order.fees + order.refunded);
        assert_eq!((order.deposit, order.refunded), (self.deposit, self.back));
        assert!(order.fees_due <= order.fees);
        assert_eq!(self.vault, order.free + order.held + order.fees_due);
        let sum = |of: fn(&Row) -> u64| self.rows.iter().map(of).sum::<u64>();
        assert_eq!(order.held, sum(|row| row.lease.held));
        assert_eq!(order.paid, sum(|row| row.got));
        assert_eq!(order.leases as usize, self.rows.iter().filter(|row| !row.closed).count());
        let away = self.fee_vault + self.parked_fees.amount;
        assert_eq!(order.fees, order.fees_due + away);
        let live = |row: &&Row| !row.closed && row.lease.status != LeaseStatus::Ended as u8;
        let live = self.rows.iter().filter(live).count();
        assert!(order.open as usize + live <= order.terms.devices as usize, "a place has one lease");
        let has =
            |row: &&Row| row.lease.status != LeaseStatus::Ended as u8 || row.lease.stop > row.lease.start;
        let taken = self.rows.iter().filter(has).count();
        // A fault found later may leave nothing of what a lease served: its place isn't open again.
        assert!(order.taken as usize >= taken && order.open + order.taken <= order.terms.devices);
        if order.terms.is_gang() && order.filled_at == 0 {
            let closed = order.status == OrderStatus::Cancelled as u8;
            assert!(closed || order.taken as usize == live, "whom it waits for");
            let enough = order.open + order.taken >= order.terms.min_devices;
            assert!(enough || !order.takes_devices(self.now), "none waits for those that can't come");
        }
        // One hour's fee for a place that is cancelled, once, at the price that the renter offered.
        let hour = order.terms.rate(order.terms.price).unwrap();
        assert!(self.cancelled <= order.terms.devices);
        assert!(self.charged <= fee(hour, order.renter_fee_bps).unwrap() * self.cancelled as u64);
        for row in &self.rows {
            self.fair(&row.lease);
        }
    }

    /// What a renter pays for a lease is for service, but for the first hour that it ends early itself, and the fee
    /// on a day more; what it doesn't pay, nobody gets.
    fn fair(&self, lease: &Lease) {
        lease.invariant().unwrap();
        if lease.start == 0 {
            assert_eq!((lease.paid, lease.fees), (0, 0));
            return;
        }
        let ran = if lease.ended_at > 0 { lease.ended_at } else { self.now }.saturating_sub(lease.start);
        let early = lease.reason == EndReason::Renter as u8;
        let most = if early { ran.max(HOUR) } else { ran };
        assert!(lease.paid <= earned(lease.rate, most).unwrap());
        let bps = lease.renter_fee_bps;
        let tail = if early { lease.paid + 24 * lease.rate } else { lease.rate * lease.hours as u64 };
        assert!(lease.fees <= fee(tail, bps).unwrap());
        if lease.failed() {
            assert_eq!(lease.fees, fee(lease.paid, bps).unwrap(), "no fee on what was not served");
        }
    }

    /// Time passes, anybody does what anybody may, and nothing is left.
    fn finish(mut self) {
        self.now += 100 * DAY;
        for at in 0..self.rows.len() {
            self.on(at, |order, lease, now| {
                let stranded = order.is_stranded(now);
                let ending = lease.end(Party::Stranger, order.settlement_lag, stranded, now)?;
                order.end_lease(&ending, now)
            });
            self.count_unfilled();
        }
        self.now += 100 * DAY;
        for at in 0..self.rows.len() {
            self.settled(at);
        }
        let fees = self.order.take_fees();
        self.vault -= fees;
        self.fee_vault += fees;
        for at in 0..self.rows.len() {
            self.rest(at);
        }
        self.check();
        self.order.close_reason(self.now).unwrap();
        self.rest(0);
        assert_eq!((self.vault, self.order.free, self.order.held), (0, 0, 0));
        let got: u64 = self.rows.iter().map(|row| row.got).sum();
        assert!(self.parked.amount <= got);
        assert_eq!(self.deposit, got + self.back + self.fee_vault + self.parked_fees.amount);
    }

    /// Charges that came with the last ends: of gangs that their renter had cancelled.
    fn count_unfilled(&mut self) {
        let counted = self.charged;
        let leases: u64 = self
            .rows
            .iter()
            .map(|row| row.lease.fees + fee(row.lease.paid, self.order.supplier_fee_bps).unwrap())
            .sum();
        let more = self.order.fees - leases - counted;
        self.count(more, (more > 0) as u16);
    }
}

#[test]
fn no_history_loses_or_makes_money() {
    let (mut ran, mut gangs, mut unfilled, mut again) = (0, 0, 0, 0);
    for seed in 0..10_000 {
        let mut story = Story::new(seed);
        for _ in 0..60 {
            story.step();
        }
        ran += story.rows.iter().filter(|row| row.lease.start > 0).count();
        unfilled += story.rows.iter().filter(|row| row.lease.reason == EndReason::Unfilled as u8).count();
        gangs += (story.order.terms.is_gang() && story.order.filled_at > 0) as usize;
        again += (story.rows.len() > story.order.terms.devices as usize) as usize;
        story.finish();
    }
    // The histories have what they are about.
    assert!(
        ran > 5_000 && gangs > 100 && unfilled > 500 && again > 1_000,
        "{ran} {gangs} {unfilled} {again}"
    );
}
