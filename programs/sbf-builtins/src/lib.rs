//! The 128-bit helpers that LLVM's BPF backend calls by name, and the memory functions of
//! `solana-compiler-builtins` (the VM's syscalls).
//!
//! `extern "unadjusted"` gives ours LLVM's own i128 return convention; those in Rust's
//! compiler_builtins use a hidden pointer, which the backend does not, and crash in the VM.
//! Empty under the ordinary toolchain, which doesn't set `cfg(sbf_builtins)`.
#![cfg_attr(sbf_builtins, no_std, feature(abi_unadjusted), allow(internal_features))]

#[cfg(sbf_builtins)]
extern crate solana_compiler_builtins as _;

#[cfg(sbf_builtins)]
mod int128;
