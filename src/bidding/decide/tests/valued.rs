//! Multipliers, goals of clicks and highest prices: what is bid is what a scan of all campaigns would choose, whatever the
//! bounds are by which the index is searched.

mod facts;

use std::cmp::Reverse;
use std::collections::HashSet;

use super::naive::{Asked, Buyer, asked, buyer, currency, euro};
use super::*;
use crate::campaign::{Catalogue, Conditions, FormatKind, Multiplier};
use crate::units::AdvertiserKey;

/// The click rates of a banner and a video that nobody knows, in billionths.
const PRIORS: [i128; 2] = [1_000_000, 3_000_000];
/// Their formats, in the order of a campaign's creatives.
const SHOWN: [FormatKind; 2] = [FormatKind::Banner, FormatKind::Video];
const COUNTRIES: [&str; 3] = ["SGP", "THA", "IDN"];
const CONTENT: [&str; 3] = ["IAB12", "IAB12-2", "IAB17"];

/// One thing that a multiplier depends on.
#[derive(Clone, Debug)]
enum Cause {
    Country(usize),
    Content(usize),
    Segment(u8),
    Format(usize),
    OnAdx(bool),
    Phone,
    English,
}

/// What a request says besides.
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
#[derive(Clone, Debug)]
struct Extras {
    country: Option<usize>,
    content: Option<usize>,
    segments: Vec<u8>,
    phone: bool,
    english: bool,
    takes_video: bool,
    bids_per_imp: usize,
}

#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
#[derive(Clone, Debug)]
struct Valued {
    buyer: Buyer,
    /// Who pays: campaigns of one advertiser bid once for an impression.
    payer: u8,
    /// Per cent of the price for a thousand clicks, where it buys clicks.
    buys_clicks: bool,
    /// In tenths of the price.
    most: Option<i64>,
    /// Whether it has a video beside its banner.
    plays: bool,
    /// Causes, and the factor in tenths.
    multipliers: Vec<(Vec<Cause>, u32)>,
}

impl Cause {
    fn add(&self, when: &mut Conditions) {
        match self {
            Self::Country(place) => when
                .countries
                .extend(crate::campaign::Country::parse(COUNTRIES[*place])),
            Self::Content(place) => when.categories.extend(Category::parse(CONTENT[*place])),
            Self::Segment(number) => {
                when.segments.push(SegmentKey::of(&format!("dmp/{number}")));
                when.segments.sort_unstable();
            }
            Self::Format(place) => when.formats.push(FormatKind::ALL[*place]),
            Self::OnAdx(here) => {
                let name = if *here { "adx" } else { "xandr" };
                when.exchanges.push(ExchangeKey::of(name));
            }
            Self::Phone => when.devices.push(crate::campaign::DeviceType::Mobile),
            Self::English => when.languages.extend(Language::parse("en")),
        }
    }

    /// The dimension it is in: a multiplier needs one of each dimension that it names.
    fn dimension(&self) -> u8 {
        match self {
            Self::Country(_) => 0,
            Self::Content(_) => 1,
            Self::Segment(_) => 2,
            Self::Format(_) => 3,
            Self::OnAdx(_) => 4,
            Self::Phone => 5,
            Self::English => 6,
        }
    }

    fn is_so(&self, extras: &Extras, format: FormatKind) -> bool {
        match self {
            Self::Country(place) => extras.country == Some(*place),
            Self::Content(place) => extras.content.is_some_and(|seen| {
                let (named, seen) = (CONTENT[*place], CONTENT[seen]);
                seen == named || seen.starts_with(&format!("{named}-"))
            }),
            Self::Segment(number) => extras.segments.contains(number),
            Self::Format(place) => FormatKind::ALL[*place] == format,
            Self::OnAdx(here) => *here,
            Self::Phone => extras.phone,
            Self::English => extras.english,
        }
    }
}

impl Valued {
    fn campaign(&self, place: usize) -> Campaign {
        let mut one = self.buyer.campaign(place);
        let mut advertiser = (*one.advertiser).clone();
        advertiser.key = AdvertiserKey::of(&format!("payer{}", self.payer));
        one.advertiser = Arc::new(advertiser);
        let price = self.buyer.price;
        if self.buys_clicks {
            // At one click in a thousand a click is worth a thousand impressions.
            one.goal = Goal::Cpc(Nanos::new(price * 1_000));
        }
        if self.plays {
            let mut video = video("v");
            video.secure = one.creatives[0].secure;
            one.creatives.push(video);
        }
        one.max_cpm = self.most().map(Cpm::from_micros);
        one.deals
            .retain(|deal| deal.price <= one.max_cpm || one.max_cpm.is_none());
        if one.deals.is_empty() {
            one.market = Market::Open;
        }
        one.multipliers = self
            .multipliers
            .iter()
            .map(|(causes, tenths)| {
                let mut when = Conditions::default();
                for cause in causes {
                    cause.add(&mut when);
                }
                Multiplier {
                    when,
                    by_per_mille: tenths * 100,
                }
            })
            .collect();
        one
    }

