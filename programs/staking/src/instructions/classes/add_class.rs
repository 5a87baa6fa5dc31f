use {
    super::now,
    crate::{
        constants::*,
        errors::StakingError as E,
        events::ClassAdded,
        state::{Class, ClassPrices, Config, Known},
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
    pub config: Known<Config>,
    #[account(init, payer = admin, seeds = [b"class", id.to_le_bytes()], bump)]
    pub class: Known<Class>,
    pub system_program: Program<System>,
}

/// It opens, and its multiplier holds, once the notice is over.
pub fn add_class(
    ctx: &mut Context<AddClass>,
    id: u16,
    name: [u8; 24],
    multiplier: u16,
    pool: u8,
    kind: u8,
    prices: ClassPrices,
) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let class = &mut a.class;
    class.version = ACCOUNT_VERSION;
    class.bump = ctx.bumps.class;
    class.id = id;
    class.name = name;
    class.pool = pool;
    class.kind = kind;
    class.open(multiplier, &prices, a.config.params.notice, at)?;
    let opens_at = class.opens_at;
    emit_event!(ctx, ClassAdded { id, name, multiplier, pool, kind, prices, opens_at });
    Ok(())
}
