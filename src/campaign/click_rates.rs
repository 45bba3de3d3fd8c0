//! What is learnt of how often creatives are clicked: a tally of billed impressions and their clicks, and the snapshot of
//! rates that the catalogue is built with.
//!
//! A click counts if its impression is billed, and once: an impression waits among the recent ones for its other half,
//! whichever comes first, and is forgotten when both are there. So a flood of clicks of one token counts once, and a click
//! on an ad that nobody paid for counts never. What is recent is kept in memory alone: after a restart the clicks of
//! earlier impressions are not counted, which makes a rate a little too low and never too high.
//!
//! Old events count less: each day leaves [`KEPT_PER_MILLE`] of them, so that half is left after a fortnight. Creatives wear
//! out, and what they promote ends; a rate of last season says little of today.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use super::click_rate::{ClickRate, Priors, Seen};
use super::creative::Creative;
use crate::store::movement::ImpressionKey;
use crate::units::{CreativeKey, UnixMillis};

/// Creatives of which something is remembered: as many as there may be files of them. Further ones keep to the prior
/// until others are forgotten.
pub const CREATIVES_SEEN_MAX: usize = 100_000;
/// Impressions that wait for their other half, in two generations: what settlement remembers, too.
const RECENT_MAX: usize = 250_000;
/// What a day leaves of what was seen, in thousandths: 0.952 to the 14th is a half.
const KEPT_PER_MILLE: u64 = 952;
/// Thousandths of one event.
const EVENT: u64 = 1_000;
/// After so many days nothing is left of anything that fits in a table.
const DAYS_MAX: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;
const HEADING: &str = "bidtree click rates 1";

/// Rates as they are now: what a catalogue is built with.
#[derive(Clone, Debug, Default)]
pub struct ClickRates {
    priors: Priors,
    seen: Arc<HashMap<CreativeKey, Seen>>,
}

/// What was seen of every creative, and what is needed to see more.
#[derive(Debug)]
pub struct ClickTally {
    seen: HashMap<CreativeKey, Seen>,
    /// The day, since 1970 in UTC, up to which old events were made to count less.
    day: i64,
    recent: HashMap<ImpressionKey, Half>,
    former: HashMap<ImpressionKey, Half>,
}

/// What was heard of an impression first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Billed,
    Clicked,
}

/// Why a text is no tally.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// It begins with something else.
    #[error("does not begin with \"{HEADING}\"")]
    Heading,
    /// A line that says nothing.
    #[error("line {0} cannot be read")]
    Line(usize),
    /// It ends too early, or is too long.
    #[error("does not end as it should")]
    End,
}

impl ClickRates {
    /// What is believed of each format, with nothing seen.
    pub fn believed(priors: Priors) -> Self {
        Self {
            priors,
            seen: Arc::default(),
        }
    }

    /// How often a creative is clicked.
    pub fn rate(&self, creative: &Creative) -> ClickRate {
        let seen = self.seen.get(&creative.key).copied().unwrap_or_default();
        self.priors.of(&creative.format).rate(seen)
    }
}

impl ClickTally {
    /// Nothing seen yet, today.
    pub fn new(now: UnixMillis) -> Self {
        Self {
            seen: HashMap::new(),
            day: day_of(now),
            recent: HashMap::new(),
            former: HashMap::new(),
        }
    }

    /// An impression was billed. It is told once of each.
    pub fn billed(&mut self, key: ImpressionKey, creative: CreativeKey) {
        let clicked_before = self.meets(key, Half::Billed);
        if let Some(seen) = self.of(creative) {
            seen.impressions = seen.impressions.saturating_add(EVENT);
            if clicked_before {
                seen.clicks = seen.clicks.saturating_add(EVENT);
            }
        }
    }

    /// An ad was clicked. It may be told as often as somebody likes.
    pub fn clicked(&mut self, key: ImpressionKey, creative: CreativeKey) {
        if self.meets(key, Half::Clicked)
            && let Some(seen) = self.of(creative)
        {
            seen.clicks = seen.clicks.saturating_add(EVENT);
        }
    }

