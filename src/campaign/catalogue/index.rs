//! The index over campaigns in order of rank: for each dimension who accepts what, and how a query is answered from it.
//!
//! It answers exactly for everything in [`Targeting`](crate::campaign::Targeting) but two things: hours are indexed by
//! the hour in UTC, so that a campaign may be found up to an hour early or late, and a request with more values than a
//! [`Union`] holds may miss some. [`Catalogue::is_on`](super::Catalogue::is_on) puts the first right.

mod asks;

use arrayvec::ArrayVec;

use self::asks::{
    covered, deals, exchanges, hours, inventory, listed, lists, market, reach, shapes,
};
use super::dimension::{Ask, Dimension};
use super::postings::{Postings, Union};
use super::query::{MoreSegments, Query, Through};
use super::zones::Zones;
use crate::campaign::catalogue::bitmap::{self, Ranks};
use crate::campaign::{Barred, Campaign, Category, HourOfWeek, Language, Shape, ancestry};
use crate::units::ExchangeKey;
use crate::units::SegmentKey;

/// Dimensions with one value per request.
const SINGLES: usize = 8;
/// Shapes of one impression: sixteen banner sizes, any banner, a video, an audio ad, a native ad. Exchanges send up to
/// fifteen sizes.
pub const SHAPES_MAX: usize = 20;
/// Deals of one impression that campaigns know: sellers offer a seat a handful on each.
pub const OFFERED_DEALS_MAX: usize = 16;
/// Their sets, and that of nobody.
const OFFERED_DEALS_SETS: usize = OFFERED_DEALS_MAX + 1;
/// Sets of inventory: the campaigns open to all, the app's, and those of a site's domain and its parents.
const INVENTORY_MAX: usize = 8;
/// Sets of categories, each with its parent: a page seldom has more than five.
const CATEGORIES_MAX: usize = 16;

/// Sets of segments that campaigns name: of the hundreds that a user is in, few are bought.
const SEGMENTS_MAX: usize = 16;

/// The index.
#[derive(Debug)]
pub(super) struct Index {
    words: u32,
    regions: Dimension,
    exchanges: Dimension,
    countries: Dimension,
    devices: Dimension,
    systems: Dimension,
    languages: Dimension,
    hours: Dimension,
    sites: Postings<Box<str>>,
    apps: Postings<Box<str>>,
    /// Campaigns that include neither sites nor apps; `None` if that is all of them.
    any_inventory: Option<Ranks>,
    categories: Postings<Category>,
    /// Campaigns that include no category; `None` if that is all of them.
    any_category: Option<Ranks>,
    segments: Postings<SegmentKey>,
    /// Campaigns that include no segment; `None` if that is all of them.
    any_segment: Option<Ranks>,
    shapes: Postings<Shape>,
    /// Who buys in open auctions: named is only what none of them does.
    open_market: Dimension,
    /// The deals of each exchange that has any, in order of exchanges.
    deals: Vec<(ExchangeKey, Postings<Box<str>>)>,
}

/// The ranks that answer one query, best first, found as they are asked for.
///
/// Without a search there are none.
#[derive(Debug, Default)]
pub struct Candidates<'c> {
    words: u32,
    /// The word that is read next.
    at: u32,
    /// What is left of the word before.
    left: u64,
    all: ArrayVec<&'c [u64], SINGLES>,
    shapes: Union<'c, SHAPES_MAX>,
    deals: Union<'c, OFFERED_DEALS_SETS>,
    inventory: Union<'c, INVENTORY_MAX>,
    categories: Union<'c, CATEGORIES_MAX>,
    not_sites: Union<'c, INVENTORY_MAX>,
    not_apps: Union<'c, 1>,
    not_categories: Union<'c, CATEGORIES_MAX>,
    segments: Union<'c, SEGMENTS_MAX>,
    not_segments: Union<'c, SEGMENTS_MAX>,
}

impl Index {
    /// The index over these campaigns, best first.
    pub(super) fn build<'a>(
        campaigns: &[&'a Campaign],
        barred: &[Box<[(ExchangeKey, Barred)]>],
        zones: &Zones,
    ) -> Self {
        let words = bitmap::words_for(campaigns.len());
        let dimension = |ask: &dyn Fn(&'a Campaign) -> Ask| {
            let asks: Vec<Ask> = campaigns.iter().map(|campaign| ask(campaign)).collect();
            Dimension::build(&asks)
        };
        let (sites, apps, any_inventory) = inventory(campaigns, words);
        let (categories, any_category) =
            listed(campaigns, words, |campaign| &campaign.targeting.categories);
        let (segments, any_segment) =
            listed(campaigns, words, |campaign| &campaign.targeting.segments);
        Self {
            words: u32::try_from(words).unwrap_or(u32::MAX),
            regions: dimension(&|c| reach(&c.regions, |region| region.raw())),
            exchanges: Dimension::build(&exchanges(campaigns, barred)),
            countries: dimension(&|c| lists(&c.targeting.countries, |it| vec![it.index() as u64])),
            devices: dimension(&|c| lists(&c.targeting.devices, |it| covered(*it))),
            systems: dimension(&|c| lists(&c.targeting.systems, |it| vec![*it as u64])),
            languages: dimension(&|c| lists(&c.targeting.languages, |it| vec![it.code()])),
            hours: dimension(&|c| hours(&c.targeting.hours, zones.offsets(&c.time_zone))),
            sites,
            apps,
            any_inventory,
            categories,
            any_category,
            segments,
            any_segment,
            shapes: shapes(campaigns, words),
            open_market: dimension(&|c| market(c.market)),
            deals: deals(campaigns, words),
        }
    }