    /// The highest price; who buys clicks must have one.
    fn most(&self) -> Option<i64> {
        let most = self.most.map(|tenths| self.buyer.price * tenths / 10);
        most.or(self.buys_clicks.then_some(self.buyer.price * 100))
    }

    /// What is shown here, by its place, and what that is worth in the campaign's currency.
    fn best(&self, extras: &Extras) -> (usize, i64) {
        let plays = self.plays && extras.takes_video;
        let worth = |place| (place, self.worth(extras, place));
        let video = plays.then(|| worth(1));
        let banner = worth(0);
        video.filter(|it| it.1 > banner.1).unwrap_or(banner)
    }

    /// What an impression is worth to it here with one of its creatives, in one fraction.
    fn worth(&self, extras: &Extras, place: usize) -> i64 {
        let mut numerator = i128::from(self.buyer.price);
        if self.buys_clicks {
            numerator = numerator * 1_000 * PRIORS[place] / 1_000_000_000;
        }
        let mut denominator = 1_i128;
        for (causes, tenths) in &self.multipliers {
            let dimensions: HashSet<u8> = causes.iter().map(Cause::dimension).collect();
            let holds = |dimension: &u8| {
                let mut of_it = causes
                    .iter()
                    .filter(|cause| cause.dimension() == *dimension);
                of_it.any(|cause| cause.is_so(extras, SHOWN[place]))
            };
            if dimensions.iter().all(holds) {
                numerator *= i128::from(*tenths);
                denominator *= 10;
            }
        }
        let bounded = (numerator / denominator).min(i128::from(self.buyer.price) * 100);
        let worth = i64::try_from(bounded).unwrap();
        self.most().map_or(worth, |most| worth.min(most))
    }

    /// The same buyer as if it bid that everywhere.
    fn here(&self, extras: &Extras) -> Buyer {
        let most = self.most();
        let mut buyer = Buyer {
            price: self.best(extras).1,
            ..self.buyer.clone()
        };
        buyer
            .deals
            .retain(|(_, own, _)| own.is_none_or(|own| most.is_none_or(|most| own <= most)));
        buyer
    }
}

prop_compose! {
    fn multiplier()(
        causes in prop::collection::vec(prop_oneof![
            (0..3_usize).prop_map(Cause::Country),
            (0..3_usize).prop_map(Cause::Content),
            (0..3_u8).prop_map(Cause::Segment),
            (0..4_usize).prop_map(Cause::Format),
            any::<bool>().prop_map(Cause::OnAdx),
            Just(Cause::Phone),
            Just(Cause::English),
        ], 1..4),
        tenths in prop::sample::select(vec![1_u32, 5, 8, 10, 12, 15, 20, 30]),
    ) -> (Vec<Cause>, u32) {
        (causes, tenths)
    }
}

prop_compose! {
    fn valued()(
        buyer in buyer(), payer in 0..6_u8, buys_clicks in prop::bool::weighted(0.3),
        most in prop::option::of(10..40_i64), plays in any::<bool>(),
        multipliers in prop::collection::vec(multiplier(), 0..4),
    ) -> Valued {
        Valued { buyer, payer, buys_clicks, most, plays, multipliers }
    }
}

prop_compose! {
    fn extras()(
        country in prop::option::of(0..3_usize), content in prop::option::of(0..3_usize),
        segments in prop::sample::subsequence(vec![0_u8, 1, 2], 0..3), phone in any::<bool>(), english in any::<bool>(),
        takes_video in any::<bool>(), bids_per_imp in 1..5_usize,
    ) -> Extras {
        Extras { country, content, segments, phone, english, takes_video, bids_per_imp }
    }
}

fn request_of(asked: &Asked, extras: &Extras) -> Value {
    let mut request = asked.request();
    if let Some(place) = extras.country {
        request["device"]["geo"]["country"] = json!(COUNTRIES[place]);
    }
    if extras.phone {
        request["device"]["devicetype"] = json!(4);
    }
    if extras.takes_video {
        request["imp"][0]["video"] = json!({ "mimes": ["video/mp4"], "protocols": [2, 3] });
    }
    if extras.english {
        request["device"]["language"] = json!("en");
    }
    if let Some(place) = extras.content {
        request["site"]["cat"] = json!([CONTENT[place]]);
    }
    let segments: Vec<Value> = extras
        .segments
        .iter()
        .map(|it| json!({ "id": it.to_string() }))
        .collect();
    request["user"]["data"] = json!([{ "id": "dmp", "segment": segments }]);
    request
}

