use {
    super::now,
    crate::{
        constants::*,
        errors::StakingError as E,
        events::RewardClaimed,
        state::{Block, Config, Known, Paid, Wallet},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::{self, TokenAccount},
    ionet_common::{ata::is_associated, emit_event, token::transfer},
};

/// Pays a wallet what it has earned and not got, by a leaf of a final root, as far as the wallet's share
/// and the hour's limit allow; the rest can be claimed later. Anyone may call it; the money goes to the
/// wallet. Signed by the wallet it also draws from the reserve for small claims.
#[event_cpi]
#[derive(Accounts)]
pub struct Claim {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub block: Known<Block>,
    #[account(mut)]
    pub wallet: Known<Wallet>,
    /// The wallet itself; may sign.
    #[account(address = wallet.wallet @ E::WrongAccount)]
    pub owner: UncheckedAccount,
    /// The wallet's associated token account; any of its token accounts for IO when it signs.
    #[account(
        mut, token::authority = owner,
        constraint = owner.account().is_signer()
            || is_associated(wallet_tokens.address(), owner.address(), &config.mint)
            @ E::NotAssociatedAccount
    )]
    pub wallet_tokens: Account<TokenAccount>,
    #[account(mut, address = config.reward_vault @ E::WrongAccount)]
    pub reward_vault: UncheckedAccount,
    #[account(seeds = [b"reward_authority"], bump)]
    pub reward_authority: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// `lifetime` is the leaf's amount: all that the wallet has ever earned.
pub fn claim(ctx: &mut Context<Claim>, lifetime: u64, proof: &[u8]) -> Result<()> {
    let a = &mut ctx.accounts;
    let wallet = a.wallet.wallet;
    a.block.require_leaf(&a.config, &wallet, lifetime, proof)?;
    let due = a.wallet.due(lifetime, a.block.total, a.config.params.wallet_share_bps)?;
    let signed = a.owner.account().is_signer();
    let Paid { amount, reserve } = a.config.claim(&mut a.wallet, due, signed, now()?)?;
    let (hour, claimed, bump) = (a.block.hour, a.wallet.claimed, [a.config.reward_bump]);
    let (claim_hour, claimed_in_hour) = (a.config.claim_hour, a.config.claimed_in_hour);
    let reserve_in_hour = a.config.reserve_in_hour;
    transfer(
        a.token_program.address(),
        a.reward_vault.cpi_handle_mut(),
        a.wallet_tokens.cpi_handle_mut(),
        a.reward_authority.cpi_handle(),
        amount,
        &[&[REWARD_AUTHORITY_SEED, &bump]],
    );
    let event = RewardClaimed {
        wallet,
        amount,
        claimed,
        hour,
        claim_hour,
        claimed_in_hour,
        reserve,
        reserve_in_hour,
    };
    emit_event!(ctx, event);
    Ok(())
}