    /// Begins a search in `found`, whatever was searched with it before.
    ///
    /// Budget: 0.2 µs to begin, then 10 ns for each 64 campaigns passed over; no allocation.
    pub(super) fn search_into<'c>(&'c self, query: &Query<'_>, found: &mut Candidates<'c>) {
        let hour = HourOfWeek::at(query.at, 0);
        let singles = [
            self.regions.accepting(Some(query.region.raw())),
            self.exchanges.accepting(Some(query.exchange.raw())),
            self.countries
                .accepting(query.country.map(|it| it.index() as u64)),
            self.devices.accepting(query.device.map(|it| it as u64)),
            self.systems.accepting(query.system.map(|it| it as u64)),
            self.languages.accepting(query.language.map(Language::code)),
            self.hours.accepting(Some(hour.index() as u64)),
            match query.through {
                Through::OpenMarket => self.open_market.accepting(None),
                Through::Deals(_) => None,
            },
        ];
        found.forget();
        found.words = self.words;
        found.all.extend(singles.into_iter().flatten());
        self.search_deals(query, found);
        for shape in query.shapes {
            self.shapes.join_including(shape, &mut found.shapes);
        }
        found.inventory.push_first(self.any_inventory.as_ref());
        if let Some(app) = query.app {
            self.apps
                .join(app, &mut found.inventory, &mut found.not_apps);
        }
        for site in query.site.into_iter().flat_map(ancestry) {
            self.sites
                .join(site, &mut found.inventory, &mut found.not_sites);
        }
        found.categories.push_first(self.any_category.as_ref());
        for category in query.categories.iter_with_parents() {
            self.categories
                .join(&category, &mut found.categories, &mut found.not_categories);
        }
        found.segments.push_first(self.any_segment.as_ref());
        for segment in query.segments.iter().chain(query.own_segments) {
            self.segments
                .join(segment, &mut found.segments, &mut found.not_segments);
        }
        if query.more_segments == MoreSegments::Unread {
            found.not_segments.become_only(self.segments.excluding());
        }
    }

    /// Those with one of the deals, where the impression is not bought in the open.
    fn search_deals<'c>(&'c self, query: &Query<'_>, found: &mut Candidates<'c>) {
        if let Through::Deals(offered) = query.through {
            found.deals.push_nobody();
            if let Some(known) = self.deals_of(query.exchange) {
                for id in offered {
                    known.join_including(*id, &mut found.deals);
                }
            }
        }
    }

    fn deals_of(&self, exchange: ExchangeKey) -> Option<&Postings<Box<str>>> {
        let place = self
            .deals
            .binary_search_by_key(&exchange, |(known, _)| *known)
            .ok()?;
        self.deals.get(place).map(|(_, deals)| deals)
    }

    /// Whether a campaign has this deal.
    pub(super) fn knows_deal(&self, exchange: ExchangeKey, id: &str) -> bool {
        self.deals_of(exchange)
            .is_some_and(|deals| deals.includes(id))
    }

    /// Bytes on the heap, apart from names.
    pub(super) fn bytes(&self) -> usize {
        let singles = [
            &self.regions,
            &self.exchanges,
            &self.countries,
            &self.devices,
            &self.systems,
            &self.languages,
            &self.hours,
            &self.open_market,
        ];
        let open = [&self.any_inventory, &self.any_category, &self.any_segment];
        singles.into_iter().map(Dimension::bytes).sum::<usize>()
            + open.into_iter().flatten().map(Ranks::bytes).sum::<usize>()
            + self.sites.bytes()
            + self.apps.bytes()
            + self.categories.bytes()
            + self.segments.bytes()
            + self.shapes.bytes()
            + self
                .deals
                .iter()
                .map(|(_, deals)| deals.bytes())
                .sum::<usize>()
    }
}

impl Candidates<'_> {
    /// As new. Field by field: a new one would be copied, three kilobytes.
    fn forget(&mut self) {
        (self.words, self.at, self.left) = (0, 0, 0);
        self.all.clear();
        self.shapes.clear();
        self.deals.clear();
        self.inventory.clear();
        self.categories.clear();
        self.segments.clear();
        self.not_sites.clear();
        self.not_apps.clear();
        self.not_categories.clear();
        self.not_segments.clear();
    }

    /// The word at a place: who passes every dimension.
    fn read(&mut self, at: u32) -> u64 {
        let mut word = self.all.iter().fold(u64::MAX, |word, set| {
            word & set.get(at as usize).copied().unwrap_or(0)
        });
        if word != 0 {
            word &= self.deals.word_or_all(at);
        }
        if word != 0 {
            word &= self.shapes.word(at);
        }
        if word != 0 {
            word &= self.inventory.word_or_all(at);
        }
        if word != 0 {
            word &= self.categories.word_or_all(at);
        }
        if word != 0 {
            word &= self.segments.word_or_all(at);
        }
        if word != 0 {
            let places = self.not_sites.word(at) | self.not_apps.word(at);
            word &= !(places | self.not_categories.word(at) | self.not_segments.word(at));
        }
        word
    }
}

impl Iterator for Candidates<'_> {
    type Item = super::Rank;

    fn next(&mut self) -> Option<super::Rank> {
        while self.left == 0 {
            if self.at >= self.words {
                return None;
            }
            self.left = self.read(self.at);
            self.at += 1;
        }
        let bit = self.left.trailing_zeros();
        self.left &= self.left - 1;
        Some(super::Rank((self.at - 1) * 64 + bit))
    }
}
