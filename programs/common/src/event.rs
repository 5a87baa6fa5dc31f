//! Events by self-CPI: logs are cut at 10 kB and anyone can force the cut, inner instructions stay.

use anchor_lang::{
    event::EVENT_IX_TAG_LE,
    pinocchio::instruction::InstructionAccount,
    prelude::{Address, AnchorAccount, UncheckedAccount},
    unchecked_invoke_signed_fixed,
    wincode::{SchemaWrite, TypeMeta},
    BorshConfig, Discriminator,
};

/// Seed of the address that signs a program's events to itself.
pub const EVENT_AUTHORITY_SEED: &[u8] = b"__event_authority";

/// Bytes of the tag and of a discriminator.
const HEADER: usize = 16;

/// Calls the program itself with the framework's event tag and an event (discriminator and fields).
///
/// The bytes are those of the framework's `emit_cpi!`, which has a copy of everything in each instruction. Here
/// all that events have in common has one: a binary of twenty instructions is more than 40 KB smaller.
#[inline(always)]
pub fn emit<E>(program: &Address, event_authority: &UncheckedAccount, bump: u8, event: &E)
where
    E: Discriminator + SchemaWrite<BorshConfig, Src = E>,
{
    let size = const {
        match E::TYPE_META {
            TypeMeta::Static { size, .. } => size,
            TypeMeta::Dynamic => panic!("an event's fields are of a fixed size"),
        }
    };
    let mut data = begin(E::DISCRIMINATOR, size);
    if E::write(data.spare_capacity_mut(), event).is_err() {
        unreachable!("there is room for exactly this event");
    }
    // SAFETY: `begin` made room for `size` bytes, and a successful write has filled exactly so many.
    unsafe { data.set_len(data.len() + size) };
    invoke(program, event_authority, bump, data);
}

/// The same for an event that several instructions emit: one copy of what makes its bytes.
#[inline(never)]
pub fn emit_shared<E>(program: &Address, event_authority: &UncheckedAccount, bump: u8, event: &E)
where
    E: Discriminator + SchemaWrite<BorshConfig, Src = E>,
{
    emit(program, event_authority, bump, event);
}

/// Tag and discriminator, with room for `size` bytes more.
#[inline(never)]
fn begin(discriminator: &[u8], size: usize) -> Vec<u8> {
    let mut header = [0; HEADER];
    let (tag, rest) = header.split_at_mut(EVENT_IX_TAG_LE.len());
    tag.copy_from_slice(EVENT_IX_TAG_LE);
    rest.copy_from_slice(discriminator);
    let mut data = Vec::with_capacity(HEADER + size);
    data.extend_from_slice(&header);
    data
}

#[inline(never)]
fn invoke(program: &Address, event_authority: &UncheckedAccount, bump: u8, data: Vec<u8>) {
    let handle = event_authority.cpi_handle();
    let metas = [InstructionAccount::readonly_signer(handle.address())];
    let seeds: [&[u8]; 2] = [EVENT_AUTHORITY_SEED, &[bump]];
    unchecked_invoke_signed_fixed(program, &data, &metas, &[handle], &[&seeds]);
}

/// Emits an event from a handler whose accounts carry `#[event_cpi]`: `emit_event!(ctx, Paid { .. })`.
#[macro_export]
macro_rules! emit_event {
    ($ctx:ident, $event:expr $(,)?) => {
        $crate::event::emit(
            $ctx.program_id,
            &$ctx.accounts.event_authority,
            $ctx.bumps.event_authority,
            &$event,
        )
    };
}

/// [`emit_event!`] for an event that several instructions emit.
#[macro_export]
macro_rules! emit_shared_event {
    ($ctx:ident, $event:expr $(,)?) => {
        $crate::event::emit_shared(
            $ctx.program_id,
            &$ctx.accounts.event_authority,
            $ctx.bumps.event_authority,
            &$event,
        )
    };
}
