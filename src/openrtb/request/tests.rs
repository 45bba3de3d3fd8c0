//! Facts about requests as they are sent, one table per leniency.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::openrtb::lenient::{CodeSet, Flag, Given, TextList};
use crate::units::{Cpm, Currency};

/// A request that uses most of what is read, in the form of 2.6.
const FULL: &str = r#"{
  "id": "req-1", "at": 1, "tmax": 120, "test": 0, "cur": ["EUR", "usd"], "cattax": 1,
  "wseat": ["s1"], "bcat": ["IAB25", "IAB7-39"], "badv": ["Bad.example"], "bapp": [123456],
  "imp": [{
    "id": "1", "tagid": "top", "bidfloor": 1.25, "bidfloorcur": "EUR", "secure": 1, "instl": 0,
    "exp": 300, "rwdd": 1, "qty": {"multiplier": 2.5},
    "banner": {
      "w": 300, "h": 250, "format": [{"w": 300, "h": 250}, {"wratio": 16, "hratio": 9, "wmin": 320}],
      "btype": [1, 4], "battr": [9, 17], "api": [5], "pos": 1, "mimes": ["image/png"], "expdir": [2]
    },
    "video": {
      "mimes": ["video/mp4"], "minduration": 5, "maxduration": 30, "protocols": [2, 3],
      "w": 640, "h": 360, "startdelay": -1, "linearity": 1, "skip": 1, "plcmt": 2,
      "playbackmethod": [6], "maxbitrate": 1500, "maxextended": -1, "podid": "p", "poddur": 60,
      "maxseq": 4, "rqddurs": [15, 30], "mincpmpersec": 0.1,
      "durfloors": [{"mindur": 1, "maxdur": 15, "bidfloor": 5}]
    },
    "audio": {"mimes": ["audio/mp4"], "maxduration": 60},
    "pmp": {"private_auction": 1, "deals": [{
      "id": "d1", "bidfloor": 3, "at": 3, "wseat": ["s1"], "wadomain": ["a.example"], "guar": 1
    }]},
    "ext": {"billing_id": ["9007199254740993", 7]}
  }],
  "site": {
    "id": "site-1", "domain": "news.example", "page": "https://news.example/\u00e9?a=\"1\"",
    "cat": ["IAB12"], "publisher": {"id": "pub-1", "domain": "news.example"},
    "content": {"language": "en", "cat": ["IAB12-2"], "livestream": 1, "len": 90}
  },
  "device": {
    "ua": "agent", "ip": "192.0.2.1", "dnt": 0, "lmt": 0, "devicetype": 4, "make": "m",
    "model": "n", "os": "os", "osv": "1.2", "language": "en", "connectiontype": 2, "ifa": "ifa-1",
    "geo": {"country": "SGP", "city": "c", "lat": 1.25, "lon": 103.5, "utcoffset": 480},
    "sua": {"mobile": 1, "platform": {"brand": "pb", "version": ["14", "2"]}}
  },
  "user": {
    "id": "u", "buyeruid": "b", "consent": "C",
    "eids": [{"source": "x", "uids": [{"id": "e", "atype": 1}]}]
  },
  "regs": {
    "coppa": 0, "gdpr": 0, "us_privacy": "1YNN", "gpp": "DBAA", "gpp_sid": [-1],
    "ext": {"dsa": {"dsarequired": 2}}
  },
  "source": {"schain": {"complete": 1, "nodes": []}}
}"#;

fn full() -> Value {
    serde_json::from_str(FULL).unwrap()
}

