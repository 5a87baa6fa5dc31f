//! How long a change of the parameters is announced before it takes effect.

use crate::calendar::DAY;

/// No change makes the notice shorter than this, seconds: who doesn't agree has so long to leave.
pub const MIN_NOTICE: u64 = DAY;

/// Whether a change may bring the notice from `current` to `next`. A network that was created with a
/// shorter notice than [`MIN_NOTICE`], for tests, may keep it, but not shorten it either.
pub const fn may_become(current: u64, next: u64) -> bool {
    next >= MIN_NOTICE || next >= current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_below_a_day_that_it_has() {
        for current in [MIN_NOTICE, MIN_NOTICE + 1, 90 * DAY] {
            for (next, allowed) in [(0, false), (1, false), (MIN_NOTICE - 1, false), (MIN_NOTICE, true)] {
                assert_eq!(may_become(current, next), allowed, "from {current} to {next}");
            }
        }
    }

    #[test]
    fn a_shorter_one_is_kept_or_made_longer() {
        for (current, next, allowed) in [(10, 9, false), (10, 10, true), (10, 11, true), (10, u64::MAX, true)]
        {
            assert_eq!(may_become(current, next), allowed, "from {current} to {next}");
        }
        assert!(!may_become(MIN_NOTICE - 1, MIN_NOTICE - 2));
    }
}
