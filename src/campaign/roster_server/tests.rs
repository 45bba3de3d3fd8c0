//! Campaigns that leave, or lose their process for good, while they hold leases, over a real journal and a clock that the
//! test moves.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;
use crate::campaign::budget::LEASE_TTL;
use crate::campaign::campaign_server::{LeaseWish, Leased, NoLease};
use crate::campaign::fixture::campaign;
use crate::campaign::stock_server::stock;
use crate::campaign::{Approvals, ClickRates, OwnSegments, Priors, Rates, SlotTable};
use crate::chaos::FailPoints;
use crate::clock::ManualClock;
use crate::scratch::Scratch;
use crate::store::journal_server::{Booked, Promised, bill, journal};
use crate::store::movement::{Bill, ImpressionKey, LeaseKey};
use crate::supervision::{Limit, Planes, Post, Strategy, Supervisor, Tree};
use crate::units::{
    BidId, CreativeKey, Currency, ExchangeKey, LedgerTime, Nanos, RegionKey, UnixMillis,
};

const NOON: UnixMillis = UnixMillis::new(1_790_000_000_000);
const HOLD: Duration = Duration::from_mins(5);
const STEP: Duration = Duration::from_secs(10);
const STEPS_MAX: u32 = 1_000;
const PATIENCE: Duration = Duration::from_secs(20);

fn campaigns(ids: &[&str]) -> Vec<Arc<Campaign>> {
    ids.iter().map(|id| Arc::new(campaign(id))).collect()
}

/// What makes reading take as long as a test wants.
#[derive(Default)]
struct Gate {
    /// Whether reads wait, and how many wait now.
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Gate {
    fn hold(&self, holds: bool) {
        self.state.lock().unwrap().0 = holds;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        self.changed.notify_all();
        // Whoever is held up by a read would wait for ever.
        let waited = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.0);
        let mut state = waited.unwrap().0;
        *state = (false, state.1 - 1);
    }

    fn holds(&self) -> bool {
        self.state.lock().unwrap().0
    }

    fn wait_for_a_read(&self) {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.1 == 0);
        assert!(!waited.unwrap().1.timed_out(), "nothing is read");
    }
}

/// A reload that was asked for.
type Asked<'r> =
    Pin<Box<dyn Future<Output = Result<Result<Reloaded, NotReloaded>, CallFailed>> + 'r>>;

/// A journal, a pool, and a roster of these campaigns.
struct Rig {
    tree: Tree,
    parts: RosterParts,
    /// What stands in the configuration.
    configured: Arc<Mutex<Vec<Arc<Campaign>>>>,
    gate: Arc<Gate>,
    clock: Clock,
    hands: ManualClock,
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    fn start(folder: &Path, wall: UnixMillis, ids: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (clock, hands) = Clock::manual(wall);
        let tree = Tree::new(Planes::single(runtime.handle().clone()), clock.clone());
        let (shelf, _) = Shelf::new(
            (campaigns(ids), OwnSegments::default()),
            SlotTable::new(Duration::from_mins(1)),
            (Rates::default(), ClickRates::believed(Priors::default())),
            Approvals::default(),
            (clock.monotonic(), wall),
        );
        let limit = Limit::new(3, Duration::from_secs(10));
        let shelf = Arc::new(shelf);
        let configured = Arc::new(Mutex::new(campaigns(ids)));
        let gate = Arc::new(Gate::default());
        let (read, passes) = (Arc::clone(&configured), Arc::clone(&gate));
        let load = move || {
            let campaigns = read.lock().unwrap().clone();
            passes.pass();
            Ok((campaigns, OwnSegments::default()))
        };
        let parts = RosterParts {
            address: Address::new(),
            pool: Dynamic::new(),
            directory: Directory::default(),
            shelf: Arc::clone(&shelf),
            journal: Post::new(),
            hold_longest: HOLD,
            own_limit: limit,
            look_every: Duration::from_millis(1),
            stock: StockParts {
                post: Post::new(),
                load: Arc::new(load),
                shelf,
                reaper: tree.reaper().clone(),
            },
        };
        let top = Supervisor::new(Strategy::RestForOne, limit)
            .child(journal(
                &parts.journal,
                &Post::new(),
                (folder, &FailPoints::default().point("journal")),
            ))
            .child(Supervisor::dynamic(limit, 100).named_at("pool", &parts.pool))
            .child(stock(&parts.stock))
            .child(roster(&parts));
        runtime.block_on(tree.start(top)).unwrap();
        Self {
            tree,
            parts,
            configured,
            gate,
            clock,
            hands,
            runtime,
        }
    }

