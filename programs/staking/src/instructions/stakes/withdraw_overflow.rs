use {
    // All of it: the accounts macro looks here for what it made of the nested struct.
    super::*,
    crate::events::OverflowWithdrawn,
    ionet_common::emit_event,
};

/// The supplier takes back what the minimum doesn't need.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawOverflow {
    #[account(address = out.device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    pub out: Nested<StakeOut>,
}

/// `expected` is the own stake that counts before, base units.
pub fn withdraw_overflow(ctx: &mut Context<WithdrawOverflow>, amount: u64, expected: u64) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts.out;
    require!(*a.owner.address() == a.device.supplier, E::WrongAccount);
    let minimum = minimum_of(&a.device, &a.class, at)?;
    let cooldown = a.config.params.cooldown;
    a.device.require_own(expected)?;
    a.device.withdraw_overflow(amount, minimum, cooldown, at)?;
    a.pay(amount, at, at)?;
    let (device, supplier, own) = (*a.device.address(), a.device.supplier, a.device.own);
    emit_event!(ctx, OverflowWithdrawn { device, supplier, amount, own });
    Ok(())
}
