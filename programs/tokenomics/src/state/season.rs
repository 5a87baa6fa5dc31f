use {
    crate::{constants::*, errors::TokenomicsError as E},
    anchor_lang::prelude::*,
    ionet_common::{hash::sha256v, merkle},
};

/// Where a season stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SeasonStatus {
    /// Funded: waiting for its claims to open, or paying them.
    Open = 0,
    /// Vetoed by the guardian before its claims opened; the vault still holds the pools.
    Cancelled = 1,
    /// What nobody claimed went back, and the vault is gone.
    Closed = 2,
}

/// An airdrop season: pools, the root of who gets what, and what was claimed.
#[account]
pub struct Season {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// A [`SeasonStatus`].
    pub status: u8,
    pub _pad: u8,
    /// The season's number.
    pub season: u32,
    /// Leaves under the root.
    pub leaves: u32,
    /// Leaves claimed.
    pub claims: u32,
    /// Merkle root over (index, wallet, amount).
    pub root: [u8; 32],
    /// SHA-256 of the published file of points that the amounts follow from.
    pub data_hash: [u8; 32],
    /// The IO mint.
    pub mint: Address,
    /// The token account that holds the pools.
    pub vault: Address,
    /// Paid for the season; gets back what nobody claims.
    pub funder: Address,
    /// GPU suppliers, CPU suppliers, creators, base units.
    pub pools: [u64; 3],
    /// Sum of the pools.
    pub total: u64,
    /// Paid to claimants, base units.
    pub claimed: u64,
    /// Given back to the funder, base units.
    pub returned: u64,
    /// First second of the claim period, unix seconds.
    pub claim_start: u64,
    /// First second after the claim period, unix seconds.
    pub claim_end: u64,
    /// For later versions; zero.
    pub _reserved: [u8; 64],
}

/// What a season is opened with.
#[derive(Clone, Copy, Debug)]
pub struct SeasonTerms {
    pub season: u32,
    pub root: [u8; 32],
    pub data_hash: [u8; 32],
    pub leaves: u32,
    pub pools: [u64; 3],
    pub claim_start: u64,
    pub claim_end: u64,
}

impl Season {
    /// Fills a new account with `terms`; the caller moves [`Season::total`] into the vault.
    pub fn open(&mut self, terms: &SeasonTerms, now: u64) -> Result<()> {
        let notice = terms.claim_start.checked_sub(now).ok_or(E::SeasonNoticeTooShort)?;
        require!(notice >= SEASON_NOTICE, E::SeasonNoticeTooShort);
        let period = terms.claim_end.checked_sub(terms.claim_start).ok_or(E::ClaimPeriodInvalid)?;
        require!((MIN_CLAIM_PERIOD..=MAX_CLAIM_PERIOD).contains(&period), E::ClaimPeriodInvalid);
        let mut total = 0u64;
        for pool in terms.pools {
            total = total.checked_add(pool).ok_or(E::Overflow)?;
        }
        require!(total > 0 && terms.leaves > 0 && terms.root != [0; 32], E::SeasonInvalid);
        self.version = ACCOUNT_VERSION;
        self.status = SeasonStatus::Open as u8;
        self.season = terms.season;
        self.leaves = terms.leaves;
        self.root = terms.root;
        self.data_hash = terms.data_hash;
        self.pools = terms.pools;
        self.total = total;
        self.claim_start = terms.claim_start;
        self.claim_end = terms.claim_end;
        self.invariant()
    }

    /// Counts a payment of `amount` to `wallet`, once the proof and the claim period allow it.
    pub fn claim(&mut self, index: u32, wallet: &Address, amount: u64, proof: &[u8], now: u64) -> Result<()> {
        self.require_open()?;
        require!(now >= self.claim_start, E::ClaimsNotOpen);
        require!(now < self.claim_end, E::ClaimsEnded);
        require!(index < self.leaves, E::IndexOutOfRange);
        require!(amount > 0, E::ZeroAmount);
        let leaf = self.leaf(index, wallet, amount);
        require!(merkle::verify(&self.root, leaf, proof), E::InvalidProof);
        self.claimed = self.claimed.checked_add(amount).ok_or(E::Overflow)?;
        require!(self.claimed <= self.total, E::PoolsExhausted);
        self.claims = self.claims.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// The hash of a leaf: bound to this program, mint and season, under the leaf tag.
    pub fn leaf(&self, index: u32, wallet: &Address, amount: u64) -> [u8; 32] {
        sha256v(&[
            &merkle::LEAF_TAG,
            crate::ID.as_ref(),
            self.mint.as_ref(),
            &self.season.to_le_bytes(),
            &index.to_le_bytes(),
            wallet.as_ref(),
            &amount.to_le_bytes(),
        ])
    }

    /// The guardian's veto, before claims open.
    pub fn cancel(&mut self, now: u64) -> Result<()> {
        self.require_open()?;
        require!(now < self.claim_start, E::ClaimsOpen);
        self.status = SeasonStatus::Cancelled as u8;
        self.invariant()
    }

    /// Counts what goes back to the funder, and returns it, once the season was vetoed or has ended.
    pub fn pay_back(&mut self, now: u64) -> Result<u64> {
        require!(self.status != SeasonStatus::Closed as u8, E::SeasonNotOpen);
        self.require_ended(now)?;
        let rest = self.total.checked_sub(self.claimed).ok_or(E::InvariantViolated)?;
        self.status = SeasonStatus::Closed as u8;
        self.returned = rest;
        self.invariant()?;
        Ok(rest)
    }

    /// Refuses while the season may pay now or later.
    pub fn require_ended(&self, now: u64) -> Result<()> {
        let may_pay = self.status == SeasonStatus::Open as u8 && now < self.claim_end;
        require!(!may_pay, E::SeasonStillOpen);
        Ok(())
    }

    /// Refuses a page that the season needs no more, or none of whose leaves it has.
    pub fn require_page(&self, page: u32, now: u64) -> Result<()> {
        self.require_open()?;
        require!(now < self.claim_end, E::ClaimsEnded);
        require!(page < self.pages(), E::PageOutOfRange);
        Ok(())
    }

    fn require_open(&self) -> Result<()> {
        require!(self.status == SeasonStatus::Open as u8, E::SeasonNotOpen);
        Ok(())
    }

    /// Pages that hold one bit for each leaf.
    pub fn pages(&self) -> u32 {
        self.leaves.div_ceil(PAGE_CLAIMS)
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        let paid = self.claimed.checked_add(self.returned).ok_or(E::Overflow)?;
        require!(paid <= self.total && self.claims <= self.leaves, E::InvariantViolated);
        let closed = self.status == SeasonStatus::Closed as u8;
        require!(if closed { paid == self.total } else { self.returned == 0 }, E::InvariantViolated);
        let cancelled = self.status == SeasonStatus::Cancelled as u8;
        require!(!cancelled || self.claims == 0, E::InvariantViolated);
        Ok(())
    }
}
