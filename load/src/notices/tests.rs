//! Plans of notices.

use super::*;
use crate::auction::{Loss, LossReason};
use crate::check::{SoundBid, Trackers};
use crate::decimal::Micros;
use crate::oracle::{Offer, Oracle};
use crate::rng::Purpose;
use crate::scenario::Scenario;
use crate::traffic::Generator;

struct Case {
    settings: scenario::Notices,
    asked: Asked,
    bid: SoundBid<'static>,
    end: End,
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
        id: "b1".into(),
        bidid: "r1".into(),
        imp: 0,
        price: Micros::new(3_000_000),
        currency: "USD".into(),
        seat: "s".into(),
        campaign: "c".into(),
        ad_id: "".into(),
        win_notice: Some(url("win").into()),
        billing_notice: Some(url("bill").into()),
        loss_notice: Some(
            "http://h:1/loss?r=${AUCTION_LOSS}&p=${AUCTION_PRICE:B64}&m=${AUCTION_MIN_TO_WIN}"
                .into(),
        ),
        deal: None,
        objection: None,
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
        bid,
        end,
    }
}

impl Case {
    fn plan(&self, sale: &Sale<'_>) -> Vec<Notice> {
        let decided = Decided {
            bid: &self.bid,
            place: 0,
            end: self.end,
            min_to_win: Micros::new(1_510_000),
        };
        let mut rng = Rng::of(1, Purpose::Auction, 0);
        plan(&self.settings, sale, &decided, &mut rng)
    }
}

fn entry() -> Option<Entry> {
    Oracle::default().bid(&Offer {
        campaign: "c",
        currency: "USD",
        price: Micros::new(3_000_000),
        person: None,
        left_ms: 0,
        answered_ms: 0,
    })
}

fn planned_with(case: &Case, keys: Option<&PriceKeys>) -> Vec<Notice> {
    let sale = Sale {
        asked: &case.asked,
        keys,
        ended_ms: 1_774_713_600_123,
        entry: entry(),
    };
    case.plan(&sale)
}

fn planned(case: &Case) -> Vec<Notice> {
    planned_with(case, None)
}

fn find(notices: &[Notice], kind: NoticeKind) -> &Notice {
    notices.iter().find(|notice| notice.kind == kind).unwrap()
}

fn kinds(notices: &[Notice]) -> Vec<NoticeKind> {
    notices.iter().map(|notice| notice.kind).collect()
}

const LOST: End = End::Lost(Loss {
    reason: LossReason::HigherBid,
    to: Micros::new(4_000_000),
});
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
    assert_eq!((Some(bill.entry), bill.price.get()), (entry(), 1_510_000));
}

#[test]
fn without_a_billing_notice_our_own_pixel_bills_and_without_that_the_win() {
    let mut case = case(WON);
    case.bid.billing_notice = None;
    let billing = |case: &Case| {
        planned(case)
            .into_iter()
            .find(|notice| notice.bill.is_some())
    };
    let notice = billing(&case).unwrap();
    assert_eq!(notice.kind, NoticeKind::Impression);
    assert!(notice.url.starts_with("http://h:1/imp?"));
    case.bid.trackers.impressions.truncate(1);
    assert_eq!(billing(&case).unwrap().kind, NoticeKind::Win);
}

#[test]
fn a_loss_tells_its_code_and_bills_nothing() {
    let notices = planned(&case(LOST));
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
    case.bid.win_notice = Some("http://h:1/win?p=%%WINNING_PRICE%%".into());
    assert_eq!(planned(&case)[0].url, "http://h:1/win?p=1.51");
}

