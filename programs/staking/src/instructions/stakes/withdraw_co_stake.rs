use {
    // All of it: the accounts macro looks here for what it made of the nested struct.
    super::*,
    crate::{
        events::CoStakeWithdrawn,
        state::{Known, Wallet},
    },
    ionet_common::emit_event,
};

/// A cooled co-stake goes back to its owner. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawCoStake {
    pub out: Nested<StakeOut>,
    #[account(mut)]
    pub wallet: Known<Wallet>,
}

pub fn withdraw_co_stake(ctx: &mut Context<WithdrawCoStake>) -> Result<()> {
    let at = now()?;
    let WithdrawCoStake { out: a, wallet, .. } = &mut ctx.accounts;
    let staker = *a.owner.address();
    require!(wallet.wallet == staker, E::WrongAccount);
    let cooldown = a.config.params.cooldown;
    let (amount, since) = a.device.withdraw_co_stake(&staker, cooldown, at)?;
    wallet.give_back()?;
    a.pay(amount, since, at)?;
    let device = *a.device.address();
    emit_event!(ctx, CoStakeWithdrawn { device, staker, amount });
    Ok(())
}
