//! Facts about what fits where, one table per question. Each table's first row is its control.

use std::num::NonZeroUsize;

use serde_json::{Value, json};

use super::*;
use crate::bidding::Place;
use crate::campaign::fixture::{audio, banner, campaign, native, size, video};
use crate::campaign::{Companion, MediaFile, Rates, Size, Spot, SpotSource, StaticImage, Wrapper};
use crate::openrtb::{BidRequest, decode};
use crate::units::{ExchangeKey, RegionKey, UnixMillis};

/// What becomes of a creative in a placement: its least price, or why it is not shown.
fn fitted(imp: &Value, creative: Creative) -> Result<Cpm, PassReason> {
    on_screen(imp, creative, &Value::Null)
}

fn on_screen(imp: &Value, creative: Creative, device: &Value) -> Result<Cpm, PassReason> {
    let mut imp = imp.clone();
    imp["id"] = json!("1");
    let body = json!({ "id": "r", "imp": [imp], "device": device }).to_string();
    let rates = Rates::default();
    let request: BidRequest<'_> = decode(body.as_bytes()).unwrap();
    let place = Place {
        exchange: ExchangeKey::of("adx"),
        seat: None,
        seats: &[],
        supply: None,
        traffic: None,
        bids_per_imp: NonZeroUsize::MIN,
        region: RegionKey::of("sg"),
        user: None,
        own_segments: &[],
        at: UnixMillis::new(1_790_000_000_000),
        rates: &rates,
        ceiling: None,
        has_secure_notices: true,
    };
    let context = Context::read(&request, place)?;
    let chance = Opportunity::read(&request.imps[0], 0, &context)?;
    let mut one = campaign("c");
    one.creatives = vec![creative];
    fit((&one, Barred::default()), &context, &chance).map(|fit| fit.floor)
}

/// Checks rows of a placement's fields against whether a creative fits.
fn check(kind: &str, creative: impl Fn() -> Creative, rows: &[(bool, Value)]) {
    for (fits, fields) in rows {
        let found = fitted(&json!({ kind: fields }), creative());
        assert_eq!(found.is_ok(), *fits, "{fields}: {found:?}");
    }
}

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

fn expanding(apis: u64) -> Creative {
    let mut creative = banner("b", 300, 250);
    creative.apis = apis;
    if let Format::Banner(banner) = &mut creative.format {
        banner.expands = 1 << 2 | 1 << 4;
    }
    creative
}

fn scaling(from_w: u32) -> Creative {
    let mut creative = banner("b", 320, 50);
    if let Format::Banner(banner) = &mut creative.format {
        banner.scales_from_w = Some(from_w);
    }
    creative
}

#[test]
fn a_banner_fits_a_size_a_list_or_a_range() {
    check(
        "banner",
        || banner("b", 300, 250),
        &[
            (true, json!({ "w": 300, "h": 250 })),
            (false, json!({ "w": 300, "h": 251 })),
            (
                true,
                json!({ "format": [{ "w": 728, "h": 90 }, { "w": 300, "h": 250 }] }),
            ),
            (
                true,
                json!({ "w": 1, "h": 1, "format": [{ "w": 300, "h": 250 }] }),
            ),
            (
                true,
                json!({ "wmin": 250, "wmax": 300, "hmin": 250, "hmax": 600 }),
            ),
            (
                false,
                json!({ "wmin": 301, "wmax": 400, "hmin": 250, "hmax": 600 }),
            ),
            (
                false,
                json!({ "wmin": 250, "wmax": 299, "hmin": 250, "hmax": 600 }),
            ),
            (true, json!({ "w": 320, "h": 250, "wmin": 300 })),
            (false, json!({ "w": 280, "h": 250, "wmin": 200 })),
            (true, json!({ "w": 280, "h": 250, "wmax": 320 })),
            (
                false,
                json!({ "w": 300, "h": 251, "wmin": 200, "wmax": 400 }),
            ),
            (true, json!({ "wmax": 300, "hmax": 250 })),
            (true, json!({ "hmin": 200 })),
            (false, json!({ "w": 0, "h": 0 })),
            (false, json!({})),
        ],
    );
}