#[test]
fn every_macro_has_its_value_and_others_are_empty() {
    let mut case = case(WON);
    let names = [
        "ID",
        "BID_ID",
        "IMP_ID",
        "SEAT_ID",
        "AD_ID",
        "PRICE",
        "CURRENCY",
        "MBR",
        "LOSS",
        "MIN_TO_WIN",
        "MULTIPLIER",
        "IMP_TS",
        "DISCOUNT_PCT",
        "DISCOUNT_CPM",
        "NO_SUCH",
    ];
    let macros: Vec<String> = names
        .iter()
        .map(|name| format!("${{AUCTION_{name}}}"))
        .collect();
    case.bid.win_notice = Some(format!("http://h:1/win?{}", macros.join("|")).into());
    case.bid.price = Micros::new(3_020_000);
    let (id, imp) = (&case.asked.id, &case.asked.imps[0].id);
    let wanted = format!("http://h:1/win?{id}|r1|{imp}|s||1.51|USD|0.5|0|1.51|1|1774713600123||||");
    let url = find(&planned(&case), NoticeKind::Win).url.clone();
    assert_eq!(format!("{url}|"), wanted);
}

#[test]
fn notices_come_in_the_wrong_order_where_the_scenario_says_so() {
    let mut case = case(WON);
    let at = |notices: &[Notice], kind| find(notices, kind).after_ms;
    case.settings.billing_first_share = 1.0;
    let notices = planned(&case);
    assert!(at(&notices, NoticeKind::Billing) < at(&notices, NoticeKind::Win));
    case.settings.billing_first_share = 0.0;
    case.settings.impression_first_share = 1.0;
    let notices = planned(&case);
    assert!(at(&notices, NoticeKind::Impression) < at(&notices, NoticeKind::Billing));
    case.settings.very_late_share = 1.0;
    case.settings.very_late_ms = 500_000;
    assert!(at(&planned(&case), NoticeKind::Billing) >= 500_000);
}

#[test]
fn forged_bills_are_like_true_ones_but_for_their_token_and_bill_nothing() {
    for end in [WON, LOST] {
        let mut case = case(end);
        case.settings.forged_share = 1.0;
        let true_ones: Vec<String> = planned(&case)
            .into_iter()
            .map(|notice| notice.url)
            .collect();
        let token = case.asked.id.clone();
        assert!(token.len() >= 16, "{token}");
        let notices = planned(&case);
        let forged: Vec<_> = notices
            .iter()
            .filter(|notice| notice.kind == NoticeKind::Forged)
            .collect();
        let paths: Vec<&str> = forged.iter().map(|notice| &notice.url[..12]).collect();
        assert_eq!(paths, ["http://h:1/b", "http://h:1/i", "http://h:1/w"]);
        for notice in forged {
            assert!(
                notice.bill.is_none() && !notice.url.contains(&token),
                "{}",
                notice.url
            );
            assert_eq!(
                true_ones.iter().filter(|url| **url == notice.url).count(),
                1
            );
        }
    }
}

#[test]
fn an_exchange_with_keys_encrypts_the_price_and_bills_what_it_then_says() {
    let keys = "skU7Ax_NL5pPAFyKdkfZjZz2-VhIN8bjj1rVFOaJ_5o=";
    let keys = PriceKeys::parse(keys, keys).unwrap();
    let mut case = case(End::Won(Micros::new(1_510_999)));
    case.bid.win_notice = Some("http://h:1/win?p=%%WINNING_PRICE_ESC%%".into());
    let notices = planned_with(&case, Some(&keys));
    let price = |kind| {
        let url = &find(&notices, kind).url;
        url.split("p=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    let sealed = price(NoticeKind::Win);
    assert_eq!(sealed.len(), 38);
    assert_eq!(sealed, price(NoticeKind::Billing));
    let bill = find(&notices, NoticeKind::Billing).bill.unwrap();
    // Micros of one impression are thousands of its nanos.
    assert_eq!(bill.price.get(), 1_510_000);
}

#[test]
fn a_bid_that_the_oracle_does_not_know_bills_nothing() {
    let case = case(WON);
    let sale = Sale {
        asked: &case.asked,
        keys: None,
        ended_ms: 0,
        entry: None,
    };
    let notices = case.plan(&sale);
    assert!(notices.iter().all(|notice| notice.bill.is_none()));
}
