use {
    // All of it: the accounts macro looks here for what it made of the nested struct.
    super::*,
    crate::events::Withdrawn,
    ionet_common::emit_event,
};

/// A cooled own stake goes back to the supplier. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct Withdraw {
    pub out: Nested<StakeOut>,
}

pub fn withdraw(ctx: &mut Context<Withdraw>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts.out;
    require!(*a.owner.address() == a.device.supplier, E::WrongAccount);
    let (amount, since) = a.device.withdraw(at)?;
    a.pay(amount, since, at)?;
    let (device, supplier) = (*a.device.address(), a.device.supplier);
    emit_event!(ctx, Withdrawn { device, supplier, amount });
    Ok(())
}
