//! What a run asks of the bidder's books: once before it begins, and at its end until they are right or time is up.

use std::time::Duration;

use super::RunError;
use crate::books::{self, Books, Reckoning};
use crate::clock::{self, WallClock};
use crate::notices::Desk;
use crate::oracle::{Catalogue, Oracle, OracleFile};
use crate::scenario::{BooksRule, Scenario};

/// How often books that are not right yet are asked for again.
const STEP: Duration = Duration::from_millis(250);

/// Gives the oracle what it has to know of the bidder: its campaigns, and what they have been charged so far.
pub(super) async fn begin(scenario: &Scenario, desk: &Desk) -> Result<Option<Books>, RunError> {
    let expected = &scenario.expectations.oracle;
    let folder = scenario.oracle.config.as_ref();
    let own = expected.needs_config().then_some(&scenario.server.config);
    let catalogue = match folder.or(own) {
        Some(folder) => {
            Catalogue::read(folder).map_err(|error| RunError::Catalogue(error.to_string()))?
        }
        None => Catalogue::default(),
    };
    let before = match &scenario.admin {
        Some(admin) if expected.needs_books() || expected.needs_config() => {
            let books = books::fetch(admin).await;
            Some(books.map_err(|error| RunError::Books(error.to_string()))?)
        }
        _ => None,
    };
    desk.with_oracle(|oracle| {
        *oracle = Oracle::new(catalogue, WallClock::read().now_ms());
        for (campaign, charges) in before.iter().flat_map(|books| &books.charges) {
            oracle.charged_before(campaign, charges.today_nanos, charges.total_nanos);
        }
    });
    Ok(before)
}

/// Compares the books with the oracle's ledger; `None` where nothing is expected of them.
pub(super) async fn end(
    scenario: &Scenario,
    before: Option<&Books>,
    ledger: &OracleFile,
) -> Option<Reckoning> {
    let expected = &scenario.expectations.oracle;
    let admin = scenario.admin.as_ref().filter(|_| expected.needs_books())?;
    let rule = expected.books.unwrap_or(BooksRule::Bounded);
    let until = clock::now() + scenario.oracle.settle;
    loop {
        let reckoning = match books::fetch(admin).await {
            Ok(books) => Reckoning::new(rule, (&books, before?), ledger),
            Err(error) => Reckoning::unreadable(rule, error.to_string()),
        };
        if reckoning.is_right() || clock::now() >= until {
            return Some(reckoning);
        }
        clock::sleep(STEP).await;
    }
}
