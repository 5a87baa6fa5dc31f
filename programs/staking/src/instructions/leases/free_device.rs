use {
    super::{now, LeasedDevice},
    crate::{errors::StakingError as E, events::DeviceFreed, state::LeaseOutcome},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The device can be leased again, its stake taken out. Counts `seconds` that the lease served and a
/// [`LeaseOutcome`]; with `strike` the device is barred for a while.
pub fn free_device(
    ctx: &mut Context<LeasedDevice>,
    lease: Address,
    seconds: u64,
    outcome: u8,
    strike: u8,
) -> Result<()> {
    require!(strike <= 1, E::FlagInvalid);
    let row = &mut ctx.accounts.device;
    row.free_from(&lease, seconds, LeaseOutcome::from_number(outcome)?, strike == 1, now()?)?;
    let event = DeviceFreed {
        device: *row.address(),
        lease,
        outcome,
        hired_seconds: row.hired_seconds,
        leases_done: row.leases_done,
        leases_failed: row.leases_failed,
        disputes: row.disputes,
        strikes: row.strikes,
        barred_until: row.barred_until,
    };
    emit_event!(ctx, event);
    Ok(())
}
