//! Objects that are left out, marked or refused.

use super::*;

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
fn an_object_of_the_wrong_type_is_absent() {
    for odd in [
        json!("/path"),
        json!(null),
        json!(7),
        json!([1, {"a": [2]}]),
        json!(true),
    ] {
        let fields = json!({"source": odd, "ext": odd, "site": odd, "device": odd, "user": odd});
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
        let fields = json!({"banner": odd, "video": odd, "audio": odd, "native": odd, "ext": odd});
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
    for (pmp, may_be_private) in [
        (json!([{ "private_auction": 1 }]), true),
        (json!("private"), true),
        (json!(1), true),
        (json!([]), false),
        (json!(null), false),
        (json!({}), false),
    ] {
        with_imp(&json!({ "pmp": pmp }), |imp| {
            let said = imp.pmp.private_auction.may_be_yes();
            assert_eq!(said, may_be_private, "{pmp}");
        });
    }
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
