//! Facts about native requests and their answers.

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
}

const LINKS: NativeLinks<'_> = NativeLinks {
    click_url: "https://n.example/click?to=1",
    click_trackers: &["https://t.example/c"],
    impression_trackers: &["https://n.example/imp?p=${AUCTION_PRICE}"],
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
    let request = read(request);
    can_answer(&request, &Shoes)?;
    let mut out = Vec::new();
    write(&mut out, &request, &Shoes, &LINKS);
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
fn what_fits_an_asset_is_answered() {
    let icon = "https://i.example/icon.png";
    for asset in [
        json!({"id": 0, "required": 1, "title": {"len": 15}}),
        json!({"id": 1, "required": 1, "img": {"type": 1, "w": 80, "h": 80}}),
        json!({"id": 1, "required": 1, "img": {"type": 2, "wmin": 80}}),
        json!({"id": 1, "required": 1, "img": {"type": 1, "w": 100, "wmin": 50, "h": 0}}),
        json!({"id": 1, "required": 1, "img": {"type": 1, "mimes": ["image/jpeg", "IMAGE/PNG"]}}),
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
        json!({"id": 7, "required": 1, "video": {"mimes": ["video/mp4"]}}),
        json!({"id": 7, "required": 2, "video": {}}),
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
        (json!([{"id": 1, "video": {}}]), Unanswerable::Nothing),
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
