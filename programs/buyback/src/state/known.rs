use {
    super::*,
    crate::{constants::ACCOUNT_VERSION, errors::BuybackError as E},
    ionet_common::{account, versioned},
};

/// One of this program's accounts, of the layout that it knows.
pub type Known<T> = account::Known<T, E>;

versioned!(E, ACCOUNT_VERSION => Auction, Config);
