//! The rules once more, one campaign at a time, without an index and without an order: both must agree on what is bid.

use super::*;

/// US dollars for a euro, in billionths.
const EURO: i64 = 1_100_000_000;

#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
#[derive(Clone, Debug)]
pub(super) struct Buyer {
    pub(super) price: i64,
    pub(super) in_euro: bool,
    pub(super) advertiser: u8,
    pub(super) has_seat: bool,
    pub(super) category: u8,
    pub(super) classified: Option<u8>,
    pub(super) secure: bool,
    pub(super) deals: Vec<(u8, Option<i64>, bool)>,
    pub(super) deals_only: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) floor: (i64, bool),
    pub(super) in_euro: bool,
    pub(super) badv: Vec<u8>,
    pub(super) bcat: Vec<u8>,
    pub(super) in_other_taxonomy: bool,
    pub(super) seats: (u8, bool),
    pub(super) secure: bool,
    pub(super) deals: Vec<AskedDeal>,
    pub(super) private: bool,
}

#[derive(Clone, Debug)]
pub(super) struct AskedDeal {
    id: u8,
    floor: Option<(i64, bool)>,
    at: Option<u32>,
    seat: u8,
    advertiser: Option<u8>,
}

const CATEGORIES: [&str; 4] = ["IAB18-5", "IAB18", "IAB9-3", "IAB9-30"];
/// The same of another taxonomy, with those above them.
const PATHS: [&str; 4] = ["1/2", "1", "3/4", "5"];
const OTHER: u32 = 7;
const SEATS: [&str; 3] = ["", "house", "own"];

pub(super) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

pub(super) fn currency(in_euro: bool) -> Currency {
    if in_euro { euro() } else { Currency::USD }
}

fn number(micros: i64) -> Value {
    json!(Cpm::from_micros(micros).to_string().parse::<f64>().unwrap())
}

impl Buyer {
    pub(super) fn campaign(&self, place: usize) -> Campaign {
        let mut one = campaign(&format!("c{place}"));
        let mut advertiser = (*one.advertiser).clone();
        advertiser.domains = vec![domain(&format!("shop.brand{}.example", self.advertiser))];
        advertiser.categories =
            vec![Category::parse(CATEGORIES[usize::from(self.category)]).unwrap()];
        advertiser.classified = self
            .classified
            .map(|it| Classified {
                taxonomy: OTHER,
                categories: vec![CategoryPath::parse(PATHS[usize::from(it)]).unwrap()],
            })
            .into_iter()
            .collect();
        if self.has_seat {
            advertiser.seats = vec![(ExchangeKey::of("adx"), "own".into())];
        }
        one.advertiser = Arc::new(advertiser);
        one.goal = Goal::Cpm(Cpm::from_micros(self.price));
        one.currency = currency(self.in_euro);
        one.creatives[0].secure = self.secure;
        one.deals = self
            .deals
            .iter()
            .map(|(id, price, guaranteed)| Deal {
                price: price.map(Cpm::from_micros),
                guaranteed: *guaranteed,
                ..deal(&format!("d{id}"))
            })
            .collect();
        one.market = if self.deals_only && !self.deals.is_empty() {
            Market::DealsOnly
        } else {
            Market::Open
        };
        one
    }
}

impl AskedDeal {
    pub(super) fn is(&self, id: u8) -> bool {
        self.id == id
    }
}

