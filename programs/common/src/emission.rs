//! The 20-year emission as an exact function of the hours that have ended.
//!
//! Month `m` emits `E_m = 500e6 * 0.08/12 * q^m` IO, m = 0..239, with `q` such that the sum is
//! 300e6 exactly; an hour emits `E_m / hours in that calendar month`. In integers the cumulative
//! figures at the months' ends are constants, and inside a month the part is linear, rounded down.

use crate::{
    calendar::{self, HOUR},
    emission_table::CUMULATIVE,
    math::mul_div_floor,
};

/// Months that the emission lasts.
pub const EMISSION_MONTHS: u32 = 240;

/// Hours of an emission that starts with `start_month`, or `None` past the calendar.
pub fn total_hours(start_month: u32) -> Option<u64> {
    let end = calendar::month_start(start_month.checked_add(EMISSION_MONTHS)?)?;
    Some((end - calendar::month_start(start_month)?) / HOUR)
}

/// Hours of the emission that have ended at `now`: 0 before it starts, never more than all of them.
pub fn hours_ended(start_month: u32, now: u64) -> Option<u64> {
    let elapsed = now.saturating_sub(calendar::month_start(start_month)?) / HOUR;
    Some(elapsed.min(total_hours(start_month)?))
}

/// C(h): base units emitted once `hours` hours from the start of `start_month` have ended.
///
/// Constant cost, monotone in `hours`, `C(total_hours) = EMISSION_TOTAL` to the base unit, and
/// the same from there on. `None` past the calendar.
pub fn cumulative(start_month: u32, hours: u64) -> Option<u64> {
    let hours = hours.min(total_hours(start_month)?);
    let start = calendar::month_start(start_month)?;
    let month = calendar::month_of(start.checked_add(hours.checked_mul(HOUR)?)?)?;
    let index = month.checked_sub(start_month)? as usize;
    let before = *CUMULATIVE.get(index)?;
    let Some(after) = CUMULATIVE.get(index + 1) else {
        return Some(before);
    };
    let into_month = hours - (calendar::month_start(month)? - start) / HOUR;
    let emitted = mul_div_floor(after - before, into_month, calendar::hours_in_month(month)?)?;
    before.checked_add(emitted)
}

#[cfg(test)]
mod tests {
    use {super::*, crate::supply::EMISSION_TOTAL};

    /// July 2024, the network's own start.
    const JULY_2024: u32 = (2024 - 1970) * 12 + 6;

    #[test]
    fn every_hour_of_twenty_years_sums_to_the_total() {
        let hours = total_hours(JULY_2024).unwrap();
        assert_eq!(hours, 175_320);
        let mut last = 0;
        for h in 0..=hours {
            let c = cumulative(JULY_2024, h).unwrap();
            assert!(c > last || h == 0, "hour {h}");
            last = c;
        }
        assert_eq!(last, EMISSION_TOTAL);
        assert_eq!(cumulative(JULY_2024, u64::MAX), Some(EMISSION_TOTAL));
    }

    #[test]
    fn every_start_month_ends_at_the_total() {
        for start in JULY_2024..JULY_2024 + 100 * 12 {
            let hours = total_hours(start).unwrap();
            assert_eq!(cumulative(start, 0), Some(0));
            assert_eq!(cumulative(start, hours), Some(EMISSION_TOTAL));
            assert!(cumulative(start, hours - 1).unwrap() < EMISSION_TOTAL);
        }
    }

    #[test]
    fn hours_end_on_the_hour() {
        let start = calendar::month_start(JULY_2024).unwrap();
        assert_eq!(hours_ended(JULY_2024, 0), Some(0));
        assert_eq!(hours_ended(JULY_2024, start + HOUR - 1), Some(0));
        assert_eq!(hours_ended(JULY_2024, start + HOUR), Some(1));
        assert_eq!(hours_ended(JULY_2024, u64::MAX), Some(175_320));
    }
}
