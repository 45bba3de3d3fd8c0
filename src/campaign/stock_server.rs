//! The stock: reads campaigns and lists of people from their files, and puts them into the catalogue.
//!
//! A thread, since both block: ten million lines take seconds, a large catalogue takes one, and others may be building.
//! Only the roster asks it, once at a time.

use std::sync::Arc;

use super::catalogue_server::Shelf;
use super::{Campaign, LeftOut, OwnSegments};
use crate::supervision::{Post, Reaper, Reply, Spec, thread};

/// The roster waits for one before it asks for the next; a roster that was restarted may find its predecessor's before it.
const MAILBOX: usize = 1;

/// Reads campaigns and lists of people; the text lists everything that is wrong.
pub type Load = Arc<dyn Fn() -> Result<(Vec<Arc<Campaign>>, OwnSegments), String> + Send + Sync>;

/// Read everything again. What is wrong with it comes back as a text, and all stays as it was.
pub struct Restock(pub Reply<Result<Restocked, String>>);

/// What is in the catalogue now.
pub struct Restocked {
    /// The campaigns of before.
    pub before: Arc<Vec<Arc<Campaign>>>,
    /// Those of now.
    pub campaigns: Arc<Vec<Arc<Campaign>>>,
    /// Those that are not offered, and why.
    pub left_out: Vec<LeftOut>,
}

/// What the stock's child is given.
#[derive(Clone)]
pub struct StockParts {
    /// Where it is asked.
    pub post: Post<Restock>,
    /// What reads.
    pub load: Load,
    /// The catalogue.
    pub shelf: Arc<Shelf>,
    /// Where old catalogues go.
    pub reaper: Reaper,
}

/// The stock as a child.
pub fn stock(parts: &StockParts) -> Spec {
    let parts = parts.clone();
    thread(
        "stock",
        &parts.post.clone(),
        MAILBOX,
        move |context, mailbox| {
            context.child().ready();
            while let Ok(Restock(reply)) = mailbox.recv() {
                if context.child().is_stopping() {
                    break;
                }
                let stock = (parts.load)();
                // A roster that was restarted meanwhile has filled the pool from what is there.
                if !reply.is_awaited() {
                    continue;
                }
                let restocked = stock.map(|stock| {
                    let before = parts.shelf.campaigns();
                    let clock = context.child().clock();
                    let times = (clock.monotonic(), clock.wall());
                    let left_out = parts.shelf.replace(stock, times, &parts.reaper);
                    Restocked {
                        before,
                        campaigns: parts.shelf.campaigns(),
                        left_out,
                    }
                });
                // Whoever asked may have gone.
                reply.send(restocked);
            }
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    use super::*;
    use crate::campaign::campaign_server::Directory;
    use crate::campaign::fixture::shelf;
    use crate::campaign::roster_server::{NotReloaded, RosterMessage, RosterParts, roster};
    use crate::clock::Clock;
    use crate::store::journal_server::Journal;
    use crate::supervision::{
        Address, CallFailed, Dynamic, Limit, Planes, Strategy, Supervisor, Tree,
    };
    use crate::units::UnixMillis;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn there_is_a_most_of_reloads_and_each_is_answered() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (clock, _) = Clock::manual(UnixMillis::new(1_790_000_000_000));
        let tree = Tree::new(Planes::single(runtime.handle().clone()), clock);
        let (reading, read) = mpsc::sync_channel::<()>(64);
        let read = Mutex::new(read);
        let limit = Limit::new(0, Duration::from_secs(1));
        let shelf = Arc::new(shelf(Vec::new()));
        let stock_parts = StockParts {
            post: Post::new(),
            load: Arc::new(move || {
                read.lock().unwrap().recv().unwrap();
                Err("wrong".to_owned())
            }),
            shelf: Arc::clone(&shelf),
            reaper: tree.reaper().clone(),
        };
        let parts = RosterParts {
            address: Address::new(),
            pool: Dynamic::new(),
            directory: Directory::default(),
            shelf,
            journal: Journal::new(),
            hold_longest: Duration::from_secs(10),
            own_limit: limit,
            look_every: Duration::from_secs(5),
            stock: stock_parts,
        };
        let pool = Supervisor::dynamic(limit, 1).named_at("pool", &parts.pool);
        let top = Supervisor::new(Strategy::RestForOne, limit)
            .child(pool)
            .child(stock(&parts.stock))
            .child(roster(&parts));
        runtime.block_on(async {
            tree.start(top).await.unwrap();
            let mut asked = Vec::new();
            // Until one is turned away: each is polled once, so that it is in the mailbox.
            let turned_away = loop {
                let mut call = Box::pin(parts.address.call(RosterMessage::Reload));
                match at_once(&mut call).await {
                    Some(outcome) => break outcome,
                    None => asked.push(call),
                }
                assert!(asked.len() < 64, "there is no most");
                tokio::task::yield_now().await;
            };
            assert!(matches!(turned_away, Err(CallFailed::Full)));
            for _ in &asked {
                reading.send(()).unwrap();
            }
            for call in asked {
                let answer = tokio::time::timeout(PATIENCE, call).await.unwrap();
                assert!(matches!(answer, Ok(Err(NotReloaded::Faults(why))) if why == "wrong"));
            }
            tree.stop().await;
        });
    }

    /// What comes of it if that is there at once.
    async fn at_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            let polled = std::pin::Pin::new(&mut *future).poll(context);
            std::task::Poll::Ready(match polled {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
