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

/// Whether a supervisor ends with its significant children (OTP 24's `auto_shutdown`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoShutdown {
    /// It does not.
    #[default]
    Never,
    /// With the first that ends by itself and is not started again.
    AnySignificant,
    /// With the last of them.
    AllSignificant,
}

/// How long to wait before a child is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// Before the first restart; doubles with each further one.
    pub first: Duration,
    /// What the doubling stops at. A child that stays up that long begins anew.
    pub max: Duration,
}

/// What is done about a child that does not yield, or does not end when it was told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStuck {
    /// It is left behind, and a new incarnation takes its place: right where it holds nothing that the new one needs.
    #[default]
    Replace,
    /// It is left behind, and stays down until an operator says otherwise.
    Fence,
    /// Its supervisor gives up, as if over its limit.
    Escalate,
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
    pub(crate) meta: Arc<Meta>,
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
    pub(crate) is_significant: bool,
    pub(crate) back_off: Option<BackOff>,
    pub(crate) on_stuck: OnStuck,
    pub(crate) stuck_after: Option<Duration>,
    /// The rules of what takes its place.
    pub(crate) stand_in: Option<Arc<Meta>>,
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
            is_significant: false,
            back_off: None,
            on_stuck: OnStuck::default(),
            stuck_after: None,
            stand_in: None,
        };
        Self {
            meta: Arc::new(meta),
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
        Arc::make_mut(&mut self.meta).restart = restart;
        self
    }

    /// How it is stopped; within 5 s unless said, a supervisor without limit.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        Arc::make_mut(&mut self.meta).shutdown = shutdown;
        self
    }

    /// How long a start may take before it is killed and counts as failed; 30 s unless said. A supervisor's start
    /// is as long as its children's.
    #[must_use]
    pub fn start_within(mut self, limit: Duration) -> Self {
        Arc::make_mut(&mut self.meta).start_within = limit;
        self
    }

    /// A restart limit of this child's own, for dynamic supervisors: over it, the child is set aside.
    #[must_use]
    pub fn set_aside_over(mut self, limit: Limit) -> Self {
        Arc::make_mut(&mut self.meta).own_limit = Some(limit);
        self
    }

    /// Its supervisor may end with it: see [`Supervisor::auto_shutdown`].
    #[must_use]
    pub fn significant(mut self) -> Self {
        Arc::make_mut(&mut self.meta).is_significant = true;
        self
    }

    /// How long to wait before each restart; not at all unless said, as in OTP. For children of `one_for_one`
    /// supervisors: a group waits for nobody.
    #[must_use]
    pub fn back_off(mut self, back_off: BackOff) -> Self {
        Arc::make_mut(&mut self.meta).back_off = Some(back_off);
        self
    }

    /// How long it may run without yielding (a poll of a server's or a task's code, a call of a stage) before the
    /// watchdog calls it stuck; unwatched unless said. Waiting is not running.
    #[must_use]
    pub fn stuck_after(mut self, limit: Duration) -> Self {
        Arc::make_mut(&mut self.meta).stuck_after = Some(limit);
        self
    }

    /// What is done when it is stuck; replaced unless said.
    #[must_use]
    pub fn on_stuck(mut self, on_stuck: OnStuck) -> Self {
        Arc::make_mut(&mut self.meta).on_stuck = on_stuck;
        self
    }

    /// What takes this child's place when it went over its restart limit, or did not start again after it ended, until it
    /// passes probation. For supervisors under a `one_for_one` parent. The stand-in starts and stops by its own
    /// [`Spec::start_within`] and [`Spec::shutdown`]; when it ends or does not start it is started again, and that counts.
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
        let meta = Arc::make_mut(&mut self.meta);
        meta.probation = Some(probation);
        meta.stand_in = Some(stand_in.meta);
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
    pub(crate) auto_shutdown: AutoShutdown,
}

impl Supervisor {
    /// A supervisor without children.
    pub fn new(strategy: Strategy, limit: Limit) -> Self {
        Self {
            strategy,
            limit,
            children: Vec::new(),
            dynamic_max: None,
            auto_shutdown: AutoShutdown::Never,
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
            auto_shutdown: AutoShutdown::Never,
        }
    }

    /// Ends when significant children have ended by themselves. To be said before they are added.
    #[must_use]
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.auto_shutdown = auto_shutdown;
        self
    }

    /// Adds a child after those added before.
    ///
    /// # Panics
    /// On two children with one id; on a fallback or a back-off under a strategy other than `one_for_one`; on a
    /// significant child that is permanent, or whose supervisor never shuts down by itself. All are mistakes in the tree's
    /// own text, found when it is built.
    #[must_use]
    pub fn child(mut self, spec: Spec) -> Self {
        let taken = self
            .children
            .iter()
            .any(|child| child.meta.id == spec.meta.id);
        assert!(!taken, "two children with the id {}", spec.meta.id);
        if let Err(mistake) = fits(&spec.meta, self.strategy, self.auto_shutdown) {
            panic!("{}: {mistake}", spec.meta.id);
        }
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
            .map(|child| Arc::clone(&child.meta))
            .collect();
        let rules = Rules {
            strategy: self.strategy,
            limit,
            dynamic_max: self.dynamic_max,
            auto_shutdown: self.auto_shutdown,
        };
        Core::new(rules, metas)
    }
}

/// What holds for a whole supervisor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) strategy: Strategy,
    pub(crate) limit: Limit,
    pub(crate) dynamic_max: Option<usize>,
    pub(crate) auto_shutdown: AutoShutdown,
}

/// Whether a child may stand under a supervisor of these rules; the mistake if not.
pub(crate) fn fits(
    meta: &Meta,
    strategy: Strategy,
    auto_shutdown: AutoShutdown,
) -> Result<(), &'static str> {
    let alone = strategy == Strategy::OneForOne;
    if meta.probation.is_some() && !alone {
        return Err("a fallback needs a one_for_one parent");
    }
    if meta.back_off.is_some() && !alone {
        return Err("a back-off needs a one_for_one parent");
    }
    if meta.is_significant && meta.restart == Restart::Permanent {
        return Err("a permanent child is never significant: it does not end");
    }
    if meta.is_significant && auto_shutdown == AutoShutdown::Never {
        return Err("a significant child needs a supervisor with auto_shutdown");
    }
    Ok(())
}
