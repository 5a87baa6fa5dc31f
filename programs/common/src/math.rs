//! Integer arithmetic that every program needs.

/// `floor(a * b / d)` through 128 bits; `None` when `d` is 0 or the result passes `u64`.
#[inline]
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> Option<u64> {
    // A product that fits 64 bits, the usual case, spares the 128-bit division (about 400 units).
    if let Some(product) = a.checked_mul(b) {
        return product.checked_div(d);
    }
    let quotient = (a as u128).checked_mul(b as u128)?.checked_div(d as u128)?;
    u64::try_from(quotient).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_and_refuses() {
        assert_eq!(mul_div_floor(7, 3, 2), Some(10));
        assert_eq!(mul_div_floor(u64::MAX, u64::MAX, u64::MAX), Some(u64::MAX));
        assert_eq!(mul_div_floor(u64::MAX, 2, 1), None);
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_floor(u64::MAX, 2, 0), None);
    }
}
