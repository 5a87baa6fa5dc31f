use {
    super::{principal, with_fee, Currency, Params, Terms},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
};

/// Whether an order takes devices. When its time for matching is over follows from the clock alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderStatus {
    /// Takes devices while some are open and the time for matching lasts.
    Open = 0,
    /// The renter wants no more devices; leases that are there go on.
    Cancelled = 1,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAction {
    /// A device is matched.
    Match,
    /// The renter wants no more.
    Cancel,
    /// A lease's money moves, or the order's rest goes back.
    Settle,
}

/// Why an order's account was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseReason {
    /// Its leases are done.
    Served = 0,
    /// Nobody served it in time.
    Unserved = 1,
    /// The renter cancelled it before anybody served it.
    Cancelled = 2,
}

impl OrderStatus {
    /// What follows: the one table of an order's states.
    pub fn next(self, action: OrderAction) -> Result<Self> {
        use {OrderAction::*, OrderStatus::*};
        match (self, action) {
            (Open, Match | Settle) => Ok(Open),
            (Open, Cancel) => Ok(Cancelled),
            (Cancelled, Settle) => Ok(Cancelled),
            (Cancelled, Match | Cancel) => Err(E::OrderClosed.into()),
        }
    }
}

/// What a renter wants and the money that it has put down for it. The order's own vault holds `free` and
/// `held`; the other figures add up with them to everything that ever came in.
#[account]
pub struct Order {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// An [`OrderStatus`].
    pub status: u8,
    pub _pad: u8,
    /// Devices that no lease has taken yet.
    pub open: u16,
    /// Lease accounts that are there.
    pub leases: u16,
    /// Leases that were accepted.
    pub served: u16,
    /// The renter's fee on top of a principal, basis points.
    pub renter_fee_bps: u16,
    /// The supplier's fee out of what it is paid, basis points.
    pub supplier_fee_bps: u16,
    /// Where all devices are when they must be together; zero before the first.
    pub country: [u8; 2],
    /// The renter's number for it.
    pub id: u64,
    /// When it was opened, unix seconds.
    pub created_at: u64,
    /// End of its matching, unix seconds.
    pub match_until: u64,
    /// A worker's time to accept, seconds.
    pub accept_window: u64,
    /// How far settlement stays behind the clock, seconds.
    pub settlement_lag: u64,
    /// Movements of money so far: the next one's number.
    pub transactions: u64,
    /// Put down so far, base units.
    pub deposit: u64,
    /// In the vault, of no lease, base units.
    pub free: u64,
    /// In the vault, of leases and the renter's fees on them, base units.
    pub held: u64,
    /// Paid to suppliers, their fees included, base units.
    pub paid: u64,
    /// The renter's fees that went to the network, base units.
    pub fees: u64,
    /// Given back to the renter, base units.
    pub refunded: u64,
    /// Who pays, and gets back what is left.
    pub renter: Address,
    /// The token account that holds the money.
    pub vault: Address,
    /// What is asked for.
    pub terms: Terms,
    /// For later versions; zero.
    pub _reserved: [u8; 64],
}

impl Order {
    /// Opens the order and counts what the renter puts down, which is returned: for each device, the principal at
    /// the highest price and the fee on it.
    pub fn open(&mut self, terms: Terms, params: &Params, now: u64) -> Result<u64> {
        terms.check()?;
        self.version = ACCOUNT_VERSION;
        self.terms = terms;
        self.open = terms.devices;
        self.renter_fee_bps = params.renter_bps(terms.currency()?)?;
        self.supplier_fee_bps = params.supplier_fee_bps;
        self.created_at = now;
        self.match_until = now.checked_add(params.match_window).ok_or(E::Overflow)?;
        self.accept_window = params.accept_window;
        self.settlement_lag = params.settlement_lag;
        let deposit = self.place()?.checked_mul(terms.devices as u64).ok_or(E::Overflow)?;
        self.put_down(deposit)?;
        self.invariant()?;
        Ok(deposit)
    }

    /// The currency.
    pub fn currency(&self) -> Result<Currency> {
        self.terms.currency()
    }

    /// What is put down for one device, base units.
    pub fn place(&self) -> Result<u64> {
        with_fee(principal(self.terms.rate(self.terms.price)?, self.terms.hours)?, self.renter_fee_bps)
    }

    /// Takes the number of the next movement of money.
    pub fn transaction(&mut self) -> Result<u64> {
        let number = self.transactions;
        self.transactions = number.checked_add(1).ok_or(E::Overflow)?;
        Ok(number)
    }

