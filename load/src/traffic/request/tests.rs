//! What requests are: the same for the same seed, of the right shape, and private where they have to be.

use super::*;
use crate::scenario::Scenario;
use crate::traffic::{Coding, Generator};

const STEADY_HASH: u64 = 16_181_725_581_550_563_709;
const EVERYTHING_HASH: u64 = 9_236_736_374_510_109_576;

fn generator(seed: u64) -> Generator {
    let scenario = Scenario::load("steady").unwrap();
    Generator::new(seed, scenario.traffic, &scenario.exchanges)
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let (a, b, c) = (generator(5), generator(5), generator(6));
    for index in 0..200 {
        let body = a.request(index).unwrap().body;
        assert_eq!(body, b.request(index).unwrap().body);
        assert_ne!(body, c.request(index).unwrap().body);
    }
}

#[test]
fn every_body_is_an_openrtb_request_of_one_to_four_kilobytes_that_says_what_was_asked() {
    let generator = generator(1);
    let (mut old, mut apps, mut natives) = (0, 0, 0);
    for index in 0..500 {
        let planned = generator.request(index).unwrap();
        assert!(
            (600..5_000).contains(&planned.body.len()),
            "{}",
            planned.body.len()
        );
        let body: Value = serde_json::from_slice(&planned.body).unwrap();
        assert_eq!(body["id"], planned.asked.id);
        assert!(body["site"].is_object() != body["app"].is_object());
        let imps = body["imp"].as_array().unwrap();
        assert_eq!(imps.len(), planned.asked.imps.len());
        for (value, imp) in imps.iter().zip(&*planned.asked.imps) {
            assert_eq!(value["id"], imp.id);
            let floor = value["bidfloor"].as_f64().map(|floor| floor.to_string());
            assert_eq!(floor, imp.floor.map(|floor| floor.to_string()));
            natives += usize::from(value["native"].is_object());
        }
        old += usize::from(planned.version != "2.6");
        apps += usize::from(body["app"].is_object());
    }
    assert!(
        old > 100 && apps > 50 && natives > 40,
        "{old} {apps} {natives}"
    );
}

#[test]
fn no_child_is_identified() {
    let generator = generator(1);
    let mut children = 0;
    for index in 0..2_000 {
        let body = generator.request(index).unwrap().body;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let coppa = &body["regs"]["coppa"];
        if coppa == &json!(1) || coppa == &json!(true) {
            children += 1;
            assert!(body["user"].is_null() && body["device"]["ifa"].is_null());
        }
    }
    assert!(children > 10, "{children}");
}

/// Steady's traffic with everything in it that steady leaves out.
fn everything(seed: u64) -> Generator {
    let mut scenario = Scenario::load("steady").unwrap();
    let traffic = &mut scenario.traffic;
    traffic.media.audio = 2.0;
    traffic.media.pod = 2.0;
    traffic.deals.share = 0.3;
    traffic.deals.private_share = 0.3;
    traffic.gzip_share = 0.2;
    traffic.privacy = crate::scenario::PrivacyShares {
        consented: 0.2,
        refused: 0.1,
        unasked: 0.1,
        us_opt_out: 0.1,
        gpp_opt_out: 0.1,
    };
    Generator::new(seed, scenario.traffic, &scenario.exchanges)
}

