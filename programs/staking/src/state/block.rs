use {
    super::{carry, tally, Config, Tally, Votes},
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{hash::sha256v, merkle},
};

/// Where a reward block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BlockStatus {
    /// Operators attest.
    Open = 0,
    /// Enough have said the same; final after the challenge window unless vetoed before.
    Agreed = 1,
    /// Its root pays.
    Final = 2,
}

/// The rewards of one hour, as the operators attest them.
#[account]
pub struct Block {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// A [`BlockStatus`].
    pub status: u8,
    /// Vetoes so far.
    pub vetoes: u8,
    /// The hour, from the first hour of emission.
    pub hour: u32,
    /// The config's revision under which the attestations were last looked at.
    pub revision: u32,
    /// Devices in the block.
    pub devices: u32,
    /// When enough operators agreed, unix seconds.
    pub agreed_at: u64,
    /// Sum of all leaves: every wallet's lifetime rewards, base units.
    pub total: u64,
    /// Merkle root over (wallet, lifetime rewards).
    pub root: [u8; 32],
    /// SHA-256 of the published manifest.
    pub data_hash: [u8; 32],
    /// Paid the rent; gets it back.
    pub payer: Address,
    /// What each operator said, as a hash; zero for nothing yet.
    pub votes: [[u8; 32]; MAX_OPERATORS as usize],
}

/// What an operator says about an hour.
#[derive(Clone, Copy, Debug)]
pub struct Attestation {
    pub root: [u8; 32],
    pub total: u64,
    pub devices: u32,
    pub data_hash: [u8; 32],
}

impl Attestation {
    /// One hash for all of it: equal hashes mean the same block.
    pub fn hash(&self) -> [u8; 32] {
        sha256v(&[&self.root, &self.total.to_le_bytes(), &self.devices.to_le_bytes(), &self.data_hash])
    }
}

impl Block {
    /// Counts what operator number `operator` says, in place of what it said before. A block whose operators
    /// changed so that too few still say the agreed is open again before that.
    pub fn attest(
        &mut self,
        config: &Config,
        operator: usize,
        attested: &Attestation,
        now: u64,
    ) -> Result<Vote> {
        let reopened = self.carry(config);
        require!(self.status == BlockStatus::Open as u8, E::AlreadyAgreed);
        let hash = attested.hash();
        *self.votes.get_mut(operator).ok_or(E::NotOperator)? = hash;
        let Tally { enough: agreed, conflict } = tally(config, &self.votes, &hash);
        if agreed {
            self.status = BlockStatus::Agreed as u8;
            self.agreed_at = now;
            self.root = attested.root;
            self.total = attested.total;
            self.devices = attested.devices;
            self.data_hash = attested.data_hash;
        }
        Ok(Vote { agreed, conflict, reopened })
    }

    /// The guardian's veto of a block that is not final: the operators attest anew. The window's end alone
    /// doesn't end it: a block that can't become final would stop all later ones.
    pub fn veto(&mut self) -> Result<()> {
        require!(self.status != BlockStatus::Final as u8, E::ChallengeOver);
        require!(self.status == BlockStatus::Agreed as u8, E::NotAgreed);
        self.open();
        self.votes = Votes::default();
        self.vetoes = self.vetoes.saturating_add(1);
        Ok(())
    }

    /// Makes the root pay, once the challenge window is over; true. False when the operators changed so that
    /// too few still say the agreed: the block is open again, what the others said stays, and that needs no
    /// wait.
    pub fn finalise(&mut self, config: &Config, now: u64) -> Result<bool> {
        require!(self.status == BlockStatus::Agreed as u8, E::NotAgreed);
        if self.carry(config) {
            return Ok(false);
        }
        let end = self.agreed_at.checked_add(config.params.challenge_window).ok_or(E::Overflow)?;
        require!(now >= end, E::ChallengeOpen);
        self.status = BlockStatus::Final as u8;
        Ok(true)
    }

    /// Refuses a leaf that isn't under the root, or a root that doesn't pay (any more).
    pub fn require_leaf(&self, config: &Config, wallet: &Address, lifetime: u64, proof: &[u8]) -> Result<()> {
        require!(self.is_kept(config), E::RootNotClaimable);
        let leaf = sha256v(&[
            &merkle::LEAF_TAG,
            crate::ID.as_ref(),
            config.mint.as_ref(),
            wallet.as_ref(),
            &lifetime.to_le_bytes(),
        ]);
        require!(merkle::verify(&self.root, leaf, proof), E::InvalidProof);
        Ok(())
    }

    /// Whether the root pays: final, and one of the last [`KEPT_ROOTS`].
    pub fn is_kept(&self, config: &Config) -> bool {
        self.status == BlockStatus::Final as u8 && self.hour.saturating_add(KEPT_ROOTS) >= config.next_hour
    }

    /// Drops the votes of slots whose key has changed. True when that opened an agreed block again; or when it
    /// can't become final any more, as an hour before it became final with more: no guardian has to see that.
    fn carry(&mut self, config: &Config) -> bool {
        let agreed = self.status == BlockStatus::Agreed as u8;
        let mut reopened = agreed && self.total < config.final_total;
        if self.revision != config.revision {
            carry(config, &mut self.revision, &mut self.votes);
            reopened |= agreed && !tally(config, &self.votes, &self.agreed()).enough;
        }
        if reopened {
            self.open();
        }
        reopened
    }

    /// The hash of what was agreed on.
    fn agreed(&self) -> [u8; 32] {
        let Block { root, total, devices, data_hash, .. } = *self;
        Attestation { root, total, devices, data_hash }.hash()
    }

    fn open(&mut self) {
        self.status = BlockStatus::Open as u8;
        self.agreed_at = 0;
    }
}

/// What an attestation led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Enough operators say the same now.
    pub agreed: bool,
    /// Another operator says something else.
    pub conflict: bool,
    /// The block was agreed on, by operators that changed since.
    pub reopened: bool,
}