    /// Takes a device in `country` and sets the money for it apart, which is returned.
    pub fn take_device(&mut self, country: [u8; 2], now: u64) -> Result<u64> {
        self.act(OrderAction::Match)?;
        require!(now < self.match_until, E::MatchingOver);
        self.open = self.open.checked_sub(1).ok_or(E::OrderFull)?;
        let places = self.terms.countries();
        require!(places.is_empty() || places.contains(&country), E::WrongCountry);
        if self.terms.colocated == 1 {
            require!(self.leases == 0 || self.country == country, E::WrongCountry);
            self.country = country;
        }
        self.leases = self.leases.checked_add(1).ok_or(E::Overflow)?;
        let place = self.place()?;
        self.free = self.free.checked_sub(place).ok_or(E::InvariantViolated)?;
        self.held = self.held.checked_add(place).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(place)
    }

    /// Wants no more devices. Returns how many were open.
    pub fn cancel(&mut self) -> Result<u16> {
        self.act(OrderAction::Cancel)?;
        require!(self.open > 0, E::NothingToCancel);
        let open = core::mem::take(&mut self.open);
        self.invariant()?;
        Ok(open)
    }

    /// A lease was accepted: of its place, `rest` is free again.
    pub fn accept(&mut self, rest: u64) -> Result<()> {
        self.act(OrderAction::Settle)?;
        self.served = self.served.checked_add(1).ok_or(E::Overflow)?;
        self.release(rest)
    }

    /// Money came in for more hours of a lease: their principal and the renter's fee on it.
    pub fn extend(&mut self, amount: u64) -> Result<()> {
        self.act(OrderAction::Settle)?;
        self.put_down(amount)?;
        self.free = self.free.checked_sub(amount).ok_or(E::InvariantViolated)?;
        self.held = self.held.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// A lease was never accepted: its place is free again, and open unless the renter itself withdrew it.
    pub fn reopen(&mut self, place: u64, again: bool) -> Result<()> {
        self.act(OrderAction::Settle)?;
        if again {
            self.open = self.open.checked_add(1).ok_or(E::Overflow)?;
        }
        self.release(place)
    }

    /// Money of a lease goes to its supplier, and the renter's fee on it to the network.
    pub fn pay(&mut self, amount: u64, renter_fee: u64) -> Result<()> {
        self.act(OrderAction::Settle)?;
        let held = self.held.checked_sub(amount).and_then(|held| held.checked_sub(renter_fee));
        self.held = held.ok_or(E::InvariantViolated)?;
        self.paid = self.paid.checked_add(amount).ok_or(E::Overflow)?;
        self.fees = self.fees.checked_add(renter_fee).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Money of a lease is free again.
    pub fn release(&mut self, amount: u64) -> Result<()> {
        self.held = self.held.checked_sub(amount).ok_or(E::InvariantViolated)?;
        self.free = self.free.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// A lease's account is gone.
    pub fn forget_lease(&mut self) -> Result<()> {
        self.leases = self.leases.checked_sub(1).ok_or(E::InvariantViolated)?;
        self.invariant()
    }

    /// Gives back what no device that may still come needs; returns it.
    pub fn give_back(&mut self, now: u64) -> Result<u64> {
        self.act(OrderAction::Settle)?;
        let open = if self.takes_devices(now) { self.open } else { 0 };
        let needed = self.place()?.checked_mul(open as u64).ok_or(E::Overflow)?;
        let amount = self.free.checked_sub(needed).ok_or(E::InvariantViolated)?;
        self.free = needed;
        self.refunded = self.refunded.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(amount)
    }

    /// Refuses unless nothing can happen to the order any more; says why it ends.
    pub fn close_reason(&self, now: u64) -> Result<CloseReason> {
        require!(self.leases == 0 && self.held == 0 && !self.takes_devices(now), E::OrderBusy);
        Ok(match (self.served, self.status) {
            (0, status) if status == OrderStatus::Cancelled as u8 => CloseReason::Cancelled,
            (0, _) => CloseReason::Unserved,
            _ => CloseReason::Served,
        })
    }

    /// Whether a device can still be matched.
    pub fn takes_devices(&self, now: u64) -> bool {
        self.status == OrderStatus::Open as u8 && self.open > 0 && now < self.match_until
    }

    fn put_down(&mut self, amount: u64) -> Result<()> {
        self.deposit = self.deposit.checked_add(amount).ok_or(E::Overflow)?;
        self.free = self.free.checked_add(amount).ok_or(E::Overflow)?;
        Ok(())
    }

    fn act(&mut self, action: OrderAction) -> Result<()> {
        let status = match self.status {
            0 => OrderStatus::Open,
            1 => OrderStatus::Cancelled,
            _ => return Err(E::InvariantViolated.into()),
        };
        self.status = status.next(action)? as u8;
        Ok(())
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        require!(self.open <= self.terms.devices, E::InvariantViolated);
        let parts = [self.free, self.held, self.paid, self.fees, self.refunded];
        let sum = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part));
        require!(sum == Some(self.deposit), E::InvariantViolated);
        Ok(())
    }
}
