use {
    crate::{
        constants::*,
        errors::StakingError as E,
        events::ClassAdded,
        state::{Class, Config},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Adds a class of processors.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct AddClass {
    #[account(mut, address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(init, payer = admin, seeds = [b"class", id.to_le_bytes()], bump)]
    pub class: Account<Class>,
    pub system_program: Program<System>,
}

pub fn add_class(
    ctx: &mut Context<AddClass>,
    id: u16,
    name: [u8; 24],
    multiplier: u16,
    pool: u8,
    kind: u8,
) -> Result<()> {
    let class = &mut ctx.accounts.class;
    class.version = ACCOUNT_VERSION;
    class.bump = ctx.bumps.class;
    class.id = id;
    class.name = name;
    class.multiplier = multiplier;
    class.pool = pool;
    class.kind = kind;
    class.invariant()?;
    emit_event!(ctx, ClassAdded { id, name, multiplier, pool, kind });
    Ok(())
}
