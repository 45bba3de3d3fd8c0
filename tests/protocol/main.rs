//! The kernel's protocols between threads, in every interleaving.
//!
//! The models transcribe the pure part of `src/supervision` onto loom's primitives and name the function each one
//! mirrors. A mutex around an `Option<Arc<_>>` stands in for `ArcSwapOption`, which loom cannot see through; what is
//! assumed of it is in `docs/decisions/0010-memory-ordering.md`. Each fact has controls: the same model with one
//! step left out or done in two, in which loom must find the mistake.
//!
//! loom and not shuttle: it tries every schedule within the bound instead of a random sample, the models are small
//! enough for that, and a control that must fail then always does.
//!
//! `races` opens the doors that the models found ajar, in the kernel itself.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod delivery;
mod desk;
mod mailbox;
mod races;
mod slot;
mod stage;
mod waiting;
mod watchdog;

/// Runs a model once for every schedule.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    loom::model::Builder::new().check(model);
}

/// Runs a model once for every schedule that switches threads in the middle at most this often. For models that have
/// too many schedules to try them all in a second or two; every control is caught with one or two switches.
fn explore_within(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}
