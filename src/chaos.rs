//! Fail points: places in the code that fail when an operator says so, to see that everything around them holds.
//!
//! Each child that has one passes it on its way: unarmed, that is one load. Armed, every so many passes it panics, errs or
//! stalls, so many times. Points are made with the tree and outlive its children; only the admin port arms them, and only
//! where the configuration says `chaos = true`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::supervision::Failure;

/// The longest stall: longer than anything waits for, short enough that a forgotten one ends.
pub const STALL_MAX: Duration = Duration::from_secs(10);

/// What an armed point does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Panics: a bug.
    Panic,
    /// Errs: broken infrastructure.
    Error,
    /// Keeps its thread for so long, at most [`STALL_MAX`].
    Stall(Duration),
}

/// What is armed, and when it fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What it does.
    pub act: Act,
    /// It fires once in so many passes that it is meant for, the first time at the first; 0 is as 1.
    pub one_in: u32,
    /// It fires at most so often.
    pub times: u32,
    /// It is meant only for what has an id that begins so; empty means every pass.
    pub id_prefix: String,
}

/// A point as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed {
    /// Its name: the path of the child that passes it.
    pub name: Arc<str>,
    /// What is armed; `None` for nothing, also after the last time.
    pub charge: Option<Charge>,
    /// How often it has fired since it was armed.
    pub fired: u32,
}

/// All points of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct FailPoints(Arc<Mutex<BTreeMap<Arc<str>, FailPoint>>>);

/// One point. Cheap to clone.
#[derive(Clone, Default)]
pub struct FailPoint(Arc<Point>);

/// Why nothing is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unarmed {
    /// No point has that name.
    #[error("there is no such fail point; GET /fail-points lists them")]
    Unknown,
    /// It would never fire.
    #[error(
        "no request passes this point, so id_prefix would never be met; leave it out, or arm a bid_engine or a serializer"
    )]
    WithoutIds,
}

#[derive(Default)]
struct Point {
    passing: Passing,
    is_armed: AtomicBool,
    state: Mutex<State>,
}

/// What passes a point.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Passing {
    /// What has no id.
    #[default]
    Anything,
    /// Requests, each with its id.
    Requests,
}

#[derive(Default)]
struct State {
    charge: Option<Charge>,
    passes: u32,
    fired: u32,
}

impl FailPoints {
    /// The point of that name, made if there is none, for what has no id.
    pub fn point(&self, name: &str) -> FailPoint {
        self.made(name, Passing::Anything)
    }

    /// The same for what has an id: a request.
    pub fn point_of_requests(&self, name: &str) -> FailPoint {
        self.made(name, Passing::Requests)
    }

    fn made(&self, name: &str, passing: Passing) -> FailPoint {
        let made = || {
            FailPoint(Arc::new(Point {
                passing,
                ..Point::default()
            }))
        };
        let mut points = self.lock();
        points.entry(Arc::from(name)).or_insert_with(made).clone()
    }

    /// Arms a point, or disarms it.
    ///
    /// # Errors
    /// [`Unarmed`]: there is none of that name, or it would never fire.
    pub fn arm(&self, name: &str, charge: Option<Charge>) -> Result<(), Unarmed> {
        let found = self.lock().get(name).cloned();
        let point = found.ok_or(Unarmed::Unknown)?;
        let asks_for_id = charge.as_ref().is_some_and(|it| !it.id_prefix.is_empty());
        if asks_for_id && point.0.passing == Passing::Anything {
            return Err(Unarmed::WithoutIds);
        }
        point.arm(charge);
        Ok(())
    }

