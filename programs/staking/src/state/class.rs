use {
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
};

/// Rewarded by [`Class::pool`]: each pool has its own part of an hour.
pub const POOL_COUNT: u8 = 2;
/// Kinds of processors: GPU, CPU, Apple's chips.
pub const KIND_COUNT: u8 = 3;

/// A kind of processor, and what it earns.
#[account]
pub struct Class {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// The class's number.
    pub id: u16,
    /// Weight of a processor in hundredths; 0 earns nothing.
    pub multiplier: u16,
    /// Takes the multiplier's place from `pending_at` on.
    pub pending_multiplier: u16,
    /// When the pending multiplier takes effect, unix seconds; 0 when there is none.
    pub pending_at: u64,
    /// 0 Enterprise, 1 Community.
    pub pool: u8,
    /// 0 GPU, 1 CPU, 2 Apple.
    pub kind: u8,
    pub _pad: [u8; 6],
    /// Name, UTF-8, padded with zeros.
    pub name: [u8; 24],
    /// For later versions; zero.
    pub _reserved: [u8; 32],
}

impl Class {
    /// The multiplier in force at `now`, hundredths.
    pub fn multiplier(&self, now: u64) -> u16 {
        if self.pending_at > 0 && now >= self.pending_at {
            self.pending_multiplier
        } else {
            self.multiplier
        }
    }

    /// `200 IO * max(1, multiplier) * processors`, base units.
    pub fn minimum(&self, processors: u8, now: u64) -> Result<u64> {
        let multiplier = (self.multiplier(now) as u64).max(MULTIPLIER_UNIT);
        let hundredth = MIN_STAKE / MULTIPLIER_UNIT;
        let minimum = hundredth.checked_mul(multiplier).and_then(|each| each.checked_mul(processors as u64));
        Ok(minimum.ok_or(E::Overflow)?)
    }

    /// Proposes another multiplier, in force after `notice` seconds.
    pub fn change(&mut self, multiplier: u16, notice: u64, now: u64) -> Result<()> {
        self.multiplier = self.multiplier(now);
        self.pending_multiplier = multiplier;
        self.pending_at = now.checked_add(notice).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        require!(
            self.name[0] != 0
                && self.pool < POOL_COUNT
                && self.kind < KIND_COUNT
                && self.multiplier <= MAX_MULTIPLIER
                && self.pending_multiplier <= MAX_MULTIPLIER,
            E::ClassInvalid
        );
        Ok(())
    }
}
