use {
    super::park,
    crate::{
        constants::ACCOUNT_VERSION,
        errors::OrdersError as E,
        events::FeesParked,
        instructions::vault::pay_out,
        state::{Config, Order, Parked},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::payable},
};

/// Sets an order's fees aside when the fee vault can't be paid, so that the order can be closed. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct ParkFees {
    /// Pays the record's rent if there is none yet.
    #[account(mut)]
    pub payer: Signer,
    #[account(seeds = [b"config"], bump, constraint = config.version == ACCOUNT_VERSION @ E::UnknownVersion)]
    pub config: Account<Config>,
    #[account(mut)]
    pub order: Account<Order>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    /// The buyback program's vault for the currency.
    #[account(address = *config.fees(order.currency()?) @ E::WrongAccount)]
    pub fees: UncheckedAccount,
    #[account(mut, address = *config.parked(order.currency()?) @ E::WrongAccount)]
    pub parked_vault: UncheckedAccount,
    #[account(init_if_needed, payer = payer, seeds = [b"parked", fees.address()], bump)]
    pub record: Account<Parked>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

pub fn park_fees(ctx: &mut Context<ParkFees>) -> Result<()> {
    let a = &mut ctx.accounts;
    let mint = *a.config.mint(a.order.currency()?);
    require!(!payable(&a.fees, None, &mint), E::FeesPayable);
    let amount = a.order.take_fees()?;
    require!(amount > 0, E::NothingDue);
    let destination = *a.fees.address();
    // The fee vault stands for its owner, which is the buyback program's own business.
    let payee = [&destination, &mint, &destination];
    let payer = park(&mut a.record, payee, a.payer.address(), ctx.bumps.record, amount)?;
    let transaction_id = a.order.transaction()?;
    let (vault, to) = (a.vault.cpi_handle_mut(), a.parked_vault.cpi_handle_mut());
    pay_out(&a.order, vault, to, &a.token_program, amount);
    let (cluster_id, record) = (*a.order.address(), *a.record.address());
    emit_event!(ctx, FeesParked { transaction_id, cluster_id, record, mint, destination, amount, payer });
    Ok(())
}
