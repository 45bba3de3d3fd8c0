//! Videos and sound: files, wrappers, overlays, skip buttons, companions.

use super::*;
use crate::campaign::fixture::{audio, size, video};
use crate::campaign::{Companion, MediaFile, Spot, SpotSource, StaticImage, Wrapper};

fn spot_of(mut creative: Creative, change: impl FnOnce(&mut Spot)) -> Creative {
    match &mut creative.format {
        Format::Video(spot) | Format::Audio(spot) => change(spot),
        Format::Banner(_) | Format::Native(_) => panic!("does not play"),
    }
    creative
}

fn wrapped() -> Creative {
    spot_of(video("v"), |spot| {
        spot.source = SpotSource::Wrapper(Wrapper {
            tag_url: "https://tag.example/".into(),
            mimes: vec!["video/webm".into()],
        });
    })
}

fn image(w: u32, h: u32) -> StaticImage {
    StaticImage {
        url: "https://media.example/a.png".into(),
        mime: "image/png".into(),
        size: size(w, h),
    }
}

fn overlay() -> Creative {
    spot_of(video("v"), |spot| {
        spot.source = SpotSource::Overlay(image(468, 60));
    })
}

#[test]
fn a_video_fits_types_lengths_versions_and_rates() {
    check(
        "video",
        || video("v"),
        &[
            (true, json!({ "mimes": ["video/mp4"], "protocols": [3] })),
            (true, json!({})),
            (false, json!({ "mimes": ["video/webm"] })),
            (
                true,
                json!({ "mimes": ["video/webm", " Video/MP4; codecs=\"avc1.4d401f\""] }),
            ),
            (false, json!({ "mimes": ["video/mp4v-es"] })),
            (false, json!({ "mimes": [{}] })),
            (false, json!({ "protocols": [5, 6] })),
            (true, json!({ "protocol": 2 })),
            (true, json!({ "minduration": 15, "maxduration": 15 })),
            (false, json!({ "minduration": 16 })),
            (false, json!({ "maxduration": 14 })),
            (true, json!({ "maxduration": 14, "maxextended": 1 })),
            (true, json!({ "maxduration": 14, "maxextended": -1 })),
            (true, json!({ "rqddurs": [15, 30], "maxduration": 5 })),
            (false, json!({ "rqddurs": [30], "maxduration": 60 })),
            (false, json!({ "rqddurs": ["x"] })),
            (true, json!({ "minbitrate": 800, "maxbitrate": 800 })),
            (false, json!({ "minbitrate": 801 })),
            (false, json!({ "maxbitrate": 799 })),
            (true, json!({ "delivery": [2] })),
            (true, json!({ "delivery": [3] })),
            (false, json!({ "delivery": [1] })),
            (true, json!({ "linearity": 1 })),
            (false, json!({ "linearity": 2 })),
            (false, json!({ "battr": "x" })),
        ],
    );
}

#[test]
fn a_wrapper_fits_by_what_it_may_play_and_by_wrapper_protocols() {
    check(
        "video",
        wrapped,
        &[
            (true, json!({ "mimes": ["video/webm"], "protocols": [6] })),
            (false, json!({ "mimes": ["video/webm"], "protocols": [3] })),
            (false, json!({ "mimes": ["video/mp4"], "protocols": [6] })),
        ],
    );
}

#[test]
fn an_overlay_fits_only_where_it_may_lie_over_the_content() {
    check(
        "video",
        overlay,
        &[
            (true, json!({ "linearity": 2, "mimes": ["image/png"] })),
            (true, json!({})),
            (false, json!({ "linearity": 1 })),
            (false, json!({ "linearity": 2, "mimes": ["video/mp4"] })),
        ],
    );
}

#[test]
fn one_playable_file_of_several_is_enough() {
    let several = || {
        spot_of(video("v"), |spot| {
            let file = |url: &str, mime: &str, kbps| MediaFile {
                url: url.into(),
                mime: mime.into(),
                size: Some(size(640, 360)),
                bitrate_kbps: Some(kbps),
            };
            spot.source = SpotSource::Inline(vec![
                file("https://a.example/high", "video/mp4", 4_000),
                file("https://a.example/low", "video/webm", 300),
                file("https://a.example/list", "application/x-mpegurl", 300),
            ]);
        })
    };
    check(
        "video",
        several,
        &[
            (true, json!({ "mimes": ["video/webm"], "maxbitrate": 500 })),
            (false, json!({ "mimes": ["video/mp4"], "maxbitrate": 500 })),
            (true, json!({ "delivery": [1] })),
        ],
    );
}