    /// Asks a campaign for a lease.
    fn ask(&self, id: &str) -> Result<Leased, NoLease> {
        let address = self.parts.directory.find(CampaignKey::of(id)).unwrap();
        let wish = LeaseWish {
            region: RegionKey::of("sg"),
            held: None,
            money: true,
        };
        let call = address.call(|reply| CampaignMessage::Lease(wish, reply));
        self.runtime.block_on(call).unwrap()
    }

    fn lease(&self, id: &str) -> (LeaseKey, Leased) {
        let leased = self.ask(id).unwrap();
        let lease = LeaseKey {
            campaign: CampaignKey::of(id),
            region: RegionKey::of("sg"),
            epoch: leased.epoch,
        };
        (lease, leased)
    }

    fn reload(&self, ids: &[&str]) -> Reloaded {
        self.reload_as(campaigns(ids))
    }

    fn reload_as(&self, configured: Vec<Arc<Campaign>>) -> Reloaded {
        *self.configured.lock().unwrap() = configured;
        let call = self.parts.address.call(RosterMessage::Reload);
        self.runtime.block_on(call).unwrap().unwrap()
    }

    /// Books a bill, and answers what of it no lease carried.
    fn bill(&self, number: u64, (lease, leased): (LeaseKey, Leased), charge: Nanos) -> Nanos {
        let at = self.clock.wall();
        let bill_ = Bill {
            key: ImpressionKey {
                bid: BidId::new(7, 0, number),
                imp: 0,
            },
            lease,
            day: leased.day,
            advertiser: campaign("shoes").advertiser.key,
            creative: CreativeKey::of("banner"),
            exchange: ExchangeKey::of("adx"),
            cost: charge,
            currency: Currency::USD,
            charge,
            user: None,
            bid_at: at,
            at,
        };
        let promised = Promised {
            reserved: charge,
            hold: 0,
            expires_at: LedgerTime::from_millis(0),
        };
        let booked = Booked {
            bill: bill_,
            promised,
        };
        let outcome = self.runtime.block_on(bill(&self.parts.journal, booked));
        match outcome {
            Ok(Outcome::Billed { debt }) => debt,
            other => panic!("{other:?}"),
        }
    }

    /// What the advertiser has committed, and how many leases of a campaign are open.
    fn committed(&self, id: &str) -> (Nanos, usize) {
        let (advertiser, key) = (campaign(id).advertiser.key, CampaignKey::of(id));
        let look = move |books: &Books| {
            let committed = books.shared(advertiser).unwrap().committed();
            (committed, books.account(key).unwrap().open_leases())
        };
        self.runtime
            .block_on(read(&self.parts.journal, look))
            .unwrap()
    }

    /// Moves the clock until no lease of the campaign is open, and answers how far.
    fn until_closed(&self, id: &str) -> Duration {
        for step in 0..STEPS_MAX {
            if self.committed(id).1 == 0 {
                return STEP * step;
            }
            self.hands.advance(STEP);
            // Between messages it looks.
            self.reload_nothing();
        }
        panic!("never closed");
    }

    /// Asks the roster for nothing new.
    fn reload_nothing(&self) {
        let campaigns = self.parts.shelf.campaigns();
        let ids: Vec<&str> = campaigns.iter().map(|campaign| &*campaign.id).collect();
        self.reload(&ids);
    }

    /// Renews a lease as a region would, beyond the time at which it would have been closed.
    fn renew_for_long(&self, lease: LeaseKey) {
        let address = self.parts.directory.find(lease.campaign).unwrap();
        for _ in 0..20 {
            self.hands.advance(LEASE_TTL / 2);
            let wish = LeaseWish {
                region: lease.region,
                held: Some(lease.epoch),
                money: false,
            };
            let call = address.call(|reply| CampaignMessage::Lease(wish, reply));
            let renewed = self.runtime.block_on(call).unwrap().unwrap();
            assert_eq!(renewed.epoch, lease.epoch);
            self.reload_nothing();
        }
    }

