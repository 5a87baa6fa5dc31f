use {
    crate::{
        constants::ORDER_SEED,
        errors::OrdersError as E,
        events::Earn,
        state::{Config, Known, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{
        ata::is_associated,
        token::{self, payable},
    },
};

/// An order's money: the books, and the vault that it lies in.
#[derive(Accounts)]
pub struct Purse {
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub order: Known<Order>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

impl Purse {
    /// The order's mint.
    pub fn mint(&self) -> Result<&Address> {
        Ok(self.config.mint(self.order.currency()?))
    }

    /// Where its fees go.
    pub fn fees(&self) -> Result<&Address> {
        Ok(self.config.fees(self.order.currency()?))
    }

    /// Whether `tokens` are the renter's associated account for the order's currency.
    pub fn is_renters(&self, tokens: &Account<TokenAccount>) -> Result<bool> {
        let renter = &self.order.renter;
        Ok(tokens.owner() == renter && is_associated(tokens.address(), renter, self.mint()?))
    }

    /// Moves `amount` out of the vault, which the books have already and whose way the caller has checked; signed
    /// by the order.
    #[inline(never)]
    pub fn pay_out(&mut self, to: CpiHandleMut<'_>, amount: u64) {
        let (renter, id, bump) = (self.order.renter, self.order.id.to_le_bytes(), [self.order.bump]);
        token::transfer(
            self.token_program.address(),
            self.vault.cpi_handle_mut(),
            to,
            self.order.cpi_handle(),
            amount,
            &[&[ORDER_SEED, renter.as_ref(), &id, &bump]],
        );
    }

    /// Closes the empty vault; its rent goes to the renter.
    pub fn close_vault(&mut self, renter: CpiHandleMut<'_>) {
        let (owner, id, bump) = (self.order.renter, self.order.id.to_le_bytes(), [self.order.bump]);
        token::close(
            self.token_program.address(),
            self.vault.cpi_handle_mut(),
            renter,
            self.order.cpi_handle(),
            &[&[ORDER_SEED, owner.as_ref(), &id, &bump]],
        );
    }

    /// Takes the fees that are due off the books, if the fee vault can be paid; otherwise none, and they wait.
    pub fn take_fees(&mut self, fees: &UncheckedAccount) -> Result<u64> {
        if self.order.fees_due == 0 || !payable(fees, None, self.mint()?) {
            return Ok(0);
        }
        Ok(self.order.take_fees())
    }

    /// Sends fees off that were taken off the books, if there are any.
    pub fn send_fees(&mut self, fees: &mut UncheckedAccount, amount: u64) -> Result<Option<Earn>> {
        if amount == 0 {
            return Ok(None);
        }
        let transaction_id = self.order.transaction()?;
        self.pay_out(fees.cpi_handle_mut(), amount);
        Ok(Some(Earn { transaction_id, cluster_id: *self.order.address(), amount }))
    }
}
