//! What the upgradeable loader keeps about a program.

use anchor_lang::prelude::{find_program_address, Address, AnchorAccount, UncheckedAccount};

/// The loader that keeps a program's upgrade authority beside its code.
const UPGRADEABLE_LOADER: Address = Address::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");

/// The upgrade authority of `program`, read from its ProgramData account: a tag (u32, 3), the slot of
/// the deployment (u64), then an optional address. `None` for any other account, or without authority.
pub fn upgrade_authority(program: &Address, program_data: &UncheckedAccount) -> Option<Address> {
    const AUTHORITY_FLAG: usize = 12;
    let (expected, _) = find_program_address(&[program.as_ref()], &UPGRADEABLE_LOADER);
    let view = program_data.account();
    if *program_data.address() != expected || !view.owned_by(&UPGRADEABLE_LOADER) {
        return None;
    }
    let data = view.try_borrow().ok()?;
    let header = data.get(AUTHORITY_FLAG..AUTHORITY_FLAG + 33)?;
    if !data.starts_with(&[3, 0, 0, 0]) || header[0] != 1 {
        return None;
    }
    let bytes: [u8; 32] = header[1..].try_into().ok()?;
    Some(Address::new_from_array(bytes))
}