/// A campaign, its price, the place of what it shows, and whether it is on a deal.
type Bid = (String, Cpm, usize, bool);

/// What is bid, in the order in which it is chosen.
fn chosen(request: &Value, catalogue: &Catalogue, place: Place<'_>) -> Vec<Bid> {
    let bytes = request.to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let Ok(context) = Context::read(&request, place) else {
        return Vec::new();
    };
    let Ok(mut chance) = Opportunity::read(&request.imps[0], 0, &context) else {
        return Vec::new();
    };
    let mut choices = Vec::new();
    let late = || false;
    decide(
        (&context, &mut chance),
        catalogue,
        &mut choices,
        &mut Purse::full(),
        &late,
    )
    .ok();
    let bids = choices.iter().map(|choice| {
        let campaign = &catalogue.offer(choice.rank).unwrap().campaign;
        let shown = choice.priced.creative;
        let on_deal = choice.deal.is_some();
        (campaign.id.to_string(), choice.priced.price, shown, on_deal)
    });
    bids.collect()
}

/// What a scan of all campaigns chooses: deals first, then the open market by what is bid, each payer once.
fn scanned(
    all: &[Valued],
    asked: &Asked,
    extras: &Extras,
    catalogue: &Catalogue,
    rates: &Rates,
) -> Vec<Bid> {
    let rank = |place: usize| {
        let key = CampaignKey::of(&format!("c{place}"));
        catalogue
            .offers()
            .iter()
            .position(|offer| offer.campaign.key == key)
            .unwrap()
    };
    let mut on_deals = Vec::new();
    let mut open = Vec::new();
    let floor = asked.converted(asked.floor, rates);
    for (place, one) in all.iter().enumerate() {
        let here = one.here(extras);
        for deal in &asked.deals {
            if let Some((guaranteed, price)) = asked.on_deal(&here, deal, rates)
                && price > Cpm::ZERO
            {
                // What has a price of its own is worth that whatever it shows.
                let is_agreed = here
                    .deals
                    .iter()
                    .any(|(id, own, _)| deal.is(*id) && own.is_some());
                let shown = if is_agreed { 0 } else { one.best(extras).0 };
                on_deals.push((
                    (Reverse(guaranteed), Reverse(price), rank(place)),
                    place,
                    (price, shown),
                ));
            }
        }
        let price = asked.converted((here.price, here.in_euro), rates);
        let sells = !asked.private && (!here.deals_only || here.deals.is_empty());
        if sells && asked.allows(&here) && price >= floor && price > Cpm::ZERO {
            let dollars = rates.in_dollars(currency(here.in_euro)).unwrap();
            let value = Cpm::from_micros(here.price).convert(dollars).unwrap();
            let shown = one.best(extras).0;
            open.push(((Reverse(value), rank(place)), place, (price, shown)));
        }
    }
    on_deals.sort_unstable();
    open.sort_unstable();
    let most = extras.bids_per_imp;
    let deals_most = if asked.private {
        most
    } else {
        (most - 1).max(1)
    };
    let mut bids: Vec<Bid> = Vec::new();
    let mut payers = HashSet::new();
    let on_deals = on_deals
        .into_iter()
        .map(|(_, place, bid)| (deals_most, place, bid, true));
    let open = open
        .into_iter()
        .map(|(_, place, bid)| (most, place, bid, false));
    for (most, place, (price, shown), on_deal) in on_deals.chain(open) {
        if bids.len() < most && payers.insert(all[place].payer) {
            bids.push((format!("c{place}"), price, shown, on_deal));
        }
    }
    bids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn the_search_by_bounds_chooses_what_a_scan_of_all_campaigns_does(
        all in prop::collection::vec(valued(), 0..24), asked in asked(), extras in extras(),
    ) {
        let rates = Rates::new([(euro(), Rate::from_billionths(1_100_000_000).unwrap())]);
        let campaigns = all.iter().enumerate().map(|(place, one)| one.campaign(place));
        let (catalogue, left_out) = catalogue_and_left_out(campaigns, &rates, NOW);
        prop_assert!(left_out.is_empty(), "{:?}", left_out);
        let seats = ["house".into(), "own".into()];
        let place = Place {
            seat: Some("house"),
            seats: &seats,
            bids_per_imp: NonZeroUsize::new(extras.bids_per_imp).unwrap(),
            ..place(&rates)
        };
        let bids = chosen(&request_of(&asked, &extras), &catalogue, place);
        prop_assert_eq!(&bids, &scanned(&all, &asked, &extras, &catalogue, &rates));
        for (id, price, ..) in bids {
            let number: usize = id[1..].parse().unwrap();
            let most = all[number].most();
            let most = most.map(|most| asked.converted((most, all[number].buyer.in_euro), &rates));
            prop_assert!(most.is_none_or(|most| price <= most), "above its highest price");
        }
    }
}
