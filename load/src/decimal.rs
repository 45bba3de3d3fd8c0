//! Money as exchanges write it: decimal text, kept exactly, never as a float.
//!
//! A price is a CPM in micros of its currency. One impression at a CPM of x micros costs x nanos, so the same number is
//! the cost of an impression and nothing is ever rounded between a bid, its notices and the oracle's ledger.

use std::fmt;
use std::str::FromStr;

/// Millionths in one unit.
const SCALE: i64 = 1_000_000;
/// Decimal places that a micro can tell apart.
const PLACES: usize = 6;

/// A CPM in micros of a currency, which is also the cost of one impression in nanos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(i64);

/// Why a text is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// Not digits with at most one point.
    Malformed,
    /// Digits beyond a millionth.
    TooFine,
    /// More than fits.
    TooLarge,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Malformed => "not a decimal number like \"2.50\"",
            Self::TooFine => "more decimal places than it may have (a price: six)",
            Self::TooLarge => "too large",
        })
    }
}

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// A cent, the usual step above the second price.
    pub const CENT: Self = Self(10_000);

    /// So many micros.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// The number of micros of a CPM; the number of nanos that one impression costs.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum; the largest amount where it would not fit.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The price of a JSON number's text, exponent included. Digits beyond a millionth are dropped.
    ///
    /// # Errors
    /// [`DecimalError`] where it is no number, or too large.
    pub fn from_json(text: &str) -> Result<Self, DecimalError> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
                let exponent: i32 = exponent.parse().map_err(|_| DecimalError::Malformed)?;
                (mantissa, exponent)
            }
            None => (text, 0),
        };
        parse(mantissa, exponent, (PLACES, Beyond::Dropped)).map(Self)
    }
}

/// What becomes of digits that a micro cannot hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    Refused,
    Dropped,
}

impl FromStr for Micros {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        parse(text, 0, (PLACES, Beyond::Refused)).map(Self)
    }
}

/// The billionths of a decimal text: an amount in nanos, or a rate.
///
/// # Errors
/// [`DecimalError`] where it is no decimal number with at most nine places, or too large.
pub fn billionths(text: &str) -> Result<i64, DecimalError> {
    parse(text, 0, (9, Beyond::Refused))
}

/// The number in units of the last of so many decimal places.
fn parse(
    text: &str,
    exponent: i32,
    (places, beyond): (usize, Beyond),
) -> Result<i64, DecimalError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::Malformed);
    }
    // The digit at place p of the text counts 10^p units; what is read are the places from `lowest` up.
    let whole_len = i32::try_from(whole.len()).map_err(|_| DecimalError::TooLarge)?;
    let top = whole_len.saturating_sub(1).saturating_add(exponent);
    let lowest = -i32::try_from(places).map_err(|_| DecimalError::TooLarge)?;
    let mut units: i64 = 0;
    let mut place = top;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = i64::from(digit.saturating_sub(b'0'));
        if place >= lowest {
            units = units
                .checked_mul(10)
                .and_then(|sum| sum.checked_add(digit))
                .ok_or(DecimalError::TooLarge)?;
        } else if digit != 0 && beyond == Beyond::Refused {
            return Err(DecimalError::TooFine);
        }
        place = place.saturating_sub(1);
    }
    // The last digit may stand above the last place: 2.5 has five places to go to the millionths.
    while place >= lowest && units != 0 {
        units = units.checked_mul(10).ok_or(DecimalError::TooLarge)?;
        place = place.saturating_sub(1);
    }
    Ok(if negative { -units } else { units })
}

impl fmt::Display for Micros {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / SCALE, (self.0 % SCALE).abs());
        let sign = if self.0 < 0 && whole == 0 { "-" } else { "" };
        if rest == 0 {
            return write!(out, "{sign}{whole}");
        }
        let fraction = format!("{rest:06}");
        write!(out, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_and_written_exactly() {
        for (text, micros) in [
            ("2.5", 2_500_000),
            ("0.000001", 1),
            ("17", 17_000_000),
            ("2.50", 2_500_000),
            ("-0.25", -250_000),
            ("0", 0),
        ] {
            assert_eq!(text.parse::<Micros>(), Ok(Micros::new(micros)), "{text}");
        }
        for micros in [2_500_000, 1, 17_000_000, -250_000, 0, 1_234_567, 10] {
            let text = Micros::new(micros).to_string();
            assert_eq!(text.parse::<Micros>(), Ok(Micros::new(micros)), "{text}");
        }
        assert_eq!(Micros::new(2_500_000).to_string(), "2.5");
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "", ".", "1.", ".5", "1,5", "1.2.3", "NaN", "+1", "1e3", " 1",
        ] {
            assert_eq!(
                text.parse::<Micros>(),
                Err(DecimalError::Malformed),
                "{text}"
            );
        }
        assert_eq!("0.0000001".parse::<Micros>(), Err(DecimalError::TooFine));
        assert_eq!(
            "99999999999999".parse::<Micros>(),
            Err(DecimalError::TooLarge)
        );
    }

    #[test]
    fn a_json_number_may_have_an_exponent_and_more_digits() {
        for (text, micros) in [
            ("1.5e0", 1_500_000),
            ("15e-1", 1_500_000),
            ("1.5E+1", 15_000_000),
            ("0.12345678", 123_456),
            ("3", 3_000_000),
            ("1e-9", 0),
        ] {
            assert_eq!(Micros::from_json(text), Ok(Micros::new(micros)), "{text}");
        }
        assert_eq!(Micros::from_json("\"1\""), Err(DecimalError::Malformed));
    }

    #[test]
    fn billionths_have_nine_places() {
        assert_eq!(billionths("0.0000625"), Ok(62_500));
        assert_eq!(billionths("25000.00"), Ok(25_000_000_000_000));
        assert_eq!(billionths("0.0000000001"), Err(DecimalError::TooFine));
        assert_eq!(billionths("9999999999"), Err(DecimalError::TooLarge));
    }
}
