//! What the server says of itself while it is judged: metrics, restarts, what it booked. Polled, and only noted down:
//! no figure of a report on latency or answers comes from here.

mod page;
mod spend;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::admin::Admin;
use crate::clock::Origin;
use crate::marks::{MarkKind, Marks};
use crate::scenario::{Metric, Window};
pub use page::Selector;
pub use spend::{CampaignSpend, Spend, SpendSample};

/// Between two looks at the metrics page: a point of a plot.
const STEP: Duration = Duration::from_secs(1);
const RESTARTS: &str = "bidtree_restarts_total";
/// As every client library of Prometheus calls it.
const MEMORY: &str = "process_resident_memory_bytes";

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// For each metric of the scenario, its values with their instants.
    pub metrics: Vec<Vec<(Duration, f64)>>,
    /// What was booked.
    pub spend: Spend,
    /// The memory that the server holds, in bytes, with instants; empty where it does not say.
    pub memory: Vec<(Duration, f64)>,
    /// Restarts by child and reason.
    pub restarts: BTreeMap<String, u64>,
    /// Looks at the metrics page that found it.
    pub looks: u64,
    /// Looks that did not.
    pub failed_looks: u64,
    /// Whether the last look found it: what was seen before says nothing of the end.
    pub saw_the_end: bool,
}

/// A look-out.
pub struct Watch {
    admin: Admin,
    selectors: Vec<Option<Selector>>,
    memory: Option<Selector>,
    marks: Rc<Marks>,
    seen: RefCell<Seen>,
    /// Each child's count at the last look.
    counted: RefCell<BTreeMap<String, f64>>,
    spend_step: Duration,
}

impl Watch {
    /// Looks at these metrics in a run of so many seconds.
    pub fn new(admin: Admin, metrics: &[Metric], marks: &Rc<Marks>, seconds: u32) -> Self {
        let selectors = metrics.iter();
        let selectors: Vec<_> = selectors
            .map(|metric| Selector::parse(&metric.metric))
            .collect();
        let seen = Seen {
            metrics: vec![Vec::new(); selectors.len()],
            ..Seen::default()
        };
        Self {
            admin,
            selectors,
            memory: Selector::parse(MEMORY),
            marks: Rc::clone(marks),
            seen: RefCell::new(seen),
            counted: RefCell::default(),
            spend_step: spend::step(seconds),
        }
    }

    /// Looks for ever.
    pub async fn run(&self, origin: Origin) {
        let mut spend_due = Duration::ZERO;
        loop {
            let at = origin.elapsed();
            self.look(at).await;
            if at >= spend_due {
                self.look_at_spend(at).await;
                spend_due = at + self.spend_step;
            }
            origin.sleep_until(at + STEP).await;
        }
    }

    /// A last look at everything, before the server is stopped.
    pub async fn last_look(&self, origin: Origin) {
        let at = origin.elapsed();
        let before = self.seen.borrow().looks;
        self.look(at).await;
        let found = self.seen.borrow().looks > before;
        self.seen.borrow_mut().saw_the_end = found;
        self.look_at_spend(at).await;
    }

    /// Gives what was seen.
    pub fn take(&self) -> Seen {
        self.seen.take()
    }

    async fn look(&self, at: Duration) {
        let Ok(page) = self.admin.get("/metrics").await else {
            self.seen.borrow_mut().failed_looks += 1;
            return;
        };
        let page = String::from_utf8_lossy(&page);
        let mut seen = self.seen.borrow_mut();
        seen.looks += 1;
        for (selector, values) in self.selectors.iter().zip(&mut seen.metrics) {
            if let Some(selector) = selector {
                // A series that was never counted is not on the page yet.
                values.push((at, selector.sum(&page)));
            }
        }
        let memory = self.memory.as_ref().map_or(0.0, |memory| memory.sum(&page));
        if memory > 0.0 {
            seen.memory.push((at, memory));
        }
        drop(seen);
        self.note_restarts(at, &page);
    }

