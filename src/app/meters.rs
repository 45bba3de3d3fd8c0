//! Numbers that are read when the page is made, rather than counted.

use std::sync::Arc;

use crate::campaign::Shelf;
use crate::exchange::stop_all::StopAll;
use crate::http::DataThreads;
use crate::telemetry::Gauge;

/// The gauges of the whole server.
pub(super) fn gauges(threads: &DataThreads, shelf: &Arc<Shelf>, stop_all: &StopAll) -> Vec<Gauge> {
    let mut gauges: Vec<Gauge> = (0..threads.count())
        .flat_map(|number| of_thread(threads, number))
        .collect();
    let (all, offered, button) = (Arc::clone(shelf), Arc::clone(shelf), stop_all.clone());
    gauges.extend([
        Gauge {
            name: "bidtree_campaigns",
            label: None,
            help: "Campaigns of the configuration.",
            read: Box::new(move || count(all.campaigns().len())),
        },
        Gauge {
            name: "bidtree_campaigns_offered",
            label: None,
            help: "Campaigns in the catalogue.",
            read: Box::new(move || count(offered.current().len())),
        },
        Gauge {
            name: "bidtree_stopped",
            label: None,
            help: "1 while all bidding is stopped by an operator.",
            read: Box::new(move || if button.is_engaged() { 1.0 } else { 0.0 }),
        },
    ]);
    gauges
}

fn of_thread(threads: &DataThreads, number: usize) -> [Gauge; 2] {
    let (connections, late) = (threads.clone(), threads.clone());
    let label = || Some(("thread", number.to_string()));
    [
        Gauge {
            name: "bidtree_connections",
            label: label(),
            help: "Open connections of exchanges, by data thread.",
            read: Box::new(move || {
                connections
                    .load(number)
                    .map_or(0.0, |load| count(load.connections()))
            }),
        },
        Gauge {
            name: "bidtree_data_thread_late_seconds",
            label: label(),
            help: "How late a data thread's loop last came round.",
            read: Box::new(move || {
                late.load(number)
                    .map_or(0.0, |load| load.late().as_secs_f64())
            }),
        },
    ]
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge of a few million at most"
)]
fn count(number: usize) -> f64 {
    number as f64
}
