//! Whatever comes is read or refused.

use proptest::prelude::*;

use super::whole::{FULL, full};
use super::*;

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
