//! Staking: device classes with their prices, devices, stakes and co-stakes with cooldowns, slashing, hourly
//! reward blocks attested by operators, and claims.
//!
//! Operators say who earned what, and everybody can compute the same from published files; a block
//! that too few agree on, or that passes the emission, pays nobody. No operator, guardian or admin can
//! move a token to itself. See `docs/` for the protocol's numbers.

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
    state::{Bounds, ClassPrices, Params},
};

declare_id!("D4pBv5fxVpoMtTBRezVr1h8HTywCY6NwvzCCkfzoPuCC");
ionet_common::contact!("staking");

/// Devices, stakes and rewards.
#[program]
pub mod staking {
    use super::*;

    /// Creates config and stake vault; signed by the program's upgrade authority, the first admin.
    /// Devices are leased by `orders_program` from then on.
    pub fn initialize(
        ctx: &mut Context<Initialize>,
        orders_program: Address,
        guardian: Address,
        params: Params,
    ) -> Result<()> {
        instructions::initialize(ctx, orders_program, guardian, params)
    }

    /// Proposes parameters and operators (admin; in force after the notice).
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

    /// Adds a class of processors; it opens after the notice (admin).
    pub fn add_class(
        ctx: &mut Context<AddClass>,
        id: u16,
        name: [u8; 24],
        multiplier: u16,
        pool: u8,
        kind: u8,
        prices: ClassPrices,
    ) -> Result<()> {
        instructions::add_class(ctx, id, name, multiplier, pool, kind, prices)
    }

    /// Changes a class's multiplier after the notice (admin).
    pub fn change_class(ctx: &mut Context<ChangeClass>, multiplier: u16) -> Result<()> {
        instructions::change_class(ctx, multiplier)
    }

    /// Changes the bounds of a class's prices after the notice (admin).
    pub fn change_bounds(ctx: &mut Context<ChangeClass>, bounds: Bounds) -> Result<()> {
        instructions::change_bounds(ctx, bounds)
    }

    /// Drops what is announced of a class; one that isn't open yet never opens (guardian).
    pub fn cancel_class(ctx: &mut Context<CancelClass>) -> Result<()> {
        instructions::cancel_class(ctx)
    }

    /// Votes the root over all classes' steps of an hour (operator).
    pub fn vote_prices(ctx: &mut Context<VotePrices>, hour: u32, root: [u8; 32]) -> Result<()> {
        instructions::vote_prices(ctx, hour, root)
    }

    /// Announces a class's step by the agreed root (anyone).
    pub fn apply_price(
        ctx: &mut Context<ApplyPrice>,
        step_io: i16,
        step_usdc: i16,
        proof: &[u8],
    ) -> Result<()> {
        instructions::apply_price(ctx, step_io, step_usdc, proof)
    }

    /// Drops a class's announced step before it holds (guardian).
    pub fn cancel_price(ctx: &mut Context<CancelClass>) -> Result<()> {
        instructions::cancel_price(ctx)
    }

    /// Closes the account of an hour's steps once they hold (anyone).
    pub fn close_prices(ctx: &mut Context<ClosePrices>) -> Result<()> {
        instructions::close_prices(ctx)
    }

    /// Opens the account of a wallet that is going to earn (anyone).
    pub fn open_wallet(ctx: &mut Context<OpenWallet>, owner: Address) -> Result<()> {
        instructions::open_wallet(ctx, owner)
    }

    /// Registers a device (supplier and worker).
    pub fn register_device(
        ctx: &mut Context<RegisterDevice>,
        processors: u8,
        tier: u8,
        country: [u8; 2],
        ask_io: u64,
        ask_usdc: u64,
        worker_may_end: u8,
    ) -> Result<()> {
        instructions::register_device(ctx, processors, tier, country, ask_io, ask_usdc, worker_may_end)
    }

    /// Changes a device's tier, place and asks (supplier).
    pub fn change_device(
        ctx: &mut Context<DeviceOwner>,
        tier: u8,
        country: [u8; 2],
        ask_io: u64,
        ask_usdc: u64,
        worker_may_end: u8,
    ) -> Result<()> {
        instructions::change_device(ctx, tier, country, ask_io, ask_usdc, worker_may_end)
    }

    /// Takes a device's asks away (worker).
    pub fn pause_device(ctx: &mut Context<PauseDevice>) -> Result<()> {
        instructions::pause_device(ctx)
    }

    /// Sends the supplier's rewards to another wallet (supplier).
    pub fn set_payout(ctx: &mut Context<SetPayout>) -> Result<()> {
        instructions::set_payout(ctx)
    }

    /// Ends a device's life (supplier).
    pub fn terminate_device(ctx: &mut Context<DeviceOwner>) -> Result<()> {
        instructions::terminate_device(ctx)
    }

    /// Closes the account of a terminated device without stake (anyone).
    pub fn close_device(ctx: &mut Context<CloseDevice>) -> Result<()> {
        instructions::close_device(ctx)
    }

    /// Writes down what time, or a change of class, has done to a device (anyone).
    pub fn settle_device(ctx: &mut Context<SettleDevice>) -> Result<()> {
        instructions::settle_device(ctx)
    }

    /// Adds to a device's own stake, which is `expected` before (supplier).
    pub fn stake(ctx: &mut Context<Stake>, amount: u64, expected: u64) -> Result<()> {
        instructions::stake(ctx, amount, expected)
    }

