//! What a notice does to money: one state machine per (bid, imp), whatever the order, number or lateness of notices.
//!
//! ```text
//!            win                     billing event
//!   Open ──────────▶ Won ───────────────────────────▶ WonAndBilled
//!    │ │                                                   ▲
//!    │ └───────────── billing event ───────▶ Billed ───win─┘
//!    └── loss ──▶ Lost ── win, billing event: the exchange took its loss back ──▶ Won, Billed
//!
//!   a promise that nobody settles lapses by time; a later bill is still booked
//! ```
//!
//! Wins and bills are durable before their 2xx; a loss is not, it only frees money sooner. Transport is
//! `notice_listener`; the journal decides last, so that twice is once also over a crash. Pure.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::time::Duration;

use super::token::{BillingEvent, Token};
use crate::units::{Cpm, Nanos, UnixMillis};

/// How long after a bid its notices are taken: a week. Exchanges settle within days; the store remembers as long.
pub const HORIZON: Duration = Duration::from_hours(7 * 24);

/// What is known of an impression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing was heard.
    #[default]
    Open,
    /// It lost; its promise was freed.
    Lost,
    /// It won.
    Won,
    /// It is paid for, and no win was heard.
    Billed,
    /// It won and is paid for.
    WonAndBilled,
}

/// What an exchange or a browser tells us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// `nurl` was called.
    Win(Reported),
    /// `burl` was called.
    Bill(Reported),
    /// `lurl` was called.
    Loss,
    /// The impression pixel, VAST impression or native event tracker in our markup was called.
    Impression(Reported),
    /// The ad was clicked.
    Click,
}

/// A clearing price as it arrived where `${AUCTION_PRICE}` stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// A price, in the bid's currency; zero is one, negative ones are not.
    Price(Cpm),
    /// Nothing, or the macro itself, or `UNKNOWN`.
    Missing,
    /// Something that is no price: NaN, below zero, not a number.
    Unreadable,
    /// `AUDIT`: the ad was rendered to be looked at, not sold.
    Audit,
}

/// What a notice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Book the win.
    Win(Amounts),
    /// Book the bill.
    Bill(Amounts),
    /// Free the promise.
    Release,
    /// Acknowledge it; nothing changes.
    Nothing(Reason),
    /// Refuse it.
    Refused(Refusal),
}

/// What an impression costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// The clearing price, in the bid's currency.
    pub price: Cpm,
    /// What the exchange is owed, in the bid's currency.
    pub cost: Nanos,
    /// What the advertiser pays, in the campaign's currency.
    pub charge: Nanos,
    /// Why the price is not the one that was reported.
    pub doubt: Option<Doubt>,
}

/// Why a price was not taken as reported. The bill is booked at the price of our bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It was missing.
    Missing,
    /// It could not be read.
    Unreadable,
    /// It was above our bid.
    AboveBid,
}

/// Why nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was told before.
    Duplicate,
    /// It is worth knowing, but no money.
    Noted,
    /// The request was a test.
    Test,
    /// The ad was rendered for an audit.
    Audit,
    /// A loss after a win or a bill: the money stays where it is.
    Contradiction,
    /// A loss when the promise has lapsed by itself: nothing is left to be freed, and what it says is stale.
    Late,
}

/// Why a notice is refused. Trying again does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bid is older than [`HORIZON`], so that nobody knows any more whether it was settled.
    #[error("the bid is too old")]
    PastHorizon,
    /// The amounts do not fit in what we count with.
    #[error("the amount is out of range")]
    OutOfRange,
}

impl Reason {
    /// A label for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Noted => "noted",
            Self::Test => "test",
            Self::Audit => "audit",
            Self::Contradiction => "contradiction",
            Self::Late => "late",
        }
    }
}

impl Doubt {
    /// A label for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::AboveBid => "above_bid",
        }
    }
}

impl State {
    /// The state after a verdict was carried out.
    #[must_use]
    pub const fn after(self, verdict: &Verdict) -> Self {
        match (self, verdict) {
            (Self::Open | Self::Lost, Verdict::Win(_)) => Self::Won,
            (Self::Open | Self::Lost, Verdict::Bill(_)) => Self::Billed,
            (Self::Won, Verdict::Bill(_)) | (Self::Billed, Verdict::Win(_)) => Self::WonAndBilled,
            (Self::Open, Verdict::Release) => Self::Lost,
            (state, _) => state,
        }
    }

    const fn is_won(self) -> bool {
        matches!(self, Self::Won | Self::WonAndBilled)
    }

    const fn is_billed(self) -> bool {
        matches!(self, Self::Billed | Self::WonAndBilled)
    }
}

/// Decides what a notice does to an impression in this state.
pub fn settle(state: State, notice: Notice, token: &Token, now: UnixMillis) -> Verdict {
    if token.test {
        return Verdict::Nothing(Reason::Test);
    }
    let horizon_ms = i64::try_from(HORIZON.as_millis()).unwrap_or(i64::MAX);
    if now.get().saturating_sub(token.bid_at.get()) > horizon_ms {
        return Verdict::Refused(Refusal::PastHorizon);
    }
    match notice {
        Notice::Win(Reported::Audit)
        | Notice::Bill(Reported::Audit)
        | Notice::Impression(Reported::Audit) => Verdict::Nothing(Reason::Audit),
        Notice::Win(price) if token.billing == BillingEvent::WinNotice => bill(state, price, token),
        Notice::Win(_) if state.is_won() => Verdict::Nothing(Reason::Duplicate),
        Notice::Win(price) => {
            amounts(price, token).map_or(Verdict::Refused(Refusal::OutOfRange), Verdict::Win)
        }
        Notice::Bill(price) if token.billing == BillingEvent::BillingNotice => {
            bill(state, price, token)
        }
        Notice::Impression(price) if token.billing == BillingEvent::Impression => {
            bill(state, price, token)
        }
        Notice::Loss => match state {
            State::Open => Verdict::Release,
            State::Lost => Verdict::Nothing(Reason::Duplicate),
            State::Won | State::Billed | State::WonAndBilled => {
                Verdict::Nothing(Reason::Contradiction)
            }
        },
        Notice::Bill(_) | Notice::Impression(_) | Notice::Click => Verdict::Nothing(Reason::Noted),
    }
}

fn bill(state: State, price: Reported, token: &Token) -> Verdict {
    if state.is_billed() {
        return Verdict::Nothing(Reason::Duplicate);
    }
    amounts(price, token).map_or(Verdict::Refused(Refusal::OutOfRange), Verdict::Bill)
}

/// Cost and charge at the reported price, or at our bid where that cannot be trusted. Rounded up, once each.
fn amounts(reported: Reported, token: &Token) -> Option<Amounts> {
    let (price, doubt) = match reported {
        Reported::Price(price) if price > token.price_max => {
            (token.price_max, Some(Doubt::AboveBid))
        }
        Reported::Price(price) => (price, None),
        Reported::Missing | Reported::Audit => (token.price_max, Some(Doubt::Missing)),
        Reported::Unreadable => (token.price_max, Some(Doubt::Unreadable)),
    };
    let cost = price.per_impression();
    let charge = cost
        .convert(token.rate)?
        .with_margin(u32::from(token.margin_per_mille))?;
    Some(Amounts {
        price,
        cost,
        charge,
        doubt,
    })
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers written out")]
pub(super) mod tests;