    /// Crashes a campaign's process until it is set aside.
    fn set_aside(&self, id: &str) {
        let (path, key) = (format!("pool/{id}"), CampaignKey::of(id));
        self.runtime.block_on(async {
            for _ in 0..STEPS_MAX {
                let places = self.tree.children("pool").await.unwrap();
                let place = places.into_iter().find(|place| place.path == path);
                match place.unwrap().state {
                    "set_aside" => return,
                    // Down already where it is being restarted.
                    _ => drop(self.tree.kill(&path).await),
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            panic!("never set aside");
        });
        assert!(self.parts.directory.find(key).unwrap().depth().is_none());
    }

    /// Has a roster begin to take up these campaigns, and end before it tells any process; waits for the next.
    fn die_in_a_reload(&self, configured: Vec<Arc<Campaign>>) {
        *self.configured.lock().unwrap() = configured;
        self.runtime.block_on(async {
            // What a roster asks first.
            let restocked = self.parts.stock.post.call(Restock).await.unwrap();
            restocked.unwrap();
            let incarnation = async || {
                let mut places = self.tree.snapshot().await.into_iter();
                places.find(|it| it.path == "roster").unwrap().incarnation
            };
            let died = incarnation().await;
            self.tree.kill("roster").await.unwrap();
            for _ in 0..STEPS_MAX {
                if incarnation().await != died && self.parts.address.depth().is_some() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            panic!("never up again");
        });
    }

    /// Has a campaign's process that was set aside tried again, and waits until it is up.
    fn recover(&self, id: &str) {
        let path = format!("pool/{id}");
        let address = self.parts.directory.find(CampaignKey::of(id)).unwrap();
        self.runtime.block_on(async {
            self.tree.recover(&path).await.unwrap();
            for _ in 0..STEPS_MAX {
                if address.depth().is_some() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            panic!("never up");
        });
    }

    fn stop(self) {
        self.runtime.block_on(self.tree.stop());
    }
}

#[test]
fn a_campaign_that_leaves_gives_its_advertisers_money_back_after_the_hold() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes", "hats"]);
    let lease = rig.lease("shoes");
    assert_eq!(rig.committed("shoes"), (lease.1.amount, 1));
    assert_eq!(rig.reload(&["hats"]).stopped, 1);
    let charge = Nanos::new(1_000);
    assert_eq!(rig.bill(1, lease, charge), Nanos::ZERO, "its lease pays");
    let waited = rig.until_closed("shoes");
    assert!(waited >= LEASE_TTL + HOLD, "{waited:?}");
    assert_eq!(rig.committed("shoes"), (charge, 0));
    assert_eq!(rig.bill(2, lease, charge), charge, "too late: a debt");
    rig.stop();
}

#[test]
fn what_a_former_process_left_is_given_back_as_well() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes", "hats"]);
    let lease = rig.lease("shoes");
    rig.reload(&["hats"]);
    rig.stop();
    let rig = Rig::start(folder.path(), NOON, &["hats"]);
    assert_eq!(rig.committed("shoes"), (lease.1.amount, 1));
    let charge = Nanos::new(1_000);
    assert_eq!(rig.bill(1, lease, charge), Nanos::ZERO, "its lease pays");
    let waited = rig.until_closed("shoes");
    assert!(waited >= LEASE_TTL + HOLD, "{waited:?}");
    assert_eq!(rig.committed("shoes"), (charge, 0));
    rig.stop();
}

#[test]
fn a_campaign_that_comes_back_in_time_keeps_its_lease() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes"]);
    let (lease, _) = rig.lease("shoes");
    rig.reload(&[]);
    // Many messages, so that looks came between them and found the lease.
    for _ in 0..200 {
        rig.reload_nothing();
    }
    rig.hands.advance(LEASE_TTL / 2);
    rig.reload(&["shoes"]);
    rig.renew_for_long(lease);
    assert_eq!(rig.committed("shoes").1, 1);
    rig.stop();
}

#[test]
fn a_campaign_that_is_set_aside_gives_its_money_back_after_the_hold() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes", "hats"]);
    let lease = rig.lease("shoes");
    rig.set_aside("shoes");
    let charge = Nanos::new(1_000);
    assert_eq!(rig.bill(1, lease, charge), Nanos::ZERO, "its lease pays");
    let waited = rig.until_closed("shoes");
    assert!(waited >= LEASE_TTL + HOLD, "{waited:?}");
    assert_eq!(rig.committed("shoes"), (charge, 0));
    // An operator tries it again: it goes on with a lease of its own.
    rig.recover("shoes");
    assert_ne!(rig.lease("shoes").0.epoch, lease.0.epoch);
    rig.stop();
}

