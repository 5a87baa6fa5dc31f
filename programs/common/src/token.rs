//! Calls into SPL Token on the cheap path: stack-built data, no allocation, no borrow check.
//!
//! A transfer through the framework's own helper costs about 11,000 units more. The runtime aborts
//! the transaction when the token program refuses, so nothing is returned.

use anchor_lang::{
    pinocchio::instruction::InstructionAccount,
    prelude::{Address, CpiHandle, CpiHandleMut},
    unchecked_invoke_signed_fixed,
};

const TRANSFER_CHECKED: u8 = 12;
const MINT_TO_CHECKED: u8 = 14;
const BURN_CHECKED: u8 = 15;
const CLOSE_ACCOUNT: u8 = 9;

/// Seeds of the one address that signs a call; empty when a wallet signs.
pub type SignerSeeds<'a> = &'a [&'a [&'a [u8]]];

/// `[tag, amount, decimals]`, the data of every checked instruction.
fn checked(tag: u8, amount: u64, decimals: u8) -> [u8; 10] {
    let mut data = [0; 10];
    data[0] = tag;
    data[1..9].copy_from_slice(&amount.to_le_bytes());
    data[9] = decimals;
    data
}

/// Moves `amount` base units of `mint` from `from` to `to`, signed by `authority`.
#[allow(clippy::too_many_arguments)] // the instruction's own accounts and data
pub fn transfer<'a>(
    program: &'a Address,
    from: CpiHandleMut<'a>,
    mint: CpiHandle<'a>,
    to: CpiHandleMut<'a>,
    authority: CpiHandle<'a>,
    amount: u64,
    decimals: u8,
    seeds: SignerSeeds<'a>,
) {
    let handles = [from.into(), mint, to.into(), authority];
    let metas = [
        InstructionAccount::writable(handles[0].address()),
        InstructionAccount::readonly(handles[1].address()),
        InstructionAccount::writable(handles[2].address()),
        InstructionAccount::readonly_signer(handles[3].address()),
    ];
    let data = checked(TRANSFER_CHECKED, amount, decimals);
    unchecked_invoke_signed_fixed(program, &data, &metas, &handles, seeds);
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
    supply_change(program, MINT_TO_CHECKED, [mint.into(), to.into(), authority], amount, decimals, seeds);
}

/// Burns `amount` base units of `mint` out of `from`, signed by its `authority`.
pub fn burn<'a>(
    program: &'a Address,
    from: CpiHandleMut<'a>,
    mint: CpiHandleMut<'a>,
    authority: CpiHandle<'a>,
    amount: u64,
    decimals: u8,
    seeds: SignerSeeds<'a>,
) {
    supply_change(program, BURN_CHECKED, [from.into(), mint.into(), authority], amount, decimals, seeds);
}

/// A checked mint or burn: two writable accounts and the authority that signs.
fn supply_change<'a>(
    program: &'a Address,
    tag: u8,
    handles: [CpiHandle<'a>; 3],
    amount: u64,
    decimals: u8,
    seeds: SignerSeeds<'a>,
) {
    let metas = [
        InstructionAccount::writable(handles[0].address()),
        InstructionAccount::writable(handles[1].address()),
        InstructionAccount::readonly_signer(handles[2].address()),
    ];
    let data = checked(tag, amount, decimals);
    unchecked_invoke_signed_fixed(program, &data, &metas, &handles, seeds);
}

/// Closes the empty token account `account`; its rent goes to `rent_to`.
pub fn close<'a>(
    program: &'a Address,
    account: CpiHandleMut<'a>,
    rent_to: CpiHandleMut<'a>,
    authority: CpiHandle<'a>,
    seeds: SignerSeeds<'a>,
) {
    let handles = [account.into(), rent_to.into(), authority];
    let metas = [
        InstructionAccount::writable(handles[0].address()),
        InstructionAccount::writable(handles[1].address()),
        InstructionAccount::readonly_signer(handles[2].address()),
    ];
    unchecked_invoke_signed_fixed(program, &[CLOSE_ACCOUNT], &metas, &handles, seeds);
}
