use {
    super::{now, ChangeClass},
    crate::events::ClassChanged,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Changes a class's multiplier, after the notice period: minimum stakes and rewards follow from it.
pub fn change_class(ctx: &mut Context<ChangeClass>, multiplier: u16) -> Result<()> {
    let a = &mut ctx.accounts;
    a.class.change(multiplier, a.config.params.notice, now()?)?;
    let (id, from, at) = (a.class.id, a.class.multiplier, a.class.pending_at);
    emit_event!(ctx, ClassChanged { id, from, to: multiplier, at });
    Ok(())
}
