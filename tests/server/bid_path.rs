//! From a request's bytes to an answer's.

use std::fs;

use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Line, Running, ask, configured};

const PLAIN: &str = "cpm = \"2.00\"\nbudget = { daily = \"100.00\" }";

fn request(imp: &Value) -> Value {
    json!({
        "id": "r1", "tmax": 1000, "imp": [imp],
        "site": { "domain": "news.example" },
        "device": { "devicetype": 4, "os": "Android", "geo": { "country": "SGP" } },
    })
}

/// A request with these keys in the place of its own.
fn changed(request: &Value, change: &Value) -> Value {
    let mut changed = request.clone();
    for (key, value) in change.as_object().into_iter().flatten() {
        changed[key] = value.clone();
    }
    changed
}

fn banner() -> Value {
    json!({ "id": "1", "banner": { "w": 300, "h": 250 } })
}

fn video() -> Value {
    json!({ "id": "1", "video": {
        "mimes": ["video/mp4"], "protocols": [2, 3, 5, 6, 7], "minduration": 5, "maxduration": 30, "w": 640, "h": 360,
    } })
}

fn native() -> Value {
    let asked = json!({ "ver": "1.2", "assets": [
        { "id": 1, "required": 1, "title": { "len": 90 } },
        { "id": 2, "required": 1, "img": { "type": 3, "wmin": 300, "hmin": 150 } },
    ] });
    json!({ "id": "1", "native": { "request": asked.to_string(), "ver": "1.2" } })
}

#[test]
fn a_newcomers_first_request_gets_a_bid_in_every_region_on_every_exchange() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    for exchange in server.exchanges() {
        for country in ["SGP", "ID", "THA", "USA"] {
            let mut request = request(&banner());
            request["device"]["geo"]["country"] = country.into();
            let bid = server.bid(&exchange, &request).only_bid();
            assert!(
                bid["price"].as_f64().expect("a price") > 0.0,
                "{exchange} {country}"
            );
        }
    }
    server.stop();
}

#[test]
fn banners_videos_and_natives_are_bid_on_with_markup_that_reports_back() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    for (imp, mtype, marks) in [
        (banner(), 1, ["<img src=", "/imp?t="]),
        (video(), 2, ["<VAST", "/imp?t="]),
        (native(), 4, ["\"assets\"", "/imp?t="]),
    ] {
        let bid = server.bid("openrtb", &request(&imp)).only_bid();
        assert_eq!(bid["mtype"], mtype);
        let adm = bid["adm"].as_str().expect("markup");
        for mark in marks {
            assert!(adm.contains(mark), "{mark} is not in {adm}");
        }
        let burl = bid["burl"].as_str().expect("a billing notice");
        assert!(burl.contains("${AUCTION_PRICE}"));
    }
    server.stop();
}

#[test]
fn another_implementation_of_openrtb_reads_our_responses() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    let reply = server.bid("openrtb", &request(&video()));
    let response: openrtb::current::BidResponse =
        serde_json::from_slice(&reply.body).expect("a bid response");
    assert_eq!(response.id, "r1");
    let bids = serde_json::to_value(&response.seat_bid[0]).expect("bids");
    assert_eq!(bids["bid"][0]["impid"], "1");
    server.stop();
}

#[test]
fn several_impressions_get_bids_of_different_campaigns() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    let mut two = request(&banner());
    two["imp"] = json!([banner(), { "id": "2", "banner": { "w": 300, "h": 250 } }]);
    let response = server.bid("openrtb", &two).json();
    let bids = response["seatbid"][0]["bid"]
        .as_array()
        .expect("bids")
        .clone();
    assert_eq!(bids.len(), 2);
    assert_eq!(
        (&bids[0]["impid"], &bids[1]["impid"]),
        (&json!("1"), &json!("2"))
    );
    assert_ne!(bids[0]["cid"], bids[1]["cid"]);
    assert_ne!(bids[0]["id"], bids[1]["id"]);
    server.stop();
}

