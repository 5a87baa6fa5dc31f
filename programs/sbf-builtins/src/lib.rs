//! The 128-bit helpers that LLVM's BPF backend calls by name. `extern "unadjusted"` gives them
//! LLVM's own i128 return convention; the ones in Rust's compiler_builtins use a hidden pointer,
//! which the backend does not, and crash in the VM. Empty off the VM (`cfg(sbf_builtins)`).
#![cfg_attr(sbf_builtins, no_std, feature(abi_unadjusted))]
#[cfg(sbf_builtins)]
extern crate solana_compiler_builtins as _;

/// (quotient, remainder), by shift and subtract on 64-bit halves; loops (CU limit) on d == 0,
/// which checked callers never reach.
#[cfg(sbf_builtins)]
#[inline(always)]
fn div_rem(n: u128, d: u128) -> (u128, u128) {
    if d == 0 {
        loop {}
    }
    let (nh, nl) = ((n >> 64) as u64, n as u64);
    let (dh, dl) = ((d >> 64) as u64, d as u64);
    if nh == 0 && dh == 0 {
        return ((nl / dl) as u128, (nl % dl) as u128);
    }
    if n < d {
        return (0, n);
    }
    if dh == 0 && dl <= u32::MAX as u64 {
        let q3 = nh / dl;
        let r = nh % dl;
        let t = (r << 32) | (nl >> 32);
        let q1 = t / dl;
        let r = t % dl;
        let t = (r << 32) | (nl & 0xffff_ffff);
        let q0 = t / dl;
        let r = t % dl;
        return (((q3 as u128) << 64) | ((q1 as u128) << 32) + q0 as u128, r as u128);
    }
    let lz = |h: u64, l: u64| if h == 0 { 64 + l.leading_zeros() } else { h.leading_zeros() };
    let shift = lz(dh, dl) - lz(nh, nl);
    let mut d = d << shift;
    let mut r = n;
    let mut q: u128 = 0;
    let mut i = shift as i32;
    while i >= 0 {
        q <<= 1;
        if r >= d {
            r -= d;
            q |= 1;
        }
        d >>= 1;
        i -= 1;
    }
    (q, r)
}

#[cfg(sbf_builtins)]
mod exported {
    use super::div_rem;
    #[inline(always)]
    fn widening(a: u64, b: u64) -> (u64, u64) {
        let (al, ah, bl, bh) = (a & 0xffff_ffff, a >> 32, b & 0xffff_ffff, b >> 32);
        let t = al * bl;
        let w0 = t & 0xffff_ffff;
        let k = t >> 32;
        let t = ah * bl + k;
        let w1 = t & 0xffff_ffff;
        let w2 = t >> 32;
        let t = al * bh + w1;
        let k = t >> 32;
        (ah * bh + w2 + k, (t << 32) | w0)
    }
    #[no_mangle]
    pub unsafe extern "unadjusted" fn __multi3(a: u128, b: u128) -> u128 {
        let (al, ah, bl, bh) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
        let (h, l) = widening(al, bl);
        let h = h.wrapping_add(al.wrapping_mul(bh)).wrapping_add(ah.wrapping_mul(bl));
        ((h as u128) << 64) | l as u128
    }
    #[no_mangle]
    pub unsafe extern "unadjusted" fn __udivti3(a: u128, b: u128) -> u128 {
        div_rem(a, b).0
    }
    #[no_mangle]
    pub unsafe extern "unadjusted" fn __umodti3(a: u128, b: u128) -> u128 {
        div_rem(a, b).1
    }
    #[no_mangle]
    pub unsafe extern "unadjusted" fn __divti3(a: i128, b: i128) -> i128 {
        let q = div_rem(a.unsigned_abs(), b.unsigned_abs()).0 as i128;
        if (a < 0) != (b < 0) {
            q.wrapping_neg()
        } else {
            q
        }
    }
    #[no_mangle]
    pub unsafe extern "unadjusted" fn __modti3(a: i128, b: i128) -> i128 {
        let r = div_rem(a.unsigned_abs(), b.unsigned_abs()).1 as i128;
        if a < 0 {
            r.wrapping_neg()
        } else {
            r
        }
    }
}
