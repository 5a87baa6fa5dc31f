//! Orders: escrowed compute orders, leases of devices, per-second settlement, the ways of ending, refunds.
//!
//! A renter's money lies in a vault of its own order. What a supplier is owed is a function of time
//! alone, and every way out can be gone without an operator. See `docs/` for the protocol's numbers.

use anchor_lang::prelude::*;
// Brings the compiler's missing helpers into the link; empty under the ordinary toolchain.
extern crate sbf_builtins as _;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod state;

use {
    instructions::*,
    state::{Params, Terms},
};

declare_id!("7BjxE8cE2vxCNTCuA2KqsnKXMbUYzNivGLQRh7BqXiFg");
ionet_common::contact!("orders");

/// Orders and leases.
#[program]
pub mod orders {
    use super::*;

    /// Creates the config; signed by the program's upgrade authority, the first admin. Fees go to the vaults
    /// of `buyback_program`.
    pub fn initialize(
        ctx: &mut Context<Initialize>,
        buyback_program: Address,
        guardian: Address,
        params: Params,
    ) -> Result<()> {
        instructions::initialize(ctx, buyback_program, guardian, params)
    }

    /// Proposes parameters (admin; in force after the notice).
    pub fn propose_params(ctx: &mut Context<AdminOnly>, params: Params) -> Result<()> {
        instructions::propose_params(ctx, params)
    }

    /// Drops the proposed parameters (guardian).
    pub fn cancel_params(ctx: &mut Context<GuardianOnly>) -> Result<()> {
        instructions::cancel_params(ctx)
    }

    /// Puts the proposed parameters in force once the notice is over (anyone).
    pub fn apply_params(ctx: &mut Context<ApplyParams>) -> Result<()> {
        instructions::apply_params(ctx)
    }

    /// Names the next admin (admin; zero withdraws).
    pub fn propose_admin(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
        instructions::propose_admin(ctx, pending)
    }

    /// Takes the admin role over (the proposed admin).
    pub fn accept_admin(ctx: &mut Context<AcceptAdmin>) -> Result<()> {
        instructions::accept_admin(ctx)
    }

    /// Names another guardian (admin; zero withdraws).
    pub fn propose_guardian(ctx: &mut Context<AdminOnly>, pending: Address) -> Result<()> {
        instructions::propose_guardian(ctx, pending)
    }

    /// Takes the guardian role over once the notice is over (the proposed guardian).
    pub fn accept_guardian(ctx: &mut Context<AcceptGuardian>) -> Result<()> {
        instructions::accept_guardian(ctx)
    }

    /// Stops operations for at most seven days, or lifts the stop (guardian).
    pub fn set_pause(ctx: &mut Context<GuardianOnly>, mask: u32, until: u64) -> Result<()> {
        instructions::set_pause(ctx, mask, until)
    }

    /// Opens an order and puts the money for it down, `max_deposit` at most (renter).
    pub fn create_order(
        ctx: &mut Context<CreateOrder>,
        id: u64,
        terms: Terms,
        max_deposit: u64,
    ) -> Result<()> {
        instructions::create_order(ctx, id, terms, max_deposit)
    }

    /// Wants no more devices (renter; before the end of the matching for a fee on an hour of each open place).
    pub fn cancel_order(ctx: &mut Context<CancelOrder>) -> Result<()> {
        instructions::cancel_order(ctx)
    }

    /// Gives back what no lease holds (anyone).
    pub fn refund(ctx: &mut Context<Refund>) -> Result<()> {
        instructions::refund(ctx)
    }

    /// Ends an order to which nothing more can happen (anyone).
    pub fn close_order(ctx: &mut Context<CloseOrder>) -> Result<()> {
        instructions::close_order(ctx)
    }

    /// Sets a device apart for an order (an operator in its turn of `tick`; with tick 0, the device's supplier).
    pub fn match_device(ctx: &mut Context<MatchDevice>, tick: u32) -> Result<()> {
        instructions::match_device(ctx, tick)
    }

    /// Accepts a lease: its hours begin, in a gang once that is filled (worker).
    pub fn accept_lease(ctx: &mut Context<AcceptLease>) -> Result<()> {
        instructions::accept_lease(ctx)
    }

    /// Adds hours to a running lease of `expected` hours, for `max_amount` at most (renter; while the device still
    /// asks for no more than its rate).
    pub fn extend_lease(
        ctx: &mut Context<ExtendLease>,
        hours: u32,
        max_amount: u64,
        expected: u32,
    ) -> Result<()> {
        instructions::extend_lease(ctx, hours, max_amount, expected)
    }

    /// Pays a lease's supplier what is due, and the network its fees where they can be paid (anyone).
    pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
        instructions::settle(ctx)
    }

    /// Ends a lease and frees its device (renter, supplier, worker; anyone once its time is over).
    pub fn end_lease(ctx: &mut Context<EndLease>) -> Result<()> {
        instructions::end_lease(ctx)
    }

    /// Holds a lease's unpaid money back for at most seven days (guardian).
    pub fn hold_lease(ctx: &mut Context<HoldLease>, until: u64) -> Result<()> {
        instructions::hold_lease(ctx, until)
    }

    /// Closes a lease that is owed nothing (anyone).
    pub fn close_lease(ctx: &mut Context<CloseLease>) -> Result<()> {
        instructions::close_lease(ctx)
    }

    /// Votes that the device's lease `number` was not served (operator).
    pub fn vote_fault(
        ctx: &mut Context<VoteFault>,
        evidence: [u8; 32],
        good_hours: u32,
        number: u64,
        registered_at: u64,
    ) -> Result<()> {
        instructions::vote_fault(ctx, evidence, good_hours, number, registered_at)
    }

    /// Closes a fault whose lease is gone (anyone).
    pub fn close_fault(ctx: &mut Context<CloseFault>) -> Result<()> {
        instructions::close_fault(ctx)
    }

    /// Settles a lease whose supplier can't be paid: its part waits in the parked vault (anyone).
    pub fn park_pay(ctx: &mut Context<ParkPay>) -> Result<()> {
        instructions::park_pay(ctx)
    }

    /// Sets an order's fees aside when the fee vault can't be paid (anyone).
    pub fn park_fees(ctx: &mut Context<ParkFees>) -> Result<()> {
        instructions::park_fees(ctx)
    }

    /// Pays what was parked, once its payee can be paid (anyone).
    pub fn pay_parked(ctx: &mut Context<PayParked>) -> Result<()> {
        instructions::pay_parked(ctx)
    }
}
