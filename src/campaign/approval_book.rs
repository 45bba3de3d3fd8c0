//! What is known of approvals and from whom: an operator's word, and losses that name a creative as the reason.
//!
//! An operator's word stands until an operator takes it back. What losses say is weaker: anybody who holds a bid's token can
//! tell of a loss, and an exchange can be wrong for a while. So a creative counts as rejected when [`REFUSALS`] different
//! bids with it were refused as disapproved and none was sold in between, and only for [`REJECTED_FOR`]: then it is bid
//! again, which is how it is asked again. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::approval::{Approval, Approvals};
use crate::units::{BidId, CreativeKey, ExchangeKey, UnixMillis};

/// Different bids that must have been refused: one may be a slip or a forgery by somebody who saw one ad, five in a row
/// without a sale are what a disapproved creative looks like, and cost nothing but five lost auctions.
pub const REFUSALS: usize = 5;
/// How long refusals are remembered while they are fewer.
pub const REMEMBERED_FOR: Duration = Duration::from_hours(24);
/// How long losses keep a creative from being bid: reviews are answered within a day, and asking anew costs five bids.
pub const REJECTED_FOR: Duration = Duration::from_hours(24);
/// Judgements that are kept: every creative of a large catalogue on one exchange; some 100 bytes each.
pub const JUDGEMENTS_MAX: usize = 100_000;
/// Creatives whose refusals are counted at one time. More are not counted, and go on bidding.
pub const TALLIES_MAX: usize = 10_000;

/// A creative on an exchange.
pub type Place = (ExchangeKey, CreativeKey);

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An operator.
    Operator,
    /// Losses.
    Losses,
}

/// What is known of a creative on an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What the exchange thinks of it.
    pub approval: Approval,
    /// Who said so.
    pub source: Source,
    /// When.
    pub at: UnixMillis,
    /// Until when it counts; for ever if absent.
    pub until: Option<UnixMillis>,
}

/// All judgements. They are kept over restarts, and counts of refusals are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalBook {
    judged: BTreeMap<Place, Judgement>,
    tallies: BTreeMap<Place, Tally>,
}

/// Refusals on the way to a judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tally {
    since: UnixMillis,
    bids: Vec<BidId>,
}

/// There is no room for another judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{JUDGEMENTS_MAX} judgements are known already; set some that are not needed to `unknown`")]
pub struct Full;

impl Source {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Losses => "losses",
        }
    }
}

impl ApprovalBook {
    /// A book with what was known before; of more than [`JUDGEMENTS_MAX`] the rest is left out.
    pub fn of(known: impl IntoIterator<Item = (Place, Judgement)>) -> Self {
        Self {
            judged: known.into_iter().take(JUDGEMENTS_MAX).collect(),
            tallies: BTreeMap::new(),
        }
    }

    /// An operator says what an exchange thinks; `None` to forget everything that is known of it.
    ///
    /// # Errors
    /// [`Full`].
    pub fn say(
        &mut self,
        place: Place,
        approval: Option<Approval>,
        now: UnixMillis,
    ) -> Result<(), Full> {
        match approval {
            None => {
                self.judged.remove(&place);
            }
            Some(_) if self.is_full(place) => return Err(Full),
            Some(approval) => {
                let judgement = Judgement {
                    approval,
                    source: Source::Operator,
                    at: now,
                    until: None,
                };
                self.judged.insert(place, judgement);
            }
        }
        self.tallies.remove(&place);
        Ok(())
    }

    /// A bid was lost since the exchange disapproves of its creative. Says whether the creative is rejected from now on.
    pub fn refused(&mut self, place: Place, bid: BidId, now: UnixMillis) -> bool {
        // What is judged already was bid before; and nobody overrules an operator.
        if self.judged.contains_key(&place) || self.is_full(place) {
            return false;
        }
        if !self.tallies.contains_key(&place) && self.tallies.len() >= TALLIES_MAX {
            return false;
        }
        let tally = self.tallies.entry(place).or_insert_with(|| Tally {
            since: now,
            bids: Vec::with_capacity(REFUSALS),
        });
        if !tally.bids.contains(&bid) {
            tally.bids.push(bid);
        }
        if tally.bids.len() < REFUSALS {
            return false;
        }
        self.tallies.remove(&place);
        let judgement = Judgement {
            approval: Approval::Rejected,
            source: Source::Losses,
            at: now,
            until: Some(later(now, REJECTED_FOR)),
        };
        self.judged.insert(place, judgement);
        true
    }

    /// The exchange sold an impression to the creative, or says that it still looks at it: refusals before that do not
    /// count.
    pub fn begin_anew(&mut self, place: Place) {
        self.tallies.remove(&place);
    }

    /// Forgets what does not count any more. Says whether a judgement went.
    pub fn expire(&mut self, now: UnixMillis) -> bool {
        let before = self.judged.len();
        self.judged
            .retain(|_, judgement| judgement.until.is_none_or(|until| until > now));
        self.tallies
            .retain(|_, tally| later(tally.since, REMEMBERED_FOR) > now);
        self.judged.len() != before
    }

    /// What the next catalogue is built with, where these exchanges run only what they have approved.
    pub fn approvals(&self, approval_first: &[ExchangeKey]) -> Approvals {
        let mut approvals = Approvals::default();
        for exchange in approval_first {
            approvals.wants_approval_first(*exchange);
        }
        for ((exchange, creative), judgement) in &self.judged {
            approvals.judge(*exchange, *creative, judgement.approval);
        }
        approvals
    }