    /// Takes own stake back that the minimum doesn't need, at once; it is `expected` before (supplier).
    pub fn withdraw_overflow(ctx: &mut Context<WithdrawOverflow>, amount: u64, expected: u64) -> Result<()> {
        instructions::withdraw_overflow(ctx, amount, expected)
    }

    /// Sends the own stake, and a co-stake with it, into the cooldown (supplier).
    pub fn unstake(ctx: &mut Context<DeviceOwner>) -> Result<()> {
        instructions::unstake(ctx)
    }

    /// Pays a cooled own stake back to the supplier (anyone).
    pub fn withdraw(ctx: &mut Context<Withdraw>) -> Result<()> {
        instructions::withdraw(ctx)
    }

    /// Looks for a co-staker (supplier).
    pub fn open_offer(ctx: &mut Context<DeviceOwner>, amount: u64, reward_bps: u16) -> Result<()> {
        instructions::open_offer(ctx, amount, reward_bps)
    }

    /// Withdraws an offer that nobody took (supplier).
    pub fn close_offer(ctx: &mut Context<DeviceOwner>) -> Result<()> {
        instructions::close_offer(ctx)
    }

    /// Takes a device's offer (co-staker).
    pub fn take_offer(ctx: &mut Context<TakeOffer>, amount: u64, reward_bps: u16) -> Result<()> {
        instructions::take_offer(ctx, amount, reward_bps)
    }

    /// Starts leaving a co-stake (co-staker).
    pub fn leave_co_stake(ctx: &mut Context<LeaveCoStake>) -> Result<()> {
        instructions::leave_co_stake(ctx)
    }

    /// Pays a cooled co-stake back to its owner (anyone).
    pub fn withdraw_co_stake(ctx: &mut Context<WithdrawCoStake>) -> Result<()> {
        instructions::withdraw_co_stake(ctx)
    }

    /// Says what an hour's reward block is (operator).
    pub fn attest(
        ctx: &mut Context<Attest>,
        hour: u32,
        root: [u8; 32],
        total: u64,
        devices: u32,
        data_hash: [u8; 32],
    ) -> Result<()> {
        instructions::attest(ctx, hour, root, total, devices, data_hash)
    }

    /// Vetoes a block that is not final (guardian).
    pub fn veto_block(ctx: &mut Context<VetoBlock>) -> Result<()> {
        instructions::veto_block(ctx)
    }

    /// Makes a block's root pay, after its challenge window at the earliest, or opens it again (anyone).
    pub fn finalise(ctx: &mut Context<Finalise>) -> Result<()> {
        instructions::finalise(ctx)
    }

    /// Closes a block that later ones have replaced (anyone).
    pub fn close_block(ctx: &mut Context<CloseBlock>) -> Result<()> {
        instructions::close_block(ctx)
    }

    /// Pays a wallet what it has earned and not got, within the limits (anyone).
    pub fn claim(ctx: &mut Context<Claim>, lifetime: u64, proof: &[u8]) -> Result<()> {
        instructions::claim(ctx, lifetime, proof)
    }

    /// Votes to slash a device (operator).
    pub fn vote_slash(ctx: &mut Context<VoteSlash>, evidence: [u8; 32], bps: u16) -> Result<()> {
        instructions::vote_slash(ctx, evidence, bps)
    }

    /// Appeals against a slash (supplier).
    pub fn appeal_slash(ctx: &mut Context<AppealSlash>, statement: [u8; 32]) -> Result<()> {
        instructions::appeal_slash(ctx, statement)
    }

    /// Vetoes a slash in its appeal period (guardian).
    pub fn veto_slash(ctx: &mut Context<VetoSlash>) -> Result<()> {
        instructions::veto_slash(ctx)
    }

    /// Burns a slashed device's stake after the appeal period, voids what lost its votes, or releases it (anyone).
    pub fn execute_slash(ctx: &mut Context<ExecuteSlash>) -> Result<()> {
        instructions::execute_slash(ctx)
    }

    /// States the hash of a file (operator).
    pub fn post(ctx: &mut Context<Post>, number: u32, kind: u8, slot: u64, hash: [u8; 32]) -> Result<()> {
        instructions::post(ctx, number, kind, slot, hash)
    }

    /// Leases a free device (the orders program).
    pub fn lease_device(
        ctx: &mut Context<LeaseDevice>,
        lease: Address,
        order: Address,
        opened_at: u64,
    ) -> Result<()> {
        instructions::lease_device(ctx, lease, order, opened_at)
    }

    /// Frees a device from its lease and counts what became of it (the orders program).
    pub fn free_device(
        ctx: &mut Context<LeasedDevice>,
        lease: Address,
        seconds: u64,
        outcome: u8,
        strike: u8,
    ) -> Result<()> {
        instructions::free_device(ctx, lease, seconds, outcome, strike)
    }

    /// Counts what was found later about a lease (the orders program).
    pub fn record_lease(
        ctx: &mut Context<LeasedDevice>,
        registered_at: u64,
        number: u64,
        outcome: u8,
        seconds_back: u64,
    ) -> Result<()> {
        instructions::record_lease(ctx, registered_at, number, outcome, seconds_back)
    }
}
