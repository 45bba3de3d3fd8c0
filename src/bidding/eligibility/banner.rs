//! Banners: sizes of every form, what the markup is, and whether it may expand.

use crate::bidding::opportunity::Opportunity;
use crate::bidding::pass::PassReason;
use crate::campaign::{Banner, BannerKind, Creative, Size};
use crate::openrtb::request::{self, Format};
use crate::openrtb::{CodeSet, Flag};

/// How a banner is shown in a placement: what the bid says of its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// At its own size.
    AtSize(Size),
    /// At whatever size of this ratio the page chooses.
    AtRatio {
        /// Relative width, as it was asked for.
        wratio: u32,
        /// Relative height, as it was asked for.
        hratio: u32,
    },
}

/// How a banner is shown in a placement; `None` if it does not fit. `screen` is the device's, where the placement fills it.
pub fn shown(banner: &Banner, slot: &request::Banner<'_>, screen: Option<Size>) -> Option<Shown> {
    let size = banner.size;
    let is = |w: Option<u32>, h: Option<u32>| w == Some(size.w) && h == Some(size.h);
    let is_listed = is(slot.w, slot.h) || slot.formats.iter().any(|it| is(it.w, it.h));
    let fits_screen = || {
        names_no_size(slot) && screen.is_some_and(|screen| size.w <= screen.w && size.h <= screen.h)
    };
    if is_listed || is_in_range(size, slot) || fits_screen() {
        return Some(Shown::AtSize(size));
    }
    let least_w = banner.scales_from_w?;
    slot.formats.iter().find_map(|format| {
        let (wratio, hratio) = ratio(format)?;
        let is_alike =
            u64::from(size.w) * u64::from(hratio) == u64::from(size.h) * u64::from(wratio);
        // A page that names no least width shows it at one of its own choice, however small.
        let scales_down = format.wmin.is_some_and(|wmin| least_w <= wmin);
        (is_alike && scales_down).then_some(Shown::AtRatio { wratio, hratio })
    })
}

pub(super) fn fits(
    banner: &Banner,
    creative: &Creative,
    slot: &request::Banner<'_>,
    chance: &Opportunity<'_>,
) -> Result<(), PassReason> {
    if shown(banner, slot, chance.screen).is_none() || !takes_markup(banner, slot) {
        return Err(PassReason::NoMatchingCreative);
    }
    let is_blocked = slot.btype.is_unreadable() || slot.btype.contains(banner.kind as u32);
    if is_blocked || !may_expand(banner, creative, slot) {
        return Err(PassReason::BlockedAttribute);
    }
    Ok(())
}

/// Whether a placement takes a range of sizes, as those until 2.5 may.
pub(in crate::bidding) fn has_ranges(slot: &request::Banner<'_>) -> bool {
    [slot.wmin, slot.wmax, slot.hmin, slot.hmax]
        .into_iter()
        .flatten()
        .any(|side| side > 0)
}

/// Whether a placement takes a ratio.
pub(in crate::bidding) fn has_ratios(slot: &request::Banner<'_>) -> bool {
    slot.formats.iter().any(|format| ratio(format).is_some())
}

/// Whether a placement names no size of any form.
pub(in crate::bidding) fn names_no_size(slot: &request::Banner<'_>) -> bool {
    let is_named = |format: &Format| ratio(format).is_some() || format.w.or(format.h).is_some();
    !(slot.w.or(slot.h).is_some() || has_ranges(slot) || slot.formats.iter().any(is_named))
}

fn ratio(format: &Format) -> Option<(u32, u32)> {
    let above = |part: Option<u32>| part.filter(|part| *part > 0);
    above(format.wratio).zip(above(format.hratio))
}

fn is_in_range(size: Size, slot: &request::Banner<'_>) -> bool {
    has_ranges(slot)
        && side_fits(size.w, slot.w, (slot.wmin, slot.wmax))
        && side_fits(size.h, slot.h, (slot.hmin, slot.hmax))
}

/// Without a range, a side is exact; with one, it is only preferred, and a range without an upper end ends there.
fn side_fits(side: u32, exact: Option<u32>, (least, most): (Option<u32>, Option<u32>)) -> bool {
    let said = |limit: Option<u32>| limit.filter(|limit| *limit > 0);
    match (said(exact), said(least), said(most)) {
        (None, None, None) => true,
        (Some(exact), None, None) => side == exact,
        (exact, least, most) => {
            let least = least.unwrap_or(0);
            let preferred = exact.map_or(u32::MAX, |exact| exact.max(least));
            (least..=most.unwrap_or(preferred)).contains(&side)
        }
    }
}

/// Whether the placement takes what the markup is. One that names no types takes all.
fn takes_markup(banner: &Banner, slot: &request::Banner<'_>) -> bool {
    const SCRIPTS: [&str; 2] = ["text/javascript", "application/javascript"];
    if slot.mimes.is_unreadable() {
        return false;
    }
    let is_script = banner.kind == BannerKind::JavaScript
        && SCRIPTS
            .into_iter()
            .any(|mime| slot.mimes.contains_type(mime));
    slot.mimes.is_empty() || is_script || slot.mimes.contains_type(&banner.mime)
}

/// Whether it may expand as it does: in every direction, and out of its frame by an interface or because there is none.
fn may_expand(banner: &Banner, creative: &Creative, slot: &request::Banner<'_>) -> bool {
    let directions = CodeSet::from_bits(banner.expands);
    directions.is_empty()
        || slot.expdir.contains_all(directions) && (slot.topframe != Flag::No || creative.apis != 0)
}
