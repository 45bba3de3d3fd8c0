use super::*;
use crate::campaign::fixture::campaign;
use crate::campaign::{Approvals, Campaign, ClickRates, Goal, OwnSegments, Rates, SlotTable};
use crate::clock::Clock;
use crate::scratch::Scratch;
use crate::supervision::{Limit, Planes, Strategy, Supervisor, Tree};
use crate::units::{BidId, CampaignKey, Cpm, Monotonic, Nanos};

const PATIENCE: Duration = Duration::from_secs(20);
const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);

fn file(folder: &Scratch) -> PathBuf {
    folder.path().join(CLICK_RATES_FILE)
}

/// A tree with the learner alone, over the catalogue of a campaign that pays 0.40 for a click.
struct Learning {
    tree: Tree,
    parts: ClickRateParts,
    runtime: tokio::runtime::Runtime,
}

impl Learning {
    fn start(folder: &Scratch) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (clock, _) = Clock::manual(NOW);
        let tree = Tree::new(Planes::single(runtime.handle().clone()), clock);
        let buys_clicks = Campaign {
            goal: Goal::Cpc(Nanos::new(400_000_000)),
            max_cpm: Some(Cpm::from_micros(9_000_000)),
            ..campaign("c")
        };
        let priors = Priors::default();
        let (shelf, left_out) = Shelf::new(
            (vec![Arc::new(buys_clicks)], OwnSegments::default()),
            SlotTable::new(Duration::from_mins(1)),
            (Rates::default(), ClickRates::believed(priors)),
            Approvals::default(),
            (Monotonic::default(), NOW),
        );
        assert!(left_out.is_empty());
        let parts = ClickRateParts {
            post: Post::new(),
            shelf: Arc::new(shelf),
            priors,
            file: file(folder),
            publish_every: Duration::ZERO,
            reaper: tree.reaper().clone(),
            meter: Arc::default(),
        };
        let limit = Limit::new(3, Duration::from_secs(10));
        let top = Supervisor::new(Strategy::OneForOne, limit).child(click_rates(&parts));
        runtime.block_on(tree.start(top)).unwrap();
        Self {
            tree,
            parts,
            runtime,
        }
    }

    /// What the campaign's one creative is believed to be clicked.
    fn rate(&self) -> u32 {
        let catalogue = self.parts.shelf.current();
        let rate = catalogue.offers()[0].click_rate(0);
        rate.unwrap().billionths()
    }

    fn tell(&self, message: ClickMessage) {
        assert!(self.parts.post.cast(message).is_ok());
    }

    fn stop(self) {
        self.runtime.block_on(self.tree.stop());
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let clock = Clock::system();
    let start = clock.monotonic();
    while !is_so() {
        assert!(clock.monotonic().since(start) < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

fn creative() -> CreativeKey {
    CreativeKey::of("c-300x250")
}

fn key(number: u128) -> ImpressionKey {
    ImpressionKey {
        bid: BidId::from_raw(number),
        imp: 0,
    }
}

#[test]
fn what_is_learnt_reaches_the_catalogue_and_outlives_the_process() {
    let folder = Scratch::new();
    let learning = Learning::start(&folder);
    assert_eq!(learning.rate(), 1_000_000, "the prior of a banner");
    let before = learning.parts.shelf.current();
    learning.tell(ClickMessage::Billed(key(1), creative()));
    learning.tell(ClickMessage::Clicked(key(1), creative()));
    // 3 clicks in 2,001 impressions.
    let learnt = 1_499_250;
    until("a rate of its own", || learning.rate() == learnt);
    let now = learning.parts.shelf.current();
    let value = |catalogue: &crate::campaign::Catalogue| catalogue.offers()[0].value.micros();
    assert_eq!((value(&before), value(&now)), (400_000, 599_700));
    let rank = now.offers()[0].slot;
    assert_eq!(rank, before.offers()[0].slot, "its place in tables stays");
    learning.stop();

    let again = Learning::start(&folder);
    assert_eq!(again.rate(), learnt, "known before it is up");
    assert_eq!(
        again.parts.shelf.current().offers()[0].campaign.key,
        CampaignKey::of("c")
    );
    // A replay over the restart counts nothing: the impression waits for no click any more.
    again.tell(ClickMessage::Clicked(key(1), creative()));
    let published = again.parts.meter.published.load(Ordering::Relaxed);
    until("the replay was heard", || {
        again.parts.meter.published.load(Ordering::Relaxed) > published
    });
    assert_eq!(again.rate(), learnt);
    again.stop();
}

#[test]
fn a_damaged_file_is_put_aside_and_learning_begins_anew() {
    let folder = Scratch::new();
    fs::write(file(&folder), "bidtree click rates 1\nday 1\nhalf").unwrap();
    let learning = Learning::start(&folder);
    assert_eq!(learning.rate(), 1_000_000);
    assert!(file(&folder).with_extension(DAMAGED).exists());
    learning.tell(ClickMessage::Billed(key(1), creative()));
    until("a new file", || file(&folder).exists());
    learning.stop();
    let text = fs::read_to_string(file(&folder)).unwrap();
    assert!(ClickTally::from_text(&text).is_ok(), "{text}");
}

#[test]
fn a_file_that_cannot_be_written_is_counted_and_stops_nothing() {
    let folder = Scratch::new();
    let learning = Learning::start(&folder);
    fs::remove_dir_all(folder.path()).unwrap();
    learning.tell(ClickMessage::Billed(key(1), creative()));
    let meter = &learning.parts.meter;
    until("the fault is counted", || {
        meter.unwritten.load(Ordering::Relaxed) > 0
    });
    learning.tell(ClickMessage::Clicked(key(1), creative()));
    until("it goes on learning", || learning.rate() == 1_499_250);
    learning.stop();
}

/// A file that is there, and can neither be opened nor be put aside.
fn beyond_reach(folder: &Scratch) {
    std::os::unix::fs::symlink(CLICK_RATES_FILE, file(folder)).unwrap();
    let aside = file(folder).with_extension(DAMAGED);
    fs::create_dir_all(aside.join("in the way")).unwrap();
}

/// A file that is opened, and cannot be read: a folder, which cannot take the place of what was put aside before.
fn no_file(folder: &Scratch) {
    fs::create_dir_all(file(folder).join("something")).unwrap();
    fs::write(file(folder).with_extension(DAMAGED), "in the way").unwrap();
}

#[test]
fn a_file_that_can_neither_be_read_nor_put_aside_stops_nothing() {
    for make in [beyond_reach, no_file] {
        let folder = Scratch::new();
        make(&folder);
        let learning = Learning::start(&folder);
        assert_eq!(learning.rate(), 1_000_000, "nothing is known");
        assert!(learning.parts.meter.unwritten.load(Ordering::Relaxed) > 0);
        learning.tell(ClickMessage::Billed(key(1), creative()));
        learning.tell(ClickMessage::Clicked(key(1), creative()));
        until("it learns", || learning.rate() == 1_499_250);
        learning.stop();
    }
}
