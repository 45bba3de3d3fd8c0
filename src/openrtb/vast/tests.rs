//! Facts about VAST and DAAST documents, each judged by a reader and by rules that are not ours.

use proptest::prelude::*;
use roxmltree::{Document, Node};
use vastlint_core::Severity;

use super::*;
use crate::openrtb::CodeSet;

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
const SOUND: &[MediaFile<'_>] = &[MediaFile {
    url: "https://m.example/a.mp3",
    mime: "audio/mpeg",
    w: 0,
    h: 0,
    bitrate_kbps: Some(128),
}];
const IMAGE: Image<'_> = Image {
    url: "https://m.example/a.png?x=1&y=2",
    mime: "image/png",
    w: 300,
    h: 250,
};
const COMPANIONS: &[CompanionAd<'_>] = &[
    CompanionAd {
        resource: CompanionResource::Image(IMAGE),
        is_end_card: Some(true),
    },
    CompanionAd {
        resource: CompanionResource::Frame {
            url: "https://m.example/frame",
            w: 728,
            h: 90,
        },
        is_end_card: None,
    },
];
const SCRIPT: VerificationScript<'_> = VerificationScript {
    vendor: "measurer.example-omid",
    url: "https://m.example/omid.js",
    parameters: Some("{\"a\":1}"),
};
const TEMPLATES: [Template; 7] = [
    Template::Vast(VastVersion::V2),
    Template::Vast(VastVersion::V3),
    Template::Vast(VastVersion::V4_0),
    Template::Vast(VastVersion::V4_1),
    Template::Vast(VastVersion::V4_2),
    Template::Vast(VastVersion::V4_3),
    Template::Daast,
];

fn ad(source: Source<'static>) -> VastAd<'static> {
    VastAd {
        medium: Medium::Video,
        id: "cr\"7",
        ad_system: "Bidtree",
        title: "Shoes & more",
        category: Some("IAB18"),
        serving_id: "serving-1",
        impressions: &["https://n.example/imp?t=1&p=${AUCTION_PRICE}"],
        click_through: Some("https://shop.example/?a=1&b=2"),
        click_trackers: &["https://n.example/click"],
        source,
        companions: &[],
        verification: None,
    }
}

fn in_line() -> VastAd<'static> {
    ad(Source::InLine {
        duration_s: 3_675,
        skip_after_s: Some(5),
        files: FILES,
    })
}

fn wrapper() -> VastAd<'static> {
    ad(Source::Wrapper {
        tag_url: "https://tag.example/v?cb=1&x=2",
    })
}

fn sound() -> VastAd<'static> {
    VastAd {
        medium: Medium::Audio,
        ..ad(Source::InLine {
            duration_s: 30,
            skip_after_s: None,
            files: SOUND,
        })
    }
}

fn overlay() -> VastAd<'static> {
    ad(Source::Overlay {
        duration_s: 12,
        image: IMAGE,
    })
}

fn document(template: Template, ad: &VastAd<'_>) -> String {
    let mut out = Vec::new();
    write(&mut out, template, ad);
    String::from_utf8(out).unwrap()
}

fn vast(version: VastVersion, ad: &VastAd<'_>) -> String {
    document(Template::Vast(version), ad)
}

/// What the rules of its version have against a document.
fn errors(xml: &str) -> Vec<String> {
    vastlint_core::validate(xml)
        .issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| format!("{}: {}", issue.id, issue.message))
        .collect()
}

/// The texts of every element of this name.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap();
    let text = |node: Node<'_, '_>| {
        node.children()
            .filter_map(|child| child.text())
            .collect::<String>()
    };
    document
        .descendants()
        .filter(|node| node.has_tag_name(name))
        .map(text)
        .collect()
}

/// An attribute of the only element of this name.
fn attribute_of(xml: &str, name: &str, attribute: &str) -> Option<String> {
    let document = Document::parse(xml).unwrap();
    let mut found = document
        .descendants()
        .filter(|node| node.has_tag_name(name));
    let node = found.next()?;
    assert!(found.next().is_none(), "{name} stands twice in {xml}");
    node.attribute(attribute).map(str::to_owned)
}

