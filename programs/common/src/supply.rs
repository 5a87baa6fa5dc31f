//! The figures of the IO supply. One place for each.

/// Decimals of the IO mint.
pub const IO_DECIMALS: u8 = 8;

/// Base units in one IO.
pub const IO: u64 = 100_000_000;

/// Minted at genesis, base units.
pub const GENESIS_SUPPLY: u64 = 500_000_000 * IO;

/// Minted by emission over its whole life, base units.
pub const EMISSION_TOTAL: u64 = 300_000_000 * IO;

/// More than this can never have been minted, burned or not, base units.
pub const MAX_SUPPLY: u64 = GENESIS_SUPPLY + EMISSION_TOTAL;

/// Basis points in a whole.
pub const BPS: u64 = 10_000;
