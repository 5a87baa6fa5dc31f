use {
    super::*,
    crate::{constants::ACCOUNT_VERSION, errors::OrdersError as E},
    ionet_common::{account, versioned},
};

/// An account of this program or of staking, of the layout that this one knows.
pub type Known<T> = account::Known<T, E>;

versioned!(E, ACCOUNT_VERSION => Config, Fault, Lease, Order, Parked);
