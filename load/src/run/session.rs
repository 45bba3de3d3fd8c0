//! What goes on beside the traffic: faults on their time line, and a look at the server each second.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::world::World;
use crate::admin::Admin;
use crate::clock::{self, Origin};
use crate::faults::{Injector, Tools};
use crate::marks::{MarkKind, Marks};
use crate::process::ServerProcess;
use crate::report::Story;
use crate::tasks;
use crate::watch::{self, Watch};

/// How long faults may go on after the last request: a server that was killed late has to come back.
const FAULTS_WITHIN: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(20);

/// What goes on beside the traffic.
pub(super) struct Session {
    origin: Origin,
    marks: Rc<Marks>,
    injector: Rc<Injector>,
    watch: Option<Rc<Watch>>,
    troubles: std::cell::RefCell<Vec<String>>,
}

impl Session {
    /// Starts all of it; time counts from `start`.
    pub(super) fn start(world: &World, server: Option<Rc<ServerProcess>>, start: Instant) -> Self {
        let scenario = &world.scenario;
        let origin = Origin::at(start);
        let marks = Rc::new(Marks::default());
        let admin = || scenario.admin.as_ref().map(Admin::new);
        let exchanges = scenario.exchanges.iter();
        let tools = Tools {
            exchanges: exchanges
                .map(|exchange| (exchange.name.clone(), exchange.target.clone()))
                .collect(),
            admin: admin(),
            server,
            seed: scenario.seed,
        };
        let end = Duration::from_secs(u64::from(scenario.seconds));
        let injector = Injector::new(&scenario.injections, tools, &marks, (origin, end));
        Injector::start(&injector);
        let watch = admin().map(|admin| {
            let metrics = &scenario.expectations.metrics;
            Rc::new(Watch::new(admin, metrics, &marks, scenario.seconds))
        });
        if let Some(watch) = &watch {
            let watch = Rc::clone(watch);
            tasks::start(async move { watch.run(origin).await });
        }
        Self {
            origin,
            marks,
            injector,
            watch,
            troubles: std::cell::RefCell::default(),
        }
    }

    /// Something that nobody asked for, and that fails the run.
    pub(super) fn trouble(&self, what: String) {
        let first = what.lines().next().unwrap_or_default().to_owned();
        self.marks
            .add(self.origin.elapsed(), MarkKind::Trouble, first);
        self.troubles.borrow_mut().push(what);
    }

    /// No new faults; waits for those that go on.
    pub(super) async fn finish_faults(&self) {
        self.injector.stop();
        let until = clock::now() + FAULTS_WITHIN;
        while self.injector.under_way() > 0 && clock::now() < until {
            clock::sleep(STEP).await;
        }
    }

    /// A last look, and what there is to tell.
    pub(super) async fn end(&self, elapsed: Duration, server_log: Option<PathBuf>) -> Story {
        self.injector.stop();
        let watch = match &self.watch {
            None => watch::Seen::default(),
            Some(watch) => {
                watch.last_look(self.origin).await;
                watch.take()
            }
        };
        Story {
            elapsed,
            marks: self.marks.all(),
            injected: self.injector.seen(),
            watch,
            troubles: self.troubles.take(),
            server_log,
        }
    }
}
