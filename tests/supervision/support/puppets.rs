//! Children that behave as their part says, of every kind that can be told what to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bidtree::supervision::{
    Address, Context, Failure, Plane, Server, Spec, Stage, Why, server, stage, task,
};
use tokio::sync::mpsc;

use super::Script;

/// A way for a puppet to end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Only a task has a normal end; for the others this is a failure.
    Normal,
    Fail,
    Panic,
}

/// How the incarnations of one puppet behave, looked up by its path whenever it matters.
#[derive(Default)]
pub(crate) struct Part {
    /// Starts that fail from now on.
    pub(crate) failing: u32,
    /// Starts after those that find nothing to do.
    pub(crate) ignoring: u32,
    /// Starts that hang after those.
    pub(crate) hanging: u32,
    /// Whether it takes no notice of being told to stop.
    pub(crate) deaf: bool,
    /// How long it cleans up after it was told to stop.
    pub(crate) cleanup: Duration,
    /// Starts that came up.
    pub(crate) incarnations: u64,
    pub(super) wire: Option<Wire>,
}

/// Puppets by their paths.
pub(super) type Parts = Arc<Mutex<BTreeMap<String, Part>>>;

/// How a puppet is told to end.
#[derive(Clone)]
pub(super) enum Wire {
    Task(mpsc::Sender<Act>),
    Server(Address<Act>),
    Stage(Stage<()>),
}

impl Wire {
    /// Says whether the puppet was up.
    pub(super) fn carry(&self, act: Act) -> bool {
        match (self, act) {
            (Self::Task(wire), _) => wire.try_send(act).is_ok(),
            (Self::Server(address), _) => address.cast(act).is_ok(),
            (Self::Stage(stage), Act::Panic) => {
                let is_up = stage.is_up();
                stage.call(|()| -> () { panic!("told to") }).ok();
                is_up
            }
            (Self::Stage(stage), Act::Normal | Act::Fail) => stage.fail(Failure::new("told to")),
        }
    }
}

/// Makes puppets.
#[derive(Clone)]
pub(crate) struct Puppets {
    pub(super) script: Script,
    pub(super) parts: Parts,
}

impl Puppets {
    pub(crate) fn task(&self, id: &str) -> Spec {
        let puppets = self.clone();
        task(id, Plane::Control, move |context| {
            puppets.clone().play(context)
        })
    }

    pub(crate) fn server(&self, id: &str) -> Spec {
        let (puppets, address) = (self.clone(), Address::new());
        let wire = Wire::Server(address.clone());
        server(id, &address, Plane::Control, 4, move |context| {
            let (puppets, wire) = (puppets.clone(), wire.clone());
            async move {
                let path = context.path().to_owned();
                if puppets.begin(&path, wire)? {
                    std::future::pending::<()>().await;
                }
                Ok(Player { path, puppets })
            }
        })
    }

    /// A stage does not learn its path, begins at once, and is gone when it is told to be.
    pub(crate) fn stage(&self, id: &str, path: &str) -> Spec {
        let (puppets, address, path) = (self.clone(), Stage::new(), path.to_owned());
        let wire = Wire::Stage(address.clone());
        stage(id, &address, move || {
            puppets.begin(&path, wire.clone()).map(drop)
        })
    }

    async fn play(self, context: Context) -> Result<(), Failure> {
        let path = context.path().to_owned();
        let (wire, mut acts) = mpsc::channel(1);
        if self.begin(&path, Wire::Task(wire))? {
            std::future::pending::<()>().await;
        }
        context.ready();
        tokio::select! {
            biased;
            act = acts.recv() => match act {
                Some(Act::Panic) => panic!("{path} was told to"),
                Some(Act::Fail) => return Err(Failure::new("told to")),
                Some(Act::Normal) | None => return Ok(()),
            },
            _ = context.stopped() => {}
        }
        self.leave(&path).await;
        Ok(())
    }

    /// A start. Says whether it hangs.
    fn begin(&self, path: &str, wire: Wire) -> Result<bool, Failure> {
        self.script.note(format!("+{path}"));
        let mut parts = self.parts.lock().unwrap();
        let part = parts.entry(path.to_owned()).or_default();
        if part.failing > 0 {
            part.failing -= 1;
            return Err(Failure::new("told not to start"));
        }
        if part.ignoring > 0 {
            part.ignoring -= 1;
            return Err(Failure::ignore());
        }
        if part.hanging > 0 && !matches!(wire, Wire::Stage(_)) {
            part.hanging -= 1;
            return Ok(true);
        }
        part.incarnations += 1;
        part.wire = Some(wire);
        Ok(false)
    }

    /// It was told to stop.
    async fn leave(&self, path: &str) {
        let (deaf, cleanup) = {
            let parts = self.parts.lock().unwrap();
            parts
                .get(path)
                .map_or((false, Duration::ZERO), |part| (part.deaf, part.cleanup))
        };
        if deaf {
            std::future::pending::<()>().await;
        }
        self.script.note(format!("-{path}"));
        if cleanup > Duration::ZERO {
            tokio::time::sleep(cleanup).await;
        }
    }
}

struct Player {
    path: String,
    puppets: Puppets,
}

impl Server for Player {
    type Message = Act;

    async fn handle(&mut self, act: Act, _: &Context) -> Result<(), Failure> {
        match act {
            Act::Panic => panic!("{} was told to", self.path),
            Act::Fail | Act::Normal => Err(Failure::new("told to")),
        }
    }

    async fn terminate(&mut self, _: Why) {
        self.puppets.leave(&self.path).await;
    }
}
