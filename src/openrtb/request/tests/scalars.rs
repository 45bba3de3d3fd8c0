//! Ids, flags, sizes, prices and times in every form that exchanges send.

use super::*;
use crate::openrtb::lenient::Flag;

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
