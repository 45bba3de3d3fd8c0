//! Facts about written responses, each read back by a parser that is not ours.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read_back(response: &BidResponse<'_>) -> Value {
    let mut out = Vec::new();
    write_response(&mut out, response);
    serde_json::from_slice(&out).unwrap()
}

fn response_of<'a>(seats: &'a [SeatBid<'a>]) -> BidResponse<'a> {
    BidResponse {
        id: "r-1",
        bidid: None,
        cur: Currency::USD,
        seats,
    }
}

fn full_bid() -> Bid<'static> {
    Bid {
        nurl: Some("https://n.example/win?p=${AUCTION_PRICE}"),
        burl: Some("https://n.example/bill?p=${AUCTION_PRICE}"),
        lurl: Some("https://n.example/loss?l=${AUCTION_LOSS}"),
        adm: Some("<a href=\"https://x.example/\">\n\u{2028}é</a>"),
        adid: Some("preloaded-7"),
        adomain: &["shop.example", "shop.example.org"],
        bundle: Some("com.example.shop"),
        iurl: Some("https://i.example/7.png"),
        cid: Some("camp-1"),
        crid: Some("crea-7"),
        cattax: Some(1),
        cat: &["IAB22", "IAB22-1"],
        attr: CodeSet::of(&[1, 16]),
        apis: CodeSet::of(&[5, 7]),
        protocol: Some(3),
        language: Some("en"),
        dealid: Some("deal \"9\""),
        w: Some(300),
        h: Some(250),
        wratio: Some(16),
        hratio: Some(9),
        exp_s: Some(300),
        dur_s: Some(15),
        slotinpod: Some(0),
        mtype: Some(MarkupType::Video),
        billing_id: Some(9_007_199_254_740_993),
        ..Bid::new("b-1", "imp\u{0}1", Cpm::from_micros(1_250_001))
    }
}

#[test]
fn every_field_is_written_under_its_own_name() {
    let bids = [full_bid()];
    let seats = [SeatBid {
        seat: Some("seat-a"),
        bids: &bids,
    }];
    let response = BidResponse {
        bidid: Some("resp-1"),
        ..response_of(&seats)
    };
    assert_eq!(
        read_back(&response),
        json!({
            "id": "r-1", "bidid": "resp-1", "cur": "USD",
            "seatbid": [{ "seat": "seat-a", "bid": [{
                "id": "b-1", "impid": "imp\u{0}1", "price": 1.250_001,
                "nurl": "https://n.example/win?p=${AUCTION_PRICE}",
                "burl": "https://n.example/bill?p=${AUCTION_PRICE}",
                "lurl": "https://n.example/loss?l=${AUCTION_LOSS}",
                "adm": "<a href=\"https://x.example/\">\n\u{2028}é</a>", "adid": "preloaded-7",
                "adomain": ["shop.example", "shop.example.org"], "bundle": "com.example.shop",
                "iurl": "https://i.example/7.png", "cid": "camp-1", "crid": "crea-7", "cattax": 1,
                "cat": ["IAB22", "IAB22-1"], "attr": [1, 16], "apis": [5, 7], "protocol": 3,
                "language": "en", "dealid": "deal \"9\"", "w": 300, "h": 250, "wratio": 16, "hratio": 9, "exp": 300, "dur": 15,
                "slotinpod": 0,
                "mtype": 2, "ext": { "billing_id": "9007199254740993" },
            }]}],
        })
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let bids = [Bid::new("b", "1", Cpm::from_micros(1))];
    let seats = [SeatBid {
        seat: None,
        bids: &bids,
    }];
    let mut out = Vec::new();
    write_response(&mut out, &response_of(&seats));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"id":"r-1","seatbid":[{"bid":[{"id":"b","impid":"1","price":0.000001}]}],"cur":"USD"}"#
    );
}

#[test]
fn who_is_behind_a_bid_stands_in_its_extension() {
    let dsa = BidDsa {
        behalf: "Shoes Ltd",
        paid: "Shoes \"Holding\"",
        transparency: &[("shoes.example", CodeSet::from_bits(0b110))],
        adrender: true,
    };
    let bids = [Bid {
        dsa: Some(dsa),
        ..Bid::new("b", "1", Cpm::from_micros(1))
    }];
    let seats = [SeatBid {
        seat: None,
        bids: &bids,
    }];
    assert_eq!(
        read_back(&response_of(&seats))["seatbid"][0]["bid"][0]["ext"],
        json!({ "dsa": {
            "behalf": "Shoes Ltd", "paid": "Shoes \"Holding\"", "adrender": 1,
            "transparency": [{ "domain": "shoes.example", "dsaparams": [1, 2] }],
        }})
    );
}

#[test]
fn a_reason_comes_without_bids() {
    let mut out = Vec::new();
    write_no_bid(&mut out, "r\"1", NoBidReason::InsufficientTime);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"id":"r\"1","seatbid":[],"nbr":15}"#
    );
}

#[test]
fn an_independent_model_of_2_5_reads_our_bids() {
    let bids = [full_bid(), Bid::new("b-2", "2", Cpm::from_micros(7))];
    let seats = [SeatBid {
        seat: Some("seat-a"),
        bids: &bids,
    }];
    let mut out = Vec::new();
    write_response(&mut out, &response_of(&seats));
    let read: openrtb::v2_5::BidResponse = serde_json::from_slice(&out).unwrap();
    let text = serde_json::to_value(&read).unwrap();
    assert_eq!(text["id"], "r-1");
    assert_eq!(text["seatbid"][0]["bid"][0]["crid"], "crea-7");
    assert_eq!(text["seatbid"][0]["bid"][0]["h"], 250);
    assert_eq!(text["seatbid"][0]["bid"][1]["impid"], "2");
    // The same model refuses a bid without a price, so reading above means something.
    let broken = br#"{"id":"r","seatbid":[{"bid":[{"id":"b","impid":"1"}]}]}"#;
    assert!(serde_json::from_slice::<openrtb::v2_5::BidResponse>(broken).is_err());
}

proptest! {
    #[test]
    fn prices_and_texts_come_back_as_they_went(
        micros in 0..=Cpm::MAX.micros(),
        id in any::<String>(),
        markup in any::<String>(),
    ) {
        let bids = [Bid { adm: Some(&markup), ..Bid::new(&id, "1", Cpm::from_micros(micros)) }];
        let seats = [SeatBid { seat: Some(&id), bids: &bids }];
        let value = read_back(&response_of(&seats));
        let bid = &value["seatbid"][0]["bid"][0];
        prop_assert_eq!(bid["id"].as_str(), Some(&*id));
        prop_assert_eq!(bid["adm"].as_str(), Some(&*markup));
        let sent = Cpm::from_micros(micros).to_string();
        prop_assert_eq!(bid["price"].as_f64(), sent.parse().ok());
    }
}
