//! The learner of click rates as a child: it hears of bills and clicks, and from time to time puts the rates that follow
//! into the next catalogue, and what it has seen into a file.
//!
//! A thread, since building a catalogue and writing a file block. Nobody waits for it: what it does not hear because it is
//! busy or down is lost, which makes rates a little older and no bid wrong. A kill loses what came after the last file.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::catalogue_server::Shelf;
use super::click_rate::Priors;
use super::click_rates::{CREATIVES_SEEN_MAX, ClickTally};
use crate::store::movement::ImpressionKey;
use crate::store::whole_file;
use crate::supervision::{Context, Post, Reaper, Spec, ThreadContext, thread};
use crate::units::{CreativeKey, UnixMillis};

/// How often rates are published. A rate moves by a small part in a minute, and a catalogue takes up to a second to build.
pub const PUBLISH_EVERY: Duration = Duration::from_mins(1);
/// Messages that may wait while a catalogue is built: a second of what one machine hears.
const MAILBOX: usize = 16_384;
/// The longest file: a line for each creative that is remembered.
const FILE_BYTES_MAX: u64 = 64 * CREATIVES_SEEN_MAX as u64;
/// The name of its file in the data folder.
pub const CLICK_RATES_FILE: &str = "click-rates.txt";
/// Where a file goes that cannot be read.
const DAMAGED: &str = "damaged";

/// What the learner hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickMessage {
    /// An impression was billed, for the first time.
    Billed(ImpressionKey, CreativeKey),
    /// An ad was clicked; its token was genuine.
    Clicked(ImpressionKey, CreativeKey),
}

/// What the learner has done, for the metrics page.
#[derive(Debug, Default)]
pub struct ClickMeter {
    /// Creatives of which something is known.
    pub creatives: AtomicU64,
    /// How often rates went into a catalogue.
    pub published: AtomicU64,
    /// How often its file could not be written, or not be read and put aside.
    pub unwritten: AtomicU64,
}

/// What the learner's child is given.
#[derive(Clone)]
pub struct ClickRateParts {
    /// Where it hears.
    pub post: Post<ClickMessage>,
    /// Where catalogues are made.
    pub shelf: Arc<Shelf>,
    /// What is believed before anything is seen.
    pub priors: Priors,
    /// Where it keeps what it has seen.
    pub file: PathBuf,
    /// How often it publishes.
    pub publish_every: Duration,
    /// Where old catalogues go.
    pub reaper: Reaper,
    /// What it has done.
    pub meter: Arc<ClickMeter>,
}

/// The learner as a child. It publishes what its file holds before it is up, so that the first bids know it.
pub fn click_rates(parts: &ClickRateParts) -> Spec {
    let parts = parts.clone();
    let post = parts.post.clone();
    thread("click_rates", &post, MAILBOX, move |context, mailbox| {
        let learner = Learner {
            tally: open(&parts.file, context.child().clock().wall(), &parts.meter),
            parts: parts.clone(),
            has_news: false,
        };
        learner.run(&context, &mailbox);
        Ok(())
    })
}

struct Learner {
    parts: ClickRateParts,
    tally: ClickTally,
    /// Whether anything came since it last published.
    has_news: bool,
}

impl Learner {
    fn run(mut self, context: &ThreadContext, mailbox: &Receiver<ClickMessage>) {
        let child = context.child();
        if !self.tally.is_empty() {
            self.publish(child);
        }
        child.ready();
        let mut published_at = child.clock().monotonic();
        while !context.is_killed() {
            match mailbox.recv_timeout(self.parts.publish_every) {
                Ok(message) => self.hear(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.keep();
                    break;
                }
            }
            let now = child.clock().monotonic();
            if self.has_news && now.since(published_at) >= self.parts.publish_every {
                published_at = now;
                self.publish(child);
                self.keep();
            }
        }
    }

    fn hear(&mut self, message: ClickMessage) {
        match message {
            ClickMessage::Billed(key, creative) => self.tally.billed(key, creative),
            ClickMessage::Clicked(key, creative) => self.tally.clicked(key, creative),
        }
        self.has_news = true;
    }

    /// Puts the rates into the next catalogue.
    fn publish(&mut self, child: &Context) {
        let clock = child.clock();
        self.tally.age(clock.wall());
        let rates = self.tally.rates(self.parts.priors);
        let times = (clock.monotonic(), clock.wall());
        self.parts.shelf.learn(rates, times, &self.parts.reaper);
        let meter = &self.parts.meter;
        let creatives = u64::try_from(self.tally.len()).unwrap_or(u64::MAX);
        meter.creatives.store(creatives, Ordering::Relaxed);
        meter.published.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes down what was seen. Where that fails it is tried again the next time: learning goes on.
    fn keep(&mut self) {
        if !self.has_news {
            return;
        }
        match whole_file::replace(&self.parts.file, self.tally.to_text().as_bytes()) {
            Ok(()) => self.has_news = false,
            Err(error) => {
                self.parts.meter.unwritten.fetch_add(1, Ordering::Relaxed);
                let file = self.parts.file.display();
                tracing::warn!(%file, %error, "click rates could not be written; the next try is in a minute");
            }
        }
    }
}

/// What the file holds; nothing where there is none. One that cannot be read is put aside where that is possible, and
/// learning begins anew in any case: a rate that is not known costs less than a server that does not start.
fn open(file: &Path, now: UnixMillis, meter: &ClickMeter) -> ClickTally {
    let mut text = String::new();
    let read = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return ClickTally::new(now),
        open => open.and_then(|open| open.take(FILE_BYTES_MAX).read_to_string(&mut text)),
    };
    let fault = match read {
        Err(error) => error.to_string(),
        Ok(_) => match ClickTally::from_text(&text) {
            Ok(tally) => return tally,
            Err(fault) => fault.to_string(),
        },
    };
    let aside = file.with_extension(DAMAGED);
    let (file_name, aside_name) = (file.display(), aside.display());
    match fs::rename(file, &aside) {
        Ok(()) => tracing::error!(
            file = %file_name, fault, aside = %aside_name,
            "click rates cannot be read: put aside, and learnt anew; to have them back, mend that file, stop the server and put it in its place"
        ),
        Err(error) => {
            meter.unwritten.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                file = %file_name, fault, aside = %aside_name, %error,
                "click rates can neither be read nor be put aside, and are learnt anew; see to the file's and the folder's rights, and to the disk"
            );
        }
    }
    ClickTally::new(now)
}

#[cfg(test)]
mod tests;
