//! Tokenomics as the other programs see it: where its config keeps what they read, and how `emit` is
//! called. A dependency on that program's crate would link a second entry point into theirs; its own
//! tests compare these constants with its code.

/// First bytes of its config.
pub const CONFIG_DISCRIMINATOR: [u8; 8] = [155, 12, 170, 224, 30, 250, 204, 130];
/// The version of its accounts that this module knows, in the byte after them.
pub const CONFIG_VERSION: u8 = 1;
/// First bytes of the data of `emit`.
pub const EMIT_DISCRIMINATOR: [u8; 8] = [252, 45, 156, 110, 150, 14, 45, 99];
/// Where the config says that the genesis supply is minted (one byte).
pub const LAUNCHED: usize = 11;
/// Where the config keeps the address of the account that emission is minted into.
pub const REWARD_VAULT: usize = 184;
/// Where the config keeps what emission has minted (u64).
pub const EMITTED: usize = 264;
/// Where the config keeps the emission's first month (u32).
pub const START_MONTH: usize = 296;

/// What the other programs read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// First month of emission, months since January 1970.
    pub start_month: u32,
    /// Minted by emission so far, base units.
    pub emitted: u64,
}

/// Whether these are the bytes of a config whose fields are where this module says.
pub fn is_known(data: &[u8]) -> bool {
    data.starts_with(&CONFIG_DISCRIMINATOR) && data.get(CONFIG_DISCRIMINATOR.len()) == Some(&CONFIG_VERSION)
}

/// The account that emission is minted into, as tokenomics' config has it; `None` for an account that
/// isn't [known](is_known).
pub fn reward_vault(data: &[u8]) -> Option<[u8; 32]> {
    if !is_known(data) {
        return None;
    }
    data.get(REWARD_VAULT..REWARD_VAULT + 32)?.try_into().ok()
}

/// Reads the bytes of tokenomics' config; the caller has checked whose account it is. `None` for
/// an account that isn't [known](is_known), or before the launch.
pub fn read(data: &[u8]) -> Option<Emission> {
    if !is_known(data) || *data.get(LAUNCHED)? != 1 {
        return None;
    }
    let emitted = data.get(EMITTED..EMITTED + 8)?.try_into().ok()?;
    let start_month = data.get(START_MONTH..START_MONTH + 4)?.try_into().ok()?;
    Some(Emission { start_month: u32::from_le_bytes(start_month), emitted: u64::from_le_bytes(emitted) })
}
