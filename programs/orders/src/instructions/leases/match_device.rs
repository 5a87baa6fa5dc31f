use {
    super::now,
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::LeaseMatched,
        state::{Currency, Lease, LeaseStatus, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::{Class, Device},
};

/// Sets a device apart for an order, by any operator or by the device's own supplier. The program checks
/// everything, so that nobody can match badly.
#[event_cpi]
#[derive(Accounts)]
pub struct MatchDevice {
    /// An operator or the device's supplier; pays the lease's rent and gets it back.
    #[account(mut)]
    pub matcher: Signer,
    #[account(mut)]
    pub order: Account<Order>,
    pub class: Account<Class>,
    #[account(mut)]
    pub device: Account<Device>,
    pub call: Nested<super::DeviceCall>,
    #[account(init, payer = matcher, seeds = [b"lease", order.address(), device.address()], bump)]
    pub lease: Account<Lease>,
    pub system_program: Program<System>,
}

/// `price` is the device's ask as the matcher has seen it.
pub fn match_device(ctx: &mut Context<MatchDevice>, price: u64) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    a.call.config.require_running(PAUSE_MATCHING, at)?;
    let (matcher, device, order) = (*a.matcher.address(), *a.device.address(), *a.order.address());
    require_wanted(&a.device, &a.order, price)?;
    let operates = a.call.staking_config.params.operator(&matcher).is_ok();
    require!(operates || matcher == a.device.supplier, E::NotMatcher);
    let held = a.order.take_device(a.device.country, at)?;
    let lease = &mut a.lease;
    lease.version = ACCOUNT_VERSION;
    lease.bump = ctx.bumps.lease;
    lease.status = LeaseStatus::Matched as u8;
    lease.hours = a.order.terms.hours;
    lease.rate = a.order.terms.rate(price)?;
    lease.matched_at = at;
    lease.accept_until = at.checked_add(a.order.accept_window).ok_or(E::Overflow)?;
    lease.held = held;
    lease.order = order;
    lease.device = device;
    lease.supplier = a.device.supplier;
    lease.worker = a.device.worker;
    lease.payout = a.device.payout;
    lease.payer = matcher;
    lease.renter_fee_bps = a.order.renter_fee_bps;
    lease.invariant()?;
    let lease = *a.lease.address();
    a.call.lease(a.class.cpi_handle(), a.device.cpi_handle_mut(), &lease, bump);
    let (rate, hours, accept_until) = (a.lease.rate, a.lease.hours, a.lease.accept_until);
    let (supplier, worker, payout) = (a.lease.supplier, a.lease.worker, a.lease.payout);
    let country = a.device.country;
    emit_event!(
        ctx,
        LeaseMatched {
            lease,
            order,
            device,
            country,
            supplier,
            worker,
            payout,
            matcher,
            rate,
            hours,
            held,
            accept_until
        }
    );
    Ok(())
}

/// Compares a device with what the order asks for. Whether it is free, whole and staked enough is staking's.
fn require_wanted(device: &Device, order: &Order, price: u64) -> Result<()> {
    let terms = &order.terms;
    require!(terms.classes().contains(&device.class), E::WrongClass);
    require!(device.processors == terms.processors, E::WrongProcessors);
    require!(device.tier >= terms.min_tier, E::TierTooLow);
    let ask = match terms.currency()? {
        Currency::Io => device.ask_io,
        Currency::Usdc => device.ask_usdc,
    };
    require!(ask > 0, E::NotLet);
    require!(ask == price, E::PriceChanged);
    require!(ask <= terms.price, E::PriceTooHigh);
    let parties = [device.supplier, device.worker, device.payout];
    require!(!parties.contains(&order.renter), E::OwnDevice);
    Ok(())
}