/// Decodes an imp with these fields and hands it to `check`.
fn with_imp(fields: &Value, check: impl Fn(&Imp<'_>)) {
    let mut imp = json!({"id": "1"});
    for (name, value) in fields.as_object().unwrap() {
        imp[name] = value.clone();
    }
    let body = json!({"id": "r", "imp": [imp]}).to_string();
    check(&decode(body.as_bytes()).unwrap().imps[0]);
}

/// Decodes a request with these fields and hands it to `check`.
fn with_request(fields: &Value, check: impl Fn(&BidRequest<'_>)) {
    let mut request = json!({"id": "r", "imp": [{"id": "1"}]});
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    let body = request.to_string();
    check(&decode(body.as_bytes()).unwrap());
}

fn texts<'a>(list: &'a TextList<'_>) -> Vec<&'a str> {
    list.iter().collect()
}

#[test]
fn everything_of_a_full_request_is_read() {
    let request = decode(FULL.as_bytes()).unwrap();
    assert_eq!(
        (&*request.id, request.at, request.tmax_ms),
        ("req-1", Some(1), Some(120))
    );
    let currencies: Vec<_> = request.cur.value().unwrap().iter().collect();
    assert_eq!(currencies, [Currency::parse("EUR").unwrap(), Currency::USD]);
    assert_eq!(texts(&request.bcat), ["IAB25", "IAB7-39"]);
    assert_eq!(texts(&request.bapp), ["123456"]);
    assert!(request.badv.contains_ignoring_case("bad.EXAMPLE"));
    assert!(matches!(request.source.schain, Given::Value(_)));
    assert_eq!(request.regs.dsa.required, Given::Value(2));
    let site = request.site().unwrap();
    assert_eq!(site.page.as_deref(), Some("https://news.example/é?a=\"1\""));
    assert_eq!(site.publisher.id.as_deref(), Some("pub-1"));
    assert_eq!(site.content.language.as_deref(), Some("en"));
    assert!(request.app().is_none() && request.dooh().is_none());
    let device = &request.device;
    assert_eq!(device.geo.country.as_deref(), Some("SGP"));
    assert_eq!(
        (device.geo.lat, device.geo.utcoffset_min),
        (Some(1.25), Some(480))
    );
    assert_eq!(device.sua.platform_version.as_deref(), Some("14"));
    assert_eq!(request.user.eids.items()[0].uid.as_deref(), Some("e"));
}

#[test]
fn everything_of_a_full_imp_is_read() {
    let request = decode(FULL.as_bytes()).unwrap();
    let imp = &request.imps[0];
    assert_eq!(imp.bidfloor, Given::Value(Cpm::from_micros(1_250_000)));
    assert_eq!(
        imp.qty.unwrap().multiplier_millionths,
        Given::Value(2_500_000)
    );
    assert_eq!(imp.billing_ids, [9_007_199_254_740_993, 7]);
    assert!(imp.secure.is_yes() && imp.rwdd.is_yes() && !imp.instl.may_be_yes());
    let banner = imp.banner.as_ref().unwrap();
    assert_eq!(
        (banner.formats.len(), banner.formats[1].wratio),
        (2, Some(16))
    );
    assert_eq!(banner.battr, CodeSet::of(&[9, 17]));
    let video = imp.video.as_ref().unwrap();
    assert_eq!(video.stream.rqddurs_s, Given::Value(vec![15, 30]));
    assert_eq!(
        (video.stream.startdelay, video.stream.maxextended_s),
        (Some(-1), Some(-1))
    );
    assert_eq!(
        (video.stream.pod.poddur_s, video.stream.pod.maxseq),
        (Some(60), Some(4))
    );
    assert_eq!(
        video.stream.durfloors.items()[0].bidfloor,
        Given::Value(Cpm::from_micros(5_000_000))
    );
    assert_eq!(imp.audio.as_ref().unwrap().stream.maxduration_s, Some(60));
    let deal = &imp.pmp.deals[0];
    assert_eq!(
        (&*deal.id, deal.at, deal.bidfloorcur),
        ("d1", Some(3), Given::Absent)
    );
    assert!(imp.pmp.private_auction.is_yes() && deal.wseat.contains("s1"));
}

#[test]
fn texts_without_escapes_are_borrowed_from_the_body() {
    use std::borrow::Cow;
    let body = br#"{"id":"r","imp":[{"id":"a\u0062"}],"site":{"page":"https://news.example/"}}"#;
    let request = decode(body).unwrap();
    assert!(matches!(request.id, Cow::Borrowed("r")));
    assert!(matches!(&request.imps[0].id, Cow::Owned(id) if id == "ab"));
    assert!(matches!(
        request.site().unwrap().page,
        Some(Cow::Borrowed(_))
    ));
}

#[test]
fn what_is_no_request_is_refused_with_its_reason() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"id":"r","imp":[{{"id":"1"}}],"ext":{open}{close}}}"#)
    };
    let deep = nested(MAX_DEPTH);
    for (body, error) in [
        ("", "not_json"),
        ("{", "not_json"),
        (r#"{"id":"r","imp":[{"id":"1"}]} x"#, "not_json"),
        (r#"{"id":"r","imp":[{"id":"1"}],}"#, "not_json"),
        (
            r#"{"id":"r","imp":[{"id":"1","bidfloor":NaN}]}"#,
            "not_json",
        ),
        (
            r#"{"id":"r","imp":[{"id":"1","bidfloor":1e400}]}"#,
            "not_json",
        ),
        (r#"{"id":"r","imp":[{"id":"\ud83d"}]}"#, "not_json"),
        ("{\"id\":\"r\0\",\"imp\":[{\"id\":\"1\"}]}", "not_json"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("7", "not_an_object"),
        (&deep, "too_deep"),
        (r#"{"imp":[{"id":"1"}]}"#, "no_id"),
        (r#"{"id":"","imp":[{"id":"1"}]}"#, "no_id"),
        (r#"{"id":null,"imp":[{"id":"1"}]}"#, "no_id"),
        (r#"{"id":1e30,"imp":[{"id":"1"}]}"#, "no_id"),
        (r#"{"id":["r"],"imp":[{"id":"1"}]}"#, "no_id"),
        (r#"{"id":"r"}"#, "no_imp"),
        (r#"{"id":"r","imp":null}"#, "no_imp"),
        (r#"{"id":"r","imp":[]}"#, "no_imp"),
        (r#"{"id":"r","imp":[null,{},{"id":""},7]}"#, "no_imp"),
        (r#"{"id":"r","imp":{"id":"1"}}"#, "imp_not_a_list"),
        (r#"{"id":"r","imp":"1"}"#, "imp_not_a_list"),
    ] {
        assert_eq!(
            decode(body.as_bytes()).unwrap_err().as_str(),
            error,
            "{body}"
        );
    }
    let not_utf8 = b"{\"id\":\"\xFF\",\"imp\":[{\"id\":\"1\"}]}";
    assert_eq!(
        decode(not_utf8),
        Err(DecodeError::NotUtf8 { valid_up_to: 7 })
    );
    assert!(decode(b"\xEF\xBB\xBF{\"id\":\"r\",\"imp\":[{\"id\":\"1\"}]}").is_ok());
    assert!(decode(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
}

#[test]
fn ids_may_be_numbers() {
    for (id, text) in [
        (json!(1_234_567_890_123_u64), "1234567890123"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(-5), "-5"),
        (json!(7.0), "7"),
        (json!("x\r\ny"), "x\r\ny"),
    ] {
        let body = json!({"id": id, "imp": [{"id": id}]}).to_string();
        let request = decode(body.as_bytes()).unwrap();
        assert_eq!((&*request.id, &*request.imps[0].id), (text, text));
    }
}

#[test]
fn flags_may_be_numbers_booleans_or_texts() {
    for (value, flag) in [
        (json!(null), Flag::Absent),
        (json!(""), Flag::Absent),
        (json!(0), Flag::No),
        (json!(0.0), Flag::No),
        (json!(false), Flag::No),
        (json!("0"), Flag::No),
        (json!("False"), Flag::No),
        (json!(1), Flag::Yes),
        (json!(1.0), Flag::Yes),
        (json!(true), Flag::Yes),
        (json!("1"), Flag::Yes),
        (json!(2), Flag::Odd),
        (json!("perhaps"), Flag::Odd),
        (json!([]), Flag::Odd),
        (json!({}), Flag::Odd),
    ] {
        with_imp(&json!({"secure": value}), |imp| {
            assert_eq!(imp.secure, flag, "{value}");
        });
    }
}

#[test]
fn sizes_never_wrap_and_fractions_are_no_sizes() {
    for (value, size) in [
        (json!(300), Some(300)),
        (json!(300.0), Some(300)),
        (json!("300"), Some(300)),
        (json!(" 300.0 "), Some(300)),
        (json!(0), Some(0)),
        (json!(300.5), None),
        (json!(-300), None),
        (json!("-1"), None),
        (json!(4_294_967_296_u64), None),
        (json!(1e18), None),
        (json!(u64::MAX), None),
        (json!("wide"), None),
        (json!("inf"), None),
        (json!(true), None),
        (json!([300]), None),
        (json!(null), None),
    ] {
        with_imp(
            &json!({"banner": {"w": value, "format": [{"h": value}]}}),
            |imp| {
                let banner = imp.banner.as_ref().unwrap();
                assert_eq!((banner.w, banner.formats[0].h), (size, size), "{value}");
            },
        );
    }
}

#[test]
fn a_floor_is_read_exactly_or_known_to_be_unreadable() {
    let value = |micros| Given::Value(Cpm::from_micros(micros));
    for (sent, floor) in [
        (json!(null), Given::Absent),
        (json!(0), value(0)),
        (json!(2), value(2_000_000)),
        (json!(0.1), value(100_000)),
        (json!(0.000_000_1), value(1)),
        (json!("2.5"), value(2_500_000)),
        (json!("0.0000001"), value(1)),
        (json!(-4.5), value(0)),
        (json!("-4.5"), value(0)),
        (json!(1e18), Given::Unreadable),
        (json!(1_000_000.5), Given::Unreadable),
        (json!(i64::MAX), Given::Unreadable),
        (json!(u64::MAX), Given::Unreadable),
        (json!("1e400"), Given::Unreadable),
        (json!("1,5"), Given::Unreadable),
        (json!("NaN"), Given::Unreadable),
        (json!(""), Given::Unreadable),
        (json!(true), Given::Unreadable),
        (json!([1]), Given::Unreadable),
        (json!({"v": 1}), Given::Unreadable),
    ] {
        with_imp(
            &json!({"bidfloor": sent, "pmp": {"deals": [{"id": "d", "bidfloor": sent}]}}),
            |imp| {
                assert_eq!(
                    (imp.bidfloor, imp.pmp.deals[0].bidfloor),
                    (floor, floor),
                    "{sent}"
                );
            },
        );
    }
}

#[test]
fn floors_by_duration_are_complete_or_known_not_to_be() {
    for (floors, read, unreadable) in [
        (json!(null), 0, false),
        (json!([]), 0, false),
        (json!([{"bidfloor": 1}]), 1, false),
        (json!([{"bidfloor": 1}, 7]), 1, true),
        (json!("1"), 0, true),
    ] {
        with_imp(&json!({"video": {"durfloors": floors}}), |imp| {
            let durfloors = &imp.video.as_ref().unwrap().stream.durfloors;
            assert_eq!(
                (durfloors.items().len(), durfloors.is_unreadable()),
                (read, unreadable),
                "{floors}"
            );
        });
    }
}

#[test]
fn currencies_may_be_one_text_and_unreadable_ones_are_not_absent() {
    let codes = |list: &Given<crate::openrtb::Currencies>| {
        list.map_value(|list| list.iter().map(|code| code.to_string()).collect::<Vec<_>>())
    };
    for (sent, read) in [
        (json!(null), Given::Absent),
        (json!([]), Given::Absent),
        (json!([null]), Given::Absent),
        (json!("EUR"), Given::Value(vec!["EUR"])),
        (json!("EUR, USD"), Given::Value(vec!["EUR", "USD"])),
        (json!(["eur", 5, "U$D"]), Given::Value(vec!["EUR"])),
        (json!(["XXX"]), Given::Value(vec!["XXX"])),
        (json!(["dollars"]), Given::Unreadable),
        (json!(5), Given::Unreadable),
    ] {
        with_request(&json!({"cur": sent}), |request| {
            let read = read
                .clone()
                .map_value(|codes| codes.iter().map(ToString::to_string).collect());
            assert_eq!(codes(&request.cur), read, "{sent}");
        });
    }
    for (sent, read) in [
        (json!(""), Given::Absent),
        (json!("sgd"), Given::Value(Currency::parse("SGD").unwrap())),
        (json!("S$"), Given::Unreadable),
        (json!(702), Given::Unreadable),
    ] {
        with_imp(&json!({"bidfloorcur": sent}), |imp| {
            assert_eq!(imp.bidfloorcur, read, "{sent}");
        });
    }
}

#[test]
fn lists_of_texts_may_be_one_text_and_tell_what_they_miss() {
    for (sent, read, unreadable) in [
        (json!(null), &[][..], false),
        (json!([]), &[], false),
        (json!("IAB25"), &["IAB25"], false),
        (
            json!("IAB25,IAB26 IAB7-39, "),
            &["IAB25", "IAB26", "IAB7-39"],
            false,
        ),
        (json!("a\"b,c"), &["a\"b", "c"], false),
        (json!(["IAB25", null, "", 26]), &["IAB25", "26"], false),
        (
            json!(["IAB25", {"x": 1}, ["IAB26"], true]),
            &["IAB25"],
            true,
        ),
        (json!([{}]), &[], true),
        (json!({"0": "IAB25"}), &[], true),
        (json!(true), &[], true),
        (json!(26), &["26"], false),
    ] {
        with_request(&json!({"bcat": sent, "badv": sent}), |request| {
            for list in [&request.bcat, &request.badv] {
                assert_eq!(
                    (texts(list), list.is_unreadable()),
                    (read.to_vec(), unreadable),
                    "{sent}"
                );
            }
        });
    }
}

#[test]
fn lists_of_codes_are_sets_and_tell_what_they_miss() {
    for (sent, codes, unreadable) in [
        (json!(null), &[][..], false),
        (json!([1, 63, 64, 500, -1]), &[1, 63], false),
        (json!(["3", 4.0, null]), &[3, 4], false),
        (json!("5,6"), &[5, 6], false),
        (json!(7), &[7], false),
        (json!([8, "x", 1.5, {}]), &[8], true),
        (json!({}), &[], true),
    ] {
        with_imp(
            &json!({"banner": {"battr": sent}, "video": {"battr": sent}}),
            |imp| {
                for set in [
                    imp.banner.as_ref().unwrap().battr,
                    imp.video.as_ref().unwrap().stream.battr,
                ] {
                    let read: Vec<u32> = set.iter().collect();
                    assert_eq!((&*read, set.is_unreadable()), (codes, unreadable), "{sent}");
                }
            },
        );
    }
    with_imp(
        &json!({"video": {"protocol": 2, "protocols": [3]}}),
        |imp| {
            assert_eq!(
                imp.video.as_ref().unwrap().stream.protocols,
                CodeSet::of(&[2, 3])
            );
        },
    );
}

#[test]
fn durations_that_are_required_are_not_lost() {
    for (sent, read) in [
        (json!(null), Given::Absent),
        (json!([]), Given::Absent),
        (json!([15, "30", 45.0]), Given::Value(vec![15, 30, 45])),
        (json!(15), Given::Value(vec![15])),
        (json!([-1, "x"]), Given::Unreadable),
        (json!("x"), Given::Unreadable),
    ] {
        with_imp(&json!({"video": {"rqddurs": sent}}), |imp| {
            assert_eq!(imp.video.as_ref().unwrap().stream.rqddurs_s, read, "{sent}");
        });
    }
}

#[test]
fn tmax_is_whole_milliseconds_above_zero() {
    for (sent, read) in [
        (json!(86.0), Some(86)),
        (json!(86.9), Some(86)),
        (json!("120"), Some(120)),
        (json!(1e12), Some(u32::MAX)),
        (json!(0), None),
        (json!(-5), None),
        (json!(0.5), None),
        (json!("soon"), None),
        (json!(null), None),
    ] {
        with_request(&json!({"tmax": sent}), |request| {
            assert_eq!(request.tmax_ms, read, "{sent}");
        });
    }
}

#[test]
fn an_object_of_the_wrong_type_is_absent() {
    for odd in [
        json!("/path"),
        json!(null),
        json!(7),
        json!([1, {"a": [2]}]),
        json!(true),
    ] {
        let fields = json!({"source": odd, "ext": odd, "site": odd, "device": odd, "user": odd, "regs": odd});
        with_request(&fields, |request| {
            assert_eq!(
                *request,
                BidRequest {
                    id: "r".into(),
                    imps: request.imps.clone(),
                    ..BidRequest::default()
                }
            );
        });
        let fields = json!({"banner": odd, "video": odd, "audio": odd, "native": odd, "pmp": odd, "qty": odd, "ext": odd});
        with_imp(&fields, |imp| {
            assert_eq!(
                *imp,
                Imp {
                    id: "1".into(),
                    ..Imp::default()
                }
            );
        });
    }
}

#[test]
fn a_null_is_as_good_as_nothing_everywhere() {
    fn all_null(value: &mut Value, keep: &[&str]) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if !keep.contains(&name.as_str()) {
                        *value = Value::Null;
                    }
                }
            }
            other => *other = Value::Null,
        }
    }
    let mut request = full();
    all_null(&mut request, &["id", "imp"]);
    all_null(&mut request["imp"][0], &["id"]);
    let nulls = request.to_string();
    let plain = r#"{"id":"req-1","imp":[{"id":"1"}]}"#;
    assert_eq!(decode(nulls.as_bytes()), decode(plain.as_bytes()));
}

#[test]
fn former_places_are_read_and_the_stricter_counts() {
    with_request(
        &json!({
            "regs": {"gdpr": 0, "ext": {"gdpr": "1", "us_privacy": "1YYN", "gpp": "G", "gpp_sid": [7]}},
            "user": {"ext": {"consent": "old", "eids": [{"source": "s", "uids": [{"id": "e"}]}]}},
            "ext": {"schain": {"nodes": []}},
        }),
        |request| {
            assert_eq!(request.regs.gdpr, Flag::Yes);
            assert!(request.regs.opts_out_of_sale());
            assert_eq!(request.regs.gpp_sid, Given::Value(vec![7]));
            assert_eq!(request.user.consent.as_deref(), Some("old"));
            assert_eq!(request.user.eids.items().len(), 1);
            assert!(matches!(request.source.schain, Given::Value(_)));
        },
    );
    with_request(
        &json!({"user": {"consent": "new", "ext": {"consent": "old"}}}),
        |request| {
            assert_eq!(request.user.consent.as_deref(), Some("new"));
        },
    );
    with_request(&json!({"source": {"ext": {"schain": {}}}}), |request| {
        assert!(matches!(request.source.schain, Given::Value(_)));
    });
    with_imp(&json!({"ext": {"is_rewarded_inventory": 1}}), |imp| {
        assert!(imp.rwdd.is_yes());
    });
    with_imp(
        &json!({"video": {"ext": {"rewarded": 1}}, "rwdd": 0}),
        |imp| assert!(imp.rwdd.is_yes()),
    );
}

#[test]
fn imps_are_bounded_and_those_that_cannot_be_named_are_left_out() {
    let mut imps: Vec<Value> = (0..10_000)
        .map(|n| json!({"id": n, "banner": {}}))
        .collect();
    imps[1] = json!(null);
    imps[2] = json!({"banner": {}});
    let body = json!({"id": "r", "imp": imps}).to_string();
    let request = decode(body.as_bytes()).unwrap();
    assert_eq!(
        (request.imps.len(), request.imps_left_out),
        (MAX_IMPS, 9_936)
    );
    assert_eq!(&*request.imps[1].id, "3");
}

#[test]
fn imps_that_share_an_id_are_marked() {
    let body = br#"{"id":"r","imp":[{"id":"1"},{"id":2},{"id":"2"},{"id":"3"}]}"#;
    let marks: Vec<bool> = decode(body)
        .unwrap()
        .imps
        .iter()
        .map(|imp| imp.is_ambiguous)
        .collect();
    assert_eq!(marks, [false, true, true, false]);
}

#[test]
fn deals_without_an_id_are_left_out_and_private_stays_private() {
    with_imp(
        &json!({"pmp": {"private_auction": "1", "deals": [{"bidfloor": 1}, {"id": 5}, null]}}),
        |imp| {
            assert_eq!(imp.pmp.deals.len(), 1);
            assert_eq!(&*imp.pmp.deals[0].id, "5");
            assert!(imp.pmp.private_auction.is_yes());
        },
    );
}

#[test]
fn more_than_one_channel_is_ambiguous() {
    with_request(
        &json!({"site": {"id": "s"}, "app": {"bundle": 1_234}}),
        |request| {
            assert!(request.channel_is_ambiguous);
        },
    );
    with_request(
        &json!({"app": {"bundle": 1_234}, "site": null}),
        |request| {
            assert!(!request.channel_is_ambiguous);
            assert_eq!(request.app().unwrap().bundle.as_deref(), Some("1234"));
        },
    );
}

#[test]
fn of_two_equal_keys_the_last_one_counts() {
    let body = br#"{"id":"a","id":"b","imp":[{"id":"1","bidfloor":0.1,"bidfloor":9}]}"#;
    let request = decode(body).unwrap();
    assert_eq!(&*request.id, "b");
    assert_eq!(
        request.imps[0].bidfloor,
        Given::Value(Cpm::from_micros(9_000_000))
    );
}

/// Any JSON, biased to what trips readers.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(json!("1,2")),
        Just(json!({"id": "x"})),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,5}", inner), 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Puts `value` in place of the `at`-th value of a tree, counted depth first.
fn replace(tree: &mut Value, at: &mut usize, value: &Value) {
    if *at == 0 {
        *tree = value.clone();
    }
    *at = at.wrapping_sub(1);
    match tree {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, value)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| replace(field, at, value)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode(&body));
    }

    #[test]
    fn a_request_with_broken_bytes_is_read_or_refused(at in 0..3_000_usize, byte in any::<u8>(), cut in 0..3_000_usize) {
        let mut body = FULL.as_bytes().to_vec();
        let len = body.len();
        body[at % len] = byte;
        drop(decode(&body));
        drop(decode(&body[..cut % len]));
    }

    #[test]
    fn any_value_in_any_place_never_makes_json_unreadable(at in 1..250_usize, value in any_json()) {
        let mut tree = full();
        replace(&mut tree, &mut { at }, &value);
        let body = tree.to_string();
        if let Err(error) = decode(body.as_bytes()) {
            prop_assert!(
                matches!(error, DecodeError::NoId | DecodeError::NoImp | DecodeError::ImpNotAList),
                "{error}: {body}"
            );
        }
    }
}