impl Asked {
    pub(super) fn request(&self) -> Value {
        let deals: Vec<Value> = self
            .deals
            .iter()
            .map(|deal| {
                let mut one = json!({ "id": format!("d{}", deal.id) });
                if let Some((floor, in_euro)) = deal.floor {
                    one["bidfloor"] = number(floor);
                    one["bidfloorcur"] = json!(currency(in_euro).as_str());
                }
                if let Some(at) = deal.at {
                    one["at"] = json!(at);
                }
                if deal.seat > 0 {
                    one["wseat"] = json!([SEATS[usize::from(deal.seat)]]);
                }
                if let Some(advertiser) = deal.advertiser {
                    one["wadomain"] = json!([format!("brand{advertiser}.example")]);
                }
                one
            })
            .collect();
        let mut all = json!({
            "id": "r", "site": { "domain": "news.example" }, "at": 1, "cur": [currency(self.in_euro).as_str()],
            "badv": self.badv.iter().map(|it| format!("brand{it}.example")).collect::<Vec<_>>(),
            "bcat": self.bcat.iter().map(|it| self.blocked(*it)).collect::<Vec<_>>(),
            "cattax": if self.in_other_taxonomy { OTHER } else { 1 },
            "imp": [{
                "id": "1", "secure": u8::from(self.secure), "banner": { "w": 300, "h": 250 },
                "bidfloor": number(self.floor.0), "bidfloorcur": currency(self.floor.1).as_str(),
                "pmp": { "private_auction": u8::from(self.private), "deals": deals },
            }],
        });
        if self.seats.0 > 0 {
            let key = if self.seats.1 { "wseat" } else { "bseat" };
            all[key] = json!([SEATS[usize::from(self.seats.0)]]);
        }
        all
    }

    /// What stands in `bcat` for a number.
    fn blocked(&self, it: u8) -> &'static str {
        if self.in_other_taxonomy {
            PATHS[usize::from(it)].rsplit('/').next().unwrap()
        } else {
            CATEGORIES[usize::from(it)]
        }
    }

    fn allows_category(&self, buyer: &Buyer) -> bool {
        let mut blocked = self.bcat.iter().map(|it| self.blocked(*it));
        match (self.in_other_taxonomy, buyer.classified) {
            _ if self.bcat.is_empty() => true,
            (true, None) => false,
            (true, Some(own)) => {
                let path = format!("/{}/", PATHS[usize::from(own)]);
                !blocked.any(|it| path.contains(&format!("/{it}/")))
            }
            (false, _) => {
                let own = CATEGORIES[usize::from(buyer.category)];
                !blocked.any(|it| it == own || own.starts_with(&format!("{it}-")))
            }
        }
    }

    /// Whether a campaign may be shown at all.
    pub(super) fn allows(&self, buyer: &Buyer) -> bool {
        let seat = if buyer.has_seat { 2 } else { 1 };
        let seated = match self.seats {
            (0, _) => true,
            (named, true) => named == seat,
            (named, false) => named != seat,
        };
        seated
            && !self.badv.contains(&buyer.advertiser)
            && self.allows_category(buyer)
            && (buyer.secure || !self.secure)
    }

    pub(super) fn converted(&self, (price, in_euro): (i64, bool), rates: &Rates) -> Cpm {
        let rate = rates
            .between(currency(in_euro), currency(self.in_euro))
            .unwrap();
        Cpm::from_micros(price).convert(rate).unwrap()
    }

    /// What a campaign would bid on a deal, and whether it is guaranteed.
    pub(super) fn on_deal(
        &self,
        buyer: &Buyer,
        asked: &AskedDeal,
        rates: &Rates,
    ) -> Option<(bool, Cpm)> {
        let (_, own, guaranteed) = buyer.deals.iter().find(|(id, ..)| *id == asked.id)?;
        let seat = if buyer.has_seat { 2 } else { 1 };
        let fits = asked.seat == 0 || asked.seat == seat;
        let fits = fits && asked.advertiser.is_none_or(|it| it == buyer.advertiser);
        let most = self.converted((own.unwrap_or(buyer.price), buyer.in_euro), rates);
        let stated = asked
            .floor
            .filter(|(floor, _)| *floor > 0)
            .map(|floor| self.converted(floor, rates));
        let (price, least) = match (asked.at, stated, asked.floor) {
            (Some(3), Some(agreed), _) => (agreed, agreed),
            (Some(3), None, _) => (own.map(|_| most)?, most),
            (_, Some(floor), _) => (most, floor),
            (_, None, Some(_)) => (most, Cpm::ZERO),
            (_, None, None) => (most, self.converted(self.floor, rates)),
        };
        (fits && self.allows(buyer) && most >= least).then_some((*guaranteed, price))
    }
}

