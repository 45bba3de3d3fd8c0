//! The oracle's ledger: every bid, and what each campaign must have been charged for it, from the outside.
//!
//! A bill is *sent* when its request is handed to a socket and *acknowledged* when a 2xx came back, each counted once,
//! however often it is repeated. So whatever crashed meanwhile, `acknowledged <= booked <= sent` has to hold; where nothing
//! was lost the two are equal, and so are the books.
//!
//! Where the bidder's campaigns are known (`catalogue`), each bid is also held against its campaign's cap and budget. Only
//! what is certain counts there: impressions acknowledged a while before the request left. What the bidder has promised
//! and nobody billed is unknown here, so the oracle sees less spend than there is, and no alarm is false.

mod accounts;
mod catalogue;
mod charge;
mod file;
mod findings;
mod names;
mod rows;
mod spending;
mod viewers;

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::decimal::Micros;
use accounts::Accounts;
pub use catalogue::{Catalogue, CatalogueError, Terms};
pub use charge::{Charge, Rates};
pub use file::{Account, ChargeAccount, OracleFile, Total};
pub use findings::{Example, Findings};
use rows::{Row, Rows};
use spending::Spending;
use viewers::Viewers;

/// What was acknowledged is known to all of a bidder so long after, in ms: books are written at once, and tables that
/// follow them within milliseconds; a second is far more.
const KNOWN_AFTER_MS: u64 = 1_000;

/// One bid, as the oracle numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(u32);

/// A bid as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The campaign.
    pub campaign: &'a str,
    /// The currency of its price.
    pub currency: &'a str,
    /// What it offers.
    pub price: Micros,
    /// The person's fingerprint, if the bidder may know it.
    pub person: Option<u64>,
    /// When the request left, in ms since 1970.
    pub left_ms: u64,
    /// When the answer was here, in ms since 1970.
    pub answered_ms: u64,
}

/// One impression to be billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The bid: a second bill of it is the same bill.
    pub entry: Entry,
    /// What it costs: a CPM in micros is the cost of one impression in nanos.
    pub price: Micros,
}

/// The ledger while a run goes on.
#[derive(Debug, Default)]
pub struct Oracle {
    catalogue: Catalogue,
    /// What the rows' times count from, in ms since 1970.
    origin_ms: u64,
    rows: Rows,
    accounts: Accounts,
    viewers: Viewers,
    /// By campaign, as `accounts` numbers them.
    spending: Vec<Spending>,
    /// Acknowledged less than [`KNOWN_AFTER_MS`] ago: when, and which row. Holds no more than a second's bills.
    recent: VecDeque<(u64, Entry)>,
    findings: Findings,
}

impl Oracle {
    /// An empty ledger, for campaigns that are known so far, from this moment on (ms since 1970).
    pub fn new(catalogue: Catalogue, now_ms: u64) -> Self {
        Self {
            catalogue,
            origin_ms: now_ms,
            ..Self::default()
        }
    }

    /// A campaign's charges before the run, in nanos of its currency: those of its present day, and all of them.
    pub fn charged_before(&mut self, campaign: &str, today_nanos: i64, total_nanos: i64) {
        let origin_ms = self.origin_ms;
        if let Some(number) = self.accounts.campaign(campaign)
            && let Some(terms) = self.catalogue.terms(campaign).cloned()
        {
            let spending = self.spending(number);
            spending.before(terms.day(origin_ms), today_nanos, total_nanos);
        }
    }

    /// A bid arrived. `None` where there is no room to remember it; the findings count these.
    pub fn bid(&mut self, offer: &Offer<'_>) -> Option<Entry> {
        self.know_until(offer.left_ms.saturating_sub(KNOWN_AFTER_MS));
        let account = self.accounts.account(offer.campaign, offer.currency);
        let Some(account) = account.filter(|_| self.rows.has_room()) else {
            self.findings.forgotten += 1;
            return None;
        };
        let viewer = self.judge(account, offer);
        let left = self.since_origin(offer.left_ms);
        let row = Row::new(offer.price, account, viewer, left);
        Some(Entry(self.rows.push(row)))
    }

    /// A bill is handed to a socket.
    pub fn notice_sent(&mut self, bill: &Bill, now_ms: u64) {
        let now = self.since_origin(now_ms);
        let Some(row) = self.rows.get_mut(bill.entry.0) else {
            return;
        };
        if row.is_sent() {
            return;
        }
        row.sent(bill.price, now);
        let account = row.account;
        let charge = self.charge(account, bill.price);
        self.accounts.sent(account, bill.price, charge);
    }

    /// A bill was answered with a 2xx.
    pub fn notice_acknowledged(&mut self, bill: &Bill, now_ms: u64) {
        self.notice_sent(bill, now_ms);
        let now = self.since_origin(now_ms);
        let Some(row) = self.rows.get_mut(bill.entry.0) else {
            return;
        };
        if row.is_acknowledged() {
            return;
        }
        row.acknowledged(now);
        let (account, price) = (row.account, row.price());
        let charge = self.charge(account, price);
        self.accounts.acknowledged(account, price, charge);
        self.recent.push_back((now_ms, bill.entry));
        self.seen(bill.entry);
    }

