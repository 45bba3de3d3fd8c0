//! The tree from outside: starting and stopping it, asking it, and reaching into it by path.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{oneshot, watch};

use super::core::{Answer, Ask, Event, Row};
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::node::{Kernel, Node, RootState, deliver};
use super::observe::Observations;
use super::planes::Planes;
use super::reaper::Reaper;
use super::spec::{Kind, Spec, Strategy, Supervisor};
use crate::clock::Clock;

/// How long a supervisor may take to answer an operator. It answers in microseconds unless a start is running on it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A handle on a tree: made before it, cheap to clone, good for asking at any time.
#[derive(Clone)]
pub struct Tree {
    kernel: Arc<Kernel>,
    state: Arc<watch::Sender<RootState>>,
    /// The root itself, which has no supervisor to hold it.
    root: Arc<Mutex<Option<Arc<Node>>>>,
}

/// What an operator asked for and did not get.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is nothing at that path.
    #[error("there is nothing at {0}")]
    NotFound(String),
    /// The child is not running.
    #[error("{0} is not running")]
    NotRunning(String),
    /// The child is neither degraded nor set aside.
    #[error("{0} has nothing to recover from")]
    NotDegraded(String),
    /// A child with that id is up, or on its way.
    #[error("{0} is running already")]
    AlreadyStarted(String),
    /// A child with that id is there, without a process.
    #[error("{0} is there already; restart or delete it")]
    AlreadyPresent(String),
    /// The child has a process.
    #[error("{0} is running; terminate it first")]
    Running(String),
    /// The child is between two attempts to start it.
    #[error("{0} is being restarted")]
    Restarting(String),
    /// The supervisor's rules do not allow such a child.
    #[error("{0} cannot stand there: {1}")]
    Misplaced(String, &'static str),
    /// The supervisor has as many children as it may.
    #[error("there is no room for {0}")]
    MaxChildren(String),
    /// The child did not start.
    #[error("{0} did not start: {1}")]
    StartFailed(String, Exit),
    /// The supervisor is not up, or did not answer in time.
    #[error("the supervisor of {0} does not answer")]
    Silent(String),
}

/// How many children a supervisor has (OTP's `count_children`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them, also without a process.
    pub specs: usize,
    /// Those with a process.
    pub active: usize,
    /// Supervisors among them, alive or not.
    pub supervisors: usize,
    /// The others, alive or not.
    pub workers: usize,
}

/// A child in a snapshot of the tree.
#[derive(Clone, Debug)]
pub struct Place {
    /// The child's path.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Its strategy, for a supervisor that is up.
    pub strategy: Option<Strategy>,
    /// Where it is: up, starting, stopping, restarting, down, degraded, `on_probation`, `set_aside`.
    pub state: &'static str,
    /// The number of its incarnation among its supervisor's.
    pub incarnation: Option<u64>,
    /// How long it has been up.
    pub uptime: Option<Duration>,
    /// How often it was started again since its supervisor was.
    pub restarts: u64,
    /// Restarts in its supervisor's window, of all its children.
    pub restarts_in_window: u32,
    /// How many there may be.
    pub limit: Limit,
    /// Messages waiting and the most there may be.
    pub mailbox: Option<(usize, usize)>,
    /// Why it ended last.
    pub last_exit: Option<Exit>,
    /// Its children, for a supervisor.
    pub children: Vec<Place>,
}

impl Tree {
    /// A handle on a tree that will run on these runtimes by this clock.
    pub fn new(planes: Planes, clock: Clock) -> Self {
        let observations = Arc::new(Observations::new(clock.clone()));
        let reaper = Reaper::new(planes.control().clone());
        let kernel = Kernel {
            reaper,
            watchdog: Arc::default(),
            planes,
            clock,
            observations,
            nodes: Mutex::default(),
            timers: Arc::default(),
        };
        let state = Arc::new(watch::Sender::new(RootState::Starting));
        Self {
            kernel: Arc::new(kernel),
            state,
            root: Arc::default(),
        }
    }

    /// What happens in the tree.
    pub fn observations(&self) -> &Arc<Observations> {
        &self.kernel.observations
    }

    /// Where old snapshots go.
    pub fn reaper(&self) -> &Reaper {
        &self.kernel.reaper
    }

    /// The tree's runtimes.
    pub fn planes(&self) -> &Planes {
        &self.kernel.planes
    }

