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

/// Texts that break what is put together carelessly, among others.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "\"},{\"id\":\"x",
        "\\",
        "\\u0022",
        "\u{0}\u{1f}\u{7f}",
        "\u{2028}\u{2029}\u{feff}",
        "</script><![CDATA[",
        "${AUCTION_PRICE}",
        "\u{1f600}\u{10ffff}",
        "\r\n\t\u{8}\u{c}",
    ]);
    let any = prop::collection::vec(any::<char>(), 0..12).prop_map(|all| all.into_iter().collect());
    prop_oneof![any, known.prop_map(str::to_owned)]
}

/// A bid as plain values.
#[derive(Clone, Debug)]
struct Wanted {
    micros: i64,
    id: String,
    impid: String,
    /// nurl, burl, lurl, adm, adid, bundle, iurl, cid, crid, language, dealid
    texts: Vec<Option<String>>,
    adomain: Vec<String>,
    cat: Vec<String>,
    /// attr, apis
    codes: (u64, u64),
    /// cattax, protocol, w, h, wratio, hratio, exp, dur, slotinpod
    numbers: Vec<Option<u32>>,
    billing_id: Option<i64>,
}

prop_compose! {
    fn wanted()(
        micros in 0..=Cpm::MAX.micros(), id in hostile(), impid in hostile(),
        texts in prop::collection::vec(prop::option::of(hostile()), 11),
        adomain in prop::collection::vec(hostile(), 0..4), cat in prop::collection::vec(hostile(), 0..4),
        codes in (any::<u64>(), any::<u64>()), numbers in prop::collection::vec(prop::option::of(any::<u32>()), 9),
        billing_id in prop::option::of(any::<i64>()),
    ) -> Wanted {
        Wanted { micros, id, impid, texts, adomain, cat, codes, numbers, billing_id }
    }
}

const TEXTS: [&str; 11] = [
    "nurl", "burl", "lurl", "adm", "adid", "bundle", "iurl", "cid", "crid", "language", "dealid",
];
const NUMBERS: [&str; 9] = [
    "cattax",
    "protocol",
    "w",
    "h",
    "wratio",
    "hratio",
    "exp",
    "dur",
    "slotinpod",
];

impl Wanted {
    fn bid<'a>(&'a self, (adomain, cat): &'a (Vec<&'a str>, Vec<&'a str>)) -> Bid<'a> {
        let text = |place: usize| self.texts[place].as_deref();
        let number = |place: usize| self.numbers[place];
        Bid {
            nurl: text(0),
            burl: text(1),
            lurl: text(2),
            adm: text(3),
            adid: text(4),
            bundle: text(5),
            iurl: text(6),
            cid: text(7),
            crid: text(8),
            language: text(9),
            dealid: text(10),
            adomain,
            cat,
            attr: CodeSet::from_bits(self.codes.0),
            apis: CodeSet::from_bits(self.codes.1),
            cattax: number(0),
            protocol: number(1),
            w: number(2),
            h: number(3),
            wratio: number(4),
            hratio: number(5),
            exp_s: number(6),
            dur_s: number(7),
            slotinpod: number(8),
            billing_id: self.billing_id,
            ..Bid::new(&self.id, &self.impid, Cpm::from_micros(self.micros))
        }
    }

    fn lists<'w>(&'w self) -> (Vec<&'w str>, Vec<&'w str>) {
        let texts = |list: &'w [String]| list.iter().map(String::as_str).collect();
        (texts(&self.adomain), texts(&self.cat))
    }

    /// What a reader must find: made without what writes it.
    fn expected(&self) -> Value {
        let codes = |bits: u64| {
            (0..64)
                .filter(|bit| bits >> bit & 1 == 1)
                .collect::<Vec<u32>>()
        };
        let price = format!("{}.{:06}", self.micros / 1_000_000, self.micros % 1_000_000);
        let mut bid = json!({
            "id": self.id, "impid": self.impid, "price": price.parse::<f64>().unwrap(),
        });
        let texts = TEXTS.into_iter().zip(&self.texts);
        texts.for_each(|(name, text)| bid[name] = json!(text));
        let numbers = NUMBERS.into_iter().zip(&self.numbers);
        numbers.for_each(|(name, number)| bid[name] = json!(number));
        bid["adomain"] = json!(self.adomain);
        bid["cat"] = json!(self.cat);
        bid["attr"] = json!(codes(self.codes.0));
        bid["apis"] = json!(codes(self.codes.1));
        if let Some(billing_id) = self.billing_id {
            bid["ext"] = json!({ "billing_id": billing_id.to_string() });
        }
        let fields = bid.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null() && value != &json!([]));
        bid
    }
}

/// Whole numbers and floats of one value are the same.
fn as_floats(mut bid: Value) -> Value {
    bid["price"] = json!(bid["price"].as_f64());
    bid
}

proptest! {
    #[test]
    fn whatever_is_bid_is_read_back_by_others(all in prop::collection::vec(wanted(), 1..4), id in hostile(), seat in hostile()) {
        let lists: Vec<_> = all.iter().map(Wanted::lists).collect();
        let bids: Vec<Bid<'_>> = all.iter().zip(&lists).map(|(one, lists)| one.bid(lists)).collect();
        let seats = [SeatBid { seat: Some(&seat), bids: &bids }];
        let response = BidResponse { id: &id, bidid: Some(&id), ..response_of(&seats) };
        let value = read_back(&response);
        prop_assert_eq!(&value["id"], &json!(id));
        prop_assert_eq!(&value["bidid"], &json!(id));
        prop_assert_eq!(&value["seatbid"][0]["seat"], &json!(seat));
        let read = value["seatbid"][0]["bid"].as_array().unwrap();
        prop_assert_eq!(read.len(), all.len());
        for (read, wanted) in read.iter().zip(&all) {
            prop_assert_eq!(as_floats(read.clone()), as_floats(wanted.expected()));
        }

        // The same by types that are not ours; they know the categories of one taxonomy alone.
        let bids: Vec<Bid<'_>> = bids.into_iter().map(|bid| Bid { cat: &[], ..bid }).collect();
        let seats = [SeatBid { seat: Some(&seat), bids: &bids }];
        let mut out = Vec::new();
        write_response(&mut out, &response_of(&seats));
        let read: openrtb::v2_5::BidResponse = serde_json::from_slice(&out).unwrap();
        for (read, wanted) in read.seat_bid[0].bid.iter().zip(&all) {
            prop_assert_eq!(&read.id, &wanted.id);
            prop_assert_eq!(&read.imp_id, &wanted.impid);
            prop_assert_eq!(&read.adm, &wanted.texts[3]);
            prop_assert_eq!(&read.deal_id, &wanted.texts[10]);
            prop_assert_eq!(&read.adomain, &wanted.adomain);
            prop_assert_eq!(read.w, wanted.numbers[2].map(u64::from));
        }
    }
}

/// The control: a writer that does not escape is found out.
#[test]
fn the_readers_refuse_what_is_put_together_carelessly() {
    let careless = |text: &str| format!(r#"{{"id":"{text}","impid":"1","price":1.0}}"#);
    let back = |text: &str| {
        let read = serde_json::from_str::<Value>(&careless(text)).ok()?;
        (read == json!({ "id": text, "impid": "1", "price": 1.0 })).then_some(())
    };
    assert_eq!(back("plain"), Some(()));
    for text in ["\"},{\"id\":\"x", "\\", "\\u0022", "\u{0}", "\r\n"] {
        assert_eq!(back(text), None, "{text:?}");
    }
}
