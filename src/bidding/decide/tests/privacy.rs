//! Where anything says that the user is not to be known, nothing of the user reaches a decision.

use super::*;
use crate::bidding::context::SEGMENTS_MAX;
use crate::campaign::MoreSegments;
use crate::openrtb::consent::{Privacy, user_id};

/// What stands for a person in a request; each must be found nowhere else.
const PERSONAL: [&str; 9] = [
    "person-id",
    "person-ours",
    "person-eid",
    "person-ifa",
    "person-segment",
    "person-sha1",
    "10.7.7.7",
    "1.352083",
    "103.819836",
];

fn personal() -> Value {
    json!({
        "user": {
            "id": PERSONAL[0], "buyeruid": PERSONAL[1],
            "eids": [{ "source": "known.example", "uids": [{ "id": PERSONAL[2] }] }],
            "data": [{ "id": "provider.example", "segment": [{ "id": PERSONAL[4] }] }],
        },
        "device": {
            "ifa": PERSONAL[3], "didsha1": PERSONAL[5], "ip": PERSONAL[6],
            "geo": { "country": "SGP", "lat": 1.352_083, "lon": 103.819_836 },
        },
    })
}

/// One place where a restriction may stand, and what may stand there.
fn restriction() -> impl Strategy<Value = (&'static str, Value)> {
    let flag = prop::sample::select(vec![
        json!(1),
        json!(true),
        json!("1"),
        json!(2),
        json!("?"),
        json!([1]),
    ]);
    let flags = prop::sample::select(vec![
        "/regs/coppa",
        "/regs/ext/coppa",
        "/regs/gdpr",
        "/regs/ext/gdpr",
        "/regs/gpc",
        "/regs/ext/gpc",
        "/device/lmt",
        "/device/ext/lmt",
        "/device/dnt",
        "/device/ext/dnt",
    ]);
    let texts = prop::sample::select(vec![
        ("/regs/us_privacy", json!("1YYN")),
        ("/regs/ext/us_privacy", json!("1NY-")),
        ("/regs/us_privacy", json!("what")),
        ("/regs/gpp", json!("DBAA")),
        ("/regs/ext/gpp", json!("DBAA")),
        ("/regs/gpp_sid", json!([7])),
        ("/regs/ext/gpp_sid", json!(["2"])),
    ]);
    prop_oneof![(flags, flag), texts]
}

fn set(request: &mut Value, path: &str, value: Value) {
    let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let place = steps.iter().fold(request, |place, step| &mut place[*step]);
    *place = value;
}

/// What a decision is made of, as text.
fn seen(request: &Value) -> (bool, Option<String>, String) {
    let bytes = request.to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let rates = Rates::default();
    let context = Context::read(&request, place(&rates)).unwrap();
    let id = user_id(&request).map(str::to_owned);
    let knows = !context.segments.is_empty();
    let is_allowed = Privacy::of(&request).is_allowed();
    assert_eq!(is_allowed, knows, "segments are known where ids are");
    (is_allowed, id, format!("{context:?}"))
}

#[test]
fn the_control_is_known() {
    let (is_allowed, id, _) = seen(&request(&personal()));
    assert!(is_allowed);
    assert_eq!(id.as_deref(), Some(PERSONAL[1]));
    let mut wanting = campaign("c");
    wanting.targeting.segments = Lists::only([SegmentKey::of("provider.example/person-segment")]);
    assert_eq!(reason(&personal(), wanting.clone()), None);
    wanting.targeting.segments = Lists::only([SegmentKey::of("eids/known.example")]);
    assert_eq!(reason(&personal(), wanting.clone()), None);
    let mut restricted = personal();
    restricted["regs"] = json!({ "coppa": 1 });
    assert_eq!(reason(&restricted, wanting), Some(PassReason::NoCandidate));
}

#[test]
fn of_many_segments_so_many_are_read_and_who_excludes_any_passes() {
    // Each list is read to its own bound, so a request that is to be beyond ours has several.
    let of = |ids: &[usize]| {
        let lists = ids.chunks(500).map(|ids| {
            let all = ids.iter().map(|id| json!({ "id": id.to_string() }));
            json!({ "id": "p", "segment": all.collect::<Vec<_>>() })
        });
        json!({ "user": { "data": lists.collect::<Vec<_>>() } })
    };
    let seen = |ids: &[usize]| {
        let bytes = request(&of(ids)).to_string();
        let request = decode(bytes.as_bytes()).unwrap();
        let rates = Rates::default();
        let context = Context::read(&request, place(&rates)).unwrap();
        assert!(context.segments.is_sorted());
        (context.segments.len(), context.more_segments)
    };
    let (full, over): (Vec<usize>, Vec<usize>) =
        ((0..SEGMENTS_MAX).collect(), (0..=SEGMENTS_MAX).collect());
    assert_eq!(seen(&[7, 3, 7, 7]), (2, MoreSegments::None));
    assert_eq!(seen(&full), (SEGMENTS_MAX, MoreSegments::None));
    assert_eq!(seen(&over), (SEGMENTS_MAX, MoreSegments::Unread));

    let mut one = campaign("c");
    one.targeting.segments.exclude = vec![SegmentKey::of("p/no-one")];
    assert_eq!(reason(&of(&full), one.clone()), None);
    assert_eq!(reason(&of(&over), one), Some(PassReason::NoCandidate));
    let mut one = campaign("c");
    one.targeting.segments = Lists::only([SegmentKey::of("p/0")]);
    assert_eq!(reason(&of(&over), one), None, "what was read is known");
}

