//! The runtimes that children run on. They are given to the kernel, so that tests can run everything on one.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;

/// Where a child runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// With the supervisors and timers: whatever waits.
    Control,
    /// On the data thread with this number: whatever must not wait.
    Data(usize),
}

/// All runtimes of a tree. Data planes come and go with the threads that run them.
#[derive(Clone, Debug)]
pub struct Planes {
    control: Handle,
    data: Arc<[ArcSwapOption<Handle>]>,
}

impl Planes {
    /// A control plane, and places for `data_threads` data planes that open later.
    pub fn new(control: Handle, data_threads: usize) -> Self {
        Self {
            control,
            data: (0..data_threads).map(|_| ArcSwapOption::empty()).collect(),
        }
    }

    /// One runtime for everything: what a test wants.
    pub fn single(runtime: Handle) -> Self {
        let planes = Self::new(runtime.clone(), 1);
        planes.open_data(0, runtime);
        planes
    }

    /// How many data planes there may be.
    pub fn data_count(&self) -> usize {
        self.data.len()
    }

    /// A data thread's runtime is ready for tasks.
    pub fn open_data(&self, number: usize, runtime: Handle) {
        if let Some(place) = self.data.get(number) {
            place.store(Some(Arc::new(runtime)));
        }
    }

    /// A data thread is going.
    pub fn close_data(&self, number: usize) {
        if let Some(place) = self.data.get(number) {
            place.store(None);
        }
    }

    pub(crate) fn control(&self) -> &Handle {
        &self.control
    }

    pub(crate) fn runtime(&self, plane: Plane) -> Option<Handle> {
        match plane {
            Plane::Control => Some(self.control.clone()),
            Plane::Data(number) => self
                .data
                .get(number)?
                .load_full()
                .map(|handle| (*handle).clone()),
        }
    }
}
