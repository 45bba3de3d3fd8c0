//! The markup of a bid, by the format of its creative: what the exchange hands to the page or the player.

mod spot;
mod template;

use self::spot::{Medium, write_spot};
use self::template::{Filling, fill};
use crate::bidding::Parts;
use crate::campaign::{Campaign, Creative, Format, Native};
use crate::openrtb::Given;
use crate::openrtb::native::{self, NativeLinks, NativeRequest};
use crate::openrtb::request::Imp;

/// Where a bid's markup reports to.
pub(super) struct Links<'a> {
    pub(super) impression_url: &'a str,
    pub(super) click_url: &'a str,
    /// The id of this one impression: the bid's.
    pub(super) serving_id: &'a str,
}

/// Appends the markup; the protocol it follows, if it is a document that has one.
pub(super) fn write_markup(
    out: &mut Vec<u8>,
    ad: (&Campaign, &Creative),
    imp: &Imp<'_>,
    links: &Links<'_>,
) -> Option<u32> {
    match &ad.1.format {
        Format::Banner(banner) => {
            let filling = Filling {
                click_url: links.click_url,
                impression_url: links.impression_url,
                cachebuster: links.serving_id,
            };
            fill(out, &banner.html, &filling);
            None
        }
        Format::Video(spot) => {
            let player = imp.video.as_ref()?;
            write_spot(out, (ad, spot), &Medium::Video(player), links)
        }
        Format::Audio(spot) => {
            let player = imp.audio.as_ref()?;
            write_spot(out, (ad, spot), &Medium::Audio(player), links)
        }
        Format::Native(native) => {
            if let Some(Given::Value(asked)) = imp.native.as_ref().map(|slot| &slot.request) {
                write_native(out, (ad, native), asked, links);
            }
            None
        }
    }
}

fn write_native(
    out: &mut Vec<u8>,
    (ad, native): ((&Campaign, &Creative), &Native),
    asked: &NativeRequest,
    links: &Links<'_>,
) {
    let parts = Parts(native);
    let spot = native.video.as_ref();
    let documents = spot.into_iter().flat_map(|spot| {
        native::video_assets(asked, &parts).map(move |(id, wanted)| (id, spot, wanted))
    });
    let vast: Vec<(i64, String)> = documents
        .map(|(id, spot, wanted)| {
            let mut document = Vec::new();
            write_spot(&mut document, (ad, spot), &Medium::Asset(wanted), links);
            (id, String::from_utf8(document).unwrap_or_default())
        })
        .collect();
    let native_links = NativeLinks {
        click_url: &ad.1.click_url,
        deep_link: native.deep_link.as_deref(),
        click_trackers: &[links.click_url],
        impression_trackers: &[links.impression_url],
        script_url: native.script_url.as_deref(),
        privacy_url: native.privacy_url.as_deref(),
        vast: &vast,
    };
    native::write(out, asked, &parts, &native_links);
}