#[test]
fn a_banner_that_scales_fits_its_ratio() {
    let flex = |wratio, hratio, wmin: Value| json!({ "format": [{ "wratio": wratio, "hratio": hratio, "wmin": wmin }] });
    check(
        "banner",
        || scaling(300),
        &[
            (true, flex(32, 5, json!(300))),
            (true, flex(64, 10, json!(400))),
            (false, flex(32, 6, json!(300))),
            (false, flex(32, 5, json!(299))),
            (false, flex(32, 5, Value::Null)),
            (true, json!({ "w": 320, "h": 50 })),
        ],
    );
    assert!(
        fitted(
            &json!({ "banner": flex(32, 5, json!(300)) }),
            banner("b", 320, 50)
        )
        .is_err(),
        "a banner that does not scale has no ratio"
    );
}

#[test]
fn an_interstitial_without_a_size_takes_what_fits_the_screen() {
    let phone = json!({ "w": 390, "h": 844 });
    let anything = json!({ "instl": 1, "banner": {} });
    let fits =
        |imp: &Value, w, h, device: &Value| on_screen(imp, banner("b", w, h), device).is_ok();
    assert!(fits(&anything, 320, 480, &phone));
    assert!(!fits(&anything, 480, 320, &phone));
    assert!(!fits(&anything, 320, 480, &json!({})), "no screen is known");
    assert!(
        !fits(&json!({ "banner": {} }), 320, 480, &phone),
        "it is no interstitial"
    );
    let sized = json!({ "instl": 1, "banner": { "w": 300, "h": 250 } });
    assert!(!fits(&sized, 320, 480, &phone), "a size is asked for");
    let listed = json!({ "instl": 1, "banner": { "format": [{ "wratio": 2, "hratio": 3 }] } });
    assert!(!fits(&listed, 320, 480, &phone), "a ratio is asked for");
}

#[test]
fn a_banner_expands_where_it_may_and_can() {
    let rows = |rest: Value| {
        let mut fields = json!({ "w": 300, "h": 250 });
        for (key, value) in rest.as_object().unwrap() {
            fields[key] = value.clone();
        }
        fields
    };
    check(
        "banner",
        || expanding(0),
        &[
            (true, rows(json!({ "expdir": [1, 2, 4] }))),
            (false, rows(json!({ "expdir": [2] }))),
            (false, rows(json!({}))),
            (true, rows(json!({ "expdir": [2, 4], "topframe": 1 }))),
            (false, rows(json!({ "expdir": [2, 4], "topframe": 0 }))),
        ],
    );
    let mraid = rows(json!({ "expdir": [2, 4], "topframe": 0, "api": [5] }));
    assert!(fitted(&json!({ "banner": mraid }), expanding(1 << 5)).is_ok());
}

