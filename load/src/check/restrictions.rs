//! What a request rules out: seats, creative attributes, kinds of banner markup, apps.

use super::response::Bid;
use super::text::tags;
use super::{FaultKind, Verdict};
use crate::traffic::{Asked, AskedImp};

/// Kinds of banner markup whose presence shows in it: a script, and a frame.
const SCRIPT: u64 = 3;
const FRAME: u64 = 4;

/// Judges a bid of this seat.
pub(super) fn judge(
    asked: &Asked,
    imp: &AskedImp,
    (seat, bid): (Option<&str>, &Bid<'_>),
    verdict: &mut Verdict<'_>,
) {
    let seat = seat.unwrap_or_default();
    if !asked.seats.is_empty() && !asked.seats.iter().any(|one| one == seat) {
        let seats = &asked.seats;
        verdict.fault(FaultKind::Seat, format!("{seat:?}, of {seats:?}"));
    }
    if let Some(app) = bid.bundle.as_deref()
        && asked.blocked_apps.iter().any(|blocked| blocked == app)
    {
        verdict.fault(FaultKind::AppBlocked, app);
    }
    let of_kind = |markup: u32| Some(markup) == bid.mtype;
    let Some(limits) = imp.limits.iter().find(|limits| of_kind(limits.markup)) else {
        return;
    };
    for attribute in &bid.attr {
        if limits.attributes.contains(attribute) {
            verdict.fault(FaultKind::AttributeBlocked, attribute.to_string());
        }
    }
    let adm = bid.adm.as_deref().unwrap_or_default();
    for (kind, tag) in [(SCRIPT, "script"), (FRAME, "iframe")] {
        if limits.banner_types.contains(&kind) && tags(adm, tag).next().is_some() {
            verdict.fault(FaultKind::TypeBlocked, format!("btype {kind}: <{tag}>"));
        }
    }
}