/// FNV-1a of the first requests. Packed bodies follow from the packer's version, too, and are left out.
fn hash(generator: &Generator) -> u64 {
    let requests = (0..500).filter_map(|index| generator.request(index));
    let plain = requests.filter(|planned| planned.coding == Coding::Plain);
    let bytes = plain.flat_map(|planned| planned.body);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn the_traffic_of_a_seed_is_pinned() {
    // A change here changes what all measurements were made with: then say so in the change log.
    assert_eq!(hash(&generator(1)), STEADY_HASH);
    assert_eq!(hash(&everything(1)), EVERYTHING_HASH);
}

#[test]
fn rare_traits_leave_the_rest_of_a_request_as_it_is() {
    let mut scenario = Scenario::load("steady").unwrap();
    scenario.traffic.deals.share = 1.0;
    scenario.traffic.privacy.us_opt_out = 1.0;
    let with = Generator::new(5, scenario.traffic, &scenario.exchanges);
    let without = generator(5);
    for index in 0..100 {
        let body = |generator: &Generator| -> Value {
            serde_json::from_slice(&generator.request(index).unwrap().body).unwrap()
        };
        let (mut with, mut without) = (body(&with), body(&without));
        for body in [&mut with, &mut without] {
            let root = body.as_object_mut().unwrap();
            root.remove("regs");
            for imp in root["imp"].as_array_mut().unwrap() {
                imp.as_object_mut().unwrap().remove("pmp");
            }
        }
        assert_eq!(with, without);
    }
}

#[test]
fn every_rare_kind_occurs_where_its_version_has_it() {
    let generator = everything(1);
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for index in 0..3_000 {
        let planned = generator.request(index).unwrap();
        if planned.coding == Coding::Gzip {
            *seen.entry("gzip").or_default() += 1;
            continue;
        }
        let body: Value = serde_json::from_slice(&planned.body).unwrap();
        let is_old = planned.version != "2.6";
        let mut see = |name, at: Option<&Value>| {
            if at.is_some_and(|value| !value.is_null()) {
                *seen.entry(name).or_default() += 1;
            }
        };
        see("audio", body.pointer("/imp/0/audio"));
        see("pod", body.pointer("/imp/1/video/podid"));
        see("sequence", body.pointer("/imp/1/video/sequence"));
        see("deal", body.pointer("/imp/0/pmp/deals/0/id"));
        see("xandr chain", body.pointer("/ext/schain/nodes/0/asi"));
        for (name, new, old) in [
            ("consent", "/user/consent", "/user/ext/consent"),
            ("us", "/regs/us_privacy", "/regs/ext/us_privacy"),
            ("gpp", "/regs/gpp", "/regs/ext/gpp"),
            ("gpp_sid", "/regs/gpp_sid/0", "/regs/ext/gpp_sid/0"),
        ] {
            see(name, body.pointer(if is_old { old } else { new }));
            assert!(
                body.pointer(if is_old { new } else { old }).is_none(),
                "{name}"
            );
        }
        if planned.exchange == 0 {
            let id = planned.asked.id.as_str();
            assert_eq!((id.len(), body["device"]["dnt"].is_boolean()), (22, true));
        }
    }
    for name in [
        "audio",
        "pod",
        "sequence",
        "deal",
        "consent",
        "us",
        "gpp",
        "gpp_sid",
        "gzip",
        "xandr chain",
    ] {
        assert!(
            seen.get(name).is_some_and(|count| *count > 20),
            "{name}: {seen:?}"
        );
    }
}

#[test]
fn a_packed_body_is_read_by_an_independent_reader() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let mut scenario = Scenario::load("steady").unwrap();
    let plain = generator(9).request(3).unwrap();
    scenario.traffic.gzip_share = 1.0;
    let packed = Generator::new(9, scenario.traffic, &scenario.exchanges);
    let packed = packed.request(3).unwrap();
    assert!(packed.coding == Coding::Gzip && packed.body.len() < plain.body.len());
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(&packed.body).unwrap();
    assert_eq!(gzip.wait_with_output().unwrap().stdout, plain.body);
}

#[test]
fn bodies_are_of_one_to_four_kilobytes() {
    let sizes = |generator: &Generator| -> Vec<usize> {
        (0..500)
            .map(|index| generator.request(index).unwrap().body.len())
            .collect()
    };
    let sizes = sizes(&generator(1));
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((1_200..2_500).contains(&mean), "{mean}");
    assert!(sizes.iter().all(|size| (900..4_500).contains(size)));
}

#[test]
fn requests_rendered_ahead_repeat_all_but_their_ids() {
    let mut scenario = Scenario::load("steady").unwrap();
    let plain = generator(4);
    scenario.traffic.prepared = 10;
    let prepared = Generator::new(4, scenario.traffic, &scenario.exchanges);
    let mut ids = std::collections::BTreeSet::new();
    for index in 0..40 {
        let planned = prepared.request(index).unwrap();
        let mut sent: Value = serde_json::from_slice(&planned.body).unwrap();
        assert_eq!(
            (sent["id"].as_str(), planned.index),
            (Some(planned.asked.id.as_str()), index)
        );
        assert!(ids.insert(planned.asked.id));
        let first = plain.request(index % 10).unwrap();
        let first: Value = serde_json::from_slice(&first.body).unwrap();
        sent["id"] = first["id"].clone();
        assert_eq!(sent, first);
    }
}
