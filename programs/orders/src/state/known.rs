use {
    super::*,
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::{
        account::{self, UnknownVersion},
        versioned,
    },
};

/// An account of this program or of staking, of the layout that this one knows.
pub type Known<T> = account::Known<T, E>;

impl UnknownVersion for E {
    fn unknown_version() -> ProgramError {
        E::UnknownVersion.into()
    }
}

versioned!(ACCOUNT_VERSION => Config, Fault, Lease, Order, Parked);
