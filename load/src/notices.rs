//! What an exchange reports back: wins, bills, impressions, clicks and losses; some twice, some late, some never.
//!
//! Here is the plan of an auction's notices, which is pure; `desk` sends them.

mod desk;
mod macros;

pub use desk::{Desk, NoticeTally};

use crate::auction::{Decided, End};
use crate::decimal::Micros;
use crate::oracle::Bill;
use crate::rng::Rng;
use crate::scenario;
use crate::traffic::Asked;
use macros::Macros;

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
        }
    }
}

/// The loss code of a bid that another one beat.
const LOST_TO_HIGHER_BID: u32 = 102;

/// The notices of a decided bid, in the order they fall due.
pub fn plan(
    settings: &scenario::Notices,
    asked: &Asked,
    decided: &Decided,
    rng: &mut Rng,
) -> Vec<Notice> {
    // Nothing of a test is billable, so nothing of it is reported.
    if asked.is_test {
        return Vec::new();
    }
    let imp_id = asked.imps.get(decided.bid.imp);
    let imp_id = imp_id.map_or("", |imp| imp.id.as_str());
    let mut planner = Planner {
        settings,
        rng,
        notices: Vec::new(),
    };
    match decided.end {
        End::Won(clearing) => planner.won(asked, imp_id, decided, clearing),
        End::Lost(to) => {
            let macros = Macros::new(asked, imp_id, decided, to, LOST_TO_HIGHER_BID);
            let after = planner.delay(settings.win_delay_ms);
            let urls = decided.bid.loss_notice.iter();
            planner.add(NoticeKind::Loss, urls, &macros, after);
        }
    }
    planner.notices
}

struct Planner<'a> {
    settings: &'a scenario::Notices,
    rng: &'a mut Rng,
    notices: Vec<Notice>,
}

impl Planner<'_> {
    fn won(&mut self, asked: &Asked, imp_id: &str, decided: &Decided, clearing: Micros) {
        let bid = &decided.bid;
        let macros = Macros::new(asked, imp_id, decided, clearing, 0);
        let win_after = self.delay(self.settings.win_delay_ms);
        self.add(NoticeKind::Win, bid.win_notice.iter(), &macros, win_after);
        let mut shown_after = win_after + self.delay(self.settings.billing_delay_ms);
        if self.rng.chance(self.settings.late_share) {
            shown_after += self.settings.late_ms;
        }
        let billing = bid.billing_notice.iter();
        self.add(NoticeKind::Billing, billing, &macros, shown_after);
        let impressions = bid.trackers.impressions.iter();
        self.add(NoticeKind::Impression, impressions, &macros, shown_after);
        if self.rng.chance(self.settings.click_share) {
            let clicks = bid.trackers.clicks.iter();
            self.add(NoticeKind::Click, clicks, &macros, shown_after);
        }
        let bill = Bill {
            key: (bid.id.clone(), imp_id.to_owned()),
            campaign: bid.campaign.clone(),
            currency: bid.currency.clone(),
            price: clearing,
        };
        if let Some(notice) = billing_event(&mut self.notices) {
            notice.bill = Some(bill);
        }
    }

    fn add<'u>(
        &mut self,
        kind: NoticeKind,
        urls: impl Iterator<Item = &'u String>,
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
    let is_own = |notice: &Notice| {
        let path = notice.url.split('?').next().unwrap_or_default();
        notice.kind == NoticeKind::Impression && path.ends_with("/imp")
    };
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

#[cfg(test)]
mod tests;
