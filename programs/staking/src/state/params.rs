use {
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::{
        bytemuck::{Pod, Zeroable},
        prelude::*,
    },
};

/// What the admin sets: durations in seconds, shares in basis points, limits, and who attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
#[repr(C)]
pub struct Params {
    /// From unstaking to withdrawing.
    pub cooldown: u64,
    /// From a co-staker's leaving to the start of its cooldown.
    pub co_stake_wait: u64,
    /// From agreement on a reward block to its finality.
    pub challenge_window: u64,
    /// From agreement on a slash to its execution.
    pub appeal: u64,
    /// From a change's proposal to its effect.
    pub notice: u64,
    /// All claims together pay at most this within an hour of the clock, base units.
    pub claim_limit: u64,
    /// Largest part of a stake that one slash takes.
    pub max_slash_bps: u16,
    /// Largest part of all rewards since its opening that one wallet can claim.
    pub wallet_share_bps: u16,
    /// Operators that must say the same.
    pub threshold: u8,
    /// Operators in the list.
    pub operator_count: u8,
    pub _pad: [u8; 2],
    /// The operators' keys, zeros after the last.
    pub operators: [Address; MAX_OPERATORS as usize],
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for Params {}
unsafe impl Pod for Params {}

impl Params {
    /// The operators' keys.
    pub fn operators(&self) -> &[Address] {
        self.operators.get(..self.operator_count as usize).unwrap_or(&[])
    }

    /// Position of an operator's key.
    pub fn operator(&self, key: &Address) -> Result<usize> {
        Ok(self.operators().iter().position(|each| each == key).ok_or(E::NotOperator)?)
    }

    /// Refuses what is out of bounds, or a threshold that two disjoint groups could reach.
    pub fn check(&self) -> Result<()> {
        let durations = [
            (self.cooldown, MAX_COOLDOWN),
            (self.co_stake_wait, MAX_CO_STAKE_WAIT),
            (self.challenge_window, MAX_CHALLENGE_WINDOW),
            (self.appeal, MAX_APPEAL),
            (self.notice, MAX_NOTICE),
            (self.max_slash_bps as u64, MAX_SLASH_BPS as u64),
        ];
        require!(durations.iter().all(|(value, most)| (1..=*most).contains(value)), E::ParamsInvalid);
        require!((MIN_WALLET_SHARE_BPS..=10_000).contains(&self.wallet_share_bps), E::ParamsInvalid);
        require!(self.claim_limit >= MIN_CLAIM_LIMIT, E::ParamsInvalid);
        require!((1..=MAX_OPERATORS).contains(&self.operator_count), E::OperatorsInvalid);
        let (some, none) = self.operators.split_at(self.operator_count as usize);
        let half = self.operator_count / 2;
        require!(self.threshold > half && self.threshold <= self.operator_count, E::OperatorsInvalid);
        for (i, each) in some.iter().enumerate() {
            let zero = *each == Address::default();
            require!(!zero && !some[..i].contains(each), E::OperatorsInvalid);
        }
        require!(none.iter().all(|each| *each == Address::default()), E::OperatorsInvalid);
        require!(self._pad == [0; 2], E::ParamsInvalid);
        Ok(())
    }
}
