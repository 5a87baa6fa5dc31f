use {
    super::*,
    crate::{constants::*, errors::BuybackError as E},
    anchor_lang::prelude::*,
    ionet_common::account::{self, UnknownVersion, Versioned},
};

/// One of this program's accounts, of the layout that it knows.
pub type Known<T> = account::Known<T, E>;

impl UnknownVersion for E {
    fn unknown_version() -> ProgramError {
        E::UnknownVersion.into()
    }
}

macro_rules! versioned {
    ($($layout:ident),*) => {
        $(impl Versioned for $layout {
            const VERSION: u8 = ACCOUNT_VERSION;

            fn version(&self) -> u8 {
                self.version
            }
        })*
    };
}

versioned!(Auction, Config);
