//! Decimal numbers as exact counts of millionths, rounded up: a floor is never read as less than it is.

use super::value::Number;

const SCALE: i64 = 1_000_000;

/// A number as a count of millionths, rounded up; a negative one is zero. `None` where it does not fit.
///
/// The parser hands over the float nearest to the decimal that was written. The count whose own nearest float is the
/// same one is that decimal, for up to six places; any other float is rounded up to the next count.
pub(crate) fn millionths_of(number: Number) -> Option<i64> {
    /// Up to here counts are exact as floats, with room for the step of rounding up.
    const EXACT: f64 = 4_503_599_627_370_496.0;
    let float = match number {
        Number::Integer(whole) => return whole.max(0).checked_mul(SCALE),
        Number::Large(_) => return None,
        Number::Float(float) => float,
    };
    if float <= 0.0 {
        return Some(0);
    }
    let scaled = float * 1e6;
    if scaled > EXACT {
        return None;
    }
    let mut count = scaled.floor();
    while count / 1e6 < float {
        count += 1.0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and at most 2⁵² by the guard"
    )]
    Some(count as i64)
}

/// A decimal text (`1`, `1.25`, `-0.5`, `.5`, `1e-3`) as a count of millionths, rounded towards positive infinity.
/// `None` for anything else, and where it does not fit.
pub(crate) fn decimal_millionths(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // How many of the digits stand before the point of the count.
    let places = i64::try_from(whole.len()).ok()? + i64::from(exponent) + 6;
    let mut count = 0_i64;
    let mut rest = false;
    let mut position = 0_i64;
    for digit in digits() {
        let digit = i64::from(digit - b'0');
        if position < places {
            count = count.checked_mul(10)?.checked_add(digit)?;
        } else {
            rest |= digit != 0;
        }
        position += 1;
    }
    while count != 0 && position < places {
        count = count.checked_mul(10)?;
        position += 1;
    }
    match (negative, rest) {
        (true, _) => Some(-count),
        (false, true) => count.checked_add(1),
        (false, false) => Some(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_texts_are_exact_and_round_up() {
        for (text, count) in [
            ("0", 0),
            ("2.5", 2_500_000),
            ("0.000001", 1),
            ("0.0000001", 1),
            ("1.0000000", 1_000_000),
            (".5", 500_000),
            ("3.", 3_000_000),
            ("+1", 1_000_000),
            ("-1.25", -1_250_000),
            ("-0.0000009", 0),
            ("1e3", 1_000_000_000),
            ("25E-1", 2_500_000),
            ("1e-9", 1),
            ("0e99", 0),
            (" 7 ", 7_000_000),
        ] {
            assert_eq!(decimal_millionths(text), Some(count), "{text}");
        }
        for text in [
            "", ".", "-", "e3", "1,5", "1.2.3", "0x10", "NaN", "inf", "1e400", "9e18", "1 2", "١",
            "1e", "--1",
        ] {
            assert_eq!(decimal_millionths(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused_and_negative_ones_are_zero() {
        assert_eq!(millionths_of(Number::Float(1e18)), None);
        assert_eq!(millionths_of(Number::Integer(i64::MAX)), None);
        assert_eq!(millionths_of(Number::Large(u64::MAX)), None);
        assert_eq!(millionths_of(Number::Integer(-3)), Some(0));
        assert_eq!(millionths_of(Number::Float(-0.5)), Some(0));
        assert_eq!(millionths_of(Number::Float(1e-300)), Some(1));
    }

    proptest! {
        #[test]
        fn a_float_and_its_text_are_the_same_count(count in 0..=1_000_000_000_000_i64) {
            let text = format!("{}.{:06}", count / SCALE, count % SCALE);
            prop_assert_eq!(decimal_millionths(&text), Some(count));
            let float: f64 = text.parse().unwrap();
            prop_assert_eq!(millionths_of(Number::Float(float)), Some(count));
        }

        #[test]
        fn a_finer_decimal_is_rounded_up_the_same_way(count in 0..1_000_000_000_i64, finer in 1..1_000_i64) {
            let text = format!("{}.{:06}{finer:03}", count / SCALE, count % SCALE);
            prop_assert_eq!(decimal_millionths(&text), Some(count + 1));
            let float: f64 = text.parse().unwrap();
            prop_assert_eq!(millionths_of(Number::Float(float)), Some(count + 1));
        }
    }
}
