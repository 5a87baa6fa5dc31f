//! The toolchain's self-test: every operator a program may use, on inputs that the compiler can't see.
//!
//! `tests/toolchain` runs it in the VM on random inputs and compares each result with Python's integers.

use anchor_lang::prelude::*;
extern crate sbf_builtins as _;

declare_id!("Fg6PaFpoGXkYsidMpWTK6W2BeZ7FEfcYkg476zPFsLnS");

/// Nothing but a caller: the result is the return data.
#[derive(Accounts)]
pub struct Nop {
    pub user: Signer,
}

/// Five arguments, two of them 128 bits wide: they take seven registers.
#[inline(never)]
fn wide_arguments(a: u128, b: u128, c: u64, d: u64, e: u64) -> u128 {
    a.wrapping_add(b).wrapping_mul(c as u128).wrapping_add((d ^ e) as u128)
}

/// Eight arguments: the machine has five registers for them, the rest go over the stack.
#[inline(never)]
#[allow(clippy::too_many_arguments)] // their number is what is tested
fn eight_arguments(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64) -> u64 {
    let x = a.wrapping_mul(3).wrapping_add(b).wrapping_mul(5).wrapping_add(c ^ d).wrapping_mul(7);
    x.wrapping_add(e).wrapping_sub(f).wrapping_mul(11) ^ g ^ h.rotate_left(13)
}

/// Sorts 40 numbers of a xorshift generator and folds them.
fn sort(seed: u64) -> u128 {
    let mut x = seed | 1;
    let mut values: Vec<u64> = (0..40)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        })
        .collect();
    values.sort_unstable();
    values.iter().fold(0, |sum: u128, value| sum.wrapping_mul(31).wrapping_add(*value as u128))
}

/// Formats both operands in four ways and folds the bytes.
fn format(a: u128, b: u128) -> u128 {
    let text = std::format!("{}:{:x}:{:>12}|{:?}", a, b, a as u64, b as u64 as i64);
    text.bytes().fold(0, |sum: u128, byte| sum.wrapping_mul(131).wrapping_add(byte as u128))
}

/// Four comparisons, a bit each.
fn compare(a: u128, b: u128) -> u128 {
    let bits = [a < b, (a as i128) < (b as i128), a == b, (a as i64) < (b as i64)];
    bits.iter().rev().fold(0, |sum, bit| sum << 1 | *bit as u128)
}

#[program]
pub mod probe {
    use super::*;

    /// Returns `a op b`; a fixed number stands for what checked arithmetic refuses.
    pub fn run(_ctx: &mut Context<Nop>, op: u8, a: u128, b: u128) -> Result<()> {
        let (al, bl) = (a as u64, b as u64);
        let shift = bl & 127;
        let result: u128 = match op {
            0 => a.wrapping_mul(b),
            1 => a.checked_div(b).unwrap_or(7),
            2 => a.checked_rem(b).unwrap_or(7),
            3 => al.checked_mul(bl).map_or(u128::MAX, u128::from),
            4 => a << shift,
            5 => a >> shift,
            6 => a.checked_mul(b).unwrap_or(u128::MAX - 1),
            7 => (a as i128).checked_div(b as i128).unwrap_or(9) as u128,
            8 => (a as i128).checked_rem(b as i128).unwrap_or(9) as u128,
            9 => ((a as i128) >> shift) as u128,
            10 => wide_arguments(a, b, al, bl, al ^ 5),
            11 => eight_arguments(al, bl, al ^ 1, bl ^ 2, al ^ 3, bl ^ 4, al ^ 5, bl ^ 6) as u128,
            12 => (al.checked_mul(10_000).unwrap_or(5) / (bl | 1)) as u128,
            13 => (al % (bl | 1)) as u128,
            14 => ((al as u32).wrapping_mul(bl as u32) >> 3) as u128 ^ ((al as i32) >> (bl & 31)) as u128,
            15 => sort(al),
            16 => format(a, b),
            17 => {
                let (leading, trailing) = (a.leading_zeros() as u128, b.trailing_zeros() as u128);
                leading + (trailing << 8) + ((a.count_ones() as u128) << 16)
            }
            18 => compare(a, b),
            _ => a.isqrt(),
        };
        anchor_lang::solana_program::program::set_return_data(&result.to_le_bytes());
        Ok(())
    }
}
