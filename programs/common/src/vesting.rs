//! Vesting by UTC calendar months: a share at the token generation event, then equal tranches.

use crate::{calendar, math::mul_div_floor, supply::BPS};

/// When and how an amount becomes free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The whole amount, base units.
    pub amount: u64,
    /// Share that is due at once, in basis points, rounded down.
    pub tge_bps: u16,
    /// Months from the first month of emission to the first tranche, which is due as that month starts.
    pub cliff_months: u16,
    /// Number of equal monthly tranches; 0 only when everything is due at once.
    pub tranches: u16,
}

impl Schedule {
    /// Whether the parts can add up to the whole.
    pub fn is_valid(&self) -> bool {
        let at_once = self.tge_bps as u64 == BPS;
        self.amount > 0
            && self.tge_bps as u64 <= BPS
            && (self.tranches == 0) == at_once
            && !(at_once && self.cliff_months > 0)
    }

    /// Base units that are due at `now`, for a schedule counted from `start_month`.
    ///
    /// `tge + floor((amount - tge) * k / n)` after `k` of `n` tranches: rounded down, and the
    /// whole amount with the last. `None` past the calendar.
    pub fn vested(&self, start_month: u32, now: u64) -> Option<u64> {
        let tge = mul_div_floor(self.amount, self.tge_bps as u64, BPS)?;
        if self.tranches == 0 {
            return Some(self.amount);
        }
        let first = start_month.checked_add(self.cliff_months as u32)?;
        let Some(elapsed) = calendar::month_of(now)?.checked_sub(first) else {
            return Some(tge);
        };
        let due = (elapsed as u64 + 1).min(self.tranches as u64);
        tge.checked_add(mul_div_floor(self.amount.checked_sub(tge)?, due, self.tranches as u64)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JULY_2024: u32 = (2024 - 1970) * 12 + 6;

    fn at(month: u32) -> u64 {
        calendar::month_start(month).unwrap()
    }

    #[test]
    fn seed_investors_by_month() {
        let seed = Schedule { amount: 10_000_000_000_000_000, tge_bps: 0, cliff_months: 13, tranches: 24 };
        assert!(seed.is_valid());
        let vested = |t| seed.vested(JULY_2024, t).unwrap();
        assert_eq!(vested(at(JULY_2024 + 13) - 1), 0);
        assert_eq!(vested(at(JULY_2024 + 13)), 416_666_666_666_666);
        assert_eq!(vested(at(JULY_2024 + 36) - 1), 9_583_333_333_333_333);
        assert_eq!(vested(at(JULY_2024 + 36)), seed.amount);
        assert_eq!(vested(at(JULY_2024 + 500)), seed.amount);
    }

    #[test]
    fn share_at_once() {
        let half = Schedule { amount: 101, tge_bps: 5_000, cliff_months: 1, tranches: 3 };
        assert_eq!(half.vested(JULY_2024, 0), Some(50));
        assert_eq!(half.vested(JULY_2024, at(JULY_2024 + 1)), Some(67));
        assert_eq!(half.vested(JULY_2024, at(JULY_2024 + 3)), Some(101));
        let all = Schedule { amount: 5, tge_bps: 10_000, cliff_months: 0, tranches: 0 };
        assert!(all.is_valid());
        assert_eq!(all.vested(JULY_2024, 0), Some(5));
    }

    #[test]
    fn refuses_what_cannot_add_up() {
        let valid = Schedule { amount: 1, tge_bps: 1, cliff_months: 0, tranches: 1 };
        assert!(valid.is_valid());
        for bad in [
            Schedule { amount: 0, ..valid },
            Schedule { tge_bps: 10_001, ..valid },
            Schedule { tranches: 0, ..valid },
            Schedule { tge_bps: 10_000, ..valid },
            Schedule { tge_bps: 10_000, tranches: 0, cliff_months: 1, ..valid },
        ] {
            assert!(!bad.is_valid(), "{bad:?}");
        }
    }
}