    /// Whether the other half was there; else this one waits for it.
    fn meets(&mut self, key: ImpressionKey, half: Half) -> bool {
        let waiting = self.recent.get(&key).or_else(|| self.former.get(&key));
        match waiting {
            Some(other) if *other != half => {
                self.recent.remove(&key);
                self.former.remove(&key);
                true
            }
            Some(_) => false,
            None => {
                if self.recent.len() >= RECENT_MAX {
                    self.former = std::mem::take(&mut self.recent);
                }
                self.recent.insert(key, half);
                false
            }
        }
    }

    fn of(&mut self, creative: CreativeKey) -> Option<&mut Seen> {
        let room = self.seen.len() < CREATIVES_SEEN_MAX;
        if room {
            return Some(self.seen.entry(creative).or_default());
        }
        self.seen.get_mut(&creative)
    }

    /// Makes old events count less, for each day that has passed. A clock that goes back a little makes no day count
    /// twice; one that was far ahead is not waited for.
    pub fn age(&mut self, now: UnixMillis) {
        let today = day_of(now);
        let days = today.saturating_sub(self.day).min(DAYS_MAX);
        if !(-1..=0).contains(&days) {
            self.day = today;
        }
        let days = days.max(0);
        if days == 0 || self.seen.is_empty() {
            return;
        }
        let kept = |events: u64| (0..days).fold(events, |events, _| later(events));
        self.seen.retain(|_, seen| {
            *seen = Seen {
                impressions: kept(seen.impressions),
                clicks: kept(seen.clicks),
            };
            // Less than half an impression says nothing, and makes room for another creative.
            seen.impressions >= EVENT / 2
        });
    }

    /// The rates that follow, over these priors.
    pub fn rates(&self, priors: Priors) -> ClickRates {
        ClickRates {
            priors,
            seen: Arc::new(self.seen.clone()),
        }
    }

    /// How many creatives something is known of.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// As text, for a file; what is recent is left out.
    pub fn to_text(&self) -> String {
        let mut rows: Vec<_> = self.seen.iter().collect();
        rows.sort_unstable_by_key(|(creative, _)| **creative);
        let mut text = format!("{HEADING}\nday {}\n", self.day);
        for (creative, seen) in &rows {
            let (impressions, clicks) = (seen.impressions, seen.clicks);
            // Writing to a text does not fail.
            writeln!(text, "{:016x} {impressions} {clicks}", creative.raw()).ok();
        }
        writeln!(text, "end {}", rows.len()).ok();
        text
    }

    /// The tally that a text holds.
    ///
    /// # Errors
    /// [`TallyError`]; half a tally is none.
    pub fn from_text(text: &str) -> Result<Self, TallyError> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().is_none_or(|(_, line)| line != HEADING) {
            return Err(TallyError::Heading);
        }
        let mut tally = Self::new(UnixMillis::default());
        for (number, line) in lines.by_ref() {
            let words: Vec<&str> = line.split(' ').collect();
            let read = match *words {
                ["day", day] => day.parse().ok().map(|day| tally.day = day),
                ["end", rows] => {
                    let all = rows.parse() == Ok(tally.seen.len());
                    return (all && lines.next().is_none())
                        .then_some(tally)
                        .ok_or(TallyError::End);
                }
                [creative, impressions, clicks] => row(creative, impressions, clicks)
                    .filter(|_| tally.seen.len() < CREATIVES_SEEN_MAX)
                    .map(|(creative, seen)| {
                        tally.seen.insert(creative, seen);
                    }),
                _ => None,
            };
            read.ok_or(TallyError::Line(number))?;
        }
        Err(TallyError::End)
    }
}

fn day_of(now: UnixMillis) -> i64 {
    now.get().div_euclid(DAY_MS)
}

/// What a day leaves.
fn later(events: u64) -> u64 {
    let product = u128::from(events) * u128::from(KEPT_PER_MILLE) / 1_000;
    u64::try_from(product).unwrap_or(events)
}

fn row(creative: &str, impressions: &str, clicks: &str) -> Option<(CreativeKey, Seen)> {
    let key = u64::from_str_radix(creative, 16).ok()?;
    let seen = Seen {
        impressions: impressions.parse().ok()?,
        clicks: clicks.parse().ok()?,
    };
    Some((CreativeKey::from_raw(key), seen))
}

#[cfg(test)]
mod tests;
