//! What an exchange reports back: wins, bills, impressions, clicks and losses; some twice, some late, some in the wrong
//! order, some never, and some that nobody owes: forged.
//!
//! Here is the plan of an auction's notices, which is pure; `desk` sends them.

mod desk;
mod forgery;
mod later;
mod macros;
mod price_cipher;

pub use desk::{Desk, NoticeTally};
pub use price_cipher::PriceKeys;

use crate::auction::{Decided, End};
use crate::oracle::{Bill, Entry};
use crate::rng::Rng;
use crate::scenario;
use crate::traffic::Asked;
use macros::{Macros, Outcome};

/// One notice to be sent.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What it reports.
    pub kind: NoticeKind,
    /// Where, with macros replaced.
    pub url: String,
    /// After how long, in ms from the end of the auction.
    pub after_ms: u64,
    /// Whether and how it is sent.
    pub fate: Fate,
    /// What it bills, if it is the event that bills.
    pub bill: Option<Bill>,
}

/// Whether a notice is sent, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Once, and again only where it is not acknowledged.
    Once,
    /// Once more after it was acknowledged.
    Twice,
    /// Never: lost on the way.
    Never,
}

/// What a notice reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// A win (`nurl`).
    Win,
    /// A billable event (`burl`).
    Billing,
    /// The markup was shown.
    Impression,
    /// It was clicked.
    Click,
    /// A loss (`lurl`).
    Loss,
    /// A bill whose token was altered: nobody owes it, and nothing may be booked for it.
    Forged,
}

impl NoticeKind {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Win => "win",
            Self::Billing => "billing",
            Self::Impression => "impression",
            Self::Click => "click",
            Self::Loss => "loss",
            Self::Forged => "forged",
        }
    }
}

/// The sale that a bid took part in.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    /// What was asked.
    pub asked: &'a Asked,
    /// The keys with which its exchange encrypts prices.
    pub keys: Option<&'a PriceKeys>,
    /// When the auction ended, in ms since 1970.
    pub ended_ms: u64,
    /// The bid, as the oracle knows it; without it no bill is kept.
    pub entry: Option<Entry>,
}

/// The notices of a decided bid. Each says when it falls due.
pub fn plan(
    settings: &scenario::Notices,
    sale: &Sale<'_>,
    decided: &Decided<'_>,
    rng: &mut Rng,
) -> Vec<Notice> {
    // Nothing of a test is billable, so nothing of it is reported.
    if sale.asked.is_test {
        return Vec::new();
    }
    let outcome = match decided.end {
        End::Won(price) => Outcome { price, loss: 0 },
        End::Lost(loss) => Outcome {
            price: loss.to,
            loss: loss.reason.code(),
        },
    };
    let macros = Macros::new(sale, decided, outcome, rng);
    let mut planner = Planner {
        settings,
        rng,
        notices: Vec::new(),
    };
    match decided.end {
        End::Won(_) => planner.won(sale.entry, decided, &macros),
        End::Lost(_) => {
            let after = planner.delay(settings.win_delay_ms);
            let urls = decided.bid.loss_notice.as_deref().into_iter();
            planner.add(NoticeKind::Loss, urls, &macros, after);
        }
    }
    planner.forge(decided, &macros);
    planner.notices
}

struct Planner<'a> {
    settings: &'a scenario::Notices,
    rng: &'a mut Rng,
    notices: Vec<Notice>,
}

/// When each is reported, in ms from the end of the auction.
struct Moments {
    win: u64,
    billing: u64,
    impression: u64,
}

