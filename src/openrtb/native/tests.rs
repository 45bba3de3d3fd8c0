//! Facts about native requests and their answers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::openrtb::lenient::Given;
use crate::openrtb::request::decode;

struct Shoes;

impl NativeParts for Shoes {
    fn title(&self) -> &'static str {
        "Schöne \"Schuhe\""
    }

    fn images(&self) -> impl Iterator<Item = ImagePart<'_>> {
        let image = |image_type, url, w, h| ImagePart {
            image_type,
            url,
            w,
            h,
            mime: "image/png",
        };
        [
            image(3, "https://i.example/main.png", 1200, 627),
            image(1, "https://i.example/icon.png", 80, 80),
        ]
        .into_iter()
    }

    fn texts(&self) -> impl Iterator<Item = TextPart<'_>> {
        let text = |data_type, text| TextPart { data_type, text };
        [
            text(1, "Shoe Shop"),
            text(2, "All the shoes there are"),
            text(2, "Shoes"),
        ]
        .into_iter()
    }

    fn videos(&self) -> impl Iterator<Item = VideoPart<'_>> {
        let file = |mime| VideoPart {
            mime,
            duration_s: 15,
        };
        [file("video/webm"), file("video/mp4")].into_iter()
    }
}

const LINKS: NativeLinks<'_> = NativeLinks {
    click_url: "https://n.example/click?to=1",
    click_trackers: &["https://t.example/c"],
    deep_link: None,
    impression_trackers: &["https://n.example/imp?p=${AUCTION_PRICE}"],
    script_url: None,
    privacy_url: None,
    vast: &[],
};

/// A native request as the placement's `request`, once as an object and once as a text.
fn both_ways(request: &Value) -> [Given<NativeRequest>; 2] {
    [request.clone(), Value::String(request.to_string())].map(|request| {
        let body =
            json!({"id": "r", "imp": [{"id": "1", "native": {"request": request, "ver": 1.2}}]});
        let body = body.to_string();
        let request = decode(body.as_bytes()).unwrap();
        request.imps[0].native.clone().unwrap().request
    })
}

fn read(request: &Value) -> NativeRequest {
    let [object, text] = both_ways(request);
    assert_eq!(object, text, "an object and its text must read alike");
    object.value().expect("a request that can be read")
}

fn answer(request: &Value) -> Result<Value, Unanswerable> {
    answer_with(request, &LINKS)
}

fn answer_with(request: &Value, links: &NativeLinks<'_>) -> Result<Value, Unanswerable> {
    let request = read(request);
    can_answer(&request, &Shoes)?;
    let vast: Vec<_> = video_assets(&request, &Shoes)
        .map(|(id, _)| (id, format!("<VAST>{id}</VAST>")))
        .collect();
    let mut out = Vec::new();
    let links = NativeLinks {
        vast: &vast,
        ..*links
    };
    write(&mut out, &request, &Shoes, &links);
    Ok(serde_json::from_slice(&out).unwrap())
}

fn answer_to_asset(asset: &Value) -> Result<Value, Unanswerable> {
    answer(&json!({ "assets": [asset] })).map(|answer| answer["assets"][0].clone())
}

#[test]
fn a_request_of_1_2_is_answered_asset_by_asset() {
    let request = json!({"ver": "1.2", "context": 1, "plcmttype": 1, "assets": [
        {"id": 4, "required": 1, "title": {"len": 25}},
        {"id": 2, "required": 1, "img": {"type": 3, "wmin": 300, "hmin": 157}},
        {"id": 9, "required": 0, "img": {"type": 1, "w": 50, "h": 50}},
        {"id": 7, "data": {"type": 2, "len": 10}},
        {"id": 8, "data": {"type": 12}},
    ], "eventtrackers": [{"event": 2, "methods": [1]}, {"event": 1, "methods": [1, 2]}]});
    assert_eq!(
        answer(&request).unwrap(),
        json!({"ver": "1.2", "assets": [
            {"id": 4, "title": {"text": "Schöne \"Schuhe\""}},
            {"id": 2, "img": {"url": "https://i.example/main.png", "w": 1200, "h": 627}},
            {"id": 7, "data": {"value": "Shoes"}},
        ], "link": {"url": "https://n.example/click?to=1", "clicktrackers": ["https://t.example/c"]},
           "eventtrackers": [{"event": 1, "method": 1, "url": "https://n.example/imp?p=${AUCTION_PRICE}"}]})
    );
}

#[test]
fn a_request_of_1_0_is_answered_in_its_wrapper_with_impression_trackers() {
    let request = json!({"native": {"ver": "1", "layout": 3, "assets": [
        {"id": "4", "required": true, "title": {"len": "25"}},
    ]}});
    assert_eq!(
        answer(&request).unwrap(),
        json!({"native": {"assets": [{"id": 4, "title": {"text": "Schöne \"Schuhe\""}}],
            "link": {"url": "https://n.example/click?to=1", "clicktrackers": ["https://t.example/c"]},
            "imptrackers": ["https://n.example/imp?p=${AUCTION_PRICE}"]}})
    );
}