    /// Everything that is judged, in order.
    pub fn judgements(&self) -> impl Iterator<Item = (Place, &Judgement)> {
        self.judged.iter().map(|(place, judged)| (*place, judged))
    }

    /// Creatives with refusals that are counted, and how many.
    pub fn refusals(&self) -> impl Iterator<Item = (Place, usize)> {
        let tallies = self.tallies.iter();
        tallies.map(|(place, tally)| (*place, tally.bids.len()))
    }

    /// Whether refusals of a creative are counted.
    pub fn counts(&self, place: Place) -> bool {
        self.tallies.contains_key(&place)
    }

    fn is_full(&self, place: Place) -> bool {
        self.judged.len() >= JUDGEMENTS_MAX && !self.judged.contains_key(&place)
    }
}

fn later(now: UnixMillis, span: Duration) -> UnixMillis {
    let span_ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    UnixMillis::new(now.get().saturating_add(span_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_763_672_400_000);
    const PLACE: Place = (ExchangeKey::of("adx"), CreativeKey::of("tile"));

    fn after(span: Duration) -> UnixMillis {
        later(NOW, span)
    }

    fn refuse(book: &mut ApprovalBook, bids: std::ops::Range<u128>) -> bool {
        let mut rejected = false;
        for bid in bids {
            rejected |= book.refused(PLACE, BidId::from_raw(bid), NOW);
        }
        rejected
    }

    fn verdict(book: &ApprovalBook) -> Option<(Approval, Source)> {
        let found = book.judgements().find(|(place, _)| *place == PLACE);
        found.map(|(_, judged)| (judged.approval, judged.source))
    }

    #[test]
    fn so_many_different_bids_reject_a_creative_and_one_bid_told_often_does_not() {
        let mut book = ApprovalBook::default();
        for _ in 0..100 {
            assert!(!book.refused(PLACE, BidId::from_raw(7), NOW));
        }
        assert_eq!(verdict(&book), None);
        assert!(!refuse(&mut book, 8..11));
        assert!(refuse(&mut book, 11..12));
        assert_eq!(verdict(&book), Some((Approval::Rejected, Source::Losses)));
        assert_eq!(book.refusals().count(), 0);
        let other = (ExchangeKey::of("xandr"), PLACE.1);
        assert!(!book.refused(other, BidId::from_raw(1), NOW));
        assert_eq!(book.judgements().count(), 1, "and nowhere else");
    }

    #[test]
    fn a_sale_in_between_begins_the_count_anew() {
        let mut book = ApprovalBook::default();
        assert!(!refuse(&mut book, 0..4));
        book.begin_anew(PLACE);
        assert!(!refuse(&mut book, 4..8));
        assert!(refuse(&mut book, 8..9));
    }

    #[test]
    fn losses_count_for_a_day_and_then_the_exchange_is_asked_again() {
        let mut book = ApprovalBook::default();
        assert!(refuse(&mut book, 0..5));
        assert!(!book.expire(UnixMillis::new(after(REJECTED_FOR).get() - 1)));
        assert!(book.expire(after(REJECTED_FOR)));
        assert_eq!(verdict(&book), None);
        assert!(!refuse(&mut book, 0..4));
        assert!(!book.expire(after(REMEMBERED_FOR)));
        assert!(!refuse(&mut book, 4..5), "the four were forgotten");
    }

    #[test]
    fn nobody_overrules_an_operator_but_an_operator() {
        let mut book = ApprovalBook::default();
        book.say(PLACE, Some(Approval::Approved), NOW).unwrap();
        assert!(!refuse(&mut book, 0..50));
        assert_eq!(verdict(&book), Some((Approval::Approved, Source::Operator)));
        assert!(!book.expire(after(REJECTED_FOR * 1_000)));
        book.say(PLACE, None, NOW).unwrap();
        assert!(refuse(&mut book, 0..5), "the control");
        book.say(PLACE, Some(Approval::Approved), NOW).unwrap();
        assert_eq!(verdict(&book), Some((Approval::Approved, Source::Operator)));
    }

    #[test]
    fn there_is_a_most_of_everything() {
        let judged = Judgement {
            approval: Approval::Approved,
            source: Source::Operator,
            at: NOW,
            until: None,
        };
        let places = (0..).map(|number| (PLACE.0, CreativeKey::from_raw(number)));
        let many = places.clone().take(JUDGEMENTS_MAX + 1);
        let mut book = ApprovalBook::of(many.map(|place| (place, judged)));
        assert_eq!(book.judgements().count(), JUDGEMENTS_MAX);
        assert_eq!(book.say(PLACE, Some(Approval::Rejected), NOW), Err(Full));
        assert!(!refuse(&mut book, 0..5));
        let first = (PLACE.0, CreativeKey::from_raw(0));
        assert_eq!(book.say(first, Some(Approval::Rejected), NOW), Ok(()));
        let mut book = ApprovalBook::default();
        for place in places.take(TALLIES_MAX + 10) {
            book.refused(place, BidId::from_raw(1), NOW);
        }
        assert_eq!(book.refusals().count(), TALLIES_MAX);
    }
}