#[test]
fn a_banner_needs_its_type_its_attributes_and_its_interfaces() {
    let mraid = || {
        let mut creative = banner("b", 300, 250);
        creative.apis = 1 << 5;
        creative.attributes = 1 << 3;
        creative
    };
    check(
        "banner",
        mraid,
        &[
            (true, json!({ "w": 300, "h": 250, "api": [3, 5] })),
            (false, json!({ "w": 300, "h": 250, "api": [3] })),
            (false, json!({ "w": 300, "h": 250 })),
            (
                false,
                json!({ "w": 300, "h": 250, "api": [5], "battr": [3] }),
            ),
            (
                false,
                json!({ "w": 300, "h": 250, "api": [5], "btype": [2] }),
            ),
            (
                false,
                json!({ "w": 300, "h": 250, "api": [5], "btype": "x" }),
            ),
            (
                true,
                json!({ "w": 300, "h": 250, "api": [5], "mimes": ["TEXT/html"] }),
            ),
            (
                false,
                json!({ "w": 300, "h": 250, "api": [5], "mimes": ["text/javascript"] }),
            ),
            (
                false,
                json!({ "w": 300, "h": 250, "api": [5], "mimes": { "no": "list" } }),
            ),
        ],
    );
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

#[test]
fn each_format_of_one_placement_has_its_own_rules_and_floor() {
    let imp = json!({
        "bidfloor": 1.0,
        "banner": { "w": 300, "h": 250, "battr": [1] },
        "video": { "mincpmpersec": 0.2, "battr": [2], "api": [7] },
        "audio": { "durfloors": [{ "mindur": 10, "maxdur": 20, "bidfloor": 2.0 }] },
        "native": { "request": { "assets": [{ "id": 1, "title": {} }] }, "battr": [4] },
    });
    let dollars = |cents: i64| Ok(Cpm::from_micros(cents * 10_000));
    for (creative, floor) in [
        (banner("b", 300, 250), dollars(100)),
        (video("v"), dollars(300)),
        (audio("a"), dollars(200)),
        (native("n"), dollars(100)),
    ] {
        assert_eq!(fitted(&imp, creative), floor);
    }
    for (mut creative, attribute) in [
        (banner("b", 300, 250), 1),
        (video("v"), 2),
        (native("n"), 4),
    ] {
        creative.attributes = 1 << 3;
        assert!(
            fitted(&imp, creative.clone()).is_ok(),
            "blocked elsewhere only"
        );
        creative.attributes = 1 << attribute;
        assert_eq!(fitted(&imp, creative), Err(PassReason::BlockedAttribute));
    }
    let mut measured = video("v");
    measured.apis = 1 << 7;
    assert!(fitted(&imp, measured).is_ok());
    let mut measured = banner("b", 300, 250);
    measured.apis = 1 << 7;
    assert_eq!(fitted(&imp, measured), Err(PassReason::BlockedAttribute));
}

#[test]
fn floors_by_the_second_and_by_duration_hold() {
    for (fields, cents) in [
        (json!({}), 50),
        (json!({ "mincpmpersec": 0.1 }), 150),
        (
            json!({ "durfloors": [{ "mindur": 1, "maxdur": 15, "bidfloor": 5 }] }),
            500,
        ),
        (
            json!({ "durfloors": [{ "mindur": 16, "bidfloor": 5 }] }),
            50,
        ),
    ] {
        let imp = json!({ "bidfloor": 0.5, "video": fields });
        let floor = Cpm::from_micros(cents * 10_000);
        assert_eq!(fitted(&imp, video("v")), Ok(floor), "{fields}");
    }
    let unreadable = json!({ "video": { "durfloors": "x" } });
    assert!(fitted(&unreadable, video("v")).is_err());
}

#[test]
fn a_size_that_is_shown_is_said_and_a_ratio_is_said_as_it_was_asked() {
    let Format::Banner(scaling) = scaling(100).format else {
        panic!("a banner");
    };
    let shown_in = |fields: Value| {
        let body = json!({ "id": "r", "imp": [{ "id": "1", "banner": fields }] }).to_string();
        let request = decode(body.as_bytes()).unwrap();
        shown(&scaling, request.imps[0].banner.as_ref().unwrap(), None)
    };
    let both = json!({ "format": [
        { "wratio": 64, "hratio": 10, "wmin": 200 }, { "w": 320, "h": 50 },
    ] });
    assert_eq!(shown_in(both), Some(Shown::AtSize(Size { w: 320, h: 50 })));
    assert_eq!(
        shown_in(json!({ "format": [{ "wratio": 64, "hratio": 10, "wmin": 200 }] })),
        Some(Shown::AtRatio {
            wratio: 64,
            hratio: 10
        })
    );
}