    /// Starts the tree, and returns when every child is up.
    ///
    /// # Errors
    /// The exit reason that names the child that did not start; what was up has been stopped again.
    pub async fn start(&self, root: Supervisor) -> Result<(), Exit> {
        let node = Node::root(&self.kernel, root, (*self.state).clone());
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&node));
        deliver(&node, Event::Start);
        let mut state = self.state.subscribe();
        match state
            .wait_for(|state| !matches!(state, RootState::Starting))
            .await
            .map(|state| state.clone())
        {
            Ok(RootState::Up) => Ok(()),
            Ok(RootState::StartFailed(exit) | RootState::Ended(exit)) => Err(exit),
            Ok(RootState::Starting) | Err(_) => Err(Exit::Killed),
        }
    }

    /// Stops the tree, and returns when every child is down.
    pub async fn stop(&self) -> Exit {
        if let Some(root) = self.node("") {
            deliver(&root, Event::Stop(Why::Asked));
        }
        self.ended().await
    }

    /// Resolves when the tree has ended, with the root's reason.
    pub async fn ended(&self) -> Exit {
        let mut state = self.state.subscribe();
        let over =
            |state: &RootState| matches!(state, RootState::Ended(_) | RootState::StartFailed(_));
        match state.wait_for(over).await.map(|state| state.clone()) {
            Ok(RootState::Ended(exit) | RootState::StartFailed(exit)) => exit,
            _ => Exit::Killed,
        }
    }

    /// Kills the child at `path`, as a crash would: its supervisor does what its rules say.
    ///
    /// # Errors
    /// Where there is nothing at that path, or nothing is running there.
    pub async fn kill(&self, path: &str) -> Result<(), AskError> {
        self.ask_about(path, Ask::Kill).await
    }

    /// Tries the real child at `path` beside its fallback now, or starts one that was set aside.
    ///
    /// # Errors
    /// Where there is nothing at that path, or it is neither degraded nor set aside.
    pub async fn recover(&self, path: &str) -> Result<(), AskError> {
        self.ask_about(path, Ask::Recover).await
    }

    /// Starts a child under the supervisor at this path (`""` is the root), after the others, and returns when it is up.
    ///
    /// # Errors
    /// Where the supervisor is down or full, the id is taken, or the child did not start: then nothing of it is kept.
    pub async fn start_child(&self, supervisor: &str, spec: Spec) -> Result<(), AskError> {
        let supervisor = supervisor.trim_matches('/');
        let path = match supervisor {
            "" => spec.id().to_owned(),
            _ => format!("{supervisor}/{}", spec.id()),
        };
        let Some(node) = self.node(supervisor) else {
            return Err(AskError::NotFound(supervisor.to_owned()));
        };
        settle(&path, ask(&node, Ask::Start(Box::new(spec))).await)
    }

    /// Stops the child at `path`, and returns when it is gone. Its place is kept, but for a temporary child's and for a
    /// dynamic supervisor's.
    ///
    /// # Errors
    /// Where there is nothing at that path.
    pub async fn terminate_child(&self, path: &str) -> Result<(), AskError> {
        self.ask_about(path, Ask::Terminate).await
    }

    /// Starts the child at `path` again, which has no process, and returns when it is up.
    ///
    /// # Errors
    /// Where there is nothing at that path, it runs or is being restarted, or it did not start.
    pub async fn restart_child(&self, path: &str) -> Result<(), AskError> {
        self.ask_about(path, Ask::Restart).await
    }

    /// Forgets the child at `path`, which has no process.
    ///
    /// # Errors
    /// Where there is nothing at that path, or it runs or is being restarted.
    pub async fn delete_child(&self, path: &str) -> Result<(), AskError> {
        self.ask_about(path, Ask::Delete).await
    }

    /// The children of the supervisor at this path (`""` is the root), in start order, each with its own.
    ///
    /// # Errors
    /// Where there is no supervisor at that path.
    pub async fn children(&self, supervisor: &str) -> Result<Vec<Place>, AskError> {
        let supervisor = supervisor.trim_matches('/');
        match self.node(supervisor) {
            Some(_) => Ok(self.places(supervisor).await),
            None => Err(AskError::NotFound(supervisor.to_owned())),
        }
    }

    /// How many children the supervisor at this path has.
    ///
    /// # Errors
    /// Where there is no supervisor at that path.
    pub async fn count_children(&self, supervisor: &str) -> Result<Counts, AskError> {
        let mut counts = Counts::default();
        for child in self.children(supervisor).await? {
            counts.specs += 1;
            counts.active += usize::from(child.incarnation.is_some());
            match child.kind {
                Kind::Supervisor => counts.supervisors += 1,
                _ => counts.workers += 1,
            }
        }
        Ok(counts)
    }

    /// The live tree. A supervisor that does not answer in time is shown without children.
    pub async fn snapshot(&self) -> Vec<Place> {
        self.places("").await
    }

    fn places(
        &self,
        path: &str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Vec<Place>> + Send + '_>> {
        let path = path.to_owned();
        Box::pin(async move {
            let Some(node) = self.node(&path) else {
                return Vec::new();
            };
            let Some(Answer::Report(rows)) = ask(&node, Ask::Report).await else {
                return Vec::new();
            };
            let mut places = Vec::with_capacity(rows.len());
            for row in rows {
                let mark = if row.fallback { "~fallback" } else { "" };
                let child = if path.is_empty() {
                    row.id.to_string()
                } else {
                    format!("{path}/{}", row.id)
                };
                let inside = format!("{child}{mark}");
                let children = if row.kind == Kind::Supervisor {
                    self.places(&inside).await
                } else {
                    Vec::new()
                };
                let strategy = self.node(&inside).map(|node| node.strategy());
                places.push(place(row, child, strategy, children));
            }
            places
        })
    }

    async fn ask_about(
        &self,
        path: &str,
        question: impl FnOnce(Arc<str>) -> Ask,
    ) -> Result<(), AskError> {
        let path = path.trim_matches('/');
        let (parent, id) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(node) = self.node(parent) else {
            return Err(AskError::NotFound(path.to_owned()));
        };
        settle(path, ask(&node, question(Arc::from(id))).await)
    }

    fn node(&self, path: &str) -> Option<Arc<Node>> {
        self.kernel
            .nodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)?
            .upgrade()
    }
}

