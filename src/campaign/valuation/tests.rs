//! A phone in Thailand, and what campaigns would pay for it.

mod bounds;
mod dimensions;
mod faults;
mod price_path;

use super::*;
use crate::campaign::fixture::{campaign, category, country};
use crate::campaign::{
    CategorySet, DeviceType, HourOfWeek, Language, MoreSegments, Os, Query, Shape, Through,
};
use crate::units::{ExchangeKey, RegionKey, SegmentKey, UnixMillis};

const CPM: i64 = 1_000_000;

fn by(per_mille: u32, when: Conditions) -> Multiplier {
    Multiplier {
        when,
        by_per_mille: per_mille,
    }
}

fn in_countries(codes: &[&str]) -> Conditions {
    Conditions {
        countries: codes.iter().map(|code| country(code)).collect(),
        ..Conditions::default()
    }
}

fn about(codes: &[&str]) -> CategorySet {
    codes.iter().map(|code| category(code)).collect()
}

/// A phone in Thailand on a page about tea, on Monday at eight in the campaign's zone.
fn moment<'m>(categories: &'m CategorySet, segments: &'m [SegmentKey]) -> Moment<'m> {
    Moment {
        query: Query {
            region: RegionKey::of("th"),
            exchange: ExchangeKey::of("adx"),
            country: Some(country("THA")),
            device: Some(DeviceType::Phone),
            system: Some(Os::Android),
            language: Language::parse("th"),
            at: UnixMillis::default(),
            site: Some("tea.news.example"),
            app: None,
            categories,
            segments,
            more_segments: MoreSegments::None,
            own_segments: &[],
            shapes: &[Shape::Video],
            through: Through::OpenMarket,
        },
        hour: HourOfWeek::new(0, 8),
        format: FormatKind::Video,
    }
}

fn buying(goal: Goal, max_cpm: Option<i64>, multipliers: Vec<Multiplier>) -> Campaign {
    Campaign {
        goal,
        max_cpm: max_cpm.map(Cpm::from_micros),
        multipliers,
        ..campaign("c")
    }
}
