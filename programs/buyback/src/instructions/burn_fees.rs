use {
    crate::{
        constants::*,
        errors::BuybackError as E,
        events::FeesBurned,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{emit_event, supply::IO_DECIMALS, token::burn},
};

/// Burns all fees in IO. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct BurnFees {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, address = config.io_mint @ E::WrongAccount)]
    pub io_mint: UncheckedAccount,
    #[account(mut, address = config.io_vault @ E::WrongAccount)]
    pub io_vault: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn burn_fees(ctx: &mut Context<BurnFees>) -> Result<()> {
    let a = &mut ctx.accounts;
    let amount = a.io_vault.amount();
    a.config.burn_fees(amount)?;
    let bump = [a.config.bump];
    burn(
        a.token_program.address(),
        a.io_vault.cpi_handle_mut(),
        a.io_mint.cpi_handle_mut(),
        a.config.cpi_handle(),
        amount,
        IO_DECIMALS,
        &[&[CONFIG_SEED, &bump]],
    );
    let fees_io = a.config.fees_io;
    emit_event!(ctx, FeesBurned { amount, fees_io });
    Ok(())
}
