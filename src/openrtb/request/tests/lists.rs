//! Lists that are read whole, or known to miss something.

use super::*;
use crate::openrtb::lenient::CodeSet;
use crate::units::Currency;

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
