//! Numbers that are read when the page is made, rather than counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::RegionParts;
use crate::campaign::Shelf;
use crate::campaign::approval_server::ApprovalDesk;
use crate::campaign::click_rate_server::ClickMeter;
use crate::exchange::stop_all::StopAll;
use crate::http::{DataThreads, Load};
use crate::region::ledger_server::LedgerMeter;
use crate::telemetry::Gauge;
use crate::units::ExchangeKey;

/// The gauges of the whole server.
pub(super) fn gauges(
    threads: &DataThreads,
    (shelf, clicks): (&Arc<Shelf>, &Arc<ClickMeter>),
    stop_all: &StopAll,
    regions: &[RegionParts],
) -> Vec<Gauge> {
    let mut gauges: Vec<Gauge> = (0..threads.count())
        .flat_map(|number| of_thread(threads, number))
        .collect();
    gauges.extend(regions.iter().flat_map(of_region));
    gauges.extend(of_clicks(clicks));
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

/// How many creatives an exchange has rejected.
pub(super) fn rejected(name: &Arc<str>, exchange: ExchangeKey, approvals: &ApprovalDesk) -> Gauge {
    let approvals = approvals.clone();
    Gauge {
        name: "bidtree_creatives_rejected",
        label: Some(("exchange", name.to_string())),
        help: "Creatives that are not bid since the exchange has rejected them.",
        read: Box::new(move || count(approvals.rejected(exchange))),
    }
}

fn of_thread(threads: &DataThreads, number: usize) -> [Gauge; 3] {
    let (connections, late, shed) = (threads.clone(), threads.clone(), threads.clone());
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
        Gauge {
            name: "bidtree_data_thread_shed_share",
            label: label(),
            help: "What part of its requests a data thread sheds, since it cannot keep up.",
            read: Box::new(move || shed.load(number).map_or(0.0, Load::shed_share)),
        },
    ]
}

/// One number of a meter.
fn of_meter<M: Send + Sync + 'static>(
    (name, help): (&'static str, &'static str),
    label: Option<(&'static str, String)>,
    meter: &Arc<M>,
    read: fn(&M) -> &AtomicU64,
) -> Gauge {
    let meter = Arc::clone(meter);
    Gauge {
        name,
        label,
        help,
        read: Box::new(move || {
            let number = read(&meter).load(Ordering::Relaxed);
            usize::try_from(number).map_or(f64::MAX, count)
        }),
    }
}

fn of_region(region: &RegionParts) -> [Gauge; 3] {
    let gauge = |name, help, read: fn(&LedgerMeter) -> &AtomicU64| {
        let label = Some(("region", region.name.to_string()));
        of_meter((name, help), label, &region.ledger.meter, read)
    };
    [
        gauge(
            "bidtree_leases_open",
            "Leases that a region may promise from.",
            |meter| &meter.leases_open,
        ),
        gauge(
            "bidtree_late_bills",
            "Bills that came after their promise had lapsed, since the start.",
            |meter| &meter.late_bills,
        ),
        gauge(
            "bidtree_ledger_follows",
            "1 while a region hears of bills; 0: the journal is down, and no lease is taken.",
            |meter| &meter.follows,
        ),
    ]
}

fn of_clicks(meter: &Arc<ClickMeter>) -> [Gauge; 3] {
    let gauge =
        |name, help, read: fn(&ClickMeter) -> &AtomicU64| of_meter((name, help), None, meter, read);
    [
        gauge(
            "bidtree_click_rate_creatives",
            "Creatives of which impressions were seen, as far as they are remembered.",
            |meter| &meter.creatives,
        ),
        gauge(
            "bidtree_click_rates_published",
            "How often click rates were put into a catalogue, since the start.",
            |meter| &meter.published,
        ),
        gauge(
            "bidtree_click_rates_unwritten",
            "How often the file of click rates could not be written, or not be read and put aside, since the start.",
            |meter| &meter.unwritten,
        ),
    ]
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge of a few million at most"
)]
fn count(number: usize) -> f64 {
    number as f64
}