    /// Every point, by name.
    pub fn all(&self) -> Vec<Armed> {
        let points = self.lock();
        let armed = |(name, point): (&Arc<str>, &FailPoint)| point.armed(name);
        points.iter().map(armed).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, FailPoint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FailPoint {
    /// Passes the point, for something without an id.
    ///
    /// # Errors
    /// When it fires and is to err. When it is to panic, it does.
    pub fn pass(&self) -> Result<(), Failure> {
        self.pass_with("")
    }

    /// Passes the point with something of that id.
    ///
    /// # Errors
    /// When it fires and is to err. When it is to panic, it does.
    #[inline]
    pub fn pass_with(&self, id: &str) -> Result<(), Failure> {
        // What was armed a moment ago may be missed by one pass: nobody counts on the first.
        if self.0.is_armed.load(Ordering::Relaxed) {
            self.fire(id)
        } else {
            Ok(())
        }
    }

    /// Passes the point in a stage, which has no error to return.
    ///
    /// # Panics
    /// When it fires and is to panic, or to err.
    #[inline]
    pub fn pass_inline(&self, id: &str) {
        let passed = self.pass_with(id);
        assert!(passed.is_ok(), "a fail point was armed to err");
    }

    #[cold]
    #[expect(clippy::panic, reason = "a panic is what was asked for")]
    #[expect(clippy::disallowed_methods, reason = "a stall is what was asked for")]
    fn fire(&self, id: &str) -> Result<(), Failure> {
        // Decided under the lock, done outside: a panic must not poison it, and a stall must not keep it.
        let mut state = self.lock();
        let act = state.next(id);
        if state.charge.is_none() {
            self.0.is_armed.store(false, Ordering::Relaxed);
        }
        drop(state);
        match act {
            None => Ok(()),
            Some(Act::Panic) => panic!("a fail point was armed to panic"),
            Some(Act::Error) => Err(Failure::new("a fail point was armed to err")),
            Some(Act::Stall(long)) => {
                std::thread::sleep(long.min(STALL_MAX));
                Ok(())
            }
        }
    }

    fn arm(&self, charge: Option<Charge>) {
        let is_armed = charge.is_some();
        let mut state = self.lock();
        *state = State {
            charge,
            ..State::default()
        };
        self.0.is_armed.store(is_armed, Ordering::Relaxed);
    }

    fn armed(&self, name: &Arc<str>) -> Armed {
        let state = self.lock();
        Armed {
            name: Arc::clone(name),
            charge: state.charge.clone(),
            fired: state.fired,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, id: &str) -> Option<Act> {
        let charge = self.charge.as_ref()?;
        if !id.starts_with(&charge.id_prefix) {
            return None;
        }
        let turn = self.passes.is_multiple_of(charge.one_in.max(1));
        self.passes = self.passes.wrapping_add(1);
        if !turn {
            return None;
        }
        let act = charge.act;
        self.fired += 1;
        if self.fired >= charge.times {
            self.charge = None;
        }
        Some(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(act: Act, one_in: u32, times: u32, id_prefix: &str) -> Charge {
        Charge {
            act,
            one_in,
            times,
            id_prefix: id_prefix.to_owned(),
        }
    }

    fn armed(with: Charge) -> FailPoint {
        let points = FailPoints::default();
        let point = points.point_of_requests("exchanges/adx/bid_engine");
        points.arm("exchanges/adx/bid_engine", Some(with)).unwrap();
        point
    }

    #[test]
    fn an_unarmed_point_lets_everything_pass() {
        let points = FailPoints::default();
        assert!(points.point("a").pass().is_ok());
        assert_eq!(points.arm("b", None), Err(Unarmed::Unknown));
    }

    #[test]
    fn a_point_that_no_request_passes_is_not_armed_for_some_of_them() {
        let points = FailPoints::default();
        let point = points.point("store/journal");
        let for_some = Some(charge(Act::Error, 1, 9, "poison-"));
        assert_eq!(
            points.arm("store/journal", for_some),
            Err(Unarmed::WithoutIds)
        );
        assert!(point.pass().is_ok());
        let for_all = Some(charge(Act::Error, 1, 9, ""));
        assert_eq!(points.arm("store/journal", for_all), Ok(()));
        assert!(point.pass().is_err());
    }

    #[test]
    fn it_fires_once_in_so_many_passes_and_so_many_times() {
        let point = armed(charge(Act::Error, 3, 2, ""));
        let fired: Vec<bool> = (0..10).map(|_| point.pass().is_err()).collect();
        assert_eq!(fired.iter().filter(|fired| **fired).count(), 2, "{fired:?}");
        assert!(fired[0] && fired[3]);
    }

    #[test]
    fn only_what_it_is_meant_for_sets_it_off() {
        let point = armed(charge(Act::Error, 1, 9, "poison-"));
        assert!(point.pass_with("honey-1").is_ok());
        assert!(point.pass_with("poison-1").is_err());
    }

    #[test]
    fn a_panic_leaves_it_usable_and_arming_again_begins_anew() {
        let points = FailPoints::default();
        let point = points.point("a");
        points.arm("a", Some(charge(Act::Panic, 1, 1, ""))).unwrap();
        assert!(std::panic::catch_unwind(|| point.pass().is_ok()).is_err());
        assert!(point.pass().is_ok());
        assert_eq!((points.all()[0].fired, &points.all()[0].charge), (1, &None));
        points.arm("a", Some(charge(Act::Error, 1, 1, ""))).unwrap();
        assert!(point.pass().is_err());
    }
}
