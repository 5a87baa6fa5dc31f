use {
    super::LeasedDevice,
    crate::{events::LeaseRecorded, state::LeaseOutcome},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Counts what was found later about a lease, by its number and when its device was registered: that it
/// failed after all, `seconds_back` of it, that as many fewer were served of one that had failed (outcome 3), or that
/// it is disputed. Of another device at the same address nothing is counted.
pub fn record_lease(
    ctx: &mut Context<LeasedDevice>,
    registered_at: u64,
    number: u64,
    outcome: u8,
    seconds_back: u64,
) -> Result<()> {
    let row = &mut ctx.accounts.device;
    if !row.record(registered_at, number, LeaseOutcome::from_number(outcome)?, seconds_back)? {
        return Ok(());
    }
    let event = LeaseRecorded {
        device: *row.address(),
        outcome,
        hired_seconds: row.hired_seconds,
        leases_done: row.leases_done,
        leases_failed: row.leases_failed,
        disputes: row.disputes,
    };
    emit_event!(ctx, event);
    Ok(())
}
