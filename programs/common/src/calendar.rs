//! UTC calendar months as plain integers.
//!
//! A month is the number of months since January 1970; a time is unix seconds. Day numbers follow
//! the proleptic Gregorian calendar by the closed forms of Howard Hinnant's "chrono-Compatible
//! Low-Level Date Algorithms", in unsigned arithmetic from 1970 on.

/// Seconds in an hour.
pub const HOUR: u64 = 3_600;

/// Seconds in a day.
pub const DAY: u64 = 86_400;

/// Days from 0000-03-01, where the closed forms start, to 1970-01-01.
const EPOCH_SHIFT: u64 = 719_468;

/// Days in 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// The last month whose start is a valid time here (December 9999).
pub const LAST_MONTH: u32 = (9_999 - 1_970) * 12 + 11;

/// Days from 1970-01-01 to the first day of `month`.
const fn first_day(month: u32) -> u64 {
    // Years start in March here, so that the leap day is the last of a year.
    let from_march = 1_970 * 12 + month as u64 + 10;
    let (year, march_month) = (from_march / 12 - 1, from_march % 12);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * march_month + 2) / 5;
    era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_SHIFT
}

/// Unix time at which `month` starts, or `None` past the year 9999.
pub const fn month_start(month: u32) -> Option<u64> {
    if month > LAST_MONTH {
        return None;
    }
    Some(first_day(month) * DAY)
}

/// Hours in `month`: 672, 696, 720 or 744. `None` past the year 9999.
pub const fn hours_in_month(month: u32) -> Option<u64> {
    if month >= LAST_MONTH {
        return None;
    }
    Some((first_day(month + 1) - first_day(month)) * 24)
}

/// The month that `time` falls in, or `None` past the year 9999.
pub const fn month_of(time: u64) -> Option<u32> {
    let days = time / DAY + EPOCH_SHIFT;
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = (era * 400 + year_of_era) * 12 + march_month + 2 - 1_970 * 12;
    if month > LAST_MONTH as u64 {
        return None;
    }
    Some(month as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks day by day from 1970-01-01 through 2130 with the rule of leap years itself.
    #[test]
    fn agrees_with_a_walk_over_every_day() {
        let leap = |y: u32| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
        let (mut day, mut month) = (0u64, 0u32);
        for year in 1970..2130 {
            let february = if leap(year) { 29 } else { 28 };
            for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                assert_eq!(month_start(month), Some(day * DAY));
                assert_eq!(hours_in_month(month), Some(days * 24));
                for d in 0..days {
                    assert_eq!(month_of((day + d) * DAY), Some(month));
                    assert_eq!(month_of((day + d) * DAY + DAY - 1), Some(month));
                }
                day += days;
                month += 1;
            }
        }
    }

    #[test]
    fn ends_with_the_year_9999() {
        let last = month_start(LAST_MONTH).unwrap();
        assert_eq!(month_of(last), Some(LAST_MONTH));
        assert_eq!(month_of(last + 31 * DAY), None);
        assert_eq!(month_of(u64::MAX), None);
        assert_eq!(month_start(LAST_MONTH + 1), None);
        assert_eq!(hours_in_month(LAST_MONTH), None);
    }
}
