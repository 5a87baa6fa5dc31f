use {
    super::*,
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::account::{self, UnknownVersion, Versioned},
};

/// An account of this program or of staking, of the layout that this one knows.
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

versioned!(Config, Fault, Lease, Order, Parked);
