//! Hours of the week as they are written: `mon-fri 08-20`, `sat,sun 10-22`, `mon-fri`, `08-20`.

use std::ops::Range;

use crate::campaign::{HourOfWeek, HoursOfWeek};
use crate::config::kinds::Kind;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days, hours, or both: the hours it names.
pub(super) const HOURS: Kind<Vec<HourOfWeek>> = Kind {
    expects: "days and hours like \"mon-fri 08-20\" or \"sat,sun 10-22\", where 20 is when it ends; \
              write hours over midnight as two",
    parse: hours,
};

/// All hours together.
pub(super) fn joined(said: Vec<Vec<HourOfWeek>>) -> HoursOfWeek {
    said.into_iter().flatten().collect()
}

fn hours(text: &str) -> Option<Vec<HourOfWeek>> {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    let (days, spans) = match (second, days(first)) {
        (Some(second), Some(days)) => (days, spans(second)?),
        (None, Some(days)) => (days, std::iter::once(0..24).collect()),
        (None, None) => ((0..7).collect(), spans(first)?),
        (Some(_), None) => return None,
    };
    let found = days.into_iter().flat_map(|day| {
        let hours = spans.iter().cloned().flatten();
        hours.filter_map(move |hour| HourOfWeek::new(day, hour))
    });
    Some(found.collect())
}

/// `mon`, `mon-fri`, `sat,sun`, `fri-mon`.
fn days(text: &str) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + 7 - first) % 7;
        found.extend((0..=length).map(|step| (first + step) % 7));
    }
    Some(found)
}

fn day(text: &str) -> Option<u8> {
    (0..)
        .zip(DAYS)
        .find(|(_, name)| name.eq_ignore_ascii_case(text))
        .map(|(day, _)| day)
}

/// `08-20`, `08-12,14-18`: from an hour on, and before another.
fn spans(text: &str) -> Option<Vec<Range<u8>>> {
    text.split(',')
        .map(|part| {
            let (from, to) = part.split_once('-')?;
            let hour = |text: &str| {
                let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
                plain.then(|| text.parse::<u8>().ok()).flatten()
            };
            let (from, to) = (hour(from)?, hour(to)?);
            (from < to && to <= 24).then_some(from..to)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &[&str]) -> HoursOfWeek {
        joined(text.iter().map(|text| hours(text).unwrap()).collect())
    }

    fn at(day: u8, hour: u8) -> HourOfWeek {
        HourOfWeek::new(day, hour).unwrap()
    }

    #[test]
    fn office_hours_end_when_they_say() {
        let office = set(&["mon-fri 08-20"]);
        assert!(office.contains(at(0, 8)) && office.contains(at(4, 19)));
        assert!(!office.contains(at(0, 7)) && !office.contains(at(0, 20)));
        assert!(!office.contains(at(5, 9)));
    }

    #[test]
    fn ranges_may_go_over_the_weekend_and_lists_are_joined() {
        assert_eq!(set(&["fri-mon"]), set(&["fri,sat", "sun,mon 00-24"]));
        assert_eq!(set(&["00-24"]), HoursOfWeek::ALL);
        assert_eq!(set(&["MON 8-9"]), set(&["mon 08-09"]));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for text in [
            "",
            "08-20 mon",
            "mon 20-08",
            "mon 8",
            "mon 8-25",
            "mon 8-8",
            "xyz",
            "mon 08-20 x",
            "mon 8.5-9",
        ] {
            assert_eq!(hours(text), None, "{text}");
        }
    }
}
