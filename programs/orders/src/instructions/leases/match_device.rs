use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::LeaseMatched,
        instructions::now,
        state::{price_of, Currency, Known, Lease, LeaseStatus, Matcher, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::{Class, Device},
};

/// Sets a device apart for an order, by an operator in its turn or by the device's own supplier once the operators
/// had their time. The program checks everything, and the price is the network's, so that nobody can match badly.
#[event_cpi]
#[derive(Accounts)]
pub struct MatchDevice {
    /// An operator or the device's supplier; pays the lease's rent and gets it back.
    #[account(mut)]
    pub matcher: Signer,
    #[account(mut)]
    pub order: Known<Order>,
    #[account(constraint = class.id == device.class @ E::WrongClass)]
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
    /// Signs when the supplier matches.
    #[account(address = device.worker @ E::NotWorker)]
    pub worker: UncheckedAccount,
    pub call: Nested<crate::instructions::DeviceCall>,
    #[account(init, payer = matcher, seeds = [b"lease", order.address(), device.address()], bump)]
    pub lease: Known<Lease>,
    pub system_program: Program<System>,
}

/// `tick` is the operator's, 0 when the supplier matches.
pub fn match_device(ctx: &mut Context<MatchDevice>, tick: u32) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    a.call.config.require_running(PAUSE_MATCHING, at)?;
    let by = a.matcher_in(tick, at)?;
    let price = a.price(at)?;
    let (matcher, device, order) = (*a.matcher.address(), *a.device.address(), *a.order.address());
    let number = a.device.leases.checked_add(1).ok_or(E::Overflow)?;
    let lease = &mut a.lease;
    lease.version = ACCOUNT_VERSION;
    lease.bump = ctx.bumps.lease;
    lease.status = LeaseStatus::Matched as u8;
    lease.hours = a.order.terms.hours;
    lease.rate = a.order.terms.rate(price)?;
    lease.matched_at = at;
    lease.number = number;
    lease.registered_at = a.device.registered_at;
    lease.order = order;
    lease.device = device;
    lease.supplier = a.device.supplier;
    lease.worker = a.device.worker;
    lease.payout = a.device.payout;
    lease.payer = matcher;
    lease.renter_fee_bps = a.order.renter_fee_bps;
    lease.held = lease.price()?;
    lease.accept_until = a.order.take_device(a.device.country, lease.held, by, at)?;
    lease.invariant()?;
    let (lease, opened_at) = (*a.lease.address(), a.order.created_at);
    a.call.lease(a.class.cpi_handle(), a.device.cpi_handle_mut(), &lease, &order, opened_at, bump);
    let matched = LeaseMatched {
        lease,
        order,
        device,
        country: a.device.country,
        supplier: a.lease.supplier,
        worker: a.lease.worker,
        payout: a.lease.payout,
        matcher,
        tick,
        number,
        registered_at: a.lease.registered_at,
        rate: a.lease.rate,
        hours: a.lease.hours,
        held: a.lease.held,
        accept_until: a.lease.accept_until,
    };
    emit_event!(ctx, matched);
    Ok(())
}

impl MatchDevice {
    /// Refuses whoever may not match the order now.
    fn matcher_in(&self, tick: u32, now: u64) -> Result<Matcher> {
        let matcher = self.matcher.address();
        if tick > 0 {
            let params = &self.call.staking_config.params;
            let operator = params.operator(matcher).map_err(|_| E::NotMatcher)?;
            self.order.require_turn(tick, operator, params.operator_count as usize, now)?;
            return Ok(Matcher::Operator);
        }
        require!(*matcher == self.device.supplier, E::NotMatcher);
        require!(self.worker.account().is_signer(), E::WorkerMustSign);
        self.order.require_open_to_suppliers(now)?;
        Ok(Matcher::Supplier)
    }

    /// Refuses a device that is not what the order asks for; returns what it costs for a processor and hour. Whether
    /// it is free, whole, not barred and staked enough is staking's.
    fn price(&self, now: u64) -> Result<u64> {
        let (device, terms) = (&self.device, &self.order.terms);
        require!(terms.classes().contains(&device.class), E::WrongClass);
        require!(device.processors == terms.processors, E::WrongProcessors);
        require!(device.tier >= terms.min_tier, E::TierTooLow);
        // What is stated once an order is seen could be stated for that order alone.
        require!(device.changed_at < self.order.created_at, E::TermsTooYoung);
        let parties = [device.supplier, device.worker, device.payout];
        require!(!parties.contains(&self.order.renter), E::OwnDevice);
        let currency = terms.currency()?;
        let ask = ask(device, currency);
        price_of(&self.class.price(currency, now), ask, terms.price)
    }
}

/// What a device asks for a processor and hour in a currency, base units.
pub(super) fn ask(device: &Device, currency: Currency) -> u64 {
    match currency {
        Currency::Io => device.ask_io,
        Currency::Usdc => device.ask_usdc,
    }
}
