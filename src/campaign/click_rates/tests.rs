use super::*;
use crate::campaign::Prior;
use crate::campaign::fixture::{banner, native, video};
use crate::units::BidId;

const DAY: i64 = 86_400_000;

fn key(number: u64) -> ImpressionKey {
    ImpressionKey {
        bid: BidId::from_raw(number.into()),
        imp: 0,
    }
}

fn creative(id: &str) -> CreativeKey {
    CreativeKey::of(id)
}

fn today() -> ClickTally {
    ClickTally::new(UnixMillis::new(20_000 * DAY))
}

/// So many billed impressions of a banner, of which one in so many is clicked.
fn shown(impressions: u64, one_in: u64) -> ClickTally {
    let mut tally = today();
    for number in 0..impressions {
        tally.billed(key(number), creative("b"));
        if number % one_in == 0 {
            tally.clicked(key(number), creative("b"));
        }
    }
    tally
}

fn rate(tally: &ClickTally) -> u32 {
    let rates = tally.rates(Priors::default());
    rates.rate(&banner("b", 300, 250)).billionths()
}

#[test]
fn the_prior_decides_while_little_was_seen_and_the_creative_when_much_was() {
    assert_eq!(rate(&today()), 1_000_000, "one in a thousand");
    // Ten impressions, all of them clicked, are no rate of one: (10 + 2) / (10 + 2,000).
    assert_eq!(rate(&shown(10, 1)), 5_970_149);
    assert_eq!(rate(&shown(2_000, 100)), 5_500_000, "half of each");
    let learnt = rate(&shown(200_000, 100));
    assert!((9_900_000..=10_000_000).contains(&learnt), "{learnt}");
    let never = rate(&shown(200_000, u64::MAX));
    assert!(never < 20_000, "one click of the first: {never}");
}

#[test]
fn a_rate_comes_as_near_to_the_true_one_as_impressions_are_seen() {
    let mut random = fastrand::Rng::with_seed(11);
    for true_one_in in [50_u64, 400, 2_000] {
        let mut tally = today();
        let mut errors = Vec::new();
        for number in 0..400_000 {
            tally.billed(key(number), creative("b"));
            if random.u64(..true_one_in) == 0 {
                tally.clicked(key(number), creative("b"));
            }
            if [4_000, 399_999].contains(&number) {
                let truth = 1_000_000_000 / i64::try_from(true_one_in).unwrap();
                errors.push((i64::from(rate(&tally)) - truth).abs() * 1_000 / truth);
            }
        }
        assert!(
            errors[1] < 80,
            "within eight per cent: {errors:?} per mille"
        );
        assert!(errors[1] <= errors[0], "{errors:?}");
    }
}

#[test]
fn a_flood_of_clicks_of_one_token_counts_once() {
    let mut tally = today();
    tally.billed(key(1), creative("b"));
    for _ in 0..100_000 {
        tally.clicked(key(1), creative("b"));
    }
    let once = Seen {
        impressions: EVENT,
        clicks: EVENT,
    };
    assert_eq!(tally.seen[&creative("b")], once);
    assert_eq!(tally.recent.len(), 1, "what waits does not grow");
    // The control: another impression's click counts.
    tally.billed(key(2), creative("b"));
    tally.clicked(key(2), creative("b"));
    assert_eq!(tally.seen[&creative("b")].clicks, 2 * EVENT);
}

#[test]
fn a_click_before_its_bill_counts_with_it_and_one_without_a_bill_never() {
    let mut tally = today();
    for _ in 0..3 {
        tally.clicked(key(1), creative("b"));
    }
    assert!(tally.is_empty(), "nobody paid for it yet");
    tally.billed(key(1), creative("b"));
    let seen = tally.seen[&creative("b")];
    assert_eq!((seen.impressions, seen.clicks), (EVENT, EVENT));
    for number in 10..1_000 {
        tally.clicked(key(number), creative("b"));
    }
    assert_eq!(tally.seen[&creative("b")], seen);
}