fn place(row: Row, path: String, strategy: Option<Strategy>, children: Vec<Place>) -> Place {
    Place {
        path,
        kind: row.kind,
        strategy,
        state: row.state,
        incarnation: row.incarnation,
        uptime: row.uptime,
        restarts: row.restarts,
        restarts_in_window: row.restarts_in_window,
        limit: row.limit,
        mailbox: row.mailbox,
        last_exit: row.last_exit,
        children,
    }
}

/// The address of a dynamic supervisor: made before the tree, the same over every restart.
#[derive(Clone, Default)]
pub struct Dynamic(Arc<ArcSwapOption<Node>>);

impl Dynamic {
    /// An address with nobody behind it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a child, and returns when it is up.
    ///
    /// # Errors
    /// Where the supervisor is down or full, the id is taken, or the child did not start.
    pub async fn start_child(&self, spec: Spec) -> Result<(), AskError> {
        let id = spec.id().to_owned();
        let Some(node) = self.0.load_full() else {
            return Err(AskError::Silent(id));
        };
        settle(&id, ask(&node, Ask::Start(Box::new(spec))).await)
    }

    /// Stops a child for good, and returns when it is gone.
    ///
    /// # Errors
    /// Where the supervisor is down, or has no such child.
    pub async fn terminate_child(&self, id: &str) -> Result<(), AskError> {
        let Some(node) = self.0.load_full() else {
            return Err(AskError::Silent(id.to_owned()));
        };
        settle(id, ask(&node, Ask::Terminate(Arc::from(id))).await)
    }

    pub(crate) fn slot(&self) -> Arc<ArcSwapOption<Node>> {
        Arc::clone(&self.0)
    }
}

async fn ask(node: &Arc<Node>, question: Ask) -> Option<Answer> {
    let (reply, answer) = oneshot::channel();
    // A start may take as long as its own deadline says; anything else is answered at once.
    let within = match &question {
        Ask::Start(spec) => spec.meta.start_within + ANSWER_WITHIN,
        Ask::Terminate(_) | Ask::Restart(_) => Duration::from_mins(1),
        _ => ANSWER_WITHIN,
    };
    deliver(node, Event::Ask(question, reply));
    tokio::time::timeout(within, answer).await.ok()?.ok()
}

fn settle(path: &str, answer: Option<Answer>) -> Result<(), AskError> {
    let path = path.to_owned();
    match answer {
        Some(Answer::Done | Answer::Report(_)) => Ok(()),
        Some(Answer::NotFound) => Err(AskError::NotFound(path)),
        Some(Answer::AlreadyStarted) => Err(AskError::AlreadyStarted(path)),
        Some(Answer::Running) => Err(AskError::Running(path)),
        Some(Answer::Restarting) => Err(AskError::Restarting(path)),
        Some(Answer::Misplaced(mistake)) => Err(AskError::Misplaced(path, mistake)),
        Some(Answer::NotRunning) => Err(AskError::NotRunning(path)),
        Some(Answer::NotDegraded) => Err(AskError::NotDegraded(path)),
        Some(Answer::AlreadyPresent) => Err(AskError::AlreadyPresent(path)),
        Some(Answer::MaxChildren) => Err(AskError::MaxChildren(path)),
        Some(Answer::StartFailed(exit)) => Err(AskError::StartFailed(path, exit)),
        Some(Answer::Stopping) | None => Err(AskError::Silent(path)),
    }
}
