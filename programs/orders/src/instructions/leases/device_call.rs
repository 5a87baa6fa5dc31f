use {
    crate::{constants::LEASE_AUTHORITY_SEED, errors::OrdersError as E, state::Config},
    anchor_lang::{
        pinocchio::instruction::InstructionAccount, prelude::*, unchecked_invoke_signed_fixed, Discriminator,
    },
    staking::state::{Config as StakingConfig, LeaseOutcome},
};

/// What it takes to call staking about a device.
#[derive(Accounts)]
pub struct DeviceCall {
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(address = config.staking_config @ E::WrongAccount)]
    pub staking_config: Account<StakingConfig>,
    #[account(seeds = [b"lease_authority"], bump)]
    pub lease_authority: UncheckedAccount,
    #[account(address = staking::ID @ E::WrongAccount)]
    pub staking_program: UncheckedAccount,
    /// Signs staking's events; that program checks it.
    pub staking_events: UncheckedAccount,
}

impl DeviceCall {
    /// Lets the device to `lease`; staking refuses one that isn't free, whole, and staked enough.
    pub fn lease<'a>(&'a self, class: CpiHandle<'a>, device: CpiHandleMut<'a>, lease: &Address, bump: u8) {
        let mut data = [0; 40];
        data[..8].copy_from_slice(staking::instruction::LeaseDevice::DISCRIMINATOR);
        data[8..].copy_from_slice(lease.as_ref());
        let handles = [
            self.lease_authority.cpi_handle(),
            self.staking_config.cpi_handle(),
            class,
            device.into(),
            self.staking_events.cpi_handle(),
            self.staking_program.cpi_handle(),
        ];
        let metas = [
            InstructionAccount::readonly_signer(handles[0].address()),
            InstructionAccount::readonly(handles[1].address()),
            InstructionAccount::readonly(handles[2].address()),
            InstructionAccount::writable(handles[3].address()),
            InstructionAccount::readonly(handles[4].address()),
            InstructionAccount::readonly(handles[5].address()),
        ];
        let seeds: [&[u8]; 2] = [LEASE_AUTHORITY_SEED, &[bump]];
        unchecked_invoke_signed_fixed(&staking::ID, &data, &metas, &handles, &[&seeds]);
    }

    /// Frees the device from `lease`.
    pub fn free<'a>(&'a self, device: CpiHandleMut<'a>, lease: &Address, bump: u8) {
        let mut data = [0; 40];
        data[..8].copy_from_slice(staking::instruction::FreeDevice::DISCRIMINATOR);
        data[8..].copy_from_slice(lease.as_ref());
        self.call(device, &data, bump);
    }

    /// Counts a lease's outcome in the device's record. A device that is gone has none.
    pub fn record(&self, device: &mut UncheckedAccount, seconds: u64, outcome: LeaseOutcome, bump: u8) {
        if !device.account().owned_by(&staking::ID) {
            return;
        }
        let mut data = [0; 17];
        data[..8].copy_from_slice(staking::instruction::RecordLease::DISCRIMINATOR);
        data[8..16].copy_from_slice(&seconds.to_le_bytes());
        data[16] = outcome as u8;
        self.call(device.cpi_handle_mut(), &data, bump);
    }

    fn call<'a>(&'a self, device: CpiHandleMut<'a>, data: &[u8], bump: u8) {
        let handles = [
            self.lease_authority.cpi_handle(),
            self.staking_config.cpi_handle(),
            device.into(),
            self.staking_events.cpi_handle(),
            self.staking_program.cpi_handle(),
        ];
        let metas = [
            InstructionAccount::readonly_signer(handles[0].address()),
            InstructionAccount::readonly(handles[1].address()),
            InstructionAccount::writable(handles[2].address()),
            InstructionAccount::readonly(handles[3].address()),
            InstructionAccount::readonly(handles[4].address()),
        ];
        let seeds: [&[u8]; 2] = [LEASE_AUTHORITY_SEED, &[bump]];
        unchecked_invoke_signed_fixed(&staking::ID, data, &metas, &handles, &[&seeds]);
    }
}