#[test]
fn what_is_no_request_is_refused_by_its_fault_and_never_by_a_5xx() {
    let (configuration, data) = (configured(&[]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let too_large = vec![b' '; 300 * 1024];
    let too_deep = format!("{{\"id\":\"1\",\"imp\":{}", "[".repeat(200));
    let nothing_to_sell = br#"{"id":"1","imp":[]}"#;
    for (what, body, status) in [
        ("nothing", &b""[..], 400),
        ("no JSON", b"bid!", 400),
        ("a list", b"[]", 400),
        ("no id", br#"{"imp":[{"id":"1"}]}"#, 400),
        ("no impression", nothing_to_sell, 400),
        ("too deep", too_deep.as_bytes(), 400),
        ("too large", &too_large, 413),
    ] {
        let reply = server.bid_bytes("openrtb", body);
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{what}");
    }
    let address = server.exchange("openrtb");
    assert_eq!(ask(address, "GET", "/bid", b"").status, 405);
    assert_eq!(ask(address, "POST", "/nowhere", b"").status, 404);
    server.stop();
}

#[test]
fn what_cannot_be_served_gets_no_bid_and_a_reason() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let control = server.bid("openrtb", &request(&banner())).status;
    assert_eq!(control, 200, "the control: unchanged, it gets a bid");
    let imp = |key: &str, value: Value| {
        let mut imp = banner();
        imp[key] = value;
        json!({ "imp": [imp] })
    };
    let passes = [
        ("below_floor", imp("bidfloor", json!(2.01))),
        ("no_candidate", imp("banner", json!({ "w": 1, "h": 2 }))),
        ("deal_required", imp("pmp", json!({ "private_auction": 1 }))),
        ("blocked_advertiser", json!({ "badv": ["ACME.example"] })),
        ("blocked_category", json!({ "bcat": ["IAB18"] })),
        ("currency", json!({ "cur": ["XAU"] })),
        ("seat", json!({ "wseat": ["somebody-else"] })),
    ];
    for (reason, change) in &passes {
        let request = changed(&request(&banner()), change);
        assert_eq!(server.bid("openrtb", &request).status, 204, "{reason}");
    }
    let counted = |reason| {
        let labels = format!("{{exchange=\"openrtb\",outcome=\"pass\",reason=\"{reason}\"}} 1");
        server.page("/metrics").contains(&labels)
    };
    for (reason, _) in passes {
        server.until(reason, || counted(reason));
    }
    server.stop();
}

#[test]
fn a_bid_on_a_deal_names_it_with_the_advertisers_seat_and_who_paid() {
    let deal = "[[deals]]\nid = \"d-1\"\nexchange = \"openrtb\"\ncpm = \"1.50\"\nguaranteed = true";
    let keys = format!("{PLAIN}\nopen_market = false\n{deal}");
    let (configuration, data) = (configured(&[("c", &keys)]), Scratch::new());
    configuration.write(
        "advertisers/acme.toml",
        r#"
domains = ["acme.example"]
seats = { openrtb = "acme-seat" }
dsa = { behalf = "Acme", paid = "Acme Holding" }
"#,
    );
    let server = fs::read_to_string(configuration.path().join("bidtree.toml")).unwrap();
    let seats = "[exchanges.openrtb]\nseats = [\"acme-seat\"]\nseat = \"house\"";
    configuration.write(
        "bidtree.toml",
        &server.replace("[exchanges.openrtb]", seats),
    );
    let server = Running::of(&configuration, &data);
    let mut asked = request(&banner());
    assert_eq!(
        server.bid("openrtb", &asked).status,
        204,
        "the control: no deal, no bid"
    );
    asked["imp"][0]["pmp"] =
        json!({ "private_auction": 1, "deals": [{ "id": "d-1", "bidfloor": 1.5 }] });
    asked["wseat"] = json!(["acme-seat"]);
    asked["regs"] = json!({ "dsa": { "dsarequired": 3 } });
    let reply = server.bid("openrtb", &asked);
    let response: Value = serde_json::from_slice(&reply.body).expect("a response");
    assert_eq!(response["seatbid"][0]["seat"], "acme-seat");
    let bid = &response["seatbid"][0]["bid"][0];
    assert_eq!(
        (&bid["dealid"], &bid["price"]),
        (&json!("d-1"), &json!(1.5))
    );
    assert_eq!(
        bid["ext"]["dsa"],
        json!({ "behalf": "Acme", "paid": "Acme Holding", "adrender": 0 })
    );
    asked["imp"][0]["pmp"]["deals"][0]["bidfloor"] = json!(1.51);
    assert_eq!(server.bid("openrtb", &asked).status, 204);
    server.stop();
}

#[test]
fn tmax_is_read_in_every_form_and_bounded() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = fs::read_to_string(configuration.path().join("bidtree.toml")).unwrap();
    let patient = "[exchanges.openrtb]\ndefault_tmax = \"5s\"";
    configuration.write(
        "bidtree.toml",
        &server.replace("[exchanges.openrtb]", patient),
    );
    let server = Running::of(&configuration, &data);
    let asked = |tmax: Value| {
        let request = changed(&request(&banner()), &json!({ "tmax": tmax }));
        server.bid("openrtb", &request).status
    };
    let mut absent = request(&banner());
    absent.as_object_mut().unwrap().remove("tmax");
    assert_eq!(server.bid("openrtb", &absent).status, 200);
    for absent_or_long in [
        json!(null),
        json!(""),
        json!("0"),
        json!(-0.5),
        json!(0),
        json!(-5),
        json!("5000"),
        json!(5000.5),
        json!("soon"),
        json!([1]),
        json!(4_000_000_000_000_u64),
        json!(1e300),
    ] {
        assert_eq!(asked(absent_or_long.clone()), 200, "{absent_or_long}");
    }
    for shorter_than_the_way in [json!(1), json!("19"), json!(20.0)] {
        assert_eq!(
            asked(shorter_than_the_way.clone()),
            204,
            "{shorter_than_the_way}"
        );
    }
    server.stop();
}

#[test]
fn who_may_not_be_recognised_gets_no_bid_of_a_capped_campaign() {
    let keys = format!("{PLAIN}\nfrequency = {{ impressions = 3, within = \"24h\" }}");
    let (configuration, data) = (configured(&[("capped", &keys)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let device = json!({ "device": { "ifa": "0f2d4c6e-8a1b-4c3d-9e5f-60718293a4b5" } });
    let known = changed(&request(&banner()), &device);
    server.until("the caps are loaded", || {
        server.bid("openrtb", &known).status == 200
    });
    let ifa = "0f2d4c6e-8a1b-4c3d-9e5f-60718293a4b5";
    for refusal in [
        json!({ "device": { "ifa": "00000000-0000-0000-0000-000000000000" } }),
        json!({ "device": { "ifa": ifa, "lmt": 1 } }),
        json!({ "device": { "ifa": ifa, "dnt": "1" } }),
        json!({ "regs": { "coppa": 1 } }),
        json!({ "regs": { "gdpr": 1 } }),
        json!({ "regs": { "ext": { "gdpr": 1 } } }),
        json!({ "regs": { "us_privacy": "1YYN" } }),
        json!({ "regs": { "ext": { "us_privacy": "1NYN" } } }),
    ] {
        let request = changed(&known, &refusal);
        assert_eq!(server.bid("openrtb", &request).status, 204, "{refusal}");
    }
    server.stop();
}

#[test]
fn a_connection_serves_many_requests_and_the_tree_is_shown_while_it_does() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let mut line = Line::to(server.exchange("openrtb"));
    let body = request(&banner()).to_string();
    for _ in 0..50 {
        let reply = line
            .ask("POST", "/bid", body.as_bytes())
            .expect("an answer");
        assert_eq!(reply.status, 200);
    }
    assert_eq!(
        line.ask("GET", "/ready", b"").expect("an answer").body,
        b"1"
    );
    assert_eq!(server.admin("GET", "/readyz").status, 200);
    assert_eq!(server.admin("GET", "/livez").status, 200);
    let drawn = server.page("/tree?format=text");
    for child in [
        "metrics_aggregator",
        "journal",
        "catalogue",
        "ledger",
        "connection_pool",
        "settlement",
    ] {
        assert!(drawn.contains(child), "{child} is not in\n{drawn}");
    }
    server.stop();
}
