//! The end of a run: the bidder's books beside the oracle's ledger, and what forged notices did to them.

use serde_json::{Value, json};

use super::{Books, BooksRule, Finding, Row, compare, text};
use crate::oracle::OracleFile;

/// What the books show.
#[derive(Clone, Debug)]
pub struct Reckoning {
    /// How well they have to agree.
    pub rule: BooksRule,
    /// One for each campaign and currency, and for each campaign's charge.
    pub rows: Vec<Row>,
    /// Impressions and wins that were booked and never truly reported.
    pub invented: u64,
    /// Why they cannot be compared.
    pub unreadable: Option<String>,
}

impl Reckoning {
    /// Compares the books, less what was in them before, with the ledger.
    pub fn new(rule: BooksRule, (books, before): (&Books, &Books), oracle: &OracleFile) -> Self {
        Self {
            rule,
            rows: compare(books, before, oracle),
            invented: invented((books, before), oracle),
            unreadable: None,
        }
    }

    /// Books that could not be read.
    pub fn unreadable(rule: BooksRule, why: String) -> Self {
        Self {
            rule,
            rows: Vec::new(),
            invented: 0,
            unreadable: Some(why),
        }
    }

    /// Whether all is as it has to be.
    pub fn is_right(&self) -> bool {
        self.wrong() == 0 && self.invented == 0
    }

    /// How many rows are wrong. Books that cannot be read are.
    pub fn wrong(&self) -> u64 {
        let is_wrong = |row: &&Row| row.finding_by(self.rule) != Finding::Right;
        let rows = self.rows.iter().filter(is_wrong).count();
        u64::try_from(rows).unwrap_or(u64::MAX) + u64::from(self.unreadable.is_some())
    }

    /// For people: the rows that are wrong, and how many are right.
    pub fn text(&self) -> String {
        if let Some(why) = &self.unreadable {
            return format!("books      cannot be read: {why}\n");
        }
        let name = match self.rule {
            BooksRule::Exact => "booked by the bidder = booked by the oracle, to the nano",
            BooksRule::Bounded => "acknowledged <= booked <= sent",
        };
        let right = self.rows.len() - usize::try_from(self.wrong()).unwrap_or(0);
        let mut all = format!("books      {name}: {right} of {} right\n", self.rows.len());
        if self.wrong() > 0 {
            all.push_str(&text::write(&self.rows, self.rule));
        }
        all
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "campaign": row.campaign,
                "currency": row.currency,
                "acknowledged_nanos": row.acknowledged,
                "booked_nanos": row.booked,
                "sent_nanos": row.sent,
                "slack_nanos": row.slack,
                "right": row.finding_by(self.rule) == Finding::Right,
            })
        };
        json!({
            "exact": self.rule == BooksRule::Exact,
            "unreadable": self.unreadable,
            "invented": self.invented,
            "wrong": self.wrong(),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

/// Impressions above those whose bill was ever sent. Where the bidder does not count impressions, a campaign for which
/// more is booked than was sent counts as one.
fn invented((books, before): (&Books, &Books), oracle: &OracleFile) -> u64 {
    if books.impressions.is_empty() {
        let rows = compare(books, before, oracle);
        let is_over = |row: &&Row| row.finding() == Finding::Over;
        return u64::try_from(rows.iter().filter(is_over).count()).unwrap_or(u64::MAX);
    }
    let beyond = |(campaign, count): (&String, &u64)| {
        let earlier = before.impressions.get(campaign).copied().unwrap_or(0);
        let accounts = oracle.accounts.iter();
        let own = accounts.filter(|account| account.campaign == *campaign);
        let sent: u64 = own.map(|account| account.sent.count).sum();
        count.saturating_sub(earlier).saturating_sub(sent)
    };
    books.impressions.iter().map(beyond).sum()
}