impl Planner<'_> {
    fn won(&mut self, entry: Option<Entry>, decided: &Decided<'_>, macros: &Macros<'_>) {
        let bid = &decided.bid;
        let at = self.moments();
        self.add(
            NoticeKind::Win,
            bid.win_notice.as_deref().into_iter(),
            macros,
            at.win,
        );
        let billing = bid.billing_notice.as_deref().into_iter();
        self.add(NoticeKind::Billing, billing, macros, at.billing);
        let impressions = bid.trackers.impressions.iter().map(String::as_str);
        self.add(NoticeKind::Impression, impressions, macros, at.impression);
        if self.rng.chance(self.settings.click_share) {
            let clicks = bid.trackers.clicks.iter().map(String::as_str);
            self.add(NoticeKind::Click, clicks, macros, at.impression);
        }
        if let Some(entry) = entry
            && let Some(notice) = billing_event(&mut self.notices)
        {
            notice.bill = Some(Bill {
                entry,
                price: macros.price(),
            });
        }
    }

    /// The usual order is win, then bill and impression together.
    fn moments(&mut self) -> Moments {
        let win = self.delay(self.settings.win_delay_ms);
        let mut shown = win + self.delay(self.settings.billing_delay_ms);
        if self.rng.chance(self.settings.late_share) {
            shown += self.settings.late_ms;
        }
        if self.rng.chance(self.settings.very_late_share) {
            shown += self.settings.very_late_ms;
        }
        let mut moments = Moments {
            win,
            billing: shown,
            impression: shown,
        };
        if self.rng.chance(self.settings.impression_first_share) {
            moments.billing = shown + self.after();
        }
        if self.rng.chance(self.settings.billing_first_share) {
            moments.win = moments.billing + self.after();
        }
        moments
    }

    /// How long after the other one, in ms, a notice comes that is too late for its place.
    fn after(&mut self) -> u64 {
        self.delay(self.settings.win_delay_ms).max(1)
    }

    /// Somebody sends a bill that nobody owes.
    fn forge(&mut self, decided: &Decided<'_>, macros: &Macros<'_>) {
        if !self.rng.chance(self.settings.forged_share) {
            return;
        }
        let bid = &decided.bid;
        let trackers = bid.trackers.impressions.iter().map(String::as_str);
        let own = trackers
            .filter(|url| is_own_tracker(url))
            .chain(bid.win_notice.as_deref());
        let after_ms = self.delay(self.settings.billing_delay_ms);
        for url in bid.billing_notice.as_deref().into_iter().chain(own) {
            if let Some(url) = forgery::forged(&macros.replace(url), self.rng) {
                self.notices.push(Notice {
                    kind: NoticeKind::Forged,
                    url,
                    after_ms,
                    fate: Fate::Once,
                    bill: None,
                });
            }
        }
    }

    fn add<'u>(
        &mut self,
        kind: NoticeKind,
        urls: impl Iterator<Item = &'u str>,
        macros: &Macros<'_>,
        after_ms: u64,
    ) {
        for url in urls {
            let fate = if self.rng.chance(self.settings.lost_share) {
                Fate::Never
            } else if self.rng.chance(self.settings.duplicate_share) {
                Fate::Twice
            } else {
                Fate::Once
            };
            self.notices.push(Notice {
                kind,
                url: macros.replace(url),
                after_ms,
                fate,
                bill: None,
            });
        }
    }

    fn delay(&mut self, (shortest, longest): (u64, u64)) -> u64 {
        self.rng.between(shortest, longest)
    }
}

/// What bills: the billing notice where there is one, else the bidder's own impression tracker, else the win notice.
fn billing_event(notices: &mut [Notice]) -> Option<&mut Notice> {
    let is_own =
        |notice: &Notice| notice.kind == NoticeKind::Impression && is_own_tracker(&notice.url);
    let place = notices
        .iter()
        .position(|notice| notice.kind == NoticeKind::Billing)
        .or_else(|| notices.iter().position(is_own))
        .or_else(|| {
            notices
                .iter()
                .position(|notice| notice.kind == NoticeKind::Win)
        })?;
    notices.get_mut(place)
}

/// Whether a tracker in the markup is the bidder's own.
fn is_own_tracker(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    path.ends_with("/imp")
}

#[cfg(test)]
mod tests;