#[test]
fn an_inline_document_of_3_0_is_this_to_the_letter() {
    let ad = VastAd {
        click_through: Some("https://shop.example/?a=1&b=]]>"),
        ..in_line()
    };
    assert_eq!(
        vast(VastVersion::V3, &ad),
        concat!(
            r#"<VAST version="3.0"><Ad id="cr&quot;7"><InLine><AdSystem>Bidtree</AdSystem>"#,
            r"<AdTitle>Shoes &amp; more</AdTitle>",
            r"<Impression><![CDATA[https://n.example/imp?t=1&p=${AUCTION_PRICE}]]></Impression>",
            r#"<Creatives><Creative id="cr&quot;7"><Linear skipoffset="00:00:05">"#,
            r#"<Duration>01:01:15</Duration><VideoClicks>"#,
            r"<ClickThrough><![CDATA[https://shop.example/?a=1&b=]]]]><![CDATA[>]]></ClickThrough>",
            r"<ClickTracking><![CDATA[https://n.example/click]]></ClickTracking></VideoClicks>",
            r#"<MediaFiles><MediaFile id="1" delivery="progressive" type="video/mp4" width="1280" height="720" bitrate="1500">"#,
            r"<![CDATA[https://m.example/a.mp4?x=1&y=2]]></MediaFile>",
            r#"<MediaFile id="2" delivery="streaming" type="application/x-mpegURL" width="640" height="360">"#,
            r"<![CDATA[https://m.example/a.m3u8]]></MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>",
        )
    );
}

#[test]
fn every_template_is_valid_by_its_own_rules_in_every_form() {
    for template in TEMPLATES {
        for ad in [in_line(), wrapper(), sound(), overlay()] {
            let is_moving = ad.medium == Medium::Video;
            if is_moving && template == Template::Daast {
                continue;
            }
            for (companions, verification) in [(&[][..], None), (COMPANIONS, Some(SCRIPT))] {
                let xml = document(
                    template,
                    &VastAd {
                        companions,
                        verification,
                        ..ad
                    },
                );
                assert_eq!(errors(&xml), [""; 0], "{template:?}: {xml}");
            }
        }
    }
}

#[test]
fn the_rules_find_what_is_missing() {
    for (part, without) in [
        ("<AdSystem>Bidtree</AdSystem>", ""),
        ("<Duration>01:01:15</Duration>", ""),
        ("<AdTitle>", "<Title>"),
    ] {
        let broken = vast(VastVersion::V3, &in_line()).replace(part, without);
        assert!(!errors(&broken).is_empty(), "{broken}");
    }
}

#[test]
fn each_version_carries_what_it_requires_and_not_what_it_does_not_know() {
    for version in VastVersion::NEWEST_FIRST {
        let measured = VastAd {
            verification: Some(SCRIPT),
            ..in_line()
        };
        let xml = vast(version, &measured);
        assert!(xml.starts_with(&format!("<VAST version=\"{}\">", version.as_str())));
        assert_eq!(xml.contains("skip"), version >= VastVersion::V3, "{xml}");
        assert_eq!(
            xml.contains("<UniversalAdId "),
            version >= VastVersion::V4_0
        );
        assert_eq!(xml.contains(" idValue="), version == VastVersion::V4_0);
        assert_eq!(xml.contains("<AdServingId>"), version >= VastVersion::V4_1);
        assert_eq!(xml.contains("<Extension "), version < VastVersion::V4_1);
        let heard = vast(version, &sound());
        assert_eq!(
            heard.contains(" adType=\"audio\""),
            version >= VastVersion::V4_1
        );
    }
}

#[test]
fn daast_names_some_things_otherwise() {
    let xml = document(Template::Daast, &sound());
    assert!(xml.starts_with("<DAAST version=\"1.0\">"), "{xml}");
    assert_eq!(texts(&xml, "Category"), ["IAB18"]);
    assert!(xml.contains("<AdInteractions><ClickThrough>"), "{xml}");
    assert_eq!(attribute_of(&xml, "MediaFile", "width"), None);
    let uncategorized = VastAd {
        category: None,
        ..sound()
    };
    let xml = document(Template::Daast, &uncategorized);
    assert_eq!(texts(&xml, "Category"), ["IAB24"]);
    let wrapped = VastAd {
        medium: Medium::Audio,
        ..wrapper()
    };
    let xml = document(Template::Daast, &wrapped);
    assert_eq!(
        texts(&xml, "DAASTAdTagURI"),
        ["https://tag.example/v?cb=1&x=2"]
    );
}

