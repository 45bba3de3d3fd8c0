//! Bodies sent one after the other, each on a connection of its own, and how they were answered.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::raw_wire::{self, Reply};
use super::{Injector, hostile};
use crate::clock;
use crate::scenario::Barrage;
use crate::timeline::Strike;

/// Hostile JSON of all kinds.
pub(super) async fn malformed(injector: &Rc<Injector>, strike: Strike, barrage: &Barrage) {
    let seed = injector.tools.seed;
    let first = u64::from(strike.repetition) * barrage.count;
    fire(injector, strike.place, barrage, |number| {
        let body = hostile::body(seed, first + number);
        (body.name, body.bytes, "")
    })
    .await;
}

/// Small bodies that unpack to large ones.
pub(super) async fn bombs(
    injector: &Rc<Injector>,
    strike: Strike,
    barrage: &Barrage,
    mebibytes: u64,
) -> Result<(), String> {
    let bomb = hostile::bomb(mebibytes).map_err(|error| error.to_string())?;
    fire(injector, strike.place, barrage, |_| {
        ("gzip bomb", bomb.clone(), "Content-Encoding: gzip\r\n")
    })
    .await;
    Ok(())
}

/// One body after the other, none later than the end of the run.
async fn fire(
    injector: &Rc<Injector>,
    place: usize,
    barrage: &Barrage,
    mut make: impl FnMut(u64) -> (&'static str, Bytes, &'static str),
) {
    let targets = injector.targets(barrage.exchange.as_deref());
    let rest = Duration::from_secs(1) / u32::try_from(barrage.per_second).unwrap_or(1).max(1);
    for (number, target) in (0..barrage.count).zip(targets.iter().cycle()) {
        if injector.time_left().is_zero() {
            return;
        }
        let (name, body, more) = make(number);
        let head = raw_wire::head(target, body.len(), more);
        let reply = raw_wire::exchange(target, &head, &body).await;
        let outcome = reply.name();
        if is_sound(reply) {
            injector.outcome(place, &outcome);
        } else {
            injector.wrong(place, &outcome, || format!("{name}: {outcome}"));
        }
        clock::sleep(rest).await;
    }
}

/// A bidder answers what it cannot read: a refusal (4xx), or no bid. It neither breaks (5xx) nor falls silent. A body that
/// only looks hostile may be answered 200.
fn is_sound(reply: Reply) -> bool {
    matches!(reply, Reply::Status(200 | 204 | 400..=499))
}
