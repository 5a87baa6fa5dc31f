//! The IO token: mint and genesis, vesting, airdrop seasons, 20 years of emission, burn accounting.
//!
//! Supply can pass 500,000,000 IO only through `emit` and never passes 800,000,000; what `emit`
//! mints is a pure function of the clock. See `docs/` for the protocol's numbers.

use anchor_lang::prelude::*;
// Brings the compiler's missing helpers into the link; empty under the ordinary toolchain.
extern crate sbf_builtins as _;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod state;

use instructions::*;

declare_id!("EUo8NUme2md4PjYcKvcX7tNrE3GQGoJt7sYDJqfmiKcx");
ionet_common::contact!("tokenomics");

/// The IO token's economy.
#[program]
pub mod tokenomics {
    use super::*;

    /// Creates config, mint and vaults; signed by the program's upgrade authority, the first admin.
    pub fn initialize(
        ctx: &mut Context<Initialize>,
        staking_program: Address,
        guardian: Address,
    ) -> Result<()> {
        instructions::initialize(ctx, staking_program, guardian)
    }

    /// Adds a row of the genesis table (admin, before launch).
    #[allow(clippy::too_many_arguments)] // a row of the genesis table
    pub fn add_allocation(
        ctx: &mut Context<AddAllocation>,
        id: u8,
        label: [u8; 16],
        beneficiary: Address,
        amount: u64,
        tge_bps: u16,
        cliff_months: u16,
        tranches: u16,
    ) -> Result<()> {
        instructions::add_allocation(ctx, id, label, beneficiary, amount, tge_bps, cliff_months, tranches)
    }

    /// Mints the genesis supply and fixes the emission's first month (admin, once).
    pub fn launch(ctx: &mut Context<Launch>, start_month: u32) -> Result<()> {
        instructions::launch(ctx, start_month)
    }

    /// Pays a beneficiary what vesting has freed (anyone).
    pub fn release(ctx: &mut Context<Release>) -> Result<()> {
        instructions::release(ctx)
    }

    /// Names an allocation's next beneficiary (beneficiary; zero withdraws).
    pub fn propose_beneficiary(ctx: &mut Context<ProposeBeneficiary>, pending: Address) -> Result<()> {
        instructions::propose_beneficiary(ctx, pending)
    }

    /// Takes an allocation over (the proposed beneficiary).
    pub fn accept_beneficiary(ctx: &mut Context<AcceptBeneficiary>) -> Result<()> {
        instructions::accept_beneficiary(ctx)
    }

    /// Publishes and funds an airdrop season (admin).
    #[allow(clippy::too_many_arguments)] // the season's terms
    pub fn open_season(
        ctx: &mut Context<OpenSeason>,
        season: u32,
        root: [u8; 32],
        data_hash: [u8; 32],
        leaves: u32,
        pools: [u64; 3],
        claim_start: u64,
        claim_end: u64,
    ) -> Result<()> {
        instructions::open_season(ctx, season, root, data_hash, leaves, pools, claim_start, claim_end)
    }

    /// Creates a page of claim bits (anyone; the rent comes back after the season).
    pub fn open_claim_page(ctx: &mut Context<OpenClaimPage>, page: u32) -> Result<()> {
        instructions::open_claim_page(ctx, page)
    }

    /// Pays a wallet its amount of a season, once (anyone).
    pub fn claim_season(ctx: &mut Context<ClaimSeason>, index: u32, amount: u64, proof: &[u8]) -> Result<()> {
        instructions::claim_season(ctx, index, amount, proof)
    }

    /// Vetoes a season before its claims open (guardian).
    pub fn cancel_season(ctx: &mut Context<CancelSeason>) -> Result<()> {
        instructions::cancel_season(ctx)
    }

    /// Pays the rest of a season back after its veto or its claim period (anyone).
    pub fn close_season(ctx: &mut Context<CloseSeason>) -> Result<()> {
        instructions::close_season(ctx)
    }

    /// Gives a page's rent back after the season (anyone).
    pub fn close_claim_page(ctx: &mut Context<CloseClaimPage>) -> Result<()> {
        instructions::close_claim_page(ctx)
    }

    /// Mints all ended hours of the emission into the reward vault (anyone).
    pub fn emit(ctx: &mut Context<Emit>) -> Result<()> {
        instructions::emit(ctx)
    }

    /// Burns tokens of the caller's, who has `expected` of them before or more, and counts them (anyone).
    pub fn burn(ctx: &mut Context<Burn>, amount: u64, expected: u64) -> Result<()> {
        instructions::burn(ctx, amount, expected)
    }

    /// Counts burns made directly on the token program (anyone).
    pub fn sync_burned(ctx: &mut Context<SyncBurned>) -> Result<()> {
        instructions::sync_burned(ctx)
    }

    /// Stops operations for at most seven days, or lifts the stop (guardian).
    pub fn set_pause(ctx: &mut Context<SetPause>, mask: u32, until: u64) -> Result<()> {
        instructions::set_pause(ctx, mask, until)
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
}
