//! Money and prices, as integers.
//!
//! `Nanos` is an amount (billionths of a currency unit). `Cpm` is a price (millionths of a currency unit per
//! thousand impressions). One impression at a CPM of x micros costs x nanos, so a price becomes an amount without
//! rounding. Currency conversion is the only rounding there is: it rounds up, once.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::fmt;

/// An amount of money in billionths of a currency unit; signed, since a late bill may make a debt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(i64);

/// A price in millionths of a currency unit per thousand impressions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpm(i64);

/// A currency by its ISO 4217 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// How many units of one currency one unit of another is worth, in billionths.
///
/// Which two currencies is the holder's business; [`Rate::ONE`] joins a currency with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

impl Nanos {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount from its count of nanos.
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The count of nanos.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// An amount from whole currency units, or `None` where it does not fit.
    pub const fn from_units(units: i64) -> Option<Self> {
        match units.checked_mul(1_000_000_000) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The sum, or `None` where it does not fit.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The difference, or `None` where it does not fit.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The sum, held at the largest amount there is. For figures that are shown, never for balances.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, held at the largest amount there is. For figures that are shown, never for balances.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// This amount in another currency at `rate`, rounded up; `None` where it does not fit.
    pub fn convert(self, rate: Rate) -> Option<Self> {
        mul_div_ceil(self.0, rate.0, Rate::SCALE).map(Self)
    }

    /// This amount raised by `per_mille` thousandths (a margin), rounded up; `None` where it does not fit.
    pub fn with_margin(self, per_mille: u32) -> Option<Self> {
        let factor = i64::from(per_mille).checked_add(1_000)?;
        mul_div_ceil(self.0, factor, 1_000).map(Self)
    }
}

impl Cpm {
    /// Free of charge.
    pub const ZERO: Self = Self(0);
    /// The largest CPM that is read from or written to the wire: one million currency units.
    pub const MAX: Self = Self(1_000_000_000_000);

    /// A price from its count of micros per thousand impressions.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The count of micros per thousand impressions.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// What one impression at this price costs: x micros per thousand are x nanos each.
    pub const fn per_impression(self) -> Nanos {
        Nanos(self.0)
    }

    /// The CPM at which one impression costs this much.
    pub const fn from_per_impression(cost: Nanos) -> Self {
        Self(cost.0)
    }

    /// This price in another currency at `rate`, rounded up; `None` where it does not fit.
    pub fn convert(self, rate: Rate) -> Option<Self> {
        mul_div_ceil(self.0, rate.0, Rate::SCALE).map(Self)
    }
}

impl Currency {
    /// US dollar: the default of every currency field in OpenRTB.
    pub const USD: Self = Self(*b"USD");

    /// A currency from three letters, in any case; `None` for anything else.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(bytes.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        // Three ASCII letters by construction.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// The three letters as bytes, for storage.
    pub const fn to_bytes(self) -> [u8; 3] {
        self.0
    }
}

impl Rate {
    /// What the stored count is divided by.
    pub const SCALE: i64 = 1_000_000_000;
    /// A currency against itself.
    pub const ONE: Self = Self(Self::SCALE);

    /// A rate from billionths; `None` unless it is above zero.
    pub fn from_billionths(billionths: i64) -> Option<Self> {
        (billionths > 0).then_some(Self(billionths))
    }

    /// The count of billionths.
    pub const fn billionths(self) -> i64 {
        self.0
    }

    /// The rate from currency A to B, where `self` is A's and `other` is B's value in a common third currency.
    pub fn over(self, other: Self) -> Option<Self> {
        mul_div_ceil(self.0, Self::SCALE, other.0).and_then(Self::from_billionths)
    }
}

/// `a × b ÷ c`, rounded towards positive infinity, or `None` where the result does not fit. `c` is above zero.
fn mul_div_ceil(a: i64, b: i64, c: i64) -> Option<i64> {
    let product = i128::from(a).checked_mul(i128::from(b))?;
    let divisor = i128::from(c);
    let floor = product.checked_div_euclid(divisor)?;
    let exact = product.checked_rem_euclid(divisor)? == 0;
    i64::try_from(if exact { floor } else { floor.checked_add(1)? }).ok()
}

impl fmt::Display for Nanos {
    /// Currency units with nine decimals: `-0.000001250`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.0, 1_000_000_000, 9)
    }
}

impl fmt::Display for Cpm {
    /// Currency units with up to six decimals, no trailing zeros: `1.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{rest:06}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn write_fixed(f: &mut fmt::Formatter<'_>, value: i64, scale: u64, decimals: usize) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let (whole, rest) = (magnitude.div_euclid(scale), magnitude.rem_euclid(scale));
    write!(f, "{sign}{whole}.{rest:0decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_impression_at_a_cpm_of_x_micros_costs_x_nanos() {
        let two_fifty = Cpm::from_micros(2_500_000);
        assert_eq!(two_fifty.per_impression(), Nanos::new(2_500_000));
        assert_eq!(two_fifty.to_string(), "2.5");
        assert_eq!(two_fifty.per_impression().to_string(), "0.002500000");
    }

    #[test]
    fn conversion_rounds_up_once_and_refuses_what_does_not_fit() {
        let third = Rate::from_billionths(333_333_333).unwrap();
        assert_eq!(Nanos::new(1).convert(third), Some(Nanos::new(1)));
        assert_eq!(Nanos::new(3).convert(third), Some(Nanos::new(1)));
        assert_eq!(Nanos::new(-1).convert(third), Some(Nanos::ZERO));
        assert_eq!(
            Nanos::new(i64::MAX).convert(Rate::from_billionths(i64::MAX).unwrap()),
            None
        );
        assert_eq!(Nanos::new(7).convert(Rate::ONE), Some(Nanos::new(7)));
    }

    #[test]
    fn a_margin_is_added_and_rounded_up() {
        assert_eq!(Nanos::new(1_000).with_margin(150), Some(Nanos::new(1_150)));
        assert_eq!(Nanos::new(1).with_margin(1), Some(Nanos::new(2)));
    }

    #[test]
    fn currencies_are_three_letters_in_any_case() {
        assert_eq!(Currency::parse("usd"), Some(Currency::USD));
        assert_eq!(Currency::parse("US"), None);
        assert_eq!(Currency::parse("U5D"), None);
    }

    #[test]
    fn a_cross_rate_joins_two_values_in_a_third_currency() {
        let eur = Rate::from_billionths(1_080_000_000).unwrap();
        let gbp = Rate::from_billionths(1_270_000_000).unwrap();
        assert_eq!(eur.over(gbp), Rate::from_billionths(850_393_701));
    }
}
