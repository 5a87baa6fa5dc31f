use {
    super::{now, CancelClass},
    crate::events::ClassCancelled,
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Drops what is announced of a class and doesn't hold yet; one that isn't open yet never opens.
pub fn cancel_class(ctx: &mut Context<CancelClass>) -> Result<()> {
    let class = &mut ctx.accounts.class;
    class.cancel(now()?)?;
    let (id, pending_at, bounds_at, opens_at) = (class.id, class.pending_at, class.bounds_at, class.opens_at);
    emit_event!(ctx, ClassCancelled { id, pending_at, bounds_at, opens_at });
    Ok(())
}
