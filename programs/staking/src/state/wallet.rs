use {
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{math::mul_div_floor, supply::BPS},
};

/// A wallet that earns: what it has claimed, and how many co-stakes it holds.
#[account]
pub struct Wallet {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Co-stakes that it holds, waiting and cooling ones included.
    pub co_stakes: u8,
    pub _pad: [u8; 5],
    /// The wallet.
    pub wallet: Address,
    /// All leaves of the last final root when this account was opened, base units.
    pub opened_total: u64,
    /// Paid to it so far, base units.
    pub claimed: u64,
    /// The hour in which it last took of the reserve for small claims, from 1970.
    pub claim_hour: u64,
    /// What it took of the reserve in that hour, base units.
    pub claimed_in_hour: u64,
    /// For later versions; zero.
    pub _reserved: [u8; 16],
}

impl Wallet {
    /// What a leaf of `lifetime` may pay: all that is new, within the wallet's share.
    ///
    /// `total` is the sum of all leaves of the root. A wallet gets at most `share_bps` of what all
    /// have earned since it was opened: operators' keys, stolen, can't give the past to a stranger.
    pub fn due(&self, lifetime: u64, total: u64, share_bps: u16) -> Result<u64> {
        require!(lifetime > self.claimed, E::NothingToClaim);
        let since = total.saturating_sub(self.opened_total);
        let most = mul_div_floor(since, share_bps as u64, BPS).ok_or(E::Overflow)?;
        require!(most > self.claimed, E::WalletLimit);
        Ok(lifetime.min(most).saturating_sub(self.claimed))
    }

    /// What it may still take of the reserve in `hour`, base units.
    pub fn small_left(&self, hour: u64) -> u64 {
        let taken = if hour > self.claim_hour { 0 } else { self.claimed_in_hour };
        SMALL_CLAIM.saturating_sub(taken)
    }

    /// Counts what is paid in `hour`, `reserve` of it out of the reserve; whatever is left of the leaf can be
    /// claimed later.
    pub fn claim(&mut self, amount: u64, reserve: u64, hour: u64) -> Result<()> {
        self.claimed = self.claimed.checked_add(amount).ok_or(E::Overflow)?;
        if reserve > 0 && hour > self.claim_hour {
            self.claim_hour = hour;
            self.claimed_in_hour = 0;
        }
        self.claimed_in_hour = self.claimed_in_hour.checked_add(reserve).ok_or(E::Overflow)?;
        Ok(())
    }

    /// Counts a co-stake that it takes.
    pub fn take(&mut self) -> Result<()> {
        require!(self.co_stakes < MAX_CO_STAKES, E::TooManyCoStakes);
        self.co_stakes += 1;
        Ok(())
    }

    /// Counts a co-stake that it withdraws.
    pub fn give_back(&mut self) -> Result<()> {
        self.co_stakes = self.co_stakes.checked_sub(1).ok_or(E::InvariantViolated)?;
        Ok(())
    }
}
