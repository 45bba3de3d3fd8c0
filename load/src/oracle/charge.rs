//! From what an impression costs to what its campaign is charged: converted into its currency, the margin on top, each
//! rounded up once.
//!
//! Between two currencies that both have a rate in dollars, the rate is a quotient, and nobody documents to which of its
//! two neighbours of nine places it is rounded. So a charge is a range, which is one number where nothing is converted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::Micros;

/// Billionths in a rate of one.
const ONE: i128 = 1_000_000_000;

/// What a campaign is charged, in nanos of its currency: the least and the most that is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// The least.
    pub least_nanos: i64,
    /// The most.
    pub most_nanos: i64,
}

impl Charge {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.least_nanos = self.least_nanos.saturating_add(other.least_nanos);
        self.most_nanos = self.most_nanos.saturating_add(other.most_nanos);
    }
}

/// What one unit of each currency is worth in US dollars, in billionths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(pub BTreeMap<String, i64>);

impl Rates {
    fn in_dollars(&self, currency: &str) -> Option<i128> {
        if currency == "USD" {
            return Some(ONE);
        }
        let rate = self.0.get(currency)?;
        (*rate > 0).then_some(i128::from(*rate))
    }

    /// The charge for one impression at this price (a CPM in micros is the cost of one in nanos), for a campaign of
    /// `into` with this margin; `None` where a rate is missing or it does not fit.
    pub fn charge(
        &self,
        price: Micros,
        (from, into): (&str, &str),
        margin_per_mille: u32,
    ) -> Option<Charge> {
        let cost = i128::from(price.get());
        let (least, most) = if from == into {
            (cost, cost)
        } else {
            let (from, into) = (self.in_dollars(from)?, self.in_dollars(into)?);
            let exact = from * ONE;
            let (down, up) = (exact / into, divided_up(exact, into));
            (divided_up(cost * down, ONE), divided_up(cost * up, ONE))
        };
        let with_margin = |cost: i128| {
            let charge = divided_up(cost * i128::from(1_000 + margin_per_mille), 1_000);
            i64::try_from(charge).ok()
        };
        Some(Charge {
            least_nanos: with_margin(least)?,
            most_nanos: with_margin(most)?,
        })
    }
}

/// The quotient of an amount from 0 and a divisor above 0, rounded up.
fn divided_up(amount: i128, by: i128) -> i128 {
    amount / by + i128::from(amount % by > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> Rates {
        let all = [("EUR", 1_080_000_000), ("IDR", 62_500), ("JPY", 6_600_000)];
        Rates(all.map(|(name, rate)| (name.to_owned(), rate)).into())
    }

    fn charge(nanos: i64, currencies: (&str, &str), margin: u32) -> Option<(i64, i64)> {
        let charge = rates().charge(Micros::new(nanos), currencies, margin)?;
        Some((charge.least_nanos, charge.most_nanos))
    }

    #[test]
    fn what_is_not_converted_is_exact_and_a_margin_is_rounded_up() {
        assert_eq!(
            charge(2_500_001, ("USD", "USD"), 0),
            Some((2_500_001, 2_500_001))
        );
        assert_eq!(charge(1_001, ("SGD", "SGD"), 150), Some((1_152, 1_152)));
        assert_eq!(charge(1_000, ("EUR", "EUR"), 125), Some((1_125, 1_125)));
    }

    #[test]
    fn a_conversion_is_rounded_up_and_a_quotient_leaves_a_range() {
        // A rate with nine places is exact.
        assert_eq!(charge(1_000, ("EUR", "USD"), 0), Some((1_080, 1_080)));
        assert_eq!(
            charge(1_000_001, ("USD", "IDR"), 0),
            Some((16_000_016_000, 16_000_016_000))
        );
        // 1 / 1.08 is 0.925925925…
        assert_eq!(
            charge(1_000_000_000, ("USD", "EUR"), 0),
            Some((925_925_925, 925_925_926))
        );
        assert_eq!(charge(1_000, ("USD", "THB"), 0), None);
    }
}
