//! Decisions about one small campaign, which each test changes in what it is about.

mod creatives;
mod deals;
mod floors;
mod naive;
mod pods;
mod privacy;
mod reasons;
mod required;
mod search;
mod valued;

use std::num::NonZeroUsize;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bidding::fixture::{NOW, place};
use crate::bidding::{
    AddressRange, ChainRule, Inquiry, Place, Seller, SupplyPolicy, Told, Traffic,
};
use crate::campaign::fixture::{
    banner, campaign, catalogue, catalogue_and_left_out, domain, video,
};
use crate::campaign::{
    Advertiser, Bundle, Campaign, Category, CategoryPath, Classified, Deal, Format, Goal,
    InventoryList, Language, Lists, Market, Rates, Transparency,
};
use crate::openrtb::decode;
use crate::units::{Currency, ExchangeKey, Rate, SegmentKey};

/// Money that says what a test wants, and counts what it was asked.
struct Purse {
    draws: bool,
    refuses: Option<PassReason>,
    promised: Vec<Offered>,
}

impl Purse {
    fn full() -> Self {
        Self {
            draws: true,
            refuses: None,
            promised: Vec::new(),
        }
    }
}

impl Funds for Purse {
    type Hold = CampaignKey;

    fn draws(&mut self, _: CampaignSlot, _: Nanos) -> Result<bool, PassReason> {
        Ok(self.draws)
    }

    fn promise(&mut self, offered: &Offered) -> Result<CampaignKey, PassReason> {
        self.promised.push(*offered);
        self.refuses.map_or(Ok(offered.campaign), Err)
    }
}

fn request(change: &Value) -> Value {
    let mut request = json!({
        "id": "r", "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" },
    });
    for (key, value) in change.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    request
}

type Chosen = Result<Choice<CampaignKey>, PassReason>;

/// What is chosen for the first impression of a request.
fn choose(request: &Value, catalogue: &Catalogue, place: Place<'_>, purse: &mut Purse) -> Chosen {
    let bytes = request.to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place)?;
    let mut chance = Opportunity::read(&request.imps[0], 0, &context)?;
    let mut choices = Vec::new();
    decide(
        (&context, &mut chance),
        catalogue,
        &mut choices,
        purse,
        &|| false,
    )?;
    Ok(choices.remove(0))
}

fn reason(change: &Value, one: Campaign) -> Option<PassReason> {
    let rates = Rates::default();
    let catalogue = catalogue([one], NOW);
    let seats = ["house".into(), "own".into()];
    let supply = SupplyPolicy {
        rule: ChainRule::CompleteIfSent,
        blocked: Seller::parse("bad.example").into_iter().collect(),
        ..SupplyPolicy::default()
    };
    let datacentres = AddressRange::parse("192.0.2.0/24").into_iter().collect();
    let traffic = Traffic::new(&["examplebot".to_owned()], datacentres).unwrap();
    let place = Place {
        seat: Some("house"),
        seats: &seats,
        supply: Some(&supply),
        traffic: Some(&traffic),
        ..place(&rates)
    };
    choose(&request(change), &catalogue, place, &mut Purse::full()).err()
}

/// A campaign whose creative is about one category of one taxonomy.
fn classified(taxonomy: u32, category: &str) -> Campaign {
    let mut one = campaign("c");
    one.creatives[0].classified = vec![Classified {
        taxonomy,
        categories: vec![CategoryPath::parse(category).unwrap()],
    }];
    one
}

/// An advertiser that says who paid.
fn transparent(renders: bool) -> Arc<Advertiser> {
    let mut advertiser = (*campaign("c").advertiser).clone();
    advertiser.transparency = Some(Transparency {
        behalf: "Shoes Ltd".into(),
        paid: "Shoes Holding".into(),
        renders,
        parameters: vec![(domain("shoes.example"), 1 << 2)],
    });
    Arc::new(advertiser)
}

/// An advertiser that runs only on some sites, and not on others.
fn running(allowed: &[&str], blocked: &[&str]) -> Arc<Advertiser> {
    let list = |names: &[&str]| {
        let apps = vec![Bundle::parse("com.example.game").unwrap()];
        let sites = names.iter().map(|name| domain(name)).collect();
        let apps = if names.is_empty() { Vec::new() } else { apps };
        InventoryList::new(sites, apps)
    };
    let mut advertiser = (*campaign("c").advertiser).clone();
    (advertiser.allowed, advertiser.blocked) = (list(allowed), list(blocked));
    Arc::new(advertiser)
}

fn deal(id: &str) -> Deal {
    Deal {
        id: id.into(),
        exchange: ExchangeKey::of("adx"),
        price: None,
        guaranteed: false,
    }
}

/// A campaign that bids on the deal `d` and nowhere else.
fn on_deals_alone() -> Campaign {
    Campaign {
        deals: vec![deal("d")],
        market: Market::DealsOnly,
        ..campaign("c")
    }
}

/// An impression with the deal `d`, about which it says this.
fn on_deal(says: &Value) -> Value {
    let mut deal = json!({ "id": "d" });
    for (key, value) in says.as_object().into_iter().flatten() {
        deal[key] = value.clone();
    }
    imp("pmp", json!({ "deals": [deal] }))
}

fn private_deal(says: &Value) -> Value {
    let mut request = on_deal(says);
    request["imp"][0]["pmp"]["private_auction"] = json!(1);
    request
}

fn imp(key: &str, value: Value) -> Value {
    let mut imp = json!({ "id": "1", "banner": { "w": 300, "h": 250 } });
    imp[key] = value;
    json!({ "imp": [imp] })
}

#[test]
fn the_control_gets_a_bid_at_the_campaigns_price() {
    let rates = Rates::default();
    let choice = choose(
        &request(&json!({})),
        &catalogue([campaign("c")], NOW),
        place(&rates),
        &mut Purse::full(),
    );
    let choice = choice.unwrap();
    assert_eq!(
        (choice.priced.price, choice.hold),
        (Cpm::from_micros(2_500_000), Some(CampaignKey::of("c")))
    );
}
