//! A program's own accounts, loaded by one copy of code for each type, their layout's version compared.

use anchor_lang::{
    accounts::Account,
    bytemuck::Pod,
    prelude::{AccountView, Address, AnchorAccount, CpiHandle, CpiHandleMut, ProgramError},
    AccountClose, AccountInitialize, Discriminator, IdlAccountType, Owner, Space,
};
use core::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

/// A layout that says in the account which version it is of.
pub trait Versioned: Owner + Discriminator + Pod {
    /// The version that the code knows.
    const VERSION: u8;

    /// The one that the account says.
    fn version(&self) -> u8;
}

/// Makes a program's layouts [`Versioned`], which keep their version in a field of that name, and its error the
/// one that refuses another: `versioned!(OrdersError, 2 => Config, Order)`.
#[macro_export]
macro_rules! versioned {
    ($error:ident, $version:expr => $($layout:ident),+ $(,)?) => {
        impl $crate::account::UnknownVersion for $error {
            fn unknown_version() -> anchor_lang::prelude::ProgramError {
                $error::UnknownVersion.into()
            }
        }

        $(impl $crate::account::Versioned for $layout {
            const VERSION: u8 = $version;

            fn version(&self) -> u8 {
                self.version
            }
        })+
    };
}

/// A program's error for a version that it doesn't know.
pub trait UnknownVersion {
    /// That error.
    fn unknown_version() -> ProgramError;
}

/// The framework's [`Account`], of the one version that the code knows: another layout is refused also where
/// it is only read. The framework's checks are inlined wherever an account is loaded; here they have one copy
/// for each layout, which makes a binary of forty instructions 13 KB smaller.
pub struct Known<T: Versioned, E>(Account<T>, PhantomData<E>);

impl<T: Versioned, E: UnknownVersion> Known<T, E> {
    /// The account's address.
    #[inline(always)]
    pub fn address(&self) -> &Address {
        self.0.address()
    }

    #[inline(always)]
    fn checked(account: Account<T>) -> Result<Self, ProgramError> {
        if account.version() != T::VERSION {
            return Err(E::unknown_version());
        }
        Ok(Self(account, PhantomData))
    }
}

impl<T: Versioned, E: UnknownVersion> AnchorAccount for Known<T, E> {
    type Data = T;
    const MIN_DATA_LEN: usize = <Account<T> as AnchorAccount>::MIN_DATA_LEN;
    const RELAX_READONLY_CPI_BORROW_FROM_MUT: bool = Account::<T>::RELAX_READONLY_CPI_BORROW_FROM_MUT;

    #[inline(never)]
    fn load(view: AccountView) -> Result<Self, ProgramError> {
        Self::checked(Account::load(view)?)
    }

    /// # Safety
    ///
    /// See [`AnchorAccount::load_mut`].
    #[inline(never)]
    unsafe fn load_mut(view: AccountView) -> Result<Self, ProgramError> {
        Self::checked(Account::load_mut(view)?)
    }

    /// # Safety
    ///
    /// See [`AnchorAccount::load_mut_after_init`]. A new account's version is 0 until its handler sets it.
    #[inline(always)]
    unsafe fn load_mut_after_init(view: AccountView) -> Result<Self, ProgramError> {
        Ok(Self(Account::load_mut_after_init(view)?, PhantomData))
    }

    #[inline(always)]
    fn account(&self) -> &AccountView {
        self.0.account()
    }

    #[inline(always)]
    fn cpi_handle(&self) -> CpiHandle<'_> {
        self.0.cpi_handle()
    }

    #[inline(always)]
    fn try_cpi_handle_mut(&mut self) -> Result<CpiHandleMut<'_>, ProgramError> {
        self.0.try_cpi_handle_mut()
    }
}

impl<T: Versioned, E> Deref for Known<T, E> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Versioned, E> DerefMut for Known<T, E> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Versioned, E: UnknownVersion> AccountInitialize for Known<T, E> {
    type Params<'a> = <Account<T> as AccountInitialize>::Params<'a>;

    #[inline(always)]
    fn create_and_initialize<'a>(
        payer: &AccountView,
        account: &AccountView,
        space: usize,
        owner: &Address,
        params: &Self::Params<'a>,
        signer_seeds: Option<&[&[u8]]>,
        payer_signer_seeds: Option<&[&[u8]]>,
    ) -> Result<Self, ProgramError> {
        let created = Account::create_and_initialize(
            payer,
            account,
            space,
            owner,
            params,
            signer_seeds,
            payer_signer_seeds,
        )?;
        Ok(Self(created, PhantomData))
    }
}

impl<T: Versioned, E: UnknownVersion> AccountClose for Known<T, E> {
    fn close(&mut self, destination: AccountView) -> Result<(), ProgramError> {
        self.0.close(destination)
    }
}

impl<T: Versioned, E> Space for Known<T, E> {
    const INIT_SPACE: usize = Account::<T>::INIT_SPACE;
}

impl<T: Versioned, E> Discriminator for Known<T, E> {
    const DISCRIMINATOR: &'static [u8] = T::DISCRIMINATOR;
}

impl<T: Versioned + IdlAccountType, E> IdlAccountType for Known<T, E> {
    const __IDL_ACCOUNT_ENTRY: Option<&'static str> = T::__IDL_ACCOUNT_ENTRY;
    const __IDL_TYPE_DEF: Option<&'static str> = T::__IDL_TYPE_DEF;

    fn __idl_account_entry() -> Option<&'static str> {
        T::__idl_account_entry()
    }

    fn __idl_type_def() -> Option<&'static str> {
        T::__idl_type_def()
    }

    fn __register_idl_deps(accounts: &mut Vec<&'static str>, types: &mut Vec<&'static str>) {
        T::__register_idl_deps(accounts, types);
    }
}