#[test]
fn event_trackers_are_used_only_where_offered() {
    for (offers, member) in [
        (json!([{"event": 2, "methods": [1]}]), "imptrackers"),
        (json!([{"event": 1, "methods": [2]}]), "imptrackers"),
        (json!([]), "imptrackers"),
        (json!([{"event": "1", "methods": "1"}]), "eventtrackers"),
    ] {
        let request = json!({"assets": [{"id": 1, "title": {}}], "eventtrackers": offers});
        let answer = answer(&request).unwrap();
        let found = ["imptrackers", "eventtrackers"].map(|name| answer.get(name).is_some());
        assert_eq!(
            found,
            [member == "imptrackers", member == "eventtrackers"],
            "{request}"
        );
    }
}

#[test]
fn a_video_is_answered_with_its_document() {
    let wanted =
        json!({"mimes": ["video/mp4"], "minduration": 5, "maxduration": 30, "protocols": [2, 3]});
    assert_eq!(
        answer_to_asset(&json!({"id": 7, "required": 1, "video": wanted})).unwrap(),
        json!({"id": 7, "video": {"vasttag": "<VAST>7</VAST>"}})
    );
}

#[test]
fn a_deep_link_falls_back_on_the_click_url() {
    let links = NativeLinks {
        deep_link: Some("shop://shoes/7"),
        ..LINKS
    };
    let answer = answer_with(&json!({"assets": [{"id": 1, "title": {}}]}), &links).unwrap();
    assert_eq!(
        (&answer["link"]["url"], &answer["link"]["fallback"]),
        (
            &json!("shop://shoes/7"),
            &json!("https://n.example/click?to=1")
        )
    );
}

#[test]
fn privacy_is_linked_to_where_it_is_taken() {
    let links = NativeLinks {
        privacy_url: Some("https://shop.example/privacy"),
        ..LINKS
    };
    for (asked, found) in [
        (json!(1), json!("https://shop.example/privacy")),
        (json!(0), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let request = json!({"assets": [{"id": 1, "title": {}}], "privacy": asked});
        assert_eq!(answer_with(&request, &links).unwrap()["privacy"], found);
    }
}

#[test]
fn a_script_is_told_by_the_way_that_is_offered_or_not_at_all() {
    let links = NativeLinks {
        script_url: Some("https://m.example/a.js?x=1&y=2"),
        ..LINKS
    };
    let tag = json!("<script src=\"https://m.example/a.js?x=1&amp;y=2\"></script>");
    let tracker = json!({"event": 1, "method": 2, "url": "https://m.example/a.js?x=1&y=2"});
    for (offers, event_tracker, old_script) in [
        (
            json!([{"event": 1, "methods": [1, 2]}]),
            tracker.clone(),
            Value::Null,
        ),
        (
            json!([{"event": 1, "methods": [1]}, {"event": 1, "methods": [2]}]),
            tracker,
            Value::Null,
        ),
        (
            json!([{"event": 1, "methods": [1]}]),
            Value::Null,
            Value::Null,
        ),
        (Value::Null, Value::Null, tag),
    ] {
        let request = json!({"assets": [{"id": 1, "title": {}}], "eventtrackers": offers});
        let answer = answer_with(&request, &links).unwrap();
        assert_eq!(answer["eventtrackers"][1], event_tracker, "{offers}");
        assert_eq!(answer["jstracker"], old_script, "{offers}");
    }
}

#[test]
fn what_fits_an_asset_is_answered() {
    let icon = "https://i.example/icon.png";
    for asset in [
        json!({"id": 0, "required": 1, "title": {"len": 15}}),
        json!({"id": 1, "required": 1, "img": {"type": 1, "w": 80, "h": 80}}),
        json!({"id": 1, "required": 1, "img": {"type": 2, "wmin": 80}}),
        json!({"id": 1, "required": 1, "img": {"type": 1, "w": 100, "wmin": 50, "h": 0}}),
        json!({"id": 1, "required": 1, "img": {"type": 1, "mimes": ["image/jpeg", "IMAGE/PNG; q=1"]}}),
        json!({"id": 1, "required": 1, "data": {"type": "1"}}),
        json!({"id": -3, "required": 1, "data": {}}),
    ] {
        let answer = answer_to_asset(&asset).unwrap();
        assert_eq!(answer["id"], asset["id"], "{asset}");
        if asset.get("img").is_some() {
            assert_eq!(answer["img"]["url"], icon, "{asset}");
        }
    }
}

#[test]
fn a_required_asset_that_nothing_fits_refuses_the_whole() {
    for asset in [
        json!({"id": 7, "required": 1, "title": {"len": 14}}),
        json!({"id": 7, "required": 1, "img": {"type": 1, "w": 81}}),
        json!({"id": 7, "required": 1, "img": {"type": 3, "wmin": 1201}}),
        json!({"id": 7, "required": 1, "img": {"type": 1, "mimes": ["image/gif"]}}),
        json!({"id": 7, "required": 1, "img": {"type": 1, "mimes": 5}}),
        json!({"id": 7, "required": 1, "data": {"type": 12}}),
        json!({"id": 7, "required": 1, "data": {"type": 2, "len": 4}}),
        json!({"id": 7, "required": 1, "video": {"mimes": ["video/3gpp"]}}),
        json!({"id": 7, "required": 1, "video": {"mimes": 5}}),
        json!({"id": 7, "required": 1, "video": {"minduration": 16}}),
        json!({"id": 7, "required": 1, "video": {"maxduration": 14}}),
        json!({"id": 7, "required": 1, "video": {"protocols": [1, 5]}}),
        json!({"id": 7, "required": 2, "data": {"type": 12}}),
        json!({"id": 7, "required": 1}),
    ] {
        assert_eq!(
            answer_to_asset(&asset),
            Err(Unanswerable::Required { id: 7 }),
            "{asset}"
        );
    }
}

#[test]
fn what_cannot_be_told_apart_or_read_is_not_answered() {
    for (assets, why) in [
        (
            json!([{"id": 1, "title": {}}, {"id": 1, "data": {}}]),
            Unanswerable::Ambiguous { id: 1 },
        ),
        (
            json!([{"id": 1, "title": {}}, "x"]),
            Unanswerable::Unreadable,
        ),
        (json!([{"title": {}}]), Unanswerable::Unreadable),
        (
            json!([{"id": 1, "data": {"type": 12}}]),
            Unanswerable::Nothing,
        ),
    ] {
        assert_eq!(answer(&json!({ "assets": assets })), Err(why), "{assets}");
    }
}

#[test]
fn a_broken_request_spoils_its_imp_and_no_other() {
    for request in [
        json!("{\"assets\":["),
        json!("no json"),
        json!("[]"),
        json!({"ver": "1.2"}),
        json!({"assets": []}),
        json!({"native": {}}),
        json!(5),
        json!([{}]),
        json!("[".repeat(100_000)),
    ] {
        let body = json!({"id": "r", "imp": [
            {"id": "1", "native": {"request": request}}, {"id": "2", "banner": {}},
        ]});
        let body = body.to_string();
        let request = decode(body.as_bytes()).unwrap();
        let native = request.imps[0].native.as_ref().unwrap();
        assert_eq!(native.request, Given::Unreadable, "{body}");
        assert!(request.imps[1].banner.is_some());
    }
}

#[test]
fn a_native_imp_without_a_request_has_none() {
    for native in [json!({}), json!({"request": null}), json!({"request": " "})] {
        let body = json!({"id": "r", "imp": [{"id": "1", "native": native}]}).to_string();
        let request = decode(body.as_bytes()).unwrap();
        assert_eq!(
            request.imps[0].native.as_ref().unwrap().request,
            Given::Absent
        );
    }
}

/// One title, as a creative's only part.
struct Titled<'t>(&'t str);

