//! Campaigns that cannot be offered.

use super::*;
use crate::campaign::fixture::catalogue_and_left_out;
use crate::units::{Currency, Rate};

#[test]
fn campaigns_that_cannot_be_offered_are_left_out_with_a_reason_and_still_known() {
    let eur = Currency::parse("EUR").unwrap();
    let inactive = Campaign {
        active: false,
        ..campaign("inactive")
    };
    let ended = Campaign {
        ends_at: Some(NOW),
        ..campaign("ended")
    };
    let foreign = Campaign {
        currency: eur,
        ..campaign("foreign")
    };
    let empty = Campaign {
        creatives: Vec::new(),
        ..campaign("empty")
    };
    let given = [
        campaign("a"),
        inactive,
        ended,
        foreign,
        empty,
        campaign("a"),
    ];
    let (catalogue, left_out) = catalogue_and_left_out(given.clone(), &Rates::default(), NOW);
    let reasons: Vec<(&str, &WhyLeftOut)> = left_out.iter().map(|it| (&*it.id, &it.why)).collect();
    assert_eq!(
        reasons,
        [
            ("inactive", &WhyLeftOut::Inactive),
            ("ended", &WhyLeftOut::Ended),
            ("foreign", &WhyLeftOut::NoRate),
            ("empty", &WhyLeftOut::Faulty(CampaignFault::Creatives)),
            ("a", &WhyLeftOut::Twice),
        ]
    );
    assert_eq!(catalogue.len(), 1);
    let click = catalogue.creative(CampaignKey::of("ended"), CreativeKey::of("ended-300x250"));
    assert!(
        click.is_some(),
        "a click may come when its campaign has ended"
    );

    let rates = Rates::new([(eur, Rate::from_billionths(2_000_000_000).unwrap())]);
    let (catalogue, _) = catalogue_and_left_out(given, &rates, NOW);
    let order: Vec<&str> = catalogue
        .offers()
        .iter()
        .map(|offer| &*offer.campaign.id)
        .collect();
    assert_eq!(order, ["foreign", "a"], "two dollars to the euro");
    assert_eq!(catalogue.worth(Cpm::from_micros(2_500_001)), 1);
    assert_eq!(catalogue.worth(Cpm::from_micros(2_500_000)), 2);
}
