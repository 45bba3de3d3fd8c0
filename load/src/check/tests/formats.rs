//! Faults of what is shown: banners, videos, sound, native ads.

use std::sync::Arc;

use super::*;

#[test]
fn each_fault_of_a_banner_is_found() {
    each_is_found(
        has_banner,
        &[
            (FaultKind::Size, |r| bid(r)["w"] = json!(301)),
            (FaultKind::Size, |r| remove(r, "h")),
            (FaultKind::MarkupType, |r| bid(r)["mtype"] = json!(2)),
            (FaultKind::MarkupType, |r| remove(r, "mtype")),
            (FaultKind::Markup, |r| remove(r, "adm")),
            (FaultKind::Markup, |r| {
                let adm = bid(r)["adm"].as_str().unwrap();
                bid(r)["adm"] = json!(format!("{{{adm}"));
            }),
            (FaultKind::ImpressionTracker, |r| {
                replace(r, "adm", "/imp?", "/image?");
                replace(r, "adm", "height=1 ", "");
            }),
            (FaultKind::Markup, |r| {
                let script = "<script>f('https://x.example/imp?a=1&amp;b=2')</script>";
                replace(r, "adm", "</a>", &format!("</a>{script}"));
            }),
            (FaultKind::Insecure, |r| {
                replace(r, "adm", "https://cdn", "http://cdn");
            }),
            (FaultKind::Insecure, |r| {
                replace(r, "adm", "src='https:", "src='http:");
            }),
        ],
    );
}

#[test]
fn each_fault_of_a_video_is_found() {
    each_is_found(
        |planned| matches!(planned.asked.imps[0].slots[..], [Slot::Video { .. }]),
        &[
            (FaultKind::Vast, |r| {
                bid(r)["adm"] = json!(
                    "<VAST version=\"3.0\"><Impression>https://x.example/</Impression></VAST>"
                );
            }),
            (FaultKind::Vast, |r| {
                replace(r, "adm", "00:00:15", "00:02:00");
            }),
            (FaultKind::Vast, |r| {
                replace(r, "adm", "video/mp4", "video/ogg");
            }),
            (FaultKind::Vast, |r| {
                replace(r, "adm", "version=\"3.0\"", "version=\"9.0\"");
            }),
            (FaultKind::Vast, |r| bid(r)["protocol"] = json!(2)),
            (FaultKind::ImpressionTracker, |r| {
                replace(r, "adm", "Impression>", "Other>");
            }),
        ],
    );
}

#[test]
fn each_fault_of_a_native_is_found() {
    fn change(response: &mut Value, change: impl Fn(&mut Value)) {
        let adm = bid(response)["adm"].as_str().unwrap();
        let mut native: Value = serde_json::from_str(adm).unwrap();
        change(&mut native);
        bid(response)["adm"] = json!(native.to_string());
    }
    each_is_found(
        |planned| matches!(planned.asked.imps[0].slots[..], [Slot::Native(_)]),
        &[
            (FaultKind::Native, |r| {
                change(r, |native| {
                    native["assets"].as_array_mut().unwrap().remove(0);
                });
            }),
            (FaultKind::Native, |r| {
                change(r, |native| native["assets"][0]["id"] = json!(99));
            }),
            (FaultKind::Native, |r| {
                change(r, |native| {
                    native["assets"][0]["title"]["text"] = json!("x".repeat(91));
                });
            }),
            (FaultKind::Native, |r| {
                change(r, |native| native["assets"][1]["img"]["w"] = json!(599));
            }),
            (FaultKind::Native, |r| {
                change(r, |native| native["link"] = json!({}));
            }),
            (FaultKind::ImpressionTracker, |r| {
                change(r, |native| native["eventtrackers"] = json!([]));
            }),
        ],
    );
}

#[test]
fn a_slot_of_a_pod_takes_its_lengths_only_and_a_bid_says_the_right_one() {
    let is_video =
        |planned: &Planned| matches!(planned.asked.imps[0].slots[..], [Slot::Video { .. }]);
    let (mut planned, right) = request(&scenario(), is_video);
    let found = |planned: &Planned, response: &Value| kinds(&scenario(), &planned.asked, response);
    let duration = BTreeSet::from([FaultKind::Duration]);
    let mut said = right.clone();
    bid(&mut said)["dur"] = json!(15);
    assert_eq!(found(&planned, &said), BTreeSet::new());
    bid(&mut said)["dur"] = json!(30);
    assert_eq!(found(&planned, &said), duration);
    for (lengths, kinds) in [(vec![15, 30], BTreeSet::new()), (vec![10, 30], duration)] {
        if let Slot::Video { durations, .. } =
            &mut Arc::make_mut(&mut planned.asked.imps)[0].slots[0]
        {
            *durations = lengths;
        }
        assert_eq!(found(&planned, &right), kinds);
    }
}

#[test]
fn audio_is_judged_like_video_without_a_picture() {
    let is_video =
        |planned: &Planned| matches!(planned.asked.imps[0].slots[..], [Slot::Video { .. }]);
    let (mut planned, mut right) = request(&scenario(), is_video);
    Arc::make_mut(&mut planned.asked.imps)[0].slots = vec![Slot::Audio {
        mimes: vec!["audio/mpeg".into()],
        seconds: (5, 30),
        durations: Vec::new(),
        protocols: vec![2, 3],
    }];
    bid(&mut right)["mtype"] = json!(3);
    replace(&mut right, "adm", "video/mp4", "audio/mpeg");
    assert_eq!(kinds(&scenario(), &planned.asked, &right), BTreeSet::new());
    let mut wrong = right.clone();
    bid(&mut wrong)["mtype"] = json!(2);
    let markup_type = BTreeSet::from([FaultKind::MarkupType]);
    assert_eq!(kinds(&scenario(), &planned.asked, &wrong), markup_type);
    replace(&mut right, "adm", "audio/mpeg", "audio/ogg");
    assert_eq!(
        kinds(&scenario(), &planned.asked, &right),
        BTreeSet::from([FaultKind::Vast])
    );
}

#[test]
fn a_plain_tracker_of_a_native_ad_is_found_however_it_is_written() {
    let is_native = |planned: &Planned| {
        let imp = &planned.asked.imps[0];
        imp.is_secure && matches!(imp.slots[..], [Slot::Native(_)])
    };
    let escaped = |r: &mut Value| {
        let native: Value = serde_json::from_str(bid(r)["adm"].as_str().unwrap()).unwrap();
        let shown = native["eventtrackers"][0]["url"].as_str().unwrap();
        let plain = shown.replace("https://", "http:\\/\\/");
        replace(r, "adm", &format!("\"{shown}\""), &format!("\"{plain}\""));
    };
    each_is_found(is_native, &[(FaultKind::Insecure, escaped)]);
}
