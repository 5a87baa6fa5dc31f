//! Events by self-CPI: logs are cut at 10 kB and anyone can force the cut, inner instructions stay.

use anchor_lang::{
    event::EVENT_IX_TAG_LE,
    pinocchio::instruction::InstructionAccount,
    prelude::{Address, AnchorAccount, UncheckedAccount},
    unchecked_invoke_signed_fixed, Event,
};

/// Seed of the address that signs a program's events to itself.
pub const EVENT_AUTHORITY_SEED: &[u8] = b"__event_authority";

/// Calls the program itself with the framework's event tag and `data` (discriminator and fields).
///
/// The bytes are those of the framework's `emit_cpi!`; one copy for all events, instead of that
/// macro's copy in each instruction, makes a binary of twenty instructions 40 KB smaller.
#[inline(never)]
pub fn invoke(program: &Address, event_authority: &UncheckedAccount, bump: u8, data: &[u8]) {
    let mut instruction = Vec::with_capacity(EVENT_IX_TAG_LE.len() + data.len());
    instruction.extend_from_slice(EVENT_IX_TAG_LE);
    instruction.extend_from_slice(data);
    let handle = event_authority.cpi_handle();
    let metas = [InstructionAccount::readonly_signer(handle.address())];
    let seeds: [&[u8]; 2] = [EVENT_AUTHORITY_SEED, &[bump]];
    unchecked_invoke_signed_fixed(program, &instruction, &metas, &[handle], &[&seeds]);
}

/// The same for an event that several instructions emit: one copy of what makes its bytes.
#[inline(never)]
pub fn emit<E: Event>(program: &Address, event_authority: &UncheckedAccount, bump: u8, event: &E) {
    invoke(program, event_authority, bump, &event.data());
}

/// Emits an event from a handler whose accounts carry `#[event_cpi]`: `emit_event!(ctx, Paid { .. })`.
#[macro_export]
macro_rules! emit_event {
    ($ctx:ident, $event:expr $(,)?) => {
        $crate::event::invoke(
            $ctx.program_id,
            &$ctx.accounts.event_authority,
            $ctx.bumps.event_authority,
            &anchor_lang::Event::data(&$event),
        )
    };
}

/// [`emit_event!`] for an event that several instructions emit.
#[macro_export]
macro_rules! emit_shared_event {
    ($ctx:ident, $event:expr $(,)?) => {
        $crate::event::emit(
            $ctx.program_id,
            &$ctx.accounts.event_authority,
            $ctx.bumps.event_authority,
            &$event,
        )
    };
}
