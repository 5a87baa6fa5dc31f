//! The arithmetic on both sides of every power of two: whichever way is taken, the exact figure or none.

use ionet_common::math::{mul, mul_div_ceil, mul_div_floor};

/// All powers of two that fit, and their neighbours.
fn edges() -> Vec<u64> {
    let powers = (0..64).map(|bits| 1u64 << bits);
    let mut edges: Vec<u64> = powers.flat_map(|power| [power - 1, power, power.saturating_add(1)]).collect();
    edges.push(u64::MAX);
    edges
}

#[test]
fn no_product_wraps() {
    for a in edges() {
        for b in edges() {
            assert_eq!(mul(a, b), a.checked_mul(b), "{a} * {b}");
        }
    }
}

#[test]
fn parts_are_exact_or_none() {
    for a in edges() {
        for b in edges() {
            let product = u128::from(a) * u128::from(b);
            for d in [1, 3, 10_000, 1 << 32, u64::MAX] {
                let (floor, ceil) = (product / u128::from(d), product.div_ceil(u128::from(d)));
                assert_eq!(mul_div_floor(a, b, d), u64::try_from(floor).ok(), "{a} * {b} / {d}");
                assert_eq!(mul_div_ceil(a, b, d), u64::try_from(ceil).ok(), "{a} * {b} / {d}");
            }
        }
    }
}