#[test]
fn a_campaign_that_is_set_aside_and_recovers_in_time_keeps_its_lease() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes"]);
    let (lease, _) = rig.lease("shoes");
    rig.set_aside("shoes");
    // Many messages, so that looks came between them and found the lease.
    for _ in 0..200 {
        rig.reload_nothing();
    }
    rig.hands.advance(LEASE_TTL / 2);
    rig.recover("shoes");
    rig.renew_for_long(lease);
    assert_eq!(rig.committed("shoes").1, 1);
    rig.stop();
}

#[test]
fn a_process_that_was_down_in_a_reload_comes_up_with_what_was_read() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes"]);
    rig.set_aside("shoes");
    let mut stopped = campaign("shoes");
    stopped.active = false;
    rig.reload_as(vec![Arc::new(stopped)]);
    rig.recover("shoes");
    assert_eq!(rig.ask("shoes").err(), Some(NoLease::Inactive));
    rig.stop();
}

#[test]
fn what_a_roster_that_died_had_not_told_a_process_it_is_told_by_the_next() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes"]);
    rig.lease("shoes");
    let mut stopped = campaign("shoes");
    stopped.active = false;
    rig.die_in_a_reload(vec![Arc::new(stopped)]);
    assert_eq!(rig.ask("shoes").err(), Some(NoLease::Inactive));
    rig.stop();
}

#[test]
fn a_campaign_whose_process_a_roster_that_died_had_left_running_leases_when_it_comes_back() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes", "hats"]);
    rig.die_in_a_reload(campaigns(&["hats"]));
    assert_eq!(rig.reload(&["shoes", "hats"]).started, 1);
    assert!(rig.lease("shoes").1.amount.is_positive());
    assert!(rig.lease("hats").1.amount.is_positive());
    rig.stop();
}

#[test]
fn a_long_read_holds_up_nobody_and_what_is_asked_for_meanwhile_is_read_after_it() {
    let folder = Scratch::new();
    let rig = Rig::start(folder.path(), NOON, &["shoes"]);
    rig.gate.hold(true);
    let ask = || Box::pin(rig.parts.address.call(RosterMessage::Reload));
    // Looked at, a call is sent.
    let is_waiting = |call: &mut Asked<'_>| {
        let looked = async { tokio::time::timeout(Duration::ZERO, call).await };
        rig.runtime.block_on(looked).is_err()
    };
    let mut first: Asked<'_> = ask();
    assert!(is_waiting(&mut first));
    rig.gate.wait_for_a_read();
    // It read the files before they were changed.
    *rig.configured.lock().unwrap() = campaigns(&["shoes", "hats"]);
    let mut second: Asked<'_> = ask();
    assert!(is_waiting(&mut second));
    // There is one thread for all of these, and none of them waits for the files.
    rig.lease("shoes");
    assert_eq!(rig.committed("shoes").1, 1);
    let places = rig.runtime.block_on(rig.tree.children("pool")).unwrap();
    assert_eq!(places.len(), 1);
    assert!(rig.gate.holds() && is_waiting(&mut first) && is_waiting(&mut second));

    rig.gate.hold(false);
    let campaigns = |call: Asked<'_>| {
        let answer = async { tokio::time::timeout(PATIENCE, call).await };
        let answer = rig.runtime.block_on(answer).expect("it is not lost");
        answer.unwrap().unwrap().campaigns
    };
    assert_eq!((campaigns(first), campaigns(second)), (1, 2));
    assert!(rig.parts.directory.find(CampaignKey::of("hats")).is_some());
    rig.stop();
}
