//! Panics, contained and kept: message, place, and no more noise than an operator can read.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Mutex, Once};

use super::exit::{Calls, PanicReport, shorten};
use crate::clock::Clock;

thread_local! {
    /// How many contained frames this thread is inside.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Where the last contained panic of this thread happened, and the calls that led there if somebody asked for them.
    static PLACE: RefCell<(Option<String>, Option<Calls>)> = const { RefCell::new((None, None)) };
}

/// Runs `work`; a panic in it becomes a report.
///
/// Costs about a nanosecond when nothing happens. State reached through `&` must stay sound when a call is cut
/// short, which is why a stage's value is withdrawn after a panic and a server's is dropped.
pub(crate) fn contain<R>(work: impl FnOnce() -> R) -> Result<R, PanicReport> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    outcome.map_err(report)
}

/// Polls `work` to its end; a panic in any poll becomes a report.
pub(crate) async fn contain_async<F: Future>(work: F) -> Result<F::Output, PanicReport> {
    let mut work = pin!(work);
    poll_fn(|context| match contain(|| work.as_mut().poll(context)) {
        Ok(std::task::Poll::Ready(output)) => std::task::Poll::Ready(Ok(output)),
        Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
        Err(report) => std::task::Poll::Ready(Err(report)),
    })
    .await
}

/// What a panic said. The payload is dropped in a contained frame of its own, since its `Drop` may panic too.
pub(crate) fn report(payload: Box<dyn Any + Send>) -> PanicReport {
    let said = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned());
    let mut message = said;
    shorten(&mut message, PanicReport::MESSAGE_BYTES_MAX);
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // What comes out of a spiteful Drop may be as spiteful again: it is leaked, which is safe and bounded by crashes.
        let _leaked = std::mem::ManuallyDrop::new(second);
    }
    let (location, backtrace) = PLACE.with(RefCell::take);
    PanicReport {
        message,
        location,
        backtrace,
    }
}

/// Installs the kernel's panic hook, once a process. A panic inside a child is kept for its exit reason and printed
/// by nobody; any other goes to the hook that was there before.
///
/// The standard hook holds a lock for the whole of its output, so a crash storm would serialise on it.
pub fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        let backtraces = Backtraces::new(Clock::system());
        std::panic::set_hook(Box::new(move |panic| {
            if DEPTH.with(Cell::get) == 0 {
                return previous(panic);
            }
            PLACE.with(|place| {
                if let Ok(mut place) = place.try_borrow_mut() {
                    *place = (panic.location().map(ToString::to_string), backtraces.here());
                }
            });
        }));
    });
}

/// Keeps the calls that led to a panic where `RUST_BACKTRACE` asks for them, and not too many: finding them costs as much as
/// a few restarts of a stage, and after some of one second nobody reads the next.
struct Backtraces {
    clock: Clock,
    is_asked_for: bool,
    allowance: Mutex<Allowance>,
}

/// What has been kept in the current second.
#[derive(Default)]
struct Allowance {
    second: u64,
    written: u32,
}

impl Allowance {
    const IN_A_SECOND: u32 = 10;

    fn take(&mut self, second: u64) -> bool {
        if self.second != second {
            *self = Self { second, written: 0 };
        }
        self.written += 1;
        self.written <= Self::IN_A_SECOND
    }
}

impl Backtraces {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            is_asked_for: Backtrace::capture().status() == BacktraceStatus::Captured,
            allowance: Mutex::default(),
        }
    }

    fn here(&self) -> Option<Calls> {
        if !self.is_asked_for {
            return None;
        }
        let second = self.clock.monotonic().as_nanos() / 1_000_000_000;
        // Nobody waits here: whoever finds another at it goes without.
        if !self.allowance.try_lock().ok()?.take(second) {
            return None;
        }
        Some(Calls::here())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_keeps_its_message_and_its_place() {
        install_panic_hook();
        let report = contain(|| panic!("out of {}", "luck")).unwrap_err();
        assert_eq!(report.message, "out of luck");
        assert!(
            report
                .location
                .is_some_and(|place| place.contains("contain.rs"))
        );
    }

    #[test]
    fn back_traces_of_one_second_have_a_limit_and_the_next_second_has_its_own() {
        let mut allowance = Allowance::default();
        let written = (0..50_000).filter(|_| allowance.take(7)).count();
        assert_eq!(written, 10);
        assert!(allowance.take(8));
    }

    #[test]
    fn a_payload_whose_drop_panics_is_contained_as_well() {
        struct Spiteful;
        impl Drop for Spiteful {
            fn drop(&mut self) {
                panic!("and another thing");
            }
        }
        install_panic_hook();
        let outcome = contain(|| std::panic::panic_any(Spiteful));
        assert_eq!(outcome.unwrap_err().message, "a panic without a text");
    }
}
