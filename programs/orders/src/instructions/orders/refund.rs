use {
    crate::{errors::OrdersError as E, events::Refund as Refunded, instructions::now},
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::emit_shared_event,
};

/// Gives back to the renter what no lease holds and no device that may still come needs. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct Refund {
    pub purse: Nested<crate::instructions::Purse>,
    /// The renter's associated token account.
    #[account(mut, constraint = purse.is_renters(&renter_tokens)? @ E::NotAssociatedAccount)]
    pub renter_tokens: Account<TokenAccount>,
}

pub fn refund(ctx: &mut Context<Refund>) -> Result<()> {
    let a = &mut ctx.accounts;
    let amount = a.purse.order.give_back(now()?)?;
    require!(amount > 0, E::NothingToRefund);
    let transaction_id = a.purse.order.transaction()?;
    a.purse.pay_out(a.renter_tokens.cpi_handle_mut(), amount);
    let cluster_id = *a.purse.order.address();
    emit_shared_event!(ctx, Refunded { transaction_id, cluster_id, amount });
    Ok(())
}
