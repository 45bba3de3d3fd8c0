//! A hook for the bare panic, which keeps the place as the kernel's hook does and prints nothing.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static BARE: Cell<bool> = const { Cell::new(false) };
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics that came through neither the kernel's hook nor a bare measurement: each was printed.
static PRINTED: AtomicU64 = AtomicU64::new(0);

/// Installs this hook below the kernel's, which hands it whatever panics outside a child.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
            if BARE.with(Cell::get) {
                let place = panic.location().map(ToString::to_string);
                LOCATION.set(place);
            } else {
                PRINTED.fetch_add(1, Ordering::Relaxed);
                previous(panic);
            }
        }));
    });
    bidtree::supervision::install_panic_hook();
}

/// Runs `work`; a panic in it leaves its place and no output.
pub(crate) fn hook<R>(work: impl FnOnce() -> R) -> R {
    BARE.set(true);
    let output = work();
    BARE.set(false);
    drop(LOCATION.take());
    output
}

/// How many panics were printed so far.
pub(crate) fn printed() -> u64 {
    PRINTED.load(Ordering::Relaxed)
}
