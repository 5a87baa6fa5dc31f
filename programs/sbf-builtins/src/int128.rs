//! 128-bit multiplication and division on 64-bit halves.

/// (quotient, remainder). One hardware division where both fit 64 bits, three where the divisor
/// fits 32, otherwise shift and subtract.
#[inline(always)]
fn div_rem(n: u128, d: u128) -> (u128, u128) {
    if d == 0 {
        // Checked callers never come here; unchecked ones have trapped on the check before the call.
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
        let (q2, r) = (nh / dl, nh % dl);
        let part = (r << 32) | (nl >> 32);
        let (q1, r) = (part / dl, part % dl);
        let part = (r << 32) | (nl & 0xffff_ffff);
        let (q0, r) = (part / dl, part % dl);
        return (((q2 as u128) << 64) | ((q1 as u128) << 32) + q0 as u128, r as u128);
    }
    let zeros = |h: u64, l: u64| if h == 0 { 64 + l.leading_zeros() } else { h.leading_zeros() };
    let shift = zeros(dh, dl) - zeros(nh, nl);
    let (mut d, mut r, mut q) = (d << shift, n, 0u128);
    let mut steps = shift + 1;
    while steps > 0 {
        q <<= 1;
        if r >= d {
            r -= d;
            q |= 1;
        }
        d >>= 1;
        steps -= 1;
    }
    (q, r)
}

/// The 128 bits of `a * b` as (high, low), by four 32-bit products.
#[inline(always)]
fn widening(a: u64, b: u64) -> (u64, u64) {
    let (al, ah, bl, bh) = (a & 0xffff_ffff, a >> 32, b & 0xffff_ffff, b >> 32);
    let t = al * bl;
    let (w0, carry) = (t & 0xffff_ffff, t >> 32);
    let t = ah * bl + carry;
    let (w1, w2) = (t & 0xffff_ffff, t >> 32);
    let t = al * bh + w1;
    (ah * bh + w2 + (t >> 32), (t << 32) | w0)
}

/// `a * b mod 2^128`.
#[no_mangle]
pub unsafe extern "unadjusted" fn __multi3(a: u128, b: u128) -> u128 {
    let (al, ah, bl, bh) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
    let (high, low) = widening(al, bl);
    let high = high.wrapping_add(al.wrapping_mul(bh)).wrapping_add(ah.wrapping_mul(bl));
    ((high as u128) << 64) | low as u128
}

/// Unsigned quotient.
#[no_mangle]
pub unsafe extern "unadjusted" fn __udivti3(a: u128, b: u128) -> u128 {
    div_rem(a, b).0
}

/// Unsigned remainder.
#[no_mangle]
pub unsafe extern "unadjusted" fn __umodti3(a: u128, b: u128) -> u128 {
    div_rem(a, b).1
}

/// Signed quotient, rounded towards zero.
#[no_mangle]
pub unsafe extern "unadjusted" fn __divti3(a: i128, b: i128) -> i128 {
    let q = div_rem(a.unsigned_abs(), b.unsigned_abs()).0 as i128;
    if (a < 0) != (b < 0) {
        q.wrapping_neg()
    } else {
        q
    }
}

/// Signed remainder, with the sign of `a`.
#[no_mangle]
pub unsafe extern "unadjusted" fn __modti3(a: i128, b: i128) -> i128 {
    let r = div_rem(a.unsigned_abs(), b.unsigned_abs()).1 as i128;
    if a < 0 {
        r.wrapping_neg()
    } else {
        r
    }
}
