//! What a supervisor is told about its children.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::limit::Limit;
use super::seat::Start;

/// Which siblings go down with a child (OTP's restart strategy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// None.
    OneForOne,
    /// All of them.
    OneForAll,
    /// Those started after it.
    RestForOne,
}

/// After which exits a child is started again (OTP's restart type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// After every exit.
    Permanent,
    /// After an abnormal exit.
    Transient,
    /// Never; its spec goes with it.
    Temporary,
}

/// How a child is stopped (OTP's shutdown).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// At once, without its `terminate`.
    Brutal,
    /// Asked, given this long, then killed.
    Within(Duration),
    /// Asked, and waited for. The default of supervisors: a time limit there would orphan their children.
    Infinity,
}

/// When and how the real subtree is tried again after its fallback took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// How long after the fallback started; doubles with each failed try.
    pub delay: Duration,
    /// What the doubling stops at.
    pub delay_max: Duration,
    /// How long the real one must stay up to be trusted again; then the delay is reset.
    pub quiet: Duration,
}

/// A child: its id, how it starts, and the rules of its life.
#[derive(Clone)]
pub struct Spec {
    pub(crate) meta: Meta,
    pub(crate) start: Arc<dyn Start>,
    pub(crate) fallback: Option<Arc<dyn Start>>,
}

/// The rules of a child's life, without the code that starts it: what the pure core needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) start_within: Duration,
    pub(crate) own_limit: Option<Limit>,
    pub(crate) probation: Option<Probation>,
}

/// What kind of child stands at a place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A typed mailbox with an async loop.
    Server,
    /// A value published for inline calls.
    Stage,
    /// An async loop.
    Task,
    /// An OS thread.
    Thread,
    /// A supervisor.
    Supervisor,
}

impl Kind {
    /// The word shown in the tree.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Stage => "stage",
            Self::Task => "task",
            Self::Thread => "thread",
            Self::Supervisor => "supervisor",
        }
    }
}

impl Spec {
    /// OTP's default for workers.
    const SHUTDOWN_DEFAULT: Duration = Duration::from_secs(5);
    /// Long enough to read a large store, short enough that a hung start is seen.
    const START_WITHIN_DEFAULT: Duration = Duration::from_secs(30);

    pub(crate) fn new(id: &str, kind: Kind, start: Arc<dyn Start>) -> Self {
        let shutdown = match kind {
            Kind::Supervisor => Shutdown::Infinity,
            _ => Shutdown::Within(Self::SHUTDOWN_DEFAULT),
        };
        let start_within = Self::START_WITHIN_DEFAULT;
        let meta = Meta {
            id: Arc::from(id),
            kind,
            restart: Restart::Permanent,
            shutdown,
            start_within,
            own_limit: None,
            probation: None,
        };
        Self {
            meta,
            start,
            fallback: None,
        }
    }

    /// The child's id: its last path segment.
    pub fn id(&self) -> &str {
        &self.meta.id
    }

    /// When it is started again; permanent unless said.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.meta.restart = restart;
        self
    }

    /// How it is stopped; within 5 s unless said, a supervisor without limit.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.meta.shutdown = shutdown;
        self
    }

    /// How long a start may take before it is killed and counts as failed; 30 s unless said. A supervisor's start
    /// is as long as its children's.
    #[must_use]
    pub fn start_within(mut self, limit: Duration) -> Self {
        self.meta.start_within = limit;
        self
    }

    /// A restart limit of this child's own, for dynamic supervisors: over it, the child is set aside.
    #[must_use]
    pub fn set_aside_over(mut self, limit: Limit) -> Self {
        self.meta.own_limit = Some(limit);
        self
    }

    /// What takes this child's place when it went over its restart limit, until it passes probation. For
    /// supervisors under a `one_for_one` parent.
    ///
    /// # Panics
    /// If this child is not a supervisor: only a supervisor has a limit to go over.
    #[must_use]
    pub fn fallback(mut self, stand_in: Spec, probation: Probation) -> Self {
        assert!(
            self.meta.kind == Kind::Supervisor,
            "{}: only a supervisor has a limit to go over",
            self.meta.id
        );
        self.fallback = Some(stand_in.start);
        self.meta.probation = Some(probation);
        self
    }
}

/// A supervisor in the making: strategy, limit, children in start order.
#[derive(Clone)]
pub struct Supervisor {
    pub(crate) strategy: Strategy,
    pub(crate) limit: Limit,
    pub(crate) children: Vec<Spec>,
    pub(crate) dynamic_max: Option<usize>,
}

impl Supervisor {
    /// A supervisor without children.
    pub fn new(strategy: Strategy, limit: Limit) -> Self {
        Self {
            strategy,
            limit,
            children: Vec::new(),
            dynamic_max: None,
        }
    }

    /// A supervisor whose children come and go, at most `children_max` at a time (`one_for_one`; all are told at
    /// once when it stops).
    pub fn dynamic(limit: Limit, children_max: usize) -> Self {
        Self {
            strategy: Strategy::OneForOne,
            limit,
            children: Vec::new(),
            dynamic_max: Some(children_max),
        }
    }

    /// Adds a child after those added before.
    ///
    /// # Panics
    /// On two children with one id, and on a fallback under a strategy other than `one_for_one`: both are mistakes
    /// in the tree's own text, found when it is built.
    #[must_use]
    pub fn child(mut self, spec: Spec) -> Self {
        let taken = self
            .children
            .iter()
            .any(|child| child.meta.id == spec.meta.id);
        assert!(!taken, "two children with the id {}", spec.meta.id);
        let fits = spec.fallback.is_none() || self.strategy == Strategy::OneForOne;
        assert!(
            fits,
            "{}: a fallback needs a one_for_one parent",
            spec.meta.id
        );
        self.children.push(spec);
        self
    }

    /// This supervisor as a child with that id.
    pub fn named(self, id: &str) -> Spec {
        Spec::new(
            id,
            Kind::Supervisor,
            Arc::new(super::node::StartSupervisor {
                plan: self,
                address: None,
            }),
        )
    }

    /// This dynamic supervisor as a child with that id, reached through `address` by those who start its children.
    pub fn named_at(self, id: &str, address: &super::tree::Dynamic) -> Spec {
        let start = super::node::StartSupervisor {
            plan: self,
            address: Some(address.slot()),
        };
        Spec::new(id, Kind::Supervisor, Arc::new(start))
    }

    pub(crate) fn core(&self, limit: Limit) -> Core {
        let metas = self
            .children
            .iter()
            .map(|child| child.meta.clone())
            .collect();
        Core::new(self.strategy, limit, metas, self.dynamic_max)
    }
}
