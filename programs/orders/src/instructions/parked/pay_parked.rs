use {
    crate::{
        constants::CONFIG_SEED,
        errors::OrdersError as E,
        events::ParkedPaid,
        state::{Config, Known, Parked},
    },
    anchor_lang::prelude::*,
    ionet_common::{
        ata::is_associated,
        emit_event,
        token::{payable, transfer},
    },
};

/// Pays what was parked, once its payee can be paid; the record's rent goes to whoever paid it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct PayParked {
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, address = record.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    #[account(mut, close = payer)]
    pub record: Known<Parked>,
    /// The config's associated token account for the record's mint.
    #[account(
        mut,
        constraint = is_associated(parked_vault.address(), config.address(), &record.mint) @ E::WrongAccount
    )]
    pub parked_vault: UncheckedAccount,
    #[account(mut, address = record.destination @ E::WrongAccount)]
    pub destination: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn pay_parked(ctx: &mut Context<PayParked>) -> Result<()> {
    let a = &mut ctx.accounts;
    let (wallet, mint, destination) = (a.record.wallet, a.record.mint, a.record.destination);
    // The fee vault's owner is the buyback program's own business.
    let owner = if wallet == destination { None } else { Some(&wallet) };
    require!(payable(&a.destination, owner, &mint), E::PayeeBlocked);
    let amount = core::mem::take(&mut a.record.amount);
    transfer(
        a.token_program.address(),
        a.parked_vault.cpi_handle_mut(),
        a.destination.cpi_handle_mut(),
        a.config.cpi_handle(),
        amount,
        &[&[CONFIG_SEED, &[a.config.bump]]],
    );
    let record = *a.record.address();
    emit_event!(ctx, ParkedPaid { record, wallet, mint, destination, amount });
    Ok(())
}
