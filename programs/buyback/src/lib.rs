//! Buyback: the vaults that the network's fees go to, the burning of fees in IO, and the Dutch
//! auction that sells fees in USDC for IO and burns it.
//!
//! No oracle, no pool and no role sets a price: a lot falls from a multiple of the last price to a
//! part of it, and whoever pays first gets the whole lot. Whole lots, as a price that others follow
//! should be that of a real sale. See `docs/` for the protocol's numbers.

use anchor_lang::prelude::*;
// Brings the compiler's missing helpers into the link; empty under the ordinary toolchain.
extern crate sbf_builtins as _;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod state;

use {instructions::*, state::Params};

declare_id!("FD6ii14SfE5AHRqyvXi5pMsEabCcavJDqVa1FBbVySkn");
ionet_common::contact!("buyback");

/// Fees in, fewer IO out.
#[program]
pub mod buyback {
    use super::*;

    /// Creates config and fee vaults; signed by the program's upgrade authority, the first admin.
    pub fn initialize(ctx: &mut Context<Initialize>, guardian: Address, params: Params) -> Result<()> {
        instructions::initialize(ctx, guardian, params)
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

    /// Announces what the first auction refers to (admin; the first start after the notice uses it).
    pub fn propose_first_price(ctx: &mut Context<AdminOnly>, price: u64) -> Result<()> {
        instructions::propose_first_price(ctx, price)
    }

    /// Drops the first price while no auction has used it (guardian).
    pub fn cancel_first_price(ctx: &mut Context<GuardianOnly>) -> Result<()> {
        instructions::cancel_first_price(ctx)
    }

    /// Puts USDC of the vault up for sale, at most once a day (anyone).
    pub fn start_auction(ctx: &mut Context<StartAuction>, number: u32) -> Result<()> {
        instructions::start_auction(ctx, number)
    }

    /// Burns the bidder's IO and pays it the whole lot (bidder).
    pub fn bid(ctx: &mut Context<Bid>, max_io: u64, min_usdc: u64) -> Result<()> {
        instructions::bid(ctx, max_io, min_usdc)
    }

    /// Ends an auction that nobody took in its time (anyone).
    pub fn close_auction(ctx: &mut Context<CloseAuction>) -> Result<()> {
        instructions::close_auction(ctx)
    }

    /// Burns all fees in IO (anyone).
    pub fn burn_fees(ctx: &mut Context<BurnFees>) -> Result<()> {
        instructions::burn_fees(ctx)
    }
}