prop_compose! {
    pub(super) fn buyer()(
        price in 1..40_i64, in_euro in any::<bool>(), advertiser in 0..4_u8, has_seat in any::<bool>(), category in 0..4_u8,
        classified in prop::option::of(0..4_u8), secure in prop::bool::weighted(0.7), deals_only in any::<bool>(),
        deals in prop::collection::btree_map(0..3_u8, (prop::option::of(1..60_i64), any::<bool>()), 0..3),
    ) -> Buyer {
        let deals = deals.into_iter().map(|(id, (own, guaranteed))| (id, own.map(|it| it * 100_000), guaranteed));
        Buyer { price: price * 100_000, in_euro, advertiser, has_seat, category, classified, secure, deals: deals.collect(), deals_only }
    }
}

prop_compose! {
    fn asked_deal()(
        floor in prop::option::of((0..45_i64, any::<bool>())), at in prop::option::of(1..4_u32),
        seat in prop::sample::select(vec![0, 0, 1, 2]), advertiser in prop::option::weighted(0.2, 0..4_u8),
    ) -> AskedDeal {
        let floor = floor.map(|(floor, in_euro)| (floor * 100_000, in_euro));
        AskedDeal { id: 0, floor, at, seat, advertiser }
    }
}

prop_compose! {
    pub(super) fn asked()(
        floor in (0..45_i64, any::<bool>()), in_euro in any::<bool>(),
        badv in prop::collection::vec(0..5_u8, 0..2), bcat in prop::collection::vec(0..4_u8, 0..2),
        in_other_taxonomy in any::<bool>(),
        seats in (prop::sample::select(vec![0_u8, 0, 1, 2]), any::<bool>()),
        secure in any::<bool>(), private in prop::bool::weighted(0.2),
        deals in prop::collection::btree_map(0..4_u8, asked_deal(), 0..3),
    ) -> Asked {
        let deals = deals.into_iter().map(|(id, deal)| AskedDeal { id, ..deal }).collect();
        Asked { floor: (floor.0 * 100_000, floor.1), in_euro, badv, bcat, in_other_taxonomy, seats, secure, deals, private }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_bid_is_what_the_rules_say(buyers in prop::collection::vec(buyer(), 0..20), asked in asked()) {
        let rates = Rates::new([(euro(), Rate::from_billionths(EURO).unwrap())]);
        let campaigns = buyers.iter().enumerate().map(|(place, one)| one.campaign(place));
        let (catalogue, left_out) = catalogue_and_left_out(campaigns, &rates, NOW);
        prop_assert!(left_out.is_empty());
        let seats = ["house".into(), "own".into()];
        let place = Place { seat: Some("house"), seats: &seats, ..place(&rates) };
        let chosen = choose(&asked.request(), &catalogue, place, &mut Purse::full()).ok();

        let on_deals = buyers.iter().flat_map(|buyer| {
            let (asked, rates) = (&asked, &rates);
            asked.deals.iter().filter_map(move |deal| asked.on_deal(buyer, deal, rates))
        });
        if let Some((_, price)) = on_deals.max() {
            let chosen = chosen.expect("a bid on a deal");
            prop_assert!(chosen.deal.is_some());
            prop_assert_eq!(chosen.priced.price, price);
            return Ok(());
        }
        let floor = asked.converted(asked.floor, &rates);
        let in_the_open = buyers.iter().filter(|buyer| {
            let sells = !buyer.deals_only || buyer.deals.is_empty();
            sells && !asked.private && asked.allows(buyer) && asked.converted((buyer.price, buyer.in_euro), &rates) >= floor
        });
        let dollars = |buyer: &Buyer| {
            Cpm::from_micros(buyer.price).convert(rates.in_dollars(currency(buyer.in_euro)).unwrap()).unwrap()
        };
        let value = chosen.map(|choice| {
            assert_eq!(choice.deal, None);
            catalogue.offer(choice.rank).unwrap().value
        });
        prop_assert_eq!(value, in_the_open.map(dollars).max());
    }
}

/// The control: the restatement says no to what each rule forbids, and yes to the same without it.
#[test]
fn the_restatement_tells_what_is_forbidden_from_what_is_not() {
    let rates = Rates::new([(euro(), Rate::from_billionths(EURO).unwrap())]);
    let buyer = Buyer {
        price: 2_000_000,
        in_euro: false,
        advertiser: 1,
        has_seat: false,
        category: 0,
        classified: Some(0),
        secure: true,
        deals: vec![(0, None, false)],
        deals_only: false,
    };
    let deal = AskedDeal {
        id: 0,
        floor: Some((2_000_000, false)),
        at: None,
        seat: 0,
        advertiser: None,
    };
    let open = || Asked {
        floor: (0, false),
        in_euro: false,
        badv: vec![],
        bcat: vec![],
        in_other_taxonomy: false,
        seats: (0, true),
        secure: true,
        deals: vec![],
        private: false,
    };
    let says = |asked: &Asked, deal: &AskedDeal| asked.on_deal(&buyer, deal, &rates).is_some();
    assert!(says(&open(), &deal));
    let forbidding: [fn(&mut Asked, &mut AskedDeal); 8] = [
        |asked, _| asked.badv = vec![1],
        |asked, _| asked.bcat = vec![1],
        |asked, _| (asked.bcat, asked.in_other_taxonomy) = (vec![1], true),
        |asked, _| asked.seats = (2, true),
        |asked, _| asked.seats = (1, false),
        |_, deal| deal.floor = Some((2_000_000, true)),
        |_, deal| deal.seat = 2,
        |_, deal| deal.advertiser = Some(2),
    ];
    for (rule, forbid) in forbidding.into_iter().enumerate() {
        let (mut asked, mut deal) = (open(), deal.clone());
        forbid(&mut asked, &mut deal);
        assert!(!says(&asked, &deal), "rule {rule}");
    }
}

/// What is told of every campaign, in the order of rank, and what is chosen.
fn told(
    asked: &Asked,
    catalogue: &Catalogue,
    place: Place<'_>,
) -> (Vec<Told<CampaignKey>>, Chosen) {
    let bytes = asked.request().to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let chosen = choose(&asked.request(), catalogue, place, &mut Purse::full());
    let Ok(context) = Context::read(&request, place) else {
        return (Vec::new(), chosen);
    };
    let chance = Opportunity::read(&request.imps[0], 0, &context).unwrap();
    let inquiry = Inquiry::new((&context, &chance), catalogue);
    let tell = |(rank, offer)| inquiry.tell((offer, rank), &[], &mut Purse::full());
    (catalogue.ranked().map(tell).collect(), chosen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn each_campaign_is_told_what_the_rules_say_of_it(buyers in prop::collection::vec(buyer(), 0..20), asked in asked()) {
        let rates = Rates::new([(euro(), Rate::from_billionths(EURO).unwrap())]);
        let campaigns = buyers.iter().enumerate().map(|(place, one)| one.campaign(place));
        let (catalogue, _) = catalogue_and_left_out(campaigns, &rates, NOW);
        let seats = ["house".into(), "own".into()];
        let place = Place { seat: Some("house"), seats: &seats, ..place(&rates) };
        let (told, chosen) = told(&asked, &catalogue, place);
        if told.is_empty() {
            return Ok(());
        }
        let floor = asked.converted(asked.floor, &rates);
        for (offer, told) in catalogue.offers().iter().zip(&told) {
            let number: usize = offer.campaign.id[1..].parse().unwrap();
            let buyer = &buyers[number];
            let on_deal = asked.deals.iter().filter_map(|deal| asked.on_deal(buyer, deal, &rates)).max();
            let sells = !asked.private && (!buyer.deals_only || buyer.deals.is_empty());
            let price = asked.converted((buyer.price, buyer.in_euro), &rates);
            let in_open = sells && asked.allows(buyer) && price >= floor;
            prop_assert_eq!(told.reason().is_none(), on_deal.is_some() || in_open, "{:?}", told.reason());
            if let Some(best) = told.best().filter(|best| best.outcome.is_ok()) {
                let expected = on_deal.map_or(price, |(_, price)| price);
                prop_assert_eq!(best.priced.unwrap().price, expected);
                prop_assert_eq!(best.deal.is_some(), on_deal.is_some());
            }
            if told.exclusion.is_some() {
                prop_assert!(on_deal.is_none() && !sells);
            }
        }
        // What is chosen is told to bid, on the same way and at the same price; where nothing is, nobody is told so.
        match chosen {
            Ok(choice) => {
                let best = told[choice.rank.index()].best().unwrap();
                prop_assert!(best.outcome.is_ok());
                prop_assert_eq!(&best.deal, &choice.deal);
                prop_assert_eq!(best.priced.unwrap().price, choice.priced.price);
                prop_assert_eq!(best.quote.unwrap().rate, choice.quote.rate);
            }
            Err(reason) => {
                prop_assert!(told.iter().all(|told| told.reason().is_some()));
                let furthest = told.iter().filter_map(Told::reason).max();
                let alone = if asked.private { PassReason::DealRequired } else { PassReason::NoCandidate };
                prop_assert_eq!(reason, furthest.unwrap_or(alone).max(alone));
            }
        }
    }
}

proptest! {
    #[test]
    fn every_bid_for_an_impression_is_told_on_its_way_and_at_its_price(
        buyers in prop::collection::vec(buyer(), 0..20), asked in asked(), most in 1..5_usize,
    ) {
        let rates = Rates::new([(euro(), Rate::from_billionths(EURO).unwrap())]);
        // Of an advertiser each, so that several may bid.
        let campaigns = buyers.iter().enumerate().map(|(place, one)| {
            let mut one = one.campaign(place);
            let mut advertiser = (*one.advertiser).clone();
            advertiser.key = AdvertiserKey::of(&one.id);
            one.advertiser = Arc::new(advertiser);
            one
        });
        let (catalogue, _) = catalogue_and_left_out(campaigns, &rates, NOW);
        let seats = ["house".into(), "own".into()];
        let bids_per_imp = NonZeroUsize::new(most).unwrap();
        let place = Place { seat: Some("house"), seats: &seats, bids_per_imp, ..place(&rates) };
        let (told, _) = told(&asked, &catalogue, place);
        let bytes = asked.request().to_string();
        let request = decode(bytes.as_bytes()).unwrap();
        let Ok(context) = Context::read(&request, place) else {
            return Ok(());
        };
        let mut chance = Opportunity::read(&request.imps[0], 0, &context).unwrap();
        let mut choices = Vec::new();
        let chosen = decide((&context, &mut chance), &catalogue, &mut choices, &mut Purse::full(), &|| false);
        prop_assert_eq!(chosen.is_ok(), !choices.is_empty());
        for choice in &choices {
            let all = &told[choice.rank.index()].tried;
            let tried = all.iter().find(|tried| tried.deal == choice.deal).unwrap();
            prop_assert!(tried.outcome.is_ok());
            prop_assert_eq!(tried.priced.unwrap().price, choice.priced.price);
            prop_assert_eq!(tried.priced.unwrap().creative, choice.priced.creative);
        }
        if choices.is_empty() {
            prop_assert!(told.iter().all(|told| told.reason().is_some()));
        }
    }
}
