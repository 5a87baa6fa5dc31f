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
    ionet_common::{ata::is_associated, token::transfer},
};

/// What stake goes out through, to its owner's associated token account.
#[derive(Accounts)]
pub struct StakeOut {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
    /// Whose stake it is.
    pub owner: UncheckedAccount,
    /// The owner's associated token account.
    #[account(
        mut, token::authority = owner,
        constraint = is_associated(owner_tokens.address(), owner.address(), &config.mint)
            @ E::NotAssociatedAccount
    )]
    pub owner_tokens: Account<TokenAccount>,
    #[account(mut, seeds = [b"stake_vault"], bump)]
    pub stake_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

impl StakeOut {
    /// Pays `amount` to the owner, once every other record is written.
    fn pay(&mut self, amount: u64) -> Result<()> {
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
}