    fn note_restarts(&self, at: Duration, page: &str) {
        let mut counted = self.counted.borrow_mut();
        let mut current = BTreeMap::new();
        for (labels, value) in page::series(page, RESTARTS) {
            let label = |name: &str| page::label(labels, name).unwrap_or_default();
            let who = format!("{} ({})", label("child"), label("reason"));
            let before = counted.get(&who).copied().unwrap_or_default();
            // A process that was started again counts from nothing.
            let new = if value < before {
                value
            } else {
                value - before
            };
            if new > 0.0 {
                let mut seen = self.seen.borrow_mut();
                *seen.restarts.entry(who.clone()).or_default() += whole(new);
                let label = format!("{who} x {new}");
                self.marks.add(at, MarkKind::Restart, label);
            }
            current.insert(who, value);
        }
        *counted = current;
    }

    async fn look_at_spend(&self, at: Duration) {
        if let Ok(page) = self.admin.get("/campaigns").await {
            self.seen.borrow_mut().spend.add(at, &page);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count above nothing, saturating"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

impl Seen {
    /// The highest value of a metric in a window, or its last value; `None` where nothing was seen.
    pub fn value(&self, metric: usize, window: Option<Window>) -> Option<f64> {
        let values = self.metrics.get(metric)?;
        match window {
            None if !self.saw_the_end => None,
            None => values.last().map(|(_, value)| *value),
            Some(window) => values
                .iter()
                .filter(|(at, _)| window.holds(*at))
                .map(|(_, value)| *value)
                .reduce(f64::max),
        }
    }

    /// How far a metric rose above its first value in a window.
    pub fn rise(&self, metric: usize, window: Option<Window>) -> Option<f64> {
        let window = window?;
        let mut values = self.metrics.get(metric)?.iter();
        let (_, first) = values.find(|(at, _)| window.holds(*at))?;
        Some(self.value(metric, Some(window))? - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Target;

    fn watch(marks: &Rc<Marks>) -> Watch {
        let admin = Admin::new(&Target::parse("http://127.0.0.1:1").unwrap());
        Watch::new(admin, &[], marks, 60)
    }

    #[test]
    fn new_restarts_are_marked_once_and_a_new_process_counts_from_nothing() {
        let marks = Rc::new(Marks::default());
        let watch = watch(&marks);
        let page = |count: u32| {
            format!(
                "bidtree_restarts_total{{child=\"regions/sg/ledger\",reason=\"killed\"}} {count}\n"
            )
        };
        for (second, count) in [(1, 2), (2, 2), (3, 5), (4, 1)] {
            watch.note_restarts(Duration::from_secs(second), &page(count));
        }
        let found: Vec<(u64, String)> = marks
            .all()
            .into_iter()
            .map(|mark| (mark.at.as_secs(), mark.label))
            .collect();
        let label = |count: u32| format!("regions/sg/ledger (killed) x {count}");
        assert_eq!(found, [(1, label(2)), (3, label(3)), (4, label(1))]);
        assert_eq!(watch.take().restarts["regions/sg/ledger (killed)"], 6);
    }

    #[test]
    fn a_window_has_its_highest_value_and_a_run_its_last() {
        let seconds = Duration::from_secs;
        let mut seen = Seen {
            saw_the_end: true,
            metrics: vec![vec![
                (seconds(1), 0.0),
                (seconds(5), 1.0),
                (seconds(9), 0.0),
            ]],
            ..Seen::default()
        };
        let window = |from, to| {
            Some(Window {
                from: seconds(from),
                to: Some(seconds(to)),
            })
        };
        assert_eq!(seen.value(0, None), Some(0.0));
        assert_eq!(seen.value(0, window(4, 9)), Some(1.0));
        assert_eq!(seen.value(0, window(6, 10)), Some(0.0));
        assert_eq!(seen.value(0, window(2, 4)), None);
        assert_eq!(seen.value(1, None), None);
        assert_eq!(seen.rise(0, window(0, 10)), Some(1.0));
        assert_eq!(seen.rise(0, window(4, 10)), Some(0.0));
        assert_eq!(
            (seen.rise(0, None), seen.rise(0, window(2, 4))),
            (None, None)
        );
        seen.saw_the_end = false;
        assert_eq!(seen.value(0, None), None);
    }
}
