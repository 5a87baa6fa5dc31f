//! Associated token accounts, recognised without the curve check.

use {
    crate::hash::sha256v,
    anchor_lang::prelude::{Address, Id, Token},
};

/// The associated token account program.
pub const ASSOCIATED_TOKEN_PROGRAM: Address =
    Address::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// Whether `account` is the associated token account of `wallet` for `mint` (SPL Token).
///
/// A derived address is a SHA-256 that is off the curve, and finding it through the runtime costs
/// 1,500 units a try. An account that already exists as a token account needs no such check: it was
/// created either by the associated token program, which made the check, or with the signature of
/// the address, and nobody holds a key whose address is a chosen SHA-256. So plain hashes of each
/// bump are compared, about 250 units each, two on average.
pub fn is_associated(account: &Address, wallet: &Address, mint: &Address) -> bool {
    let token_program = Token::id();
    let mut bump = u8::MAX;
    while bump > 0 {
        let address = sha256v(&[
            wallet.as_ref(),
            token_program.as_ref(),
            mint.as_ref(),
            &[bump],
            ASSOCIATED_TOKEN_PROGRAM.as_ref(),
            b"ProgramDerivedAddress",
        ]);
        if address == account.to_bytes() {
            return true;
        }
        bump -= 1;
    }
    false
}
