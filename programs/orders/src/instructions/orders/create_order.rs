use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{BookProduct, Pay},
        instructions::now,
        state::{Config, Known, Order, Terms},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{emit_event, token::transfer},
    staking::state::Class,
};

/// Opens an order and moves the money for it into a vault of its own.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct CreateOrder {
    #[account(mut)]
    pub renter: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    /// The first of the classes.
    pub class: Known<Class>,
    /// The currency's mint.
    pub mint: Account<Mint>,
    #[account(init, payer = renter, seeds = [b"order", renter.address(), id.to_le_bytes()], bump)]
    pub order: Known<Order>,
    #[account(
        init, payer = renter, seeds = [b"vault", order.address()], bump,
        token::mint = mint, token::authority = order
    )]
    pub vault: Account<TokenAccount>,
    /// Any token account of the renter for the mint; the token program checks both.
    #[account(mut)]
    pub renter_tokens: UncheckedAccount,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

/// `id` is the renter's own number for the order, `max_deposit` the most that it puts down, base units.
pub fn create_order(ctx: &mut Context<CreateOrder>, id: u64, terms: Terms, max_deposit: u64) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_ORDERS, at)?;
    let (renter, vault) = (*a.renter.address(), *a.vault.address());
    let amount = a.order.open(terms, max_deposit, &a.config.params, at)?;
    a.order.bump = ctx.bumps.order;
    a.order.id = id;
    a.order.renter = renter;
    a.order.vault = vault;
    require!(a.mint.address() == a.config.mint(terms.currency()?), E::WrongMint);
    require!(terms.classes().first() == Some(&a.class.id), E::ClassesInvalid);
    let transaction_id = a.order.transaction()?;
    transfer(
        a.token_program.address(),
        a.renter_tokens.cpi_handle_mut(),
        a.vault.cpi_handle_mut(),
        a.renter.cpi_handle(),
        amount,
        &[],
    );
    let order = *a.order.address();
    let devices = terms.devices as u64;
    let booked = BookProduct {
        customer_id: renter,
        cluster_id: order,
        currency: terms.currency,
        hardware_type: a.class.kind,
        hardware_quantity: terms.devices as u32 * terms.processors as u32,
        total_cost: amount,
        compute_minutes_hired: devices * terms.hours as u64 * 60,
        compute_minutes_worked: 0,
        worked_amount: 0,
        paid: amount,
        id,
        at,
        exclusive_until: a.order.exclusive_until,
        match_until: a.order.match_until,
        accept_window: a.order.accept_window,
        settlement_lag: a.order.settlement_lag,
        renter_fee_bps: a.order.renter_fee_bps,
        supplier_fee_bps: a.order.supplier_fee_bps,
        terms,
    };
    emit_event!(ctx, booked);
    emit_event!(ctx, Pay { transaction_id, cluster_id: order, amount });
    Ok(())
}