#[test]
fn what_is_said_of_privacy_and_cannot_be_read_hides_the_user() {
    let odd = || [json!(true), json!({ "a": 1 }), json!(["1YYN"]), json!(1.5)];
    let named = ["us_privacy", "gpp"]
        .into_iter()
        .flat_map(|name| odd().map(|value| json!({ name: value })));
    let whole = [json!("{\"coppa\":1}"), json!([{ "coppa": 1 }]), json!(1)];
    for regs in named.chain(whole) {
        for regs in [
            json!({ "ext": regs }),
            json!({ "coppa": 0, "ext": regs }),
            regs.clone(),
        ] {
            let mut request = request(&personal());
            request["regs"] = regs;
            let (is_allowed, id, _) = seen(&request);
            assert!(!is_allowed && id.is_none(), "{}", request["regs"]);
        }
    }
    for nothing in [
        json!(null),
        json!({}),
        json!([]),
        json!(""),
        json!({ "ext": [] }),
        json!({ "us_privacy": "", "gpp": null }),
    ] {
        let mut request = request(&personal());
        request["regs"] = nothing;
        assert!(seen(&request).0, "{}", request["regs"]);
    }
}

proptest! {
    #[test]
    fn any_sign_anywhere_hides_the_user(
        (path, value) in restriction(),
        others in prop::collection::vec((restriction(), any::<bool>()), 0..3),
    ) {
        let mut asked = request(&personal());
        for ((path, value), denies) in others {
            // A no beside a yes does not undo it; in the same place the later one would only replace it.
            let said = if denies && !path.contains("us_privacy") && !path.contains("gpp") { json!(0) } else { value };
            set(&mut asked, path, said);
        }
        set(&mut asked, path, value);
        let (is_allowed, id, context) = seen(&asked);
        prop_assert!(!is_allowed, "{asked}");
        prop_assert_eq!(id, None);
        for secret in PERSONAL {
            prop_assert!(!context.contains(secret), "{secret} in {context}");
        }
    }
}

#[test]
fn who_may_be_in_an_excluded_segment_gets_no_bid_of_who_excludes_it() {
    let many = |count: usize| {
        let segments: Vec<_> = (0..count)
            .map(|it| json!({ "id": it.to_string() }))
            .collect();
        json!({ "user": { "data": [{ "id": "p", "segment": segments }] } })
    };
    let mut excluding = campaign("c");
    excluding.targeting.segments = Lists::except([SegmentKey::of("p/999999")]);
    let blocked = Some(PassReason::NoCandidate);
    for (fields, expected) in [
        (many(512), None),
        (many(513), blocked),
        (many(10_000), blocked),
        (
            json!({ "user": { "data": [{ "id": "p", "segment": [{ "name": "unnamed" }] }] } }),
            None,
        ),
        (
            json!({ "user": { "data": [{ "id": "p", "segment": ["999999"] }] } }),
            blocked,
        ),
        (
            json!({ "user": { "data": [{ "id": "p", "segment": "999999" }] } }),
            blocked,
        ),
        (json!({ "user": { "data": { "id": "p" } } }), blocked),
        (
            json!({ "user": { "data": vec![json!({ "id": "q" }); 65] } }),
            blocked,
        ),
        (json!({ "user": { "eids": "known" } }), blocked),
        (
            json!({ "user": { "eids": [{ "source": "s", "uids": [] }] } }),
            None,
        ),
        // The rest of one place does not hide behind another.
        (
            json!({ "user": {
                "data": [{ "id": "p", "segment": [{ "id": "1" }] }],
                "ext": { "data": [{ "id": "p", "segment": [{ "id": "999999" }] }] },
            } }),
            blocked,
        ),
    ] {
        assert_eq!(
            reason(&fields, excluding.clone()),
            expected,
            "{:.200}",
            fields.to_string()
        );
        assert_eq!(
            reason(&fields, campaign("c")),
            None,
            "who excludes nothing is found"
        );
    }
}

#[test]
fn a_provider_that_calls_itself_eids_knows_nobody_by_an_id() {
    let mut wanting = campaign("c");
    wanting.targeting.segments = Lists::only([SegmentKey::of("eids/known.example")]);
    let spoofed =
        json!({ "user": { "data": [{ "id": "eids", "segment": [{ "id": "known.example" }] }] } });
    assert_eq!(
        reason(&spoofed, wanting.clone()),
        Some(PassReason::NoCandidate)
    );
    let known =
        |uids: &Value| json!({ "user": { "eids": [{ "source": "known.example", "uids": uids }] } });
    assert_eq!(
        reason(&known(&json!([{ "id": "u" }])), wanting.clone()),
        None
    );
    assert_eq!(
        reason(&known(&json!([])), wanting),
        Some(PassReason::NoCandidate)
    );
}
