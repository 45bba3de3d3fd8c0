//! Pods: one bid of each advertiser, and all of them together in time.

use super::*;
use crate::bidding::Pods;

#[test]
fn an_advertiser_that_bids_in_a_pod_is_refused_for_the_rest_of_it_only() {
    let rates = Rates::default();
    let two = ["one", "two"].map(|id| {
        let mut campaign = campaign(id);
        campaign.creatives = vec![video(&format!("{id}-video"))];
        campaign
    });
    let catalogue = catalogue(two, NOW);
    let pod = |podid: &str| json!({ "podid": podid, "poddur": 60, "mimes": ["video/mp4"] });
    let imps = json!([
        { "id": "1", "video": pod("first") },
        { "id": "2", "video": pod("first") },
        { "id": "3", "video": pod("second") },
        { "id": "4", "video": { "podid": "first" } },
    ]);
    let bytes = request(&json!({ "imp": imps })).to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place(&rates)).unwrap();
    let mut pods = Pods::default();
    // One imp after another, as the engine does, but that a campaign may bid on several.
    let mut next = |imp: u16| {
        let mut choices = Vec::new();
        let asked = &request.imps[usize::from(imp)];
        let mut chance = Opportunity::read(asked, imp, &context).unwrap();
        pods.enter(&mut chance);
        let outcome = decide(
            (&context, &mut chance),
            &catalogue,
            &mut choices,
            &mut Purse::full(),
            &|| false,
        );
        pods.leave(&chance);
        outcome.map(|()| choices.len())
    };
    assert_eq!(next(0), Ok(1), "one of the advertiser's two");
    assert_eq!(next(1), Err(PassReason::OncePerPod));
    assert_eq!(next(2), Ok(1), "another pod is another break");
    assert_eq!(next(3), Err(PassReason::OncePerPod));
}

#[test]
fn a_dynamic_pod_gets_bids_that_fit_into_it_together_and_one_of_each_advertiser() {
    let rates = Rates::default();
    let film = |number: i64, seconds: u32| {
        let mut one = campaign(&format!("c{number}"));
        one.goal = Goal::Cpm(Cpm::from_micros(9_000_000 - number * 1_000_000));
        let mut advertiser = (*one.advertiser).clone();
        advertiser.key = AdvertiserKey::of(&format!("a{number}"));
        one.advertiser = Arc::new(advertiser);
        let mut creative = video("v");
        if let Format::Video(spot) = &mut creative.format {
            spot.duration_seconds = seconds;
        }
        one.creatives = vec![creative, banner("b", 300, 250)];
        one
    };
    let films = [
        film(0, 30),
        film(1, 40),
        film(2, 15),
        film(3, 15),
        film(4, 5),
    ];
    let catalogue = catalogue(films, NOW);
    for (pod, prices) in [
        (json!({ "poddur": 60 }), vec![9, 7, 6]),
        (json!({ "poddur": 60, "maxseq": 2 }), vec![9, 7]),
        (json!({ "poddur": 50 }), vec![9, 7, 5]),
        (json!({ "poddur": 4 }), vec![]),
        (json!({ "podid": "p" }), vec![9]),
    ] {
        let bytes = request(&json!({ "imp": [{ "id": "1", "video": pod }] })).to_string();
        let request = decode(bytes.as_bytes()).unwrap();
        let context = Context::read(&request, place(&rates)).unwrap();
        let mut chance = Opportunity::read(&request.imps[0], 0, &context).unwrap();
        let mut choices = Vec::new();
        decide(
            (&context, &mut chance),
            &catalogue,
            &mut choices,
            &mut Purse::full(),
            &|| false,
        )
        .ok();
        let chosen: Vec<i64> = choices
            .iter()
            .map(|choice| choice.priced.price.micros() / 1_000_000)
            .collect();
        assert_eq!(chosen, prices, "{pod}");
    }
}
