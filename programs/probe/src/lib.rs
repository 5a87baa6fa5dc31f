use anchor_lang::prelude::*;
extern crate sbf_builtins as _;
declare_id!("Fg6PaFpoGXkYsidMpWTK6W2BeZ7FEfcYkg476zPFsLnS");
#[derive(Accounts)]
pub struct Nop {
    pub user: Signer,
}
#[inline(never)]
fn many(a: u128, b: u128, c: u64, d: u64, e: u64) -> u128 {
    a.wrapping_add(b).wrapping_mul(c as u128).wrapping_add((d ^ e) as u128)
}
#[inline(never)]
fn eight(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64) -> u64 {
    a.wrapping_mul(3)
        .wrapping_add(b)
        .wrapping_mul(5)
        .wrapping_add(c ^ d)
        .wrapping_mul(7)
        .wrapping_add(e)
        .wrapping_sub(f)
        .wrapping_mul(11)
        ^ g
        ^ h.rotate_left(13)
}
#[program]
pub mod probe {
    use super::*;
    pub fn run(_ctx: &mut Context<Nop>, op: u8, a: u128, b: u128) -> Result<()> {
        let (al, bl) = (a as u64, b as u64);
        let r: u128 = match op {
            0 => a.wrapping_mul(b),
            1 => a.checked_div(b).unwrap_or(7),
            2 => a.checked_rem(b).unwrap_or(7),
            3 => al.checked_mul(bl).map(|x| x as u128).unwrap_or(u128::MAX),
            4 => a << (bl & 127),
            5 => a >> (bl & 127),
            6 => a.checked_mul(b).unwrap_or(u128::MAX - 1),
            7 => ((a as i128).checked_div(b as i128).unwrap_or(9)) as u128,
            8 => ((a as i128).checked_rem(b as i128).unwrap_or(9)) as u128,
            9 => ((a as i128) >> (bl & 127)) as u128,
            10 => many(a, b, al, bl, al ^ 5),
            11 => eight(al, bl, al ^ 1, bl ^ 2, al ^ 3, bl ^ 4, al ^ 5, bl ^ 6) as u128,
            12 => (al.checked_mul(10_000).unwrap_or(5) / (bl | 1)) as u128,
            13 => (al % (bl | 1)) as u128,
            14 => ((al as u32).wrapping_mul(bl as u32) >> 3) as u128 ^ (((al as i32) >> (bl & 31)) as u128),
            15 => {
                let mut v = alloc_vec(al);
                v.sort_unstable();
                v.iter().fold(0u128, |s, x| s.wrapping_mul(31).wrapping_add(*x as u128))
            }
            16 => {
                let s = format!("{}:{:x}:{:>12}|{:?}", a, b, al, (bl as i64));
                msg!("fmt");
                s.bytes().fold(0u128, |s, x| s.wrapping_mul(131).wrapping_add(x as u128))
            }
            17 => {
                a.leading_zeros() as u128
                    + ((b.trailing_zeros() as u128) << 8)
                    + ((a.count_ones() as u128) << 16)
            }
            18 => {
                (a < b) as u128
                    | ((a as i128) < (b as i128)) as u128 * 2
                    | (a == b) as u128 * 4
                    | ((al as i64) < (bl as i64)) as u128 * 8
            }
            _ => a.isqrt(),
        };
        anchor_lang::solana_program::program::set_return_data(&r.to_le_bytes());
        Ok(())
    }
}
fn alloc_vec(seed: u64) -> Vec<u64> {
    let mut x = seed | 1;
    (0..40)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        })
        .collect()
}
