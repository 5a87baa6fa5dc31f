use {
    crate::{
        constants::*,
        errors::StakingError as E,
        events::WalletOpened,
        state::{Config, Known, Wallet},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Opens the account of a wallet that is going to earn. Anyone may pay for it; it is never closed,
/// as it remembers what was claimed.
#[event_cpi]
#[derive(Accounts)]
#[instruction(owner: Address)]
pub struct OpenWallet {
    #[account(mut)]
    pub payer: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(init, payer = payer, seeds = [b"wallet", owner], bump)]
    pub wallet: Known<Wallet>,
    pub system_program: Program<System>,
}

pub fn open_wallet(ctx: &mut Context<OpenWallet>, owner: Address) -> Result<()> {
    require!(owner != Address::default(), E::ZeroAddress);
    let a = &mut ctx.accounts;
    let opened_total = a.config.final_total;
    a.wallet.version = ACCOUNT_VERSION;
    a.wallet.bump = ctx.bumps.wallet;
    a.wallet.wallet = owner;
    a.wallet.opened_total = opened_total;
    emit_event!(ctx, WalletOpened { wallet: owner, opened_total });
    Ok(())
}
