use super::*;
use crate::units::{
    AdvertiserKey, BidId, BudgetDay, CampaignKey, CreativeKey, Currency, Epoch, ExchangeKey,
    LedgerTime, Rate, RegionKey,
};

pub(in crate::notice) const BID_AT: UnixMillis = UnixMillis::new(1_800_000_000_000);
const BID: Cpm = Cpm::from_micros(2_000_000);
const CLEARED: Cpm = Cpm::from_micros(1_500_000);

pub(in crate::notice) fn token(billing: BillingEvent) -> Token {
    Token {
        bid: BidId::new(1, 0, 1),
        imp: 0,
        campaign: CampaignKey::of("c"),
        creative: CreativeKey::of("k"),
        advertiser: AdvertiserKey::of("a"),
        region: RegionKey::of("sg"),
        exchange: ExchangeKey::of("adx"),
        currency: Currency::parse("EUR").unwrap(),
        rate: Rate::from_billionths(1_080_000_000).unwrap(),
        margin_per_mille: 100,
        day: BudgetDay::new(20_000),
        epoch: Epoch::new(1),
        reserved: Nanos::new(2_376_000),
        price_max: BID,
        hold: 0,
        expires_at: LedgerTime::from_millis(BID_AT.get() + 300_000),
        bid_at: BID_AT,
        billing,
        test: false,
        user: None,
        deal: None,
    }
}

fn at(price: Cpm, doubt: Option<Doubt>) -> Amounts {
    // 1.08 dollars to the euro, ten per cent on top, each rounded up.
    let cost = price.per_impression();
    let charge = Nanos::new((cost.get() * 108 + 99) / 100);
    let charge = Nanos::new((charge.get() * 11 + 9) / 10);
    Amounts {
        price,
        cost,
        charge,
        doubt,
    }
}

/// Every case, a row each: state, notice, how it is billed, verdict.
#[test]
fn each_notice_does_in_each_state_what_the_table_says() {
    use BillingEvent::{BillingNotice, Impression, WinNotice};
    use Notice::{Bill, Click, Loss, Win};
    use Reason::{Contradiction, Duplicate, Noted};
    use State::{Billed, Lost, Open, Won, WonAndBilled};
    let price = Reported::Price(CLEARED);
    let win = Verdict::Win(at(CLEARED, None));
    let bill = Verdict::Bill(at(CLEARED, None));
    let rows = [
        (Open, Win(price), BillingNotice, win),
        (Won, Win(price), BillingNotice, Verdict::Nothing(Duplicate)),
        (Lost, Win(price), BillingNotice, win),
        (Billed, Win(price), BillingNotice, win),
        (
            WonAndBilled,
            Win(price),
            BillingNotice,
            Verdict::Nothing(Duplicate),
        ),
        (Open, Bill(price), BillingNotice, bill),
        (Won, Bill(price), BillingNotice, bill),
        (Lost, Bill(price), BillingNotice, bill),
        (
            Billed,
            Bill(price),
            BillingNotice,
            Verdict::Nothing(Duplicate),
        ),
        (
            WonAndBilled,
            Bill(price),
            BillingNotice,
            Verdict::Nothing(Duplicate),
        ),
        (Open, Loss, BillingNotice, Verdict::Release),
        (Lost, Loss, BillingNotice, Verdict::Nothing(Duplicate)),
        (Won, Loss, BillingNotice, Verdict::Nothing(Contradiction)),
        (Billed, Loss, BillingNotice, Verdict::Nothing(Contradiction)),
        (
            Open,
            Notice::Impression(price),
            BillingNotice,
            Verdict::Nothing(Noted),
        ),
        (Open, Notice::Impression(price), Impression, bill),
        (
            Billed,
            Notice::Impression(price),
            Impression,
            Verdict::Nothing(Duplicate),
        ),
        (Open, Bill(price), Impression, Verdict::Nothing(Noted)),
        (Open, Win(price), WinNotice, bill),
        (Billed, Win(price), WinNotice, Verdict::Nothing(Duplicate)),
        (Open, Click, BillingNotice, Verdict::Nothing(Noted)),
    ];
    for (state, notice, billing, verdict) in rows {
        let found = settle(state, notice, &token(billing), BID_AT);
        assert_eq!(
            found, verdict,
            "{notice:?} in {state:?}, billed by {billing:?}"
        );
    }
}

/// Every price, a row each.
#[test]
fn a_price_that_cannot_be_trusted_is_booked_at_our_bid_and_marked() {
    let above = Cpm::from_micros(2_000_001);
    let rows = [
        (Reported::Price(CLEARED), Verdict::Bill(at(CLEARED, None))),
        (
            Reported::Price(Cpm::ZERO),
            Verdict::Bill(at(Cpm::ZERO, None)),
        ),
        (
            Reported::Price(above),
            Verdict::Bill(at(BID, Some(Doubt::AboveBid))),
        ),
        (
            Reported::Missing,
            Verdict::Bill(at(BID, Some(Doubt::Missing))),
        ),
        (
            Reported::Unreadable,
            Verdict::Bill(at(BID, Some(Doubt::Unreadable))),
        ),
        (Reported::Audit, Verdict::Nothing(Reason::Audit)),
    ];
    for (reported, verdict) in rows {
        let found = settle(
            State::Open,
            Notice::Bill(reported),
            &token(BillingEvent::BillingNotice),
            BID_AT,
        );
        assert_eq!(found, verdict, "{reported:?}");
    }
}

#[test]
fn a_bill_after_its_promise_lapsed_is_booked_and_one_past_the_horizon_is_refused() {
    let token = token(BillingEvent::BillingNotice);
    let notice = Notice::Bill(Reported::Price(CLEARED));
    let week = UnixMillis::new(BID_AT.get() + i64::try_from(HORIZON.as_millis()).unwrap());
    assert_eq!(
        settle(State::Open, notice, &token, week),
        Verdict::Bill(at(CLEARED, None))
    );
    let later = UnixMillis::new(week.get() + 1);
    assert_eq!(
        settle(State::Open, notice, &token, later),
        Verdict::Refused(Refusal::PastHorizon)
    );
    assert_eq!(
        settle(State::Open, Notice::Loss, &token, later),
        Verdict::Refused(Refusal::PastHorizon)
    );
}

#[test]
fn a_test_is_acknowledged_and_never_billed() {
    let mut token = token(BillingEvent::BillingNotice);
    token.test = true;
    let verdict = settle(
        State::Open,
        Notice::Bill(Reported::Price(CLEARED)),
        &token,
        BID_AT,
    );
    assert_eq!(verdict, Verdict::Nothing(Reason::Test));
}

#[test]
fn whatever_the_order_of_notices_it_is_billed_once() {
    let price = Reported::Price(CLEARED);
    let notices = [
        Notice::Win(price),
        Notice::Bill(price),
        Notice::Loss,
        Notice::Bill(price),
        Notice::Win(price),
    ];
    for turn in 0..notices.len() {
        let (mut state, mut bills) = (State::Open, 0);
        for notice in notices.iter().cycle().skip(turn).take(notices.len()) {
            let verdict = settle(state, *notice, &token(BillingEvent::BillingNotice), BID_AT);
            bills += u32::from(matches!(verdict, Verdict::Bill(_)));
            state = state.after(&verdict);
        }
        assert_eq!(
            (bills, state),
            (1, State::WonAndBilled),
            "beginning with {:?}",
            notices[turn]
        );
    }
}
