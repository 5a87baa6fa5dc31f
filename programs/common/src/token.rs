//! Calls into SPL Token on the cheap path: stack-built data, no allocation, no borrow check.
//!
//! A transfer through the framework's own helper costs about 11,000 units more. The runtime aborts
//! the transaction when the token program refuses, so nothing is returned.

use anchor_lang::{
    pinocchio::instruction::InstructionAccount,
    prelude::{Address, AnchorAccount, CpiHandle, CpiHandleMut, Id, Token, UncheckedAccount},
    unchecked_invoke_signed_fixed,
};

/// Bytes of a token account.
const ACCOUNT_SIZE: usize = 165;
/// Where it has its owner, after the mint.
const OWNER: usize = 32;
/// Where it has how much is in it.
const AMOUNT: usize = 64;
/// Where it has its state: 0 not initialised, 1 initialised, 2 frozen.
const STATE: usize = 108;
const INITIALIZED: u8 = 1;

const TRANSFER: u8 = 3;
const MINT_TO_CHECKED: u8 = 14;
const BURN_CHECKED: u8 = 15;
const CLOSE_ACCOUNT: u8 = 9;

/// Seeds of the one address that signs a call; empty when a wallet signs.
pub type SignerSeeds<'a> = &'a [&'a [&'a [u8]]];

/// Whether tokens of `mint` can be paid into `account`: a token account that is there, not frozen, and still
/// `owner`'s where one is given. Whoever can make a payee's account unpayable must not hold up others with it.
pub fn payable(account: &UncheckedAccount, owner: Option<&Address>, mint: &Address) -> bool {
    let view = account.account();
    if !view.owned_by(&Token::id()) {
        return false;
    }
    let Ok(data) = view.try_borrow() else {
        return false;
    };
    data.len() == ACCOUNT_SIZE
        && data[STATE] == INITIALIZED
        && data[..OWNER] == mint.as_ref()[..]
        && owner.is_none_or(|owner| data[OWNER..OWNER + 32] == owner.as_ref()[..])
}

/// What is in a token account, base units; `None` for an account of another kind.
pub fn amount(account: &UncheckedAccount) -> Option<u64> {
    let data = account.account().try_borrow().ok()?;
    Some(u64::from_le_bytes(data.get(AMOUNT..AMOUNT + 8)?.try_into().ok()?))
}

/// Moves `amount` base units from `from` to `to`, signed by `authority`.
///
/// Without the mint: one of the two accounts is always a vault whose mint the program fixed, and
/// the token program refuses a transfer between two mints.
pub fn transfer<'a>(
    program: &'a Address,
    from: CpiHandleMut<'a>,
    to: CpiHandleMut<'a>,
    authority: CpiHandle<'a>,
    amount: u64,
    seeds: SignerSeeds<'a>,
) {
    let mut data = [0; 9];
    data[0] = TRANSFER;
    data[1..].copy_from_slice(&amount.to_le_bytes());
    invoke(program, &data, [from.into(), to.into(), authority], seeds);
}

/// Mints `amount` base units of `mint` to `to`, signed by the mint `authority`.
pub fn mint_to<'a>(
    program: &'a Address,
    mint: CpiHandleMut<'a>,
    to: CpiHandleMut<'a>,
    authority: CpiHandle<'a>,
    amount: u64,
    decimals: u8,
    seeds: SignerSeeds<'a>,
) {
    let data = checked(MINT_TO_CHECKED, amount, decimals);
    invoke(program, &data, [mint.into(), to.into(), authority], seeds);
}

/// Burns `amount` base units of `mint` out of `from`, signed by its owner.
pub fn burn<'a>(
    program: &'a Address,
    from: CpiHandleMut<'a>,
    mint: CpiHandleMut<'a>,
    owner: CpiHandle<'a>,
    amount: u64,
    decimals: u8,
    seeds: SignerSeeds<'a>,
) {
    let data = checked(BURN_CHECKED, amount, decimals);
    invoke(program, &data, [from.into(), mint.into(), owner], seeds);
}

/// Closes the empty token account `account`; its rent goes to `rent_to`.
pub fn close<'a>(
    program: &'a Address,
    account: CpiHandleMut<'a>,
    rent_to: CpiHandleMut<'a>,
    authority: CpiHandle<'a>,
    seeds: SignerSeeds<'a>,
) {
    invoke(program, &[CLOSE_ACCOUNT], [account.into(), rent_to.into(), authority], seeds);
}

/// `[tag, amount, decimals]`, the data of the checked instructions.
fn checked(tag: u8, amount: u64, decimals: u8) -> [u8; 10] {
    let mut data = [0; 10];
    data[0] = tag;
    data[1..9].copy_from_slice(&amount.to_le_bytes());
    data[9] = decimals;
    data
}

/// Every instruction here takes two writable accounts and the authority that signs. One copy for
/// all callers keeps the binaries small.
#[inline(never)]
fn invoke<'a>(program: &'a Address, data: &[u8], handles: [CpiHandle<'a>; 3], seeds: SignerSeeds<'a>) {
    let metas = [
        InstructionAccount::writable(handles[0].address()),
        InstructionAccount::writable(handles[1].address()),
        InstructionAccount::readonly_signer(handles[2].address()),
    ];
    unchecked_invoke_signed_fixed(program, data, &metas, &handles, seeds);
}