    /// What each currency's acknowledged bills cost.
    pub fn spend(&self) -> BTreeMap<&str, Total> {
        self.accounts.spend()
    }

    /// Bids that ought not to have been made.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// How many bids it holds.
    pub fn bids(&self) -> u64 {
        self.rows.count()
    }

    /// How much memory its tables take, in bytes. Allocators round up beyond that.
    pub fn bytes(&self) -> u64 {
        let names = u64::try_from(self.spending.len()).unwrap_or(0) * 512;
        self.rows.bytes() + self.viewers.bytes() + names
    }

    /// The ledger as a file.
    pub fn file(&self) -> OracleFile {
        self.accounts.file()
    }

    /// Holds a bid against its campaign's cap and budget; says which viewer it is for, where that matters.
    fn judge(&mut self, account: u32, offer: &Offer<'_>) -> Option<u32> {
        let terms = self.catalogue.terms(offer.campaign)?.clone();
        let number = self.accounts.campaign_of(account)?;
        if let Some(charge) = terms.charge(offer.price, offer.currency)
            && let Some(what) = self.spending(number).is_over(&terms, offer, charge)
        {
            self.findings
                .over_budget
                .add(|| format!("{}: {what}", offer.campaign));
        }
        let cap = terms.cap.as_ref()?;
        let Some(person) = offer.person else {
            self.findings.unknown_person.add(|| {
                let campaign = offer.campaign;
                format!("{campaign}: has a cap, and nobody can tell who it was shown to")
            });
            return None;
        };
        let viewer = self.viewers.viewer(number, person)?;
        let (left, answered) = (
            self.since_origin(offer.left_ms.saturating_sub(KNOWN_AFTER_MS)),
            self.since_origin(offer.answered_ms),
        );
        let is_known =
            |row: &Row| row.acknowledged <= left && row.sent_within(cap.within_ms, answered);
        let seen = self
            .viewers
            .count(viewer, &self.rows, (cap, answered), is_known);
        if seen >= cap.impressions {
            self.findings.capped_bids.add(|| {
                let (campaign, most) = (offer.campaign, cap.impressions);
                format!("{campaign}: a bid for somebody who has seen it {seen} times of {most}")
            });
        }
        Some(viewer)
    }

    /// An impression counts from now on; above the cap it must not be. One billed after its bid's promise has lapsed
    /// may be, since nobody could foresee it.
    fn seen(&mut self, entry: Entry) {
        let Some(row) = self.rows.get(entry.0).copied() else {
            return;
        };
        let Some(viewer) = row.viewer() else { return };
        let campaign = self.accounts.name_of(row.account).unwrap_or_default();
        let terms = self.catalogue.terms(campaign);
        let cap = terms.and_then(|terms| terms.cap.as_ref());
        self.viewers.seen(viewer, entry.0, &mut self.rows);
        let Some(cap) = cap else { return };
        let hold_ms = self.catalogue.hold_ms;
        if row.is_late(hold_ms) {
            return;
        }
        let now = row.acknowledged;
        let counts = |other: &Row| !other.is_late(hold_ms) && other.sent_within(cap.within_ms, now);
        let seen = self.viewers.count(viewer, &self.rows, (cap, now), counts);
        if seen > cap.impressions {
            self.findings.capped_impressions.add(|| {
                let most = cap.impressions;
                format!("{campaign}: impression {seen} of {most} for one person")
            });
        }
    }

    /// Counts what was acknowledged up to then as spent.
    fn know_until(&mut self, until_ms: u64) {
        while let Some((at_ms, entry)) = self.recent.front().copied() {
            if at_ms > until_ms {
                break;
            }
            self.recent.pop_front();
            let Some(row) = self.rows.get(entry.0).copied() else {
                continue;
            };
            let Some(campaign) = self.accounts.name_of(row.account) else {
                continue;
            };
            // A bill after its promise has lapsed may exceed a budget: the money had been promised again.
            if row.is_late(self.catalogue.hold_ms) {
                continue;
            }
            let Some(terms) = self.catalogue.terms(campaign).cloned() else {
                continue;
            };
            let left_ms = self.origin_ms + u64::from(row.left);
            let charge = self.charge(row.account, row.price());
            if let Some(number) = self.accounts.campaign_of(row.account)
                && let Some(charge) = charge
            {
                self.spending(number).spent(&terms, left_ms, charge);
            }
        }
    }

    fn charge(&self, account: u32, price: Micros) -> Option<Charge> {
        let (campaign, currency) = self.accounts.names_of(account)?;
        self.catalogue.terms(campaign)?.charge(price, currency)
    }

    fn spending(&mut self, campaign: u32) -> &mut Spending {
        let place = usize::try_from(campaign).unwrap_or(0);
        if self.spending.len() <= place {
            self.spending.resize_with(place + 1, Spending::default);
        }
        // Just made longer.
        #[expect(clippy::indexing_slicing, reason = "the line above makes room")]
        &mut self.spending[place]
    }

    /// Times of rows are ms since the run began: 49 days of them.
    fn since_origin(&self, at_ms: u64) -> u32 {
        u32::try_from(at_ms.saturating_sub(self.origin_ms)).unwrap_or(rows::LATEST)
    }
}

/// 64 bits of a hash. Two of ten million things share them with a chance of one in 300,000.
pub fn fingerprint(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
