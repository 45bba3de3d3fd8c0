//! Facts about what a region's pacer publishes, step by step, on a clock that the test moves.

use super::*;
use crate::campaign::fixture::{campaign, shelf};
use crate::campaign::{Advertiser, Reach};
use crate::chaos::FailPoints;
use crate::clock::ManualClock;
use crate::scratch::Scratch;
use crate::store::journal_server::{Promised, bill, decide, journal};
use crate::store::movement::{Bill, ImpressionKey, LeaseKey, Share as SharedPart};
use crate::store::writer::{Ceilings, Command, Grant, LeaseChoice};
use crate::supervision::{Limit, Planes, Post, Strategy, Supervisor, Tree};
use crate::units::{BidId, BudgetDay, CreativeKey, Currency, Epoch, ExchangeKey, LedgerTime};

const NOON: UnixMillis = UnixMillis::new(1_790_078_400_000);
/// What each campaign is offered in a second.
const OFFERED: Nanos = Nanos::new(20_000_000);
/// In the second half of a day, a tenth of what one is offered; and more than is ever offered.
const LITTLE: Option<Nanos> = Some(Nanos::new(2_000_000 * 43_200));
const MUCH: Option<Nanos> = Some(Nanos::new(i64::MAX / 4));

struct Rig {
    server: PacerServer,
    hands: ManualClock,
}

impl Rig {
    /// The pacer of `sg`, with campaigns of one advertiser in these regions.
    fn new(campaigns: &[(&str, &str)], together: Option<Nanos>) -> Self {
        let campaigns = campaigns.iter().map(|(id, region)| {
            let mut one = campaign(id);
            let mut advertiser = Advertiser::clone(&one.advertiser);
            advertiser.budget.daily = together;
            one.advertiser = Arc::new(advertiser);
            one.budget_daily = Nanos::new(i64::MAX / 4);
            one.regions = Reach::Only(vec![RegionKey::of(region)]);
            one
        });
        let (clock, hands) = Clock::manual(NOON);
        let shares = Arc::new(Shares::new(16));
        let sight = RegionSight {
            supply: Arc::new(Supply::new(1, 16)),
            ledger: Stage::new(),
        };
        let server = PacerServer {
            parts: PacerParts {
                region: RegionKey::of("sg"),
                shares: Stage::new(),
                address: Address::new(),
                journal: Post::new(),
                shelf: Arc::new(shelf(campaigns.collect())),
                sights: Arc::new([sight]),
                slots_max: 16,
            },
            shares,
            campaigns: HashMap::new(),
            shared: HashMap::new(),
            stepped_at: clock.monotonic(),
            clock,
            follows: true,
            known: None,
        };
        Self { server, hands }
    }

    fn slot(&self, id: &str) -> CampaignSlot {
        let catalogue = self.server.parts.shelf.current();
        let mut offers = catalogue.offers().iter();
        offers.find(|offer| &*offer.campaign.id == id).unwrap().slot
    }

    /// Offers something to these campaigns for a few seconds, and answers the share of the first.
    fn share_after(&mut self, offered: &[&str]) -> f64 {
        for _ in 0..5 {
            for id in offered {
                let slot = self.slot(id);
                let supply = &self.server.parts.sights[0].supply;
                supply.shard(0).unwrap().offer(slot, OFFERED);
            }
            self.hands.advance(STEP_EVERY);
            self.server.step();
        }
        self.server.shares.share(self.slot(offered[0])).part()
    }
}

const BOTH: [(&str, &str); 2] = [("shoes", "sg"), ("hats", "sg")];

#[test]
fn what_campaigns_share_holds_them_where_their_own_budgets_would_not() {
    let held = Rig::new(&BOTH, LITTLE).share_after(&["shoes", "hats"]);
    assert!(held < 0.2, "{held}");
    for plenty in [MUCH, None] {
        let free = Rig::new(&BOTH, plenty).share_after(&["shoes", "hats"]);
        assert!(free > 0.9, "{free}");
    }
}