#[test]
fn a_wrapper_counts_clicks_but_does_not_lead_them() {
    let xml = vast(VastVersion::V4_2, &wrapper());
    assert_eq!(
        texts(&xml, "VASTAdTagURI"),
        ["https://tag.example/v?cb=1&x=2"]
    );
    assert_eq!(texts(&xml, "ClickTracking"), ["https://n.example/click"]);
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
fn an_overlay_lies_over_the_content_for_a_while() {
    let xml = vast(VastVersion::V3, &overlay());
    assert_eq!(
        attribute_of(&xml, "NonLinear", "minSuggestedDuration").as_deref(),
        Some("00:00:12")
    );
    assert_eq!(texts(&xml, "StaticResource"), [IMAGE.url]);
    assert_eq!(
        texts(&xml, "NonLinearClickTracking"),
        ["https://n.example/click"]
    );
    assert!(!xml.contains("<Linear"), "{xml}");
}

#[test]
fn companions_stand_beside_in_a_creative_of_their_own() {
    let ad = VastAd {
        companions: COMPANIONS,
        ..in_line()
    };
    let xml = vast(VastVersion::V4_2, &ad);
    assert_eq!(xml.matches("<Creative ").count(), 2);
    assert_eq!(xml.matches("<UniversalAdId ").count(), 2);
    assert_eq!(texts(&xml, "StaticResource"), [IMAGE.url]);
    assert_eq!(texts(&xml, "IFrameResource"), ["https://m.example/frame"]);
    assert_eq!(texts(&xml, "CompanionClickThrough").len(), 2);
    assert_eq!(xml.matches("renderingMode=\"end-card\"").count(), 1);
    assert!(!vast(VastVersion::V4_0, &ad).contains("renderingMode"));
    assert!(!vast(VastVersion::V2, &ad).contains("CompanionClickTracking"));
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
            Template::choose(CodeSet::of(protocols), form, Medium::Video),
            version.map(Template::Vast),
            "{protocols:?}"
        );
    }
}

#[test]
fn sound_goes_by_vast_that_knows_it_then_by_daast_then_by_older_vast() {
    use Template::{Daast, Vast};
    use VastForm::{InLine, Wrapper};
    for (protocols, form, template) in [
        (&[][..], InLine, Some(Vast(VastVersion::V3))),
        (&[2, 3, 7, 9, 11], InLine, Some(Vast(VastVersion::V4_1))),
        (&[2, 3, 7, 9], InLine, Some(Daast)),
        (&[2, 3], InLine, Some(Vast(VastVersion::V3))),
        (&[9], Wrapper, None),
        (&[10], Wrapper, Some(Daast)),
    ] {
        assert_eq!(
            Template::choose(CodeSet::of(protocols), form, Medium::Audio),
            template,
            "{protocols:?}"
        );
        if let Some(template) = template
            && !protocols.is_empty()
        {
            assert!(protocols.contains(&template.protocol(form)));
        }
    }
}

proptest! {
    /// What XML cannot hold is replaced, so only what it can is compared.
    #[test]
    fn texts_and_urls_come_back_as_they_went(
        text in "[ -~\u{a0}-\u{2fff}]{1,40}",
        url in "[!-~]{1,60}",
        version in 0..TEMPLATES.len(),
    ) {
        let ad = VastAd {
            id: &text,
            title: &text,
            impressions: &[&url],
            click_through: Some(&url),
            ..sound()
        };
        let xml = document(TEMPLATES[version], &ad);
        prop_assert_eq!(texts(&xml, "AdTitle"), [text.as_str()]);
        prop_assert_eq!(texts(&xml, "Impression"), [url.as_str()]);
        prop_assert_eq!(texts(&xml, "ClickThrough"), [url.as_str()]);
        prop_assert_eq!(attribute_of(&xml, "Ad", "id"), Some(text));
    }
}