#[test]
fn a_skip_button_is_declared_and_keeps_to_the_players_rules() {
    let skippable = |attributes| {
        let mut creative = spot_of(video("v"), |spot| spot.skip_after_seconds = Some(5));
        creative.attributes = attributes;
        creative
    };
    for (fits, attributes, fields) in [
        (true, 0, json!({ "skip": 1 })),
        (true, 0, json!({})),
        (false, 0, json!({ "skip": 0 })),
        (true, 1 << 16, json!({ "skip": 0 })),
        (false, 1 << 16, json!({ "battr": [16] })),
    ] {
        let found = fitted(&json!({ "video": fields }), skippable(attributes));
        assert_eq!(found.is_ok(), fits, "{fields}");
    }
    let Format::Video(spot) = skippable(0).format else {
        panic!("a video");
    };
    for (after, fields) in [
        (Some(5), json!({ "skip": 1 })),
        (Some(5), json!({})),
        (Some(5), json!({ "skipafter": 10 })),
        (Some(10), json!({ "skip": 1, "skipafter": 10 })),
        (Some(5), json!({ "skip": 1, "skipmin": 14 })),
        (None, json!({ "skip": 1, "skipmin": 15 })),
        (None, json!({ "skip": 1, "skipafter": 15 })),
    ] {
        let body = json!({ "id": "r", "imp": [{ "id": "1", "video": fields }] }).to_string();
        let request = decode(body.as_bytes()).unwrap();
        let player = request.imps[0].video.as_ref().unwrap();
        assert_eq!(skip_after(&spot, player), after, "{fields}");
    }
}

#[test]
fn companions_are_those_that_have_a_place() {
    let frame = |w, h| Companion::Frame {
        url: "https://media.example/frame".into(),
        size: size(w, h),
    };
    let creative = spot_of(video("v"), |spot| {
        spot.companions = vec![
            Companion::Image(image(300, 250)),
            frame(728, 90),
            Companion::Image(image(728, 90)),
        ];
    });
    let Format::Video(spot) = creative.format else {
        panic!("a video");
    };
    let box_and_line = json!([{ "w": 300, "h": 250 }, { "format": [{ "w": 728, "h": 90 }] }]);
    let (image_box, frame_line, image_line) = ((1, 300), (3, 728), (1, 728));
    for (found, fields) in [
        (vec![], json!({})),
        (
            vec![image_box, frame_line, image_line],
            json!({ "companionad": box_and_line }),
        ),
        (
            vec![image_box, image_line],
            json!({ "companionad": box_and_line, "companiontype": [1] }),
        ),
        (
            vec![frame_line],
            json!({ "companionad": box_and_line, "companiontype": [2, 3] }),
        ),
        (
            vec![],
            json!({ "companionad": box_and_line, "companiontype": "x" }),
        ),
        (
            vec![image_box],
            json!({ "companionad": [{ "w": 300, "h": 250, "mimes": ["image/png"] }] }),
        ),
        (
            vec![],
            json!({ "companionad": [{ "w": 300, "h": 250, "mimes": ["image/gif"] }] }),
        ),
        (vec![], json!({ "companionad": "x" })),
    ] {
        let body = json!({ "id": "r", "imp": [{ "id": "1", "video": fields }] }).to_string();
        let request = decode(body.as_bytes()).unwrap();
        let stream = &request.imps[0].video.as_ref().unwrap().stream;
        let taken: Vec<(u32, u32)> = companions(&spot, stream)
            .map(|(companion, _)| (companion.code(), companion.size().w))
            .collect();
        assert_eq!(taken, found, "{fields}");
    }
}

#[test]
fn sound_fits_types_lengths_versions_and_rates() {
    check(
        "audio",
        || audio("a"),
        &[
            (true, json!({ "mimes": ["audio/mpeg"], "protocols": [9] })),
            (true, json!({ "feed": 3, "stitched": 1, "nvol": 3 })),
            (true, json!({ "protocols": [11] })),
            (false, json!({ "protocols": [10, 12] })),
            (false, json!({ "mimes": ["audio/ogg"] })),
            (false, json!({ "minduration": 16 })),
            (false, json!({ "rqddurs": [30] })),
            (false, json!({ "maxbitrate": 799 })),
            (false, json!({ "battr": "x" })),
        ],
    );
    let in_video = fitted(&json!({ "video": {} }), audio("a"));
    assert_eq!(in_video, Err(PassReason::NoMatchingCreative));
}
