use {
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::{
        bytemuck::{Pod, Zeroable},
        prelude::*,
    },
    ionet_common::{math::mul_div_floor, supply::BPS},
};

/// Where a co-stake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CoStakeState {
    /// Nobody's.
    None = 0,
    /// Counts for the device and earns.
    Active = 1,
    /// The co-staker is leaving: counts until [`CoStake::until`], earns nothing.
    Waiting = 2,
    /// Counts for nothing; withdrawn from [`CoStake::until`] on.
    Cooling = 3,
}

/// Somebody's part of a device's stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IdlType)]
#[repr(C)]
pub struct CoStake {
    /// Whose it is, zero when nobody's.
    pub staker: Address,
    /// Base units.
    pub amount: u64,
    /// End of the wait or of the cooldown, unix seconds.
    pub until: u64,
    /// Its part of the device's rewards, basis points.
    pub reward_bps: u16,
    /// A [`CoStakeState`].
    pub state: u8,
    pub _pad: [u8; 5],
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for CoStake {}
unsafe impl Pod for CoStake {}

impl CoStake {
    pub(super) fn is(&self, state: CoStakeState) -> bool {
        self.state == state as u8
    }

    pub(super) fn take(&mut self) -> CoStake {
        core::mem::replace(self, CoStake::zeroed())
    }

    pub(super) fn cool(&mut self, until: u64) {
        self.state = CoStakeState::Cooling as u8;
        self.until = until;
    }
}

/// The largest co-stake of a device that needs `minimum`, base units.
pub(super) fn most_co_stake(minimum: u64) -> Result<u64> {
    Ok(mul_div_floor(minimum, MAX_CO_STAKE_BPS, BPS).ok_or(E::Overflow)?)
}
