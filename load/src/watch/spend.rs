//! What a bidder says that it booked, over time, beside an even pace of its daily budgets.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// Points of a plot of spend.
const SAMPLES: u32 = 600;
/// Campaigns that are told apart; with more, only the sums are kept.
const CAMPAIGNS_MAX: usize = 1_000;
const SECONDS_A_DAY: i128 = 86_400;

/// Between two looks, so that a run of any length has at most so many samples.
pub(super) fn step(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds.div_ceil(SAMPLES).max(2)))
}

/// What was booked, over time.
#[derive(Clone, Debug, Default)]
pub struct Spend {
    /// Samples, in order.
    pub samples: Vec<SpendSample>,
    /// The campaigns at the first look and at the last.
    pub campaigns: BTreeMap<String, CampaignSpend>,
}

/// What was booked by one instant: nanos by currency, since the first look.
#[derive(Clone, Debug, Default)]
pub struct SpendSample {
    /// From the first request.
    pub at: Duration,
    /// Charged to advertisers.
    pub billed_nanos: BTreeMap<String, i128>,
    /// What an even pace of the daily budgets would have charged since the first look.
    pub even_nanos: BTreeMap<String, i128>,
}

/// One campaign.
#[derive(Clone, Debug, Default)]
pub struct CampaignSpend {
    /// The currency of the amounts.
    pub currency: String,
    /// Its budget for a day, in nanos.
    pub budget_daily_nanos: i64,
    /// What it had been billed at the first look, in nanos.
    pub first_nanos: i64,
    /// At the last look.
    pub last_nanos: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Page {
    List(Vec<Row>),
    Object { campaigns: Vec<Row> },
}

/// A campaign on the page, which has more fields than these.
#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    billed_nanos: i64,
    #[serde(default)]
    budget_daily_nanos: i64,
    #[serde(default)]
    offered: bool,
}

impl CampaignSpend {
    /// What share of a day's budget was billed since the first look.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share is shown with a few digits"
    )]
    pub fn day_share(&self) -> f64 {
        let billed = self.last_nanos.saturating_sub(self.first_nanos);
        if self.budget_daily_nanos <= 0 {
            return 0.0;
        }
        billed as f64 / self.budget_daily_nanos as f64
    }
}

impl Spend {
    /// Reads a page; one that cannot be read is not counted.
    pub fn add(&mut self, at: Duration, page: &[u8]) {
        let Ok(Page::List(rows) | Page::Object { campaigns: rows }) = serde_json::from_slice(page)
        else {
            return;
        };
        let since = self
            .samples
            .first()
            .map_or(Duration::ZERO, |first| at.saturating_sub(first.at));
        let millis = i128::try_from(since.as_millis()).unwrap_or(i128::MAX);
        let mut sample = SpendSample {
            at,
            ..SpendSample::default()
        };
        for row in rows.iter().take(CAMPAIGNS_MAX) {
            let campaign = self
                .campaigns
                .entry(row.id.clone())
                .or_insert_with(|| CampaignSpend {
                    currency: row.currency.clone(),
                    budget_daily_nanos: row.budget_daily_nanos,
                    first_nanos: row.billed_nanos,
                    last_nanos: row.billed_nanos,
                });
            campaign.last_nanos = row.billed_nanos;
            let billed = i128::from(row.billed_nanos) - i128::from(campaign.first_nanos);
            *sample.billed_nanos.entry(row.currency.clone()).or_default() += billed;
            if row.offered {
                let even = i128::from(row.budget_daily_nanos) * millis / (SECONDS_A_DAY * 1_000);
                *sample.even_nanos.entry(row.currency.clone()).or_default() += even;
            }
        }
        self.samples.push(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spend_counts_from_the_first_look_beside_an_even_pace() {
        let page = |billed: i64| {
            format!(
                "{{\"campaigns\":[{{\"id\":\"a\",\"currency\":\"USD\",\"billed_nanos\":{billed},\
                 \"budget_daily_nanos\":86400,\"offered\":true,\"more\":1}}]}}"
            )
        };
        let mut spend = Spend::default();
        spend.add(Duration::from_secs(10), page(500).as_bytes());
        spend.add(Duration::from_secs(40), page(700).as_bytes());
        spend.add(Duration::from_secs(41), b"not a page");
        assert_eq!(spend.samples.len(), 2);
        assert_eq!(spend.samples[0].billed_nanos["USD"], 0);
        assert_eq!(spend.samples[1].billed_nanos["USD"], 200);
        assert_eq!(spend.samples[1].even_nanos["USD"], 30);
        assert_eq!(spend.campaigns["a"].last_nanos, 700);
    }

    #[test]
    fn a_day_has_no_more_samples_than_a_plot_has_points() {
        assert_eq!(step(30), Duration::from_secs(2));
        assert_eq!(step(86_400), Duration::from_secs(144));
    }
}
