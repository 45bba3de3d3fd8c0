//! Plans of notices.

use super::*;
use crate::check::{SoundBid, Trackers};
use crate::rng::Purpose;
use crate::scenario::Scenario;
use crate::traffic::Generator;

struct Case {
    settings: scenario::Notices,
    asked: Asked,
    decided: Decided,
}

fn case(end: End) -> Case {
    let scenario = Scenario::load("steady").unwrap();
    let generator = Generator::new(1, scenario.traffic, &scenario.exchanges);
    let asked = generator.request(0).unwrap().asked;
    let url = |kind: &str| {
        format!(
            "http://h:1/{kind}?a=${{AUCTION_ID}}&i=${{AUCTION_IMP_ID}}&p=${{AUCTION_PRICE}}&x=${{AUCTION_UNKNOWN}}"
        )
    };
    let bid = SoundBid {
        id: "b1".to_owned(),
        bidid: "r1".to_owned(),
        imp: 0,
        price: Micros::new(3_000_000),
        currency: "USD".to_owned(),
        seat: "s".to_owned(),
        campaign: "c".to_owned(),
        ad_id: String::new(),
        win_notice: Some(url("win")),
        billing_notice: Some(url("bill")),
        loss_notice: Some(
            "http://h:1/loss?r=${AUCTION_LOSS}&p=${AUCTION_PRICE:B64}&m=${AUCTION_MIN_TO_WIN}"
                .to_owned(),
        ),
        trackers: Trackers {
            impressions: vec!["https://third.example/pixel".to_owned(), url("imp")],
            clicks: vec![url("click")],
        },
    };
    let mut settings = scenario.notices;
    settings.lost_share = 0.0;
    settings.late_share = 0.0;
    settings.click_share = 1.0;
    settings.duplicate_share = 0.0;
    Case {
        settings,
        asked,
        decided: Decided {
            bid,
            end,
            min_to_win: Micros::new(1_510_000),
        },
    }
}

fn planned(case: &Case) -> Vec<Notice> {
    let mut rng = Rng::of(1, Purpose::Auction, 0);
    plan(&case.settings, &case.asked, &case.decided, &mut rng)
}

fn kinds(notices: &[Notice]) -> Vec<NoticeKind> {
    notices.iter().map(|notice| notice.kind).collect()
}

const WON: End = End::Won(Micros::new(1_510_000));

#[test]
fn a_win_is_reported_then_billed_at_the_clearing_price() {
    let case = case(WON);
    let notices = planned(&case);
    assert_eq!(
        kinds(&notices),
        [
            NoticeKind::Win,
            NoticeKind::Billing,
            NoticeKind::Impression,
            NoticeKind::Impression,
            NoticeKind::Click
        ]
    );
    let imp = &case.asked.imps[0].id;
    let wanted = format!("http://h:1/win?a={}&i={imp}&p=1.51&x=", case.asked.id);
    assert_eq!(notices[0].url, wanted);
    assert!(notices[0].after_ms <= notices[1].after_ms);
    let bills: Vec<_> = notices
        .iter()
        .filter(|notice| notice.bill.is_some())
        .collect();
    assert_eq!(bills.len(), 1);
    assert_eq!(bills[0].kind, NoticeKind::Billing);
    let bill = bills[0].bill.as_ref().unwrap();
    assert_eq!((bill.campaign.as_str(), bill.price.get()), ("c", 1_510_000));
}

#[test]
fn without_a_billing_notice_our_own_pixel_bills_and_without_that_the_win() {
    let mut case = case(WON);
    case.decided.bid.billing_notice = None;
    let billing = |case: &Case| {
        planned(case)
            .into_iter()
            .find(|notice| notice.bill.is_some())
    };
    let notice = billing(&case).unwrap();
    assert_eq!(notice.kind, NoticeKind::Impression);
    assert!(notice.url.starts_with("http://h:1/imp?"));
    case.decided.bid.trackers.impressions.truncate(1);
    assert_eq!(billing(&case).unwrap().kind, NoticeKind::Win);
}

#[test]
fn a_loss_tells_its_code_and_bills_nothing() {
    let notices = planned(&case(End::Lost(Micros::new(4_000_000))));
    assert_eq!(kinds(&notices), [NoticeKind::Loss]);
    assert_eq!(notices[0].url, "http://h:1/loss?r=102&p=4&m=1.51");
    assert!(notices[0].bill.is_none());
}

#[test]
fn nothing_of_a_test_is_reported() {
    let mut case = case(WON);
    case.asked.is_test = true;
    assert!(planned(&case).is_empty());
}

#[test]
fn fates_follow_their_shares() {
    let mut case = case(WON);
    case.settings.lost_share = 1.0;
    assert!(
        planned(&case)
            .iter()
            .all(|notice| notice.fate == Fate::Never)
    );
    case.settings.lost_share = 0.0;
    case.settings.duplicate_share = 1.0;
    assert!(
        planned(&case)
            .iter()
            .all(|notice| notice.fate == Fate::Twice)
    );
    case.settings.late_share = 1.0;
    let billed = planned(&case)
        .into_iter()
        .find(|notice| notice.bill.is_some());
    assert!(billed.unwrap().after_ms >= case.settings.late_ms);
}

#[test]
fn googles_macro_is_replaced_too() {
    let mut case = case(WON);
    case.decided.bid.win_notice = Some("http://h:1/win?p=%%WINNING_PRICE%%".to_owned());
    assert_eq!(planned(&case)[0].url, "http://h:1/win?p=1.51");
}
