use {
    crate::{
        constants::LEASE_AUTHORITY_SEED,
        errors::OrdersError as E,
        state::{Config, Ending, Known, Lease},
    },
    anchor_lang::{
        pinocchio::instruction::InstructionAccount, prelude::*, unchecked_invoke_signed_fixed, Discriminator,
    },
    staking::state::{Config as StakingConfig, LeaseOutcome},
};

/// What it takes to call staking about a device.
#[derive(Accounts)]
pub struct DeviceCall {
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(address = config.staking_config @ E::WrongAccount)]
    pub staking_config: Known<StakingConfig>,
    #[account(seeds = [b"lease_authority"], bump)]
    pub lease_authority: UncheckedAccount,
    #[account(address = staking::ID @ E::WrongAccount)]
    pub staking_program: UncheckedAccount,
    /// Signs staking's events; that program checks it.
    pub staking_events: UncheckedAccount,
}

impl DeviceCall {
    /// Leases the device to `lease` of `order`, which was opened at `opened_at`: an order's address can be used again.
    /// Staking refuses a device that isn't free, whole, and staked enough.
    pub fn lease<'a>(
        &'a self,
        class: CpiHandle<'a>,
        device: CpiHandleMut<'a>,
        lease: &Address,
        order: &Address,
        opened_at: u64,
        bump: u8,
    ) {
        let mut data = [0; 80];
        data[..8].copy_from_slice(staking::instruction::LeaseDevice::DISCRIMINATOR);
        data[8..40].copy_from_slice(lease.as_ref());
        data[40..72].copy_from_slice(order.as_ref());
        data[72..].copy_from_slice(&opened_at.to_le_bytes());
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

    /// Frees the device from `lease` and counts how that ended. A strike bars it.
    pub fn free<'a>(&'a self, device: CpiHandleMut<'a>, lease: &Known<Lease>, ending: &Ending, bump: u8) {
        let strike = ending.strikes(self.config.matching_stopped_since(lease.matched_at));
        let mut data = [0; 50];
        data[..8].copy_from_slice(staking::instruction::FreeDevice::DISCRIMINATOR);
        data[8..40].copy_from_slice(lease.address().as_ref());
        data[40..48].copy_from_slice(&ending.seconds.to_le_bytes());
        data[48] = ending.outcome() as u8;
        data[49] = strike as u8;
        self.call(device, &data, bump);
    }

    /// Counts what is found later about a lease: `seconds` of it weren't served, so that it failed if it had counted
    /// as done, or it is disputed. A device that is gone has no record.
    pub fn record(
        &self,
        device: &mut UncheckedAccount,
        lease: &Lease,
        outcome: LeaseOutcome,
        seconds: u64,
        bump: u8,
    ) {
        if !device.account().owned_by(&staking::ID) {
            return;
        }
        let mut data = [0; 33];
        data[..8].copy_from_slice(staking::instruction::RecordLease::DISCRIMINATOR);
        data[8..16].copy_from_slice(&lease.registered_at.to_le_bytes());
        data[16..24].copy_from_slice(&lease.number.to_le_bytes());
        data[24] = outcome as u8;
        data[25..].copy_from_slice(&seconds.to_le_bytes());
        self.call(device.cpi_handle_mut(), &data, bump);
    }

    #[inline(never)]
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
