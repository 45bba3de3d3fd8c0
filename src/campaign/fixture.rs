//! Campaigns for tests: valid, small, open to everything, to be narrowed by the test.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::budget::SharedBudget;
use super::{
    Advertiser, Approvals, Banner, BannerKind, Campaign, Catalogue, Category, ClickRates, Country,
    Creative, Domain, Format, Goal, InventoryList, LeftOut, Market, MediaFile, Native, NativeImage,
    NativeText, OwnSegments, Pacing, Priors, Rates, Reach, Shelf, Size, SlotTable, Spot,
    SpotSource, Targeting, Terms,
};
use crate::units::{
    AdvertiserKey, CampaignKey, Cpm, CreativeKey, Currency, Monotonic, Nanos, UnixMillis,
};

pub(crate) fn size(w: u32, h: u32) -> Size {
    Size { w, h }
}

pub(crate) fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

pub(crate) fn category(code: &str) -> Category {
    Category::parse(code).unwrap()
}

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

pub(crate) fn advertiser(id: &str) -> Advertiser {
    Advertiser {
        id: id.into(),
        key: AdvertiserKey::of(id),
        domains: vec![domain(&format!("{id}.example"))],
        categories: vec![category("IAB18-5")],
        classified: Vec::new(),
        currency: Currency::USD,
        allowed: InventoryList::default(),
        blocked: InventoryList::default(),
        seats: Vec::new(),
        budget: SharedBudget::default(),
        cap: None,
        transparency: None,
    }
}

fn creative(id: &str, format: Format) -> Creative {
    Creative {
        id: id.into(),
        key: CreativeKey::of(id),
        format,
        click_url: "https://landing.example/".into(),
        attributes: 0,
        apis: 0,
        categories: Vec::new(),
        classified: Vec::new(),
        language: None,
        secure: true,
        iurl: None,
        bundle: None,
    }
}

pub(crate) fn banner(id: &str, w: u32, h: u32) -> Creative {
    creative(
        id,
        Format::Banner(Banner {
            size: size(w, h),
            scales_from_w: None,
            expands: 0,
            html: "<b>ad</b>".into(),
            kind: BannerKind::XhtmlBanner,
            mime: "text/html".into(),
        }),
    )
}

/// 15 seconds in one file, no skip button.
fn spot(mime: &str, size: Option<Size>) -> Spot {
    let file = MediaFile {
        url: "https://media.example/a".into(),
        mime: mime.into(),
        size,
        bitrate_kbps: Some(800),
    };
    Spot {
        source: SpotSource::Inline(vec![file]),
        duration_seconds: 15,
        skip_after_seconds: None,
        companions: Vec::new(),
        verification: None,
    }
}

/// 15 seconds, 640x360 at 800 kbit/s, no skip button.
pub(crate) fn video(id: &str) -> Creative {
    let spot = spot("video/mp4", Some(size(640, 360)));
    creative(id, Format::Video(spot))
}

/// 15 seconds of sound at 800 kbit/s.
pub(crate) fn audio(id: &str) -> Creative {
    creative(id, Format::Audio(spot("audio/mpeg", None)))
}

/// A title, a sponsor, a 1200x627 image.
pub(crate) fn native(id: &str) -> Creative {
    creative(
        id,
        Format::Native(Native {
            title: "Ten shoes to run in".into(),
            texts: vec![NativeText {
                kind: 1,
                text: "Shoes".into(),
            }],
            images: vec![NativeImage {
                kind: 3,
                url: "https://media.example/a.png".into(),
                size: size(1200, 627),
                mime: "image/png".into(),
            }],
            video: None,
            deep_link: None,
            privacy_url: None,
            script_url: None,
        }),
    )
}

/// 2.50 USD CPM, one banner of 300x250, no limits.
pub(crate) fn campaign(id: &str) -> Campaign {
    Campaign {
        id: id.into(),
        key: CampaignKey::of(id),
        advertiser: Arc::new(advertiser("shoes")),
        currency: Currency::USD,
        goal: Goal::Cpm(Cpm::from_micros(2_500_000)),
        max_cpm: None,
        multipliers: Vec::new(),
        margin_per_mille: 0,
        regions: Reach::All,
        exchanges: Reach::All,
        market: Market::Open,
        deals: Vec::new(),
        targeting: Targeting::default(),
        cap: None,
        budget_daily: Nanos::new(1_000_000_000_000),
        budget_total: None,
        starts_at: None,
        ends_at: None,
        time_zone: TimeZone::UTC,
        pacing: Pacing::Even,
        creatives: vec![banner(&format!("{id}-300x250"), 300, 250)],
        active: true,
    }
}

pub(crate) fn catalogue_and_left_out(
    campaigns: impl IntoIterator<Item = Campaign>,
    rates: &Rates,
    now: UnixMillis,
) -> (Catalogue, Vec<LeftOut>) {
    judged(campaigns, rates, (&Approvals::default(), now))
}

/// The same after exchanges have judged creatives.
pub(crate) fn judged(
    campaigns: impl IntoIterator<Item = Campaign>,
    rates: &Rates,
    (approvals, now): (&Approvals, UnixMillis),
) -> (Catalogue, Vec<LeftOut>) {
    let clicks = &ClickRates::default();
    let terms = Terms {
        rates,
        approvals,
        clicks,
    };
    built(campaigns, terms, now)
}

/// The same where it is known how often creatives are clicked.
pub(crate) fn clicked(
    campaigns: impl IntoIterator<Item = Campaign>,
    clicks: &ClickRates,
    now: UnixMillis,
) -> Catalogue {
    let terms = Terms {
        rates: &Rates::default(),
        approvals: &Approvals::default(),
        clicks,
    };
    built(campaigns, terms, now).0
}

fn built(
    campaigns: impl IntoIterator<Item = Campaign>,
    terms: Terms<'_>,
    now: UnixMillis,
) -> (Catalogue, Vec<LeftOut>) {
    let campaigns: Vec<Arc<Campaign>> = campaigns.into_iter().map(Arc::new).collect();
    let mut slots = SlotTable::new(Duration::from_mins(1));
    let keys: Vec<CampaignKey> = campaigns.iter().map(|campaign| campaign.key).collect();
    assert!(slots.settle(&keys, Monotonic::default()).is_empty());
    Catalogue::build(&campaigns, &slots, terms, now)
}

pub(crate) fn catalogue(
    campaigns: impl IntoIterator<Item = Campaign>,
    now: UnixMillis,
) -> Catalogue {
    catalogue_and_left_out(campaigns, &Rates::default(), now).0
}

/// A shelf with these campaigns and nothing else known.
pub(crate) fn shelf(campaigns: Vec<Campaign>) -> Shelf {
    let campaigns = campaigns.into_iter().map(Arc::new).collect();
    let (shelf, left_out) = Shelf::new(
        (campaigns, OwnSegments::default()),
        SlotTable::new(Duration::from_mins(1)),
        (Rates::default(), ClickRates::believed(Priors::default())),
        Approvals::default(),
        (Monotonic::default(), UnixMillis::new(1_790_000_000_000)),
    );
    assert!(left_out.is_empty());
    shelf
}
