use {
    super::*,
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{
        account::{self, UnknownVersion},
        versioned,
    },
};

/// One of this program's accounts, of the layout that it knows.
pub type Known<T> = account::Known<T, E>;

impl UnknownVersion for E {
    fn unknown_version() -> ProgramError {
        E::UnknownVersion.into()
    }
}

versioned!(ACCOUNT_VERSION => Block, Class, Config, Device, PostCounter, Prices, Slash, Wallet);