#[test]
fn what_waits_is_bounded_and_what_was_forgotten_counts_no_click() {
    let mut tally = today();
    let many = 2 * u64::try_from(RECENT_MAX).unwrap() + 1;
    for number in 0..many {
        tally.billed(key(number), creative("b"));
    }
    assert!(tally.recent.len() + tally.former.len() <= 2 * RECENT_MAX);
    tally.clicked(key(0), creative("b"));
    assert_eq!(tally.seen[&creative("b")].clicks, 0);
    tally.clicked(key(many - 1), creative("b"));
    assert_eq!(tally.seen[&creative("b")].clicks, EVENT);
}

#[test]
fn half_of_what_was_seen_is_left_after_a_fortnight_and_nothing_after_years() {
    let mut tally = shown(10_000, 100);
    tally.age(UnixMillis::new(20_000 * DAY + DAY - 1));
    assert_eq!(tally.seen[&creative("b")].impressions, 10_000 * EVENT);
    tally.age(UnixMillis::new(20_014 * DAY));
    let seen = tally.seen[&creative("b")];
    assert!(
        (4_950_000..5_050_000).contains(&seen.impressions),
        "{seen:?}"
    );
    assert!((49_000..51_000).contains(&seen.clicks), "{seen:?}");
    tally.age(UnixMillis::new(20_013 * DAY));
    tally.age(UnixMillis::new(20_014 * DAY));
    assert_eq!(tally.seen[&creative("b")], seen, "no day counts twice");
    tally.age(UnixMillis::new(20_001 * DAY));
    assert_eq!((tally.seen[&creative("b")], tally.day), (seen, 20_001));
    tally.age(UnixMillis::new(30_000 * DAY));
    assert!(tally.is_empty());
    assert_eq!(rate(&tally), 1_000_000, "the prior again");
}

#[test]
fn each_format_has_its_prior_and_rates_stay_within_their_limits() {
    let rates = ClickRates::believed(Priors::default());
    assert_eq!(rates.rate(&video("v")).to_string(), "0.003");
    assert_eq!(rates.rate(&native("n")).to_string(), "0.002");
    let prior = Prior {
        clicks: 1,
        impressions: 2,
    };
    let seen = |impressions, clicks| Seen {
        impressions: impressions * EVENT,
        clicks: clicks * EVENT,
    };
    assert_eq!(prior.rate(seen(1_000, 1_000)), ClickRate::MAX);
    assert_eq!(prior.rate(seen(1_000_000_000, 0)), ClickRate::MIN);
}

#[test]
fn a_full_table_learns_of_those_it_knows_and_the_others_keep_to_the_prior() {
    let mut tally = today();
    for number in 0..=u64::try_from(CREATIVES_SEEN_MAX).unwrap() {
        tally.billed(key(number), CreativeKey::from_raw(number));
    }
    assert_eq!(tally.len(), CREATIVES_SEEN_MAX);
    tally.billed(key(u64::MAX), CreativeKey::from_raw(7));
    assert_eq!(tally.seen[&CreativeKey::from_raw(7)].impressions, 2 * EVENT);
}

#[test]
fn a_tally_reads_back_what_it_wrote_and_half_a_text_is_none() {
    let mut tally = shown(300, 7);
    tally.billed(key(1_000), creative("other"));
    let text = tally.to_text();
    let read = ClickTally::from_text(&text).unwrap();
    assert_eq!((&read.seen, read.day), (&tally.seen, 20_000));
    assert_eq!(read.to_text(), text);
    for cut in 0..text.len() - 1 {
        assert!(ClickTally::from_text(&text[..cut]).is_err(), "cut at {cut}");
    }
    for (broken, said) in [
        ("hello\n".to_owned(), TallyError::Heading),
        (text.replace("day 20000", "day x"), TallyError::Line(2)),
        (text.replace("end 2", "end 3"), TallyError::End),
        (format!("{text}more"), TallyError::End),
    ] {
        assert_eq!(ClickTally::from_text(&broken).err(), Some(said));
    }
}
