//! What currencies are worth, so that a campaign of one may bid in another.
//!
//! Every rate is against the US dollar, which is always worth itself. A currency without a rate is not dealt in.

use crate::units::{Currency, Rate};

/// Rates of exchange, as of whenever they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Sorted by currency.
    in_dollars: Vec<(Currency, Rate)>,
}

impl Rates {
    /// Rates from what one unit of each currency is worth in US dollars. Of two for one currency the first counts, and
    /// whatever is said of the dollar does not.
    pub fn new(in_dollars: impl IntoIterator<Item = (Currency, Rate)>) -> Self {
        let dollar = std::iter::once((Currency::USD, Rate::ONE));
        let mut all: Vec<_> = dollar.chain(in_dollars).collect();
        all.sort_by_key(|(currency, _)| *currency);
        all.dedup_by_key(|(currency, _)| *currency);
        Self { in_dollars: all }
    }

    /// What one unit of a currency is worth in US dollars.
    pub fn in_dollars(&self, currency: Currency) -> Option<Rate> {
        let place = self
            .in_dollars
            .binary_search_by_key(&currency, |(known, _)| *known)
            .ok()?;
        self.in_dollars.get(place).map(|(_, rate)| *rate)
    }

    /// What one unit of `from` is worth in `to`.
    pub fn between(&self, from: Currency, to: Currency) -> Option<Rate> {
        if from == to {
            return Some(Rate::ONE);
        }
        self.in_dollars(from)?.over(self.in_dollars(to)?)
    }
}

impl Default for Rates {
    /// The dollar alone.
    fn default() -> Self {
        Self::new([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_without_a_rate_is_not_dealt_in() {
        let eur = Currency::parse("EUR").unwrap();
        let sgd = Currency::parse("SGD").unwrap();
        let rate = |billionths| Rate::from_billionths(billionths).unwrap();
        let rates = Rates::new([
            (eur, rate(1_080_000_000)),
            (Currency::USD, rate(7)),
            (eur, rate(5)),
        ]);
        assert_eq!(rates.between(eur, Currency::USD), Some(rate(1_080_000_000)));
        assert_eq!(rates.in_dollars(Currency::USD), Some(Rate::ONE));
        assert_eq!(rates.between(sgd, Currency::USD), None);
        assert_eq!(rates.between(sgd, sgd), Some(Rate::ONE));
        assert_eq!(rates.between(Currency::USD, eur), Some(rate(925_925_926)));
    }
}
