//! What the four programs share. Pure functions on integers, plus the token calls; no accounts of its own.
//!
//! Nothing here knows an error enum: a function that can fail returns `Option`, or one of the few ways in
//! which [`roles`] refuse, and the program that calls it names the failure.

pub mod account;
pub mod ata;
pub mod calendar;
mod contact;
pub mod emission;
mod emission_table;
pub mod emitter;
pub mod event;
pub mod hash;
pub mod loader;
pub mod math;
pub mod merkle;
pub mod notice;
pub mod roles;
pub mod supply;
pub mod token;
pub mod vesting;

pub use solana_security_txt;
