//! Banners: sizes, ratios, what expands, what a frame can hold.

use super::*;
use crate::campaign::Size;
use crate::campaign::fixture::banner;

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