impl NativeParts for Titled<'_> {
    fn title(&self) -> &str {
        self.0
    }

    fn images(&self) -> impl Iterator<Item = ImagePart<'_>> {
        std::iter::empty()
    }

    fn texts(&self) -> impl Iterator<Item = TextPart<'_>> {
        std::iter::once(TextPart {
            data_type: 2,
            text: self.0,
        })
    }

    fn videos(&self) -> impl Iterator<Item = VideoPart<'_>> {
        std::iter::empty()
    }
}

proptest! {
    #[test]
    fn texts_and_links_come_back_as_they_went(
        text in "\\PC{1,40}",
        url in any::<String>(),
        id in any::<i32>(),
        is_wrapped in any::<bool>(),
    ) {
        let assets = json!([{"id": id, "title": {}}, {"id": i64::from(id) + 1, "data": {}}]);
        let asked = json!({ "assets": assets });
        let request = read(&if is_wrapped { json!({ "native": asked }) } else { asked });
        let urls = [url.as_str()];
        let links = NativeLinks {
            click_url: &url,
            click_trackers: &urls,
            impression_trackers: &urls,
            ..LINKS
        };
        let mut out = Vec::new();
        write(&mut out, &request, &Titled(&text), &links);
        let answer: Value = serde_json::from_slice(&out).unwrap();
        let answer = if is_wrapped { &answer["native"] } else { &answer };
        prop_assert_eq!(answer["assets"][0]["id"].as_i64(), Some(i64::from(id)));
        prop_assert_eq!(answer["assets"][0]["title"]["text"].as_str(), Some(&*text));
        prop_assert_eq!(answer["assets"][1]["data"]["value"].as_str(), Some(&*text));
        prop_assert_eq!(answer["link"]["url"].as_str(), Some(&*url));
        prop_assert_eq!(answer["link"]["clicktrackers"][0].as_str(), Some(&*url));
        prop_assert_eq!(answer["imptrackers"][0].as_str(), Some(&*url));
    }
}
