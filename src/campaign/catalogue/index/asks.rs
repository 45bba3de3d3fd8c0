//! What each campaign asks, dimension by dimension, as the index keeps it.

use std::collections::BTreeMap;
use std::hash::Hash;

use super::super::dimension::Ask;
use super::super::postings::{Postings, PostingsBuilder};
use crate::campaign::catalogue::bitmap::{Ranks, RanksBuilder};
use crate::campaign::{
    Barred, Campaign, DeviceType, HourOfWeek, HoursOfWeek, Lists, Market, Reach, Shape,
};
use crate::units::ExchangeKey;

pub(super) fn reach<K>(places: &Reach<K>, number: impl Fn(&K) -> u64) -> Ask {
    match places {
        Reach::All => Ask::default(),
        Reach::Only(places) => Ask {
            only: Some(places.iter().map(number).collect()),
            not: Vec::new(),
        },
    }
}

pub(super) fn lists<T>(lists: &Lists<T>, numbers: impl Fn(&T) -> Vec<u64>) -> Ask {
    let include = lists.include.iter().flat_map(&numbers);
    Ask {
        only: (!lists.include.is_empty()).then(|| include.collect()),
        not: lists.exclude.iter().flat_map(&numbers).collect(),
    }
}

pub(super) fn covered(device: DeviceType) -> Vec<u64> {
    let seen = DeviceType::ALL
        .into_iter()
        .filter(|seen| device.covers(*seen));
    seen.map(|seen| seen as u64).collect()
}

/// Every hour in UTC that touches one of the hours in the campaign's zone, by any of the zone's offsets.
pub(super) fn hours(hours: &HoursOfWeek, offsets: impl Iterator<Item = i32>) -> Ask {
    if *hours == HoursOfWeek::ALL {
        return Ask::default();
    }
    let mut utc = HoursOfWeek::NONE;
    for offset in offsets {
        for hour in HourOfWeek::all().filter(|hour| hours.contains(*hour)) {
            let start = hour.later(-offset.div_euclid(3_600));
            utc.insert(start);
            if offset.rem_euclid(3_600) != 0 {
                utc.insert(start.later(-1));
            }
        }
    }
    let touched = HourOfWeek::all().filter(|hour| utc.contains(*hour));
    Ask {
        only: Some(touched.map(|hour| hour.index() as u64).collect()),
        not: Vec::new(),
    }
}

pub(super) type Inventory = (Postings<Box<str>>, Postings<Box<str>>, Option<Ranks>);

pub(super) fn inventory(campaigns: &[&Campaign], words: usize) -> Inventory {
    let mut sites = PostingsBuilder::new();
    let mut apps = PostingsBuilder::new();
    let mut open = Open::default();
    for (rank, campaign) in (0u32..).zip(campaigns) {
        let targeting = &campaign.targeting;
        for site in &targeting.sites.include {
            sites.include(site.as_str().into(), rank);
        }
        for site in &targeting.sites.exclude {
            sites.exclude(site.as_str().into(), rank);
        }
        for app in &targeting.apps.include {
            apps.include(app.as_str().into(), rank);
        }
        for app in &targeting.apps.exclude {
            apps.exclude(app.as_str().into(), rank);
        }
        open.add(
            rank,
            targeting.sites.include.is_empty() && targeting.apps.include.is_empty(),
        );
    }
    (sites.build(words), apps.build(words), open.build(words))
}

/// A dimension in which a request has several values, and who includes none of them.
pub(super) fn listed<'a, K: Copy + Eq + Hash + 'a>(
    campaigns: &[&'a Campaign],
    words: usize,
    of: impl Fn(&'a Campaign) -> &'a Lists<K>,
) -> (Postings<K>, Option<Ranks>) {
    let mut postings = PostingsBuilder::new();
    let mut open = Open::default();
    for (rank, campaign) in (0u32..).zip(campaigns) {
        let lists = of(campaign);
        lists
            .include
            .iter()
            .for_each(|value| postings.include(*value, rank));
        lists
            .exclude
            .iter()
            .for_each(|value| postings.exclude(*value, rank));
        open.add(rank, lists.include.is_empty());
    }
    (postings.build(words), open.build(words))
}

/// Where campaigns buy: where they say so, less the exchanges that run none of their creatives.
pub(super) fn exchanges(
    campaigns: &[&Campaign],
    barred: &[Box<[(ExchangeKey, Barred)]>],
) -> Vec<Ask> {
    let asks = campaigns.iter().zip(barred).map(|(campaign, barred)| {
        let nothing = barred
            .iter()
            .filter(|(_, barred)| barred.is_all_of(campaign.creatives.len()));
        Ask {
            not: nothing.map(|(exchange, _)| exchange.raw()).collect(),
            ..reach(&campaign.exchanges, |exchange| exchange.raw())
        }
    });
    asks.collect()
}

/// A question that every campaign accepts but those that buy on deals alone.
pub(super) fn market(market: Market) -> Ask {
    match market {
        Market::Open => Ask::default(),
        Market::DealsOnly => Ask {
            only: Some(Vec::new()),
            not: Vec::new(),
        },
    }
}

pub(super) fn deals(
    campaigns: &[&Campaign],
    words: usize,
) -> Vec<(ExchangeKey, Postings<Box<str>>)> {
    let mut builders: BTreeMap<ExchangeKey, PostingsBuilder<Box<str>>> = BTreeMap::new();
    for (rank, campaign) in (0u32..).zip(campaigns) {
        for deal in &campaign.deals {
            builders
                .entry(deal.exchange)
                .or_insert_with(PostingsBuilder::new)
                .include((*deal.id).into(), rank);
        }
    }
    let built = builders
        .into_iter()
        .map(|(exchange, builder)| (exchange, builder.build(words)));
    built.collect()
}

pub(super) fn shapes(campaigns: &[&Campaign], words: usize) -> Postings<Shape> {
    let mut postings = PostingsBuilder::new();
    for (rank, campaign) in (0u32..).zip(campaigns) {
        for creative in &campaign.creatives {
            let shape = creative.shape();
            postings.include(shape, rank);
            if matches!(shape, Shape::Banner(_)) {
                postings.include(Shape::AnyBanner, rank);
            }
        }
    }
    postings.build(words)
}

/// Campaigns that include nothing in a dimension.
#[derive(Default)]
struct Open {
    ranks: RanksBuilder,
    restricted: bool,
}

impl Open {
    fn add(&mut self, rank: u32, open: bool) {
        if open {
            self.ranks.push(rank);
        }
        self.restricted |= !open;
    }

    fn build(self, words: usize) -> Option<Ranks> {
        self.restricted.then(|| self.ranks.build(words))
    }
}
