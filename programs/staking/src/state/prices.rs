use {
    super::{carry, tally, Config},
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{calendar::HOUR, hash::sha256v, merkle},
};

/// First bytes of a class's leaf, after the tag of all leaves.
const PRICE_TAG: &[u8] = b"price";

/// The root over all classes' steps of one hour, as the operators vote it.
#[account]
pub struct Prices {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 1 once enough voted the same root.
    pub agreed: PodBool,
    pub _pad: u8,
    /// The hour whose market the steps follow from, from 1970.
    pub hour: u32,
    /// The config's revision under which the votes were last looked at.
    pub revision: u32,
    pub _pad2: [u8; 4],
    /// The root that enough voted, zero until then.
    pub root: [u8; 32],
    /// Paid the rent; gets it back.
    pub payer: Address,
    /// The root that each operator voted; zero for none yet.
    pub votes: [[u8; 32]; MAX_OPERATORS as usize],
}

impl Prices {
    /// Counts operator number `operator`'s vote for `root`, in place of an earlier one; true when that makes
    /// enough.
    pub fn vote(&mut self, config: &Config, operator: usize, root: [u8; 32], now: u64) -> Result<bool> {
        self.require_window(now)?;
        require!(root != [0; 32], E::PricesInvalid);
        require!(!bool::from(self.agreed), E::AlreadyAgreed);
        carry(config, &mut self.revision, &mut self.votes);
        *self.votes.get_mut(operator).ok_or(E::NotOperator)? = root;
        let agreed = tally(config, &self.votes, &root).enough;
        if agreed {
            self.agreed = true.into();
            self.root = root;
        }
        Ok(agreed)
    }

    /// Refuses steps that aren't under the agreed root, and any outside of the hour's window.
    pub fn require_leaf(
        &self,
        class: u16,
        step_io: i16,
        step_usdc: i16,
        proof: &[u8],
        now: u64,
    ) -> Result<()> {
        self.require_window(now)?;
        require!(bool::from(self.agreed), E::NotAgreed);
        let leaf = sha256v(&[
            &merkle::LEAF_TAG,
            PRICE_TAG,
            &self.hour.to_le_bytes(),
            &class.to_le_bytes(),
            &step_io.to_le_bytes(),
            &step_usdc.to_le_bytes(),
        ]);
        require!(merkle::verify(&self.root, leaf, proof), E::InvalidProof);
        Ok(())
    }

    /// Refuses but in the hour after the one that the prices are of, and only so long that what is announced
    /// then waits for [`PRICE_NOTICE`]: a quote is certain for so long.
    fn require_window(&self, now: u64) -> Result<()> {
        let open = now >= self.end() - HOUR && now < self.end() - PRICE_NOTICE;
        require!(open, E::PriceWindow);
        Ok(())
    }

    /// Refuses to close what can still be voted or applied, or was just announced.
    pub fn require_over(&self, now: u64) -> Result<()> {
        require!(now >= self.end(), E::PricesStillOpen);
        Ok(())
    }

    /// When the hour's steps hold, unix seconds.
    fn end(&self) -> u64 {
        (self.hour as u64 + 2) * HOUR
    }
}
