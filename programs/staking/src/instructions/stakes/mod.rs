//! Stakes on a device, the supplier's and a co-staker's: they come in, count, cool, and go back to whom they
//! belong to. No pause stops the way out.

mod close_offer;
mod leave_co_stake;
mod open_offer;
mod stake;
mod take_offer;
mod unstake;
mod withdraw;
mod withdraw_co_stake;
mod withdraw_overflow;

pub use {
    close_offer::*, leave_co_stake::*, open_offer::*, stake::*, take_offer::*, unstake::*, withdraw::*,
    withdraw_co_stake::*, withdraw_overflow::*,
};

use {
    super::{minimum_of, now, DeviceOwner},
    crate::{
        constants::*,
        errors::StakingError as E,
        state::{Class, Config, Device, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::{self, TokenAccount},
    ionet_common::{
        ata::is_associated,
        token::{payable, transfer},
    },
};

/// What stake goes out through, to its owner's associated token account; to another account of the owner if
/// that can't be paid and wasn't for long, as somebody who gave his associated one away would hold up others.
#[derive(Accounts)]
pub struct StakeOut {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
    /// Whose stake it is.
    pub owner: UncheckedAccount,
    /// A token account of the owner for IO.
    #[account(mut, token::authority = owner)]
    pub owner_tokens: Account<TokenAccount>,
    /// The owner's associated token account, where that is another: to see that it can't be paid.
    pub associated: Option<UncheckedAccount>,
    #[account(mut, seeds = [b"stake_vault"], bump)]
    pub stake_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

impl StakeOut {
    /// Pays `amount`, due since `since`, to the owner, once every other record is written.
    fn pay(&mut self, amount: u64, since: u64, now: u64) -> Result<()> {
        let (tokens, owner) = (self.owner_tokens.address(), self.owner.address());
        let late = now.saturating_sub(since) >= LATE && self.is_blocked();
        require!(late || is_associated(tokens, owner, &self.config.mint), E::NotAssociatedAccount);
        self.config.unstake(amount)?;
        let bump = [self.config.bump];
        transfer(
            self.token_program.address(),
            self.stake_vault.cpi_handle_mut(),
            self.owner_tokens.cpi_handle_mut(),
            self.config.cpi_handle(),
            amount,
            &[&[CONFIG_SEED, &bump]],
        );
        Ok(())
    }

    /// Whether the owner's associated token account can't be paid: frozen, or somebody else's. One that is missing
    /// doesn't count, as anybody can create it; otherwise whoever calls could choose between the owner's accounts.
    fn is_blocked(&self) -> bool {
        let (owner, mint) = (self.owner.address(), &self.config.mint);
        self.associated.as_ref().is_some_and(|it| {
            it.account().owned_by(&Token::id())
                && is_associated(it.address(), owner, mint)
                && !payable(it, Some(owner), mint)
        })
    }
}
