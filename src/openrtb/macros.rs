//! Macros that an exchange replaces in notice URLs and markup (OpenRTB 2.6, section 4.4), and the prices that come back.
//!
//! Macros are written as they are: an exchange looks for the letters, so a percent-encoded one is never replaced.

use super::lenient::decimal_millionths;
use crate::units::Cpm;

/// The request's id.
pub const AUCTION_ID: &str = "${AUCTION_ID}";
/// The response's `bidid`, not the bid's id.
pub const AUCTION_BID_ID: &str = "${AUCTION_BID_ID}";
/// The imp's id.
pub const AUCTION_IMP_ID: &str = "${AUCTION_IMP_ID}";
/// The seat.
pub const AUCTION_SEAT_ID: &str = "${AUCTION_SEAT_ID}";
/// The bid's `adid`.
pub const AUCTION_AD_ID: &str = "${AUCTION_AD_ID}";
/// The clearing price: a CPM in the bid's currency.
pub const AUCTION_PRICE: &str = "${AUCTION_PRICE}";
/// The bid's currency.
pub const AUCTION_CURRENCY: &str = "${AUCTION_CURRENCY}";
/// The clearing price as a part of the bid.
pub const AUCTION_MBR: &str = "${AUCTION_MBR}";
/// Why the bid lost, as in `codes::LossReason`.
pub const AUCTION_LOSS: &str = "${AUCTION_LOSS}";
/// The least bid that would have won.
pub const AUCTION_MIN_TO_WIN: &str = "${AUCTION_MIN_TO_WIN}";
/// How many impressions were won (DOOH).
pub const AUCTION_MULTIPLIER: &str = "${AUCTION_MULTIPLIER}";
/// When it was shown, in ms since 1970.
pub const AUCTION_IMP_TS: &str = "${AUCTION_IMP_TS}";

/// What came back in place of a price macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubstitutedPrice {
    /// A price, zero or more.
    Price(Cpm),
    /// Nothing: the exchange has no value, or does not tell it.
    Empty,
    /// The macro itself: the exchange does not replace it here.
    Unreplaced,
    /// `AUDIT`: the ad was rendered to be looked at, not bought.
    Audit,
    /// `UNKNOWN`: the exchange does not know.
    Unknown,
    /// A price below zero.
    Negative,
    /// Anything else: an encrypted price, `NaN`, a price above [`Cpm::MAX`].
    Unreadable,
}

impl SubstitutedPrice {
    /// Reads a query value, percent-decoded, as kindly as is safe.
    ///
    /// A comma may stand for the point. Something may follow the number if it cannot be a part of one: a currency
    /// code, or what begins with a sign that is neither a letter nor a digit. More of a price than there was must
    /// never be read, so an encrypted price that begins with digits is unreadable. Fractions of a micro round up.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text {
            "" => return Self::Empty,
            "AUDIT" => return Self::Audit,
            "UNKNOWN" => return Self::Unknown,
            _ if text.starts_with("${") || text.starts_with("%%") => return Self::Unreplaced,
            _ => {}
        }
        let Some(number) = number_in(text) else {
            return Self::Unreadable;
        };
        let micros = if number.contains(',') {
            decimal_millionths(&number.replacen(',', ".", 1))
        } else {
            decimal_millionths(number)
        };
        match micros {
            Some(_) if is_negative(number) => Self::Negative,
            Some(micros) if micros <= Cpm::MAX.micros() => Self::Price(Cpm::from_micros(micros)),
            Some(_) | None => Self::Unreadable,
        }
    }

    /// The price, if there is one.
    pub const fn price(self) -> Option<Cpm> {
        match self {
            Self::Price(price) => Some(price),
            _ => None,
        }
    }
}

/// A minus before something other than zeros.
fn is_negative(number: &str) -> bool {
    number
        .strip_prefix('-')
        .is_some_and(|rest| rest.bytes().any(|byte| matches!(byte, b'1'..=b'9')))
}

/// The number at the start of a text, if what follows does not make it doubtful.
fn number_in(text: &str) -> Option<&str> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let sign = text.len().checked_sub(unsigned.len())?;
    let mantissa = run(unsigned, |byte| {
        byte.is_ascii_digit() || matches!(byte, b'.' | b',')
    });
    let exponent = exponent_in(unsigned.get(mantissa..)?);
    let (number, rest) = text.split_at_checked(sign + mantissa + exponent)?;
    let separators = number.bytes().filter(|byte| matches!(byte, b'.' | b','));
    let mut after = rest.bytes();
    let clear = match after.next() {
        None => true,
        Some(byte) if byte.is_ascii_alphabetic() => {
            rest.len() == 3 && after.all(|byte| byte.is_ascii_alphabetic())
        }
        // An encoded price goes on with these.
        Some(byte) => !matches!(
            byte,
            b'0'..=b'9' | b'-' | b'_' | b'+' | b'/' | b'=' | b'.' | b','
        ),
    };
    (sign <= 1 && separators.count() <= 1 && clear).then_some(number)
}

/// How long an exponent is at the start of a text: `e-3`.
fn exponent_in(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    match run(unsigned, |byte| byte.is_ascii_digit()) {
        0 => 0,
        digits => text.len() - unsigned.len() + digits,
    }
}

fn run(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| belongs(*byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use SubstitutedPrice::*;

    fn price(micros: i64) -> SubstitutedPrice {
        Price(Cpm::from_micros(micros))
    }

    #[test]
    fn prices_are_read_as_exchanges_write_them() {
        for (text, read) in [
            ("1.23", price(1_230_000)),
            ("1.230000", price(1_230_000)),
            ("1,23", price(1_230_000)),
            ("0", price(0)),
            ("-0.0", price(0)),
            ("0.0000001", price(1)),
            ("9.5E-4", price(950)),
            ("+2", price(2_000_000)),
            (" 3 ", price(3_000_000)),
            ("1.5 USD", price(1_500_000)),
            ("1.5USD", price(1_500_000)),
            ("1.5\"/>", price(1_500_000)),
            ("1.5&x=2", price(1_500_000)),
            ("", Empty),
            ("  ", Empty),
            ("AUDIT", Audit),
            ("UNKNOWN", Unknown),
            ("${AUCTION_PRICE}", Unreplaced),
            ("%%WINNING_PRICE%%", Unreplaced),
            ("-1.5", Negative),
            ("-0.0000001", Negative),
        ] {
            assert_eq!(SubstitutedPrice::parse(text), read, "{text}");
        }
    }

    #[test]
    fn what_might_be_something_else_is_not_a_price() {
        for text in [
            "NaN",
            "inf",
            "-inf",
            "1e400",
            "2000000.5",
            "1,234.56",
            "1.2.3",
            "1.5x",
            "--1",
            "1.5e",
            "YWJjMTIzZGVmNDU2Z2hpN7fhCuPemCce_6msaw",
            "1WJjMTIz",
            "12-ab",
            "0x10",
            ".",
            "price",
        ] {
            assert_eq!(SubstitutedPrice::parse(text), Unreadable, "{text}");
        }
    }
}
