//! Integer arithmetic that every program needs.

use crate::supply::BPS;

/// `a * b`; `None` when it passes `u64`.
///
/// The exact check multiplies 128 bits on chain, for forty units; that usual figures fit is told by comparing.
#[inline(always)]
pub fn mul(a: u64, b: u64) -> Option<u64> {
    if a < 1 << 39 && b < 1 << 25 {
        return Some(a.wrapping_mul(b));
    }
    checked(a, b)
}

#[inline(never)]
fn checked(a: u64, b: u64) -> Option<u64> {
    a.checked_mul(b)
}

/// `floor(a * b / d)` through 128 bits; `None` when `d` is 0 or the result passes `u64`.
#[inline]
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> Option<u64> {
    // A product that fits 64 bits, the usual case, spares the 128-bit division (about 400 units).
    if let Some(product) = mul(a, b) {
        return product.checked_div(d);
    }
    let quotient = (a as u128).checked_mul(b as u128)?.checked_div(d as u128)?;
    u64::try_from(quotient).ok()
}

/// `ceil(a * b / d)` through 128 bits; `None` when `d` is 0 or the result passes `u64`.
#[inline]
pub fn mul_div_ceil(a: u64, b: u64, d: u64) -> Option<u64> {
    if let Some(product) = mul(a, b) {
        let quotient = product.checked_div(d)?;
        // A remainder would be a second division; a quotient times its divisor fits.
        return quotient.checked_add(u64::from(quotient.wrapping_mul(d) != product));
    }
    let (product, d) = ((a as u128).checked_mul(b as u128)?, d as u128);
    let quotient = product.checked_div(d)?;
    u64::try_from(quotient.checked_add(u128::from(quotient * d != product))?).ok()
}

/// A fee of `bps` basis points on `amount`, rounded up.
#[inline]
pub fn fee(amount: u64, bps: u16) -> Option<u64> {
    mul_div_ceil(amount, bps as u64, BPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_on_both_sides_of_the_quick_way() {
        for a in [0, 1, (1 << 39) - 1, 1 << 39, 1 << 40, u64::MAX / 3, u64::MAX] {
            for b in [0, 1, 2, 3, (1 << 25) - 1, 1 << 25, 1 << 26, u64::MAX] {
                assert_eq!(mul(a, b), a.checked_mul(b), "{a} * {b}");
            }
        }
    }

    #[test]
    fn floors_and_refuses() {
        assert_eq!(mul_div_floor(7, 3, 2), Some(10));
        assert_eq!(mul_div_floor(u64::MAX, u64::MAX, u64::MAX), Some(u64::MAX));
        assert_eq!(mul_div_floor(u64::MAX, 2, 1), None);
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_floor(u64::MAX, 2, 0), None);
    }

    #[test]
    fn ceils_and_refuses() {
        assert_eq!(mul_div_ceil(7, 3, 2), Some(11));
        assert_eq!(mul_div_ceil(6, 3, 2), Some(9));
        assert_eq!(mul_div_ceil(0, 3, 2), Some(0));
        assert_eq!(mul_div_ceil(1, 1, u64::MAX), Some(1));
        assert_eq!(mul_div_ceil(u64::MAX, u64::MAX, u64::MAX), Some(u64::MAX));
        assert_eq!(mul_div_ceil(u64::MAX, u64::MAX - 1, u64::MAX), Some(u64::MAX - 1));
        assert_eq!(mul_div_ceil(u64::MAX, 3, 2), None);
        assert_eq!(mul_div_ceil(u64::MAX, 3, 4), Some(u64::MAX / 4 * 3 + 3));
        assert_eq!(mul_div_ceil(1, 1, 0), None);
        assert_eq!(mul_div_ceil(u64::MAX, 2, 0), None);
    }

    #[test]
    fn fees_round_up() {
        assert_eq!((fee(1, 25), fee(400, 25), fee(401, 25), fee(5, 0)), (Some(1), Some(1), Some(2), Some(0)));
    }
}
