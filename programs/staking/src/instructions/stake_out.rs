use {
    super::{minimum_of, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::{CoStakeWithdrawn, OverflowWithdrawn, Withdrawn},
        state::{Class, Config, Device, Wallet},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::{self, TokenAccount},
    ionet_common::{ata::is_associated, emit_event, token::transfer},
};

/// What stake goes out through, to its owner's associated token account. No pause stops it.
#[derive(Accounts)]
pub struct StakeOut {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
    pub class: Account<Class>,
    #[account(mut)]
    pub device: Account<Device>,
    /// Whose stake it is.
    pub owner: UncheckedAccount,
    /// The owner's associated token account.
    #[account(mut, token::authority = owner)]
    pub owner_tokens: Account<TokenAccount>,
    #[account(mut, seeds = [b"stake_vault"], bump)]
    pub stake_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

impl StakeOut {
    /// Pays `amount` to the owner, once every record is written.
    fn pay(&mut self, amount: u64) -> Result<()> {
        let mint = self.config.mint;
        require!(
            is_associated(self.owner_tokens.address(), self.owner.address(), &mint),
            E::NotAssociatedAccount
        );
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

/// The supplier takes back what the minimum doesn't need.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawOverflow {
    #[account(address = out.device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    pub out: Nested<StakeOut>,
}

pub fn withdraw_overflow(ctx: &mut Context<WithdrawOverflow>, amount: u64) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts.out;
    require!(*a.owner.address() == a.device.supplier, E::WrongAccount);
    let minimum = minimum_of(&a.device, &a.class, at)?;
    let cooldown = a.config.params.cooldown;
    a.device.withdraw_overflow(amount, minimum, cooldown, at)?;
    a.pay(amount)?;
    let (device, supplier, own) = (*a.device.address(), a.device.supplier, a.device.own);
    emit_event!(ctx, OverflowWithdrawn { device, supplier, amount, own });
    Ok(())
}

/// A cooled own stake goes back to the supplier. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct Withdraw {
    pub out: Nested<StakeOut>,
}

pub fn withdraw(ctx: &mut Context<Withdraw>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts.out;
    require!(*a.owner.address() == a.device.supplier, E::WrongAccount);
    let amount = a.device.withdraw(at)?;
    a.pay(amount)?;
    let (device, supplier) = (*a.device.address(), a.device.supplier);
    emit_event!(ctx, Withdrawn { device, supplier, amount });
    Ok(())
}

/// A cooled co-stake goes back to its owner. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawCoStake {
    pub out: Nested<StakeOut>,
    #[account(mut)]
    pub wallet: Account<Wallet>,
}

pub fn withdraw_co_stake(ctx: &mut Context<WithdrawCoStake>) -> Result<()> {
    let at = now()?;
    let WithdrawCoStake { out: a, wallet, .. } = &mut ctx.accounts;
    let staker = *a.owner.address();
    require!(wallet.wallet == staker, E::WrongAccount);
    let cooldown = a.config.params.cooldown;
    let amount = a.device.withdraw_co_stake(&staker, cooldown, at)?;
    wallet.give_back()?;
    a.pay(amount)?;
    let device = *a.device.address();
    emit_event!(ctx, CoStakeWithdrawn { device, staker, amount });
    Ok(())
}