#[test]
fn campaigns_of_other_regions_count_and_are_not_published() {
    let apart = [("shoes", "sg"), ("hats", "us")];
    let alone = Rig::new(&apart, LITTLE).share_after(&["shoes"]);
    let mut rig = Rig::new(&apart, LITTLE);
    let both = rig.share_after(&["shoes", "hats"]);
    assert!(both < 0.6 * alone, "{both} of {alone}");
    assert_eq!(rig.server.shares.share(rig.slot("hats")), Share::NONE);
}

/// A bill of `hats` from another region.
fn bill_of_hats(number: u64) -> Booked {
    Booked {
        bill: Bill {
            key: ImpressionKey {
                bid: BidId::new(7, 0, number),
                imp: 0,
            },
            lease: LeaseKey {
                campaign: CampaignKey::of("hats"),
                region: RegionKey::of("us"),
                epoch: Epoch::new(1),
            },
            day: BudgetDay::new(20_718),
            advertiser: campaign("hats").advertiser.key,
            creative: CreativeKey::of("banner"),
            exchange: ExchangeKey::of("adx"),
            cost: OFFERED,
            currency: Currency::USD,
            charge: Nanos::new(1_000_000_000),
            user: None,
            bid_at: NOON,
            at: NOON,
        },
        promised: Promised {
            reserved: OFFERED,
            hold: 0,
            expires_at: LedgerTime::from_millis(0),
        },
    }
}

#[test]
fn bills_of_any_campaign_close_the_valve() {
    let mut rig = Rig::new(&BOTH, LITTLE);
    assert!(rig.share_after(&["shoes", "hats"]) > 0.0);
    rig.server.booked(&bill_of_hats(1));
    let held = rig.share_after(&["shoes", "hats"]);
    assert!(held < f64::EPSILON, "{held}");
}

#[test]
fn campaigns_that_come_back_have_spent_what_the_books_say() {
    let folder = Scratch::new();
    let mut rig = Rig::new(&BOTH, LITTLE);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let planes = Planes::single(runtime.handle().clone());
    let tree = Tree::new(planes, rig.server.clock.clone());
    let (books, fail_point) = (
        &rig.server.parts.journal,
        FailPoints::default().point("journal"),
    );
    let limit = Limit::new(0, STEP_EVERY);
    let top = Supervisor::new(Strategy::OneForOne, limit).child(journal(
        books,
        &Post::new(),
        (folder.path(), &fail_point),
    ));
    let hats = campaign("hats");
    let (ceilings, share) = (
        Ceilings {
            day: Nanos::new(i64::MAX / 4),
            total: Nanos::new(i64::MAX / 4),
        },
        SharedPart {
            advertiser: hats.advertiser.key,
            day: BudgetDay::new(20_718),
        },
    );
    let grant = Grant {
        campaign: hats.key,
        region: RegionKey::of("us"),
        day: BudgetDay::new(20_718),
        lease: LeaseChoice::New,
        want: Nanos::new(10_000_000_000),
        ceilings,
        shared: Some((share, ceilings)),
        at: NOON,
    };
    runtime.block_on(async {
        tree.start(top).await.unwrap();
        decide(books, Command::Grant(grant)).await.unwrap();
        for number in 1..=2 {
            bill(books, bill_of_hats(number)).await.unwrap();
        }
    });
    // Both had left when the second of their bills came.
    rig.server.known = Some(Arc::new(Vec::new()));
    rig.server.booked(&bill_of_hats(2));
    // The catalogue is read before the books are.
    rig.server.step();
    runtime.block_on(rig.server.follow_catalogue());
    let spent = Nanos::new(2_000_000_000);
    assert_eq!(rig.server.campaigns[&hats.key].spent, spent);
    let together = &rig.server.shared[&hats.advertiser.key];
    assert_eq!(together.spent(), spent);
    runtime.block_on(tree.stop());
}
