//! The kernel's protocols between threads, in every interleaving that needs at most [`PREEMPTIONS`] of them.
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

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod delivery;
mod desk;
mod mailbox;
mod races;
mod slot;
mod stage;

/// Involuntary switches between threads that a schedule may have. All mistakes that the controls make need one or
/// two; a third keeps each model under a few seconds in a debug build.
const PREEMPTIONS: usize = 3;

/// Runs a model once for every schedule.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(model);
}
