//! Facts about VAST documents.

use super::*;

const FILES: &[MediaFile<'_>] = &[
    MediaFile {
        url: "https://m.example/a.mp4?x=1&y=2",
        mime: "video/mp4",
        w: 1280,
        h: 720,
        bitrate_kbps: Some(1_500),
    },
    MediaFile {
        url: "https://m.example/a.m3u8",
        mime: "application/x-mpegURL",
        w: 640,
        h: 360,
        bitrate_kbps: None,
    },
];

fn ad(source: LinearSource<'static>) -> LinearAd<'static> {
    LinearAd {
        id: "cr\"7",
        ad_system: "Bidtree",
        title: "Shoes & more",
        serving_id: "serving-1",
        impressions: &["https://n.example/imp?t=1&p=${AUCTION_PRICE}"],
        errors: &[],
        click_through: Some("https://shop.example/?a=1&b=]]>"),
        click_trackers: &["https://n.example/click"],
        trackers: &[
            (TrackingEvent::Start, "https://n.example/e?start"),
            (TrackingEvent::Skip, "https://n.example/e?skip"),
        ],
        source,
    }
}

fn in_line() -> LinearAd<'static> {
    ad(LinearSource::InLine {
        duration_s: 3_675,
        skip_after_s: Some(5),
        files: FILES,
    })
}

fn document(version: VastVersion, ad: &LinearAd<'_>) -> String {
    let mut out = Vec::new();
    write(&mut out, version, ad);
    String::from_utf8(out).unwrap()
}

/// The names of elements left open, or `None` where one closes that was not open.
fn left_open(xml: &str) -> Option<Vec<&str>> {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let end = if tag.starts_with("<![CDATA[") {
            tag.find("]]>").map(|end| end + 3)?
        } else {
            let end = tag.find('>')?;
            let name = tag[1..end].split(' ').next()?;
            match name.strip_prefix('/') {
                Some(name) if open.pop() == Some(name) => {}
                Some(_) => return None,
                None => open.push(name),
            }
            end + 1
        };
        rest = &tag[end..];
    }
    Some(open)
}

#[test]
fn an_inline_document_of_3_0_is_this_to_the_letter() {
    assert_eq!(
        document(VastVersion::V3, &in_line()),
        concat!(
            r#"<VAST version="3.0"><Ad id="cr&quot;7"><InLine><AdSystem>Bidtree</AdSystem>"#,
            r"<AdTitle>Shoes &amp; more</AdTitle>",
            r"<Impression><![CDATA[https://n.example/imp?t=1&p=${AUCTION_PRICE}]]></Impression>",
            r#"<Creatives><Creative id="cr&quot;7"><Linear skipoffset="00:00:05">"#,
            r#"<Duration>01:01:15</Duration><TrackingEvents><Tracking event="start">"#,
            r#"<![CDATA[https://n.example/e?start]]></Tracking><Tracking event="skip">"#,
            r"<![CDATA[https://n.example/e?skip]]></Tracking></TrackingEvents><VideoClicks>",
            r"<ClickThrough><![CDATA[https://shop.example/?a=1&b=]]]]><![CDATA[>]]></ClickThrough>",
            r"<ClickTracking><![CDATA[https://n.example/click]]></ClickTracking></VideoClicks>",
            r#"<MediaFiles><MediaFile delivery="progressive" type="video/mp4" width="1280" height="720" bitrate="1500">"#,
            r"<![CDATA[https://m.example/a.mp4?x=1&y=2]]></MediaFile>",
            r#"<MediaFile delivery="streaming" type="application/x-mpegURL" width="640" height="360">"#,
            r"<![CDATA[https://m.example/a.m3u8]]></MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>",
        )
    );
}

#[test]
fn each_version_carries_what_it_requires_and_not_what_it_does_not_know() {
    for version in VastVersion::NEWEST_FIRST {
        let xml = document(version, &in_line());
        assert_eq!(left_open(&xml), Some(vec![]), "{xml}");
        assert!(xml.starts_with(&format!("<VAST version=\"{}\">", version.as_str())));
        assert_eq!(xml.contains("skip"), version >= VastVersion::V3, "{xml}");
        assert_eq!(
            xml.contains("<UniversalAdId "),
            version >= VastVersion::V4_0
        );
        assert_eq!(xml.contains(" idValue="), version == VastVersion::V4_0);
        assert_eq!(xml.contains("<AdServingId>"), version >= VastVersion::V4_1);
    }
    assert_eq!(left_open("<a><b></a>"), None);
    assert_eq!(left_open("<a><b></b>"), Some(vec!["a"]));
}

#[test]
fn a_wrapper_counts_clicks_but_does_not_lead_them() {
    let xml = document(
        VastVersion::V4_2,
        &ad(LinearSource::Wrapper {
            tag_url: "https://tag.example/v?cb=1&x=2",
        }),
    );
    assert_eq!(left_open(&xml), Some(vec![]), "{xml}");
    assert!(xml.contains("<VASTAdTagURI><![CDATA[https://tag.example/v?cb=1&x=2]]>"));
    assert!(xml.contains("<ClickTracking>"));
    for absent in [
        "<ClickThrough>",
        "<MediaFile",
        "<Duration>",
        "<InLine>",
        "skipoffset",
    ] {
        assert!(!xml.contains(absent), "{absent} in {xml}");
    }
}

#[test]
fn the_newest_version_that_is_offered_is_chosen() {
    use VastForm::{InLine, Wrapper};
    use VastVersion::{V2, V3, V4_2};
    for (protocols, form, version) in [
        (&[][..], InLine, Some(V3)),
        (&[2, 3], InLine, Some(V3)),
        (&[2, 5], InLine, Some(V2)),
        (&[3, 13, 7], InLine, Some(V4_2)),
        (&[3, 14], Wrapper, Some(V4_2)),
        (&[2, 3], Wrapper, None),
        (&[1, 9, 10], InLine, None),
    ] {
        assert_eq!(
            choose_version(CodeSet::of(protocols), form),
            version,
            "{protocols:?}"
        );
    }
}
