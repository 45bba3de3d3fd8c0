//! A request that uses most of what is read, and where else exchanges put it.

use super::*;
use crate::openrtb::lenient::{CodeSet, Flag};
use crate::units::Currency;

/// A request that uses most of what is read, in the form of 2.6.
pub(super) const FULL: &str = r#"{
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

pub(super) fn full() -> Value {
    serde_json::from_str(FULL).unwrap()
}

#[test]
pub(super) fn everything_of_a_full_request_is_read() {
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
    assert!(matches!(request.source.schains[..], [Given::Value(_)]));
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
pub(super) fn everything_of_a_full_imp_is_read() {
    let request = decode(FULL.as_bytes()).unwrap();
    let imp = &request.imps[0];
    assert_eq!(imp.bidfloor, Given::Value(Cpm::from_micros(1_250_000)));
    assert_eq!(
        imp.qty,
        Given::Value(Quantity {
            multiplier_millionths: Given::Value(2_500_000)
        })
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
pub(super) fn texts_without_escapes_are_borrowed_from_the_body() {
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
pub(super) fn a_null_is_as_good_as_nothing_everywhere() {
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
pub(super) fn former_places_are_read_and_the_stricter_counts() {
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
            assert!(matches!(request.source.schains[..], [Given::Value(_)]));
        },
    );
    with_request(
        &json!({"user": {"consent": "new", "ext": {"consent": "old"}}}),
        |request| {
            assert_eq!(request.user.consent.as_deref(), Some("new"));
        },
    );
    with_request(&json!({"source": {"ext": {"schain": {}}}}), |request| {
        assert!(matches!(request.source.schains[..], [Given::Value(_)]));
    });
    with_imp(&json!({"ext": {"is_rewarded_inventory": 1}}), |imp| {
        assert!(imp.rwdd.is_yes());
    });
    with_imp(
        &json!({"video": {"ext": {"rewarded": 1}}, "rwdd": 0}),
        |imp| assert!(imp.rwdd.is_yes()),
    );
}
