//! The creatives of a document: what plays, or lies over what plays, and what stands beside it.

use super::xml::{attribute, close, number, open, raw, time, url, urls, write_time};
use super::{CompanionAd, CompanionResource, Delivery, Image, MediaFile, Source, Template, VastAd};
use crate::openrtb::codes::{VastForm, VastVersion};
use crate::openrtb::escape::{write_cdata, write_xml};

/// Appends every creative.
pub(super) fn write_creatives(out: &mut Vec<u8>, template: Template, ad: &VastAd<'_>) {
    open(out, "Creatives");
    begin_creative(out, template, ad);
    match ad.source {
        Source::InLine {
            duration_s,
            skip_after_s,
            files,
        } => {
            raw(out, "<Linear");
            let skip = skip_after_s.filter(|_| template.has(VastVersion::V3));
            if let Some(skip_after_s) = skip {
                time(out, "skipoffset", skip_after_s);
            }
            raw(out, "><Duration>");
            write_time(out, duration_s);
            close(out, "Duration");
            write_clicks(out, template, ad);
            open(out, "MediaFiles");
            for (place, file) in (1..).zip(files) {
                write_file(out, template, (place, file));
            }
            raw(out, "</MediaFiles></Linear>");
        }
        Source::Overlay { duration_s, image } => {
            write_overlay(out, template, ad, duration_s, &image);
        }
        Source::Wrapper { .. } => {
            open(out, "Linear");
            write_clicks(out, template, ad);
            close(out, "Linear");
        }
    }
    close(out, "Creative");
    if !ad.companions.is_empty() {
        begin_creative(out, template, ad);
        open(out, "CompanionAds");
        for companion in ad.companions {
            write_companion(out, template, ad, companion);
        }
        raw(out, "</CompanionAds></Creative>");
    }
    close(out, "Creatives");
}

/// A universal id is required from 4.0 on; who has none registered says `unknown`. 4.0 wants it in an attribute too.
fn begin_creative(out: &mut Vec<u8>, template: Template, ad: &VastAd<'_>) {
    raw(out, "<Creative");
    attribute(out, "id", ad.id);
    raw(out, ">");
    if ad.source.form() == VastForm::Wrapper || !template.has(VastVersion::V4_0) {
        return;
    }
    raw(out, "<UniversalAdId idRegistry=\"unknown\"");
    if !template.has(VastVersion::V4_1) {
        attribute(out, "idValue", ad.id);
    }
    raw(out, ">");
    write_xml(out, ad.id);
    close(out, "UniversalAdId");
}

fn write_clicks(out: &mut Vec<u8>, template: Template, ad: &VastAd<'_>) {
    let click_through = match ad.source.form() {
        VastForm::InLine => ad.click_through,
        VastForm::Wrapper => None,
    };
    if click_through.is_none() && ad.click_trackers.is_empty() {
        return;
    }
    open(out, template.clicks());
    if let Some(click_through) = click_through {
        url(out, "ClickThrough", click_through);
    }
    urls(out, "ClickTracking", ad.click_trackers);
    close(out, template.clicks());
}

fn write_file(out: &mut Vec<u8>, template: Template, (place, file): (u32, &MediaFile<'_>)) {
    raw(out, "<MediaFile");
    number(out, "id", place);
    attribute(out, "delivery", Delivery::of(file.mime).as_str());
    attribute(out, "type", file.mime);
    if template != Template::Daast {
        number(out, "width", file.w);
        number(out, "height", file.h);
    }
    if let Some(bitrate) = file.bitrate_kbps {
        number(out, "bitrate", bitrate);
    }
    raw(out, ">");
    write_cdata(out, file.url);
    close(out, "MediaFile");
}

fn write_overlay(
    out: &mut Vec<u8>,
    template: Template,
    ad: &VastAd<'_>,
    duration_s: u32,
    image: &Image<'_>,
) {
    raw(out, "<NonLinearAds><NonLinear");
    attribute(out, "id", ad.id);
    number(out, "width", image.w);
    number(out, "height", image.h);
    time(out, "minSuggestedDuration", duration_s);
    raw(out, ">");
    write_image(out, image);
    write_own_clicks(
        out,
        template,
        ad,
        ["NonLinearClickThrough", "NonLinearClickTracking"],
    );
    raw(out, "</NonLinear></NonLinearAds>");
}

fn write_companion(
    out: &mut Vec<u8>,
    template: Template,
    ad: &VastAd<'_>,
    companion: &CompanionAd<'_>,
) {
    let (w, h) = match &companion.resource {
        CompanionResource::Image(image) => (image.w, image.h),
        CompanionResource::Frame { w, h, .. } => (*w, *h),
    };
    raw(out, "<Companion");
    number(out, "width", w);
    number(out, "height", h);
    if let Some(is_end_card) = companion
        .is_end_card
        .filter(|_| template.has(VastVersion::V4_1))
    {
        let mode = if is_end_card {
            "end-card"
        } else {
            "concurrent"
        };
        attribute(out, "renderingMode", mode);
    }
    raw(out, ">");
    match &companion.resource {
        CompanionResource::Image(image) => write_image(out, image),
        CompanionResource::Frame { url: address, .. } => url(out, "IFrameResource", address),
    }
    write_own_clicks(
        out,
        template,
        ad,
        ["CompanionClickThrough", "CompanionClickTracking"],
    );
    close(out, "Companion");
}

fn write_image(out: &mut Vec<u8>, image: &Image<'_>) {
    raw(out, "<StaticResource");
    attribute(out, "creativeType", image.mime);
    raw(out, ">");
    write_cdata(out, image.url);
    close(out, "StaticResource");
}

/// Where a click on an image of ours leads, and where it is reported; VAST 2.0 does not know the latter. The trackers of a
/// companion must have ids, those of an overlay may.
fn write_own_clicks(
    out: &mut Vec<u8>,
    template: Template,
    ad: &VastAd<'_>,
    [through, tracking]: [&str; 2],
) {
    if let Some(address) = ad.click_through {
        url(out, through, address);
    }
    if !template.has(VastVersion::V3) {
        return;
    }
    for (place, address) in (1..).zip(ad.click_trackers) {
        raw(out, "<");
        raw(out, tracking);
        number(out, "id", place);
        raw(out, ">");
        write_cdata(out, address);
        close(out, tracking);
    }
}
