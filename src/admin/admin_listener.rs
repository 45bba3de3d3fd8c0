//! The admin port: what an operator may see and do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::{line, refusal};
use super::approvals_page::ApprovalPageParts;
use super::campaigns_page::{self, Figures, SharedFigures};
use super::explain_page::ExplainParts;
use super::{fail_points_page, tree_page};
use crate::campaign::roster_server::{NotReloaded, RosterMessage};
use crate::campaign::{Advertiser, Campaign, Shelf};
use crate::chaos::{FailPoints, Unarmed};
use crate::clock::Clock;
use crate::exchange::stop_all::StopAll;
use crate::http::{
    Answer, AsyncService, ContentType, Head, Limits, ListeningSocket, Methods, Request, Route,
    StatusCode, parameter, serving_listener,
};
use crate::store::books::Books;
use crate::store::journal_server::{Journal, Unanswered, read};
use crate::supervision::{Address, AskError, CallFailed, Spec, Tree};

/// Bodies of this port are small; the largest is a bid request to be explained.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long the books may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long a reload may take: ten million lines are read, and a hundred thousand campaigns start as many processes.
const RELOAD_WITHIN: Duration = Duration::from_mins(1);

const NO_CHAOS: &str =
    "set `chaos = true` under [admin] to kill children and arm fail points from here";

const ROUTES: &[Route] = &[
    Route::new("/metrics", Methods::Get),
    Route::new("/livez", Methods::Get),
    Route::new("/readyz", Methods::Get),
    Route::new("/tree", Methods::Get),
    Route::new("/alerts", Methods::Get),
    Route::new("/campaigns", Methods::Get),
    Route::new("/campaigns/reload", Methods::Post),
    Route::new("/exchanges/*/recover", Methods::Post),
    Route::new("/tree/*/recover", Methods::Post),
    Route::new("/tree/*/kill", Methods::Post),
    Route::new("/fail-points", Methods::Get),
    Route::new("/fail-points/*", Methods::Post),
    Route::new("/explain", Methods::Post),
    Route::new("/approvals", Methods::Get),
    Route::new("/approvals/*", Methods::Post),
    Route::new("/stop-all", Methods::Post),
    Route::new("/resume", Methods::Post),
];

/// Makes a text when asked.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;
/// Whether each exchange can bid.
pub type Readiness = Arc<dyn Fn() -> Vec<(String, bool)> + Send + Sync>;

/// What the admin's child is given.
#[derive(Clone)]
pub struct AdminParts {
    /// Its socket.
    pub socket: Arc<ListeningSocket>,
    /// The tree.
    pub tree: Tree,
    /// Its clock.
    pub clock: Clock,
    /// The metrics page.
    pub metrics: Render,
    /// The alerts, as JSON.
    pub alerts: Render,
    /// The journal.
    pub journal: Journal,
    /// The catalogue.
    pub shelf: Arc<Shelf>,
    /// What swaps the catalogue.
    pub roster: Address<RosterMessage>,
    /// The exchanges.
    pub readiness: Readiness,
    /// The button.
    pub stop_all: StopAll,
    /// Whether children may be killed and made to fail from here.
    pub chaos: bool,
    /// Where children may be made to fail.
    pub fail_points: FailPoints,
    /// What explains bids.
    pub explain: ExplainParts,
    /// What exchanges think of creatives.
    pub approvals: ApprovalPageParts,
}

/// The admin's listener as a child.
pub fn admin_listener(parts: &AdminParts) -> Spec {
    let service = parts.clone();
    let limits = Limits {
        body_bytes: BODY_BYTES_MAX,
        ..Limits::default()
    };
    serving_listener("listener", &parts.socket, limits, move || AdminService {
        parts: service.clone(),
    })
}

struct AdminService {
    parts: AdminParts,
}

impl AsyncService for AdminService {
    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    async fn answer(&mut self, request: Request<'_>) -> Answer {
        let head = request.head;
        match (head.path, head.tail) {
            ("/metrics", _) => {
                Answer::new(StatusCode::OK, ContentType::METRICS, (self.parts.metrics)()).packed()
            }
            ("/livez", _) => Answer::text(StatusCode::OK, "ok\n"),
            ("/readyz", _) => self.ready().await,
            ("/tree", _) => self.tree(&head).await,
            ("/alerts", _) => Answer::json((self.parts.alerts)()),
            ("/campaigns", _) => self.campaigns().await,
            ("/campaigns/reload", _) => self.reload().await,
            ("/fail-points", _) => Answer::json(line(&fail_points_page::as_json(
                &self.parts.fail_points.all(),
            ))),
            (path, name) if path.starts_with("/fail-points/") => self.arm(name, head.query),
            ("/explain", _) => self.parts.explain.answer(head.query, request.body).await,
            ("/approvals", _) => self.parts.approvals.list().await,
            (path, place) if path.starts_with("/approvals/") => {
                self.parts.approvals.say(place, head.query).await
            }
            ("/stop-all", _) => button(self.parts.stop_all.engage(), "all bidding is stopped"),
            ("/resume", _) => button(self.parts.stop_all.release(), "exchanges bid again"),
            (path, tail) if path.ends_with("/kill") => self.kill(tail).await,
            (path, id) if path.starts_with("/exchanges/") => {
                asked(self.parts.tree.recover(&format!("exchanges/{id}")).await)
            }
            (_, tail) => asked(self.parts.tree.recover(tail).await),
        }
    }
}

impl AdminService {
    /// Ready: some exchange can bid, and money can be booked.
    async fn ready(&self) -> Answer {
        let exchanges = (self.parts.readiness)();
        let books =
            tokio::time::timeout(Duration::from_secs(1), read(&self.parts.journal, |_| ())).await;
        let store = matches!(books, Ok(Ok(())));
        let stopped = self.parts.stop_all.is_engaged();
        let ready = store && !stopped && exchanges.iter().any(|(_, ready)| *ready);
        let exchanges: serde_json::Map<String, Value> = exchanges
            .into_iter()
            .map(|(name, ready)| (name, json!(ready)))
            .collect();
        let body =
            json!({ "ready": ready, "store": store, "stopped": stopped, "exchanges": exchanges });
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        Answer::new(status, ContentType::JSON, line(&body))
    }

    async fn tree(&self, head: &Head<'_>) -> Answer {
        let places = self.parts.tree.snapshot().await;
        let format = head.query.and_then(|query| parameter(query, "format"));
        if format.as_deref() == Some("text") {
            return Answer::text(StatusCode::OK, tree_page::drawn(&places));
        }
        Answer::json(line(&tree_page::as_json(&places))).packed()
    }

    async fn campaigns(&self) -> Answer {
        let (campaigns, catalogue) = (self.parts.shelf.campaigns(), self.parts.shelf.current());
        let advertisers = campaigns_page::advertisers(&campaigns);
        let figures = self.figures(&campaigns, &advertisers);
        match tokio::time::timeout(ANSWER_WITHIN, figures).await {
            Ok(Ok((figures, shared))) => {
                let page = campaigns_page::page(
                    (&campaigns, &figures),
                    (&advertisers, &shared),
                    &catalogue,
                );
                Answer::json(line(&page)).packed()
            }
            Ok(Err(error)) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
            Err(_) => refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the journal does not answer",
            ),
        }
    }

    async fn figures(
        &self,
        campaigns: &[Arc<Campaign>],
        advertisers: &[Arc<Advertiser>],
    ) -> Result<(Vec<Figures>, Vec<SharedFigures>), Unanswered> {
        let now = self.parts.clock.wall();
        let mut all = Vec::with_capacity(campaigns.len());
        for some in campaigns.chunks(campaigns_page::ROWS_AT_ONCE) {
            let some = some.to_vec();
            let look = move |books: &Books| campaigns_page::figures(books, &some, now);
            all.extend(read(&self.parts.journal, look).await?);
        }
        let mut shared = Vec::with_capacity(advertisers.len());
        for some in advertisers.chunks(campaigns_page::ROWS_AT_ONCE) {
            let some = some.to_vec();
            let look = move |books: &Books| campaigns_page::shared_figures(books, &some, now);
            shared.extend(read(&self.parts.journal, look).await?);
        }
        Ok((all, shared))
    }

    async fn reload(&self) -> Answer {
        let call = self.parts.roster.call(RosterMessage::Reload);
        match tokio::time::timeout(RELOAD_WITHIN, call).await {
            Ok(Ok(Ok(reloaded))) => {
                let left_out = reloaded.left_out.iter();
                let left_out: Vec<_> = left_out
                    .map(|left| json!({ "id": *left.id, "why": left.why.to_string() }))
                    .collect();
                Answer::json(line(&json!({
                    "campaigns": reloaded.campaigns,
                    "started": reloaded.started,
                    "stopped": reloaded.stopped,
                    "left_out": left_out,
                })))
            }
            Ok(Ok(Err(NotReloaded::Faults(faults)))) => {
                Answer::text(StatusCode::UNPROCESSABLE_ENTITY, faults)
            }
            Ok(Err(CallFailed::Full)) => refusal(
                StatusCode::TOO_MANY_REQUESTS,
                "campaigns are being reloaded; ask again",
            ),
            Ok(Ok(Err(error @ NotReloaded::Stock(_)))) => {
                refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
            }
            Ok(Err(error)) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
            Err(_) => refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the roster does not answer",
            ),
        }
    }

    fn arm(&self, name: &str, query: Option<&str>) -> Answer {
        if !self.parts.chaos {
            return refusal(StatusCode::FORBIDDEN, NO_CHAOS);
        }
        match fail_points_page::charge(query) {
            Err(fault) => refusal(StatusCode::BAD_REQUEST, &fault),
            Ok(charge) => {
                if let Err(why) = self.parts.fail_points.arm(name, charge.clone()) {
                    let status = match why {
                        Unarmed::Unknown => StatusCode::NOT_FOUND,
                        Unarmed::WithoutIds => StatusCode::BAD_REQUEST,
                    };
                    return refusal(status, &format!("{name:?}: {why}"));
                }
                if let Some(charge) = charge {
                    tracing::warn!(name, ?charge, "a fail point was armed by an operator");
                } else {
                    tracing::warn!(name, "a fail point was disarmed by an operator");
                }
                Answer::json(line(&json!({ "ok": true })))
            }
        }
    }

    async fn kill(&self, path: &str) -> Answer {
        if !self.parts.chaos {
            return refusal(StatusCode::FORBIDDEN, NO_CHAOS);
        }
        tracing::warn!(path, "killed by an operator");
        asked(self.parts.tree.kill(path).await)
    }
}

fn asked(outcome: Result<(), AskError>) -> Answer {
    match outcome {
        Ok(()) => Answer::json(line(&json!({ "ok": true }))),
        Err(error @ (AskError::NotFound(_) | AskError::NotRunning(_))) => {
            refusal(StatusCode::NOT_FOUND, &error.to_string())
        }
        Err(error @ AskError::Silent(_)) => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
        Err(error) => refusal(StatusCode::CONFLICT, &error.to_string()),
    }
}

fn button(outcome: std::io::Result<()>, done: &str) -> Answer {
    match outcome {
        Ok(()) => Answer::text(StatusCode::OK, format!("{done}\n")),
        Err(error) => refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("the button's file: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::exchange::outcome::Outcome;

    const DOCUMENTED: &str = include_str!("../../docs/admin.md");

    /// Every row of the page's table that begins with a method and a path, as a route is written.
    fn documented() -> BTreeSet<(String, String)> {
        let rows = DOCUMENTED.lines().filter_map(|line| {
            let (method, path) = line
                .strip_prefix("| `")?
                .split_once('`')?
                .0
                .split_once(' ')?;
            let mut pattern = String::new();
            for (place, part) in path.split(['<', '>']).enumerate() {
                let is_name = place % 2 == 1;
                match (is_name, pattern.ends_with("*/")) {
                    // A route has one `*`, which takes slashes.
                    (true, true) => drop(pattern.pop()),
                    (true, false) => pattern.push('*'),
                    (false, _) => pattern.push_str(part),
                }
            }
            Some((method.to_owned(), pattern))
        });
        rows.collect()
    }

    #[test]
    fn every_route_is_in_the_docs_and_the_other_way_around() {
        let routes = ROUTES.iter().map(|route| {
            let method = match route.methods() {
                Methods::Get => "GET",
                Methods::Post => "POST",
                Methods::GetOrPost => "GET or POST",
            };
            (method.to_owned(), route.pattern().to_owned())
        });
        assert_eq!(routes.collect::<BTreeSet<_>>(), documented());
    }

    /// What a cookie of ours is called, and no metric.
    const NO_METRICS: [&str; 1] = ["bidtree_id"];

    /// The metrics that a source names outside of its tests.
    fn metrics_in(source: &str) -> Vec<String> {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let named = code.split("\"bidtree_").skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            format!("bidtree_{}", &rest[..end.unwrap_or(rest.len())])
        });
        named
            .filter(|name| !NO_METRICS.contains(&name.as_str()))
            .collect()
    }

    fn metrics_under(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                metrics_under(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.extend(metrics_in(&fs::read_to_string(path).unwrap()));
            }
        }
    }

    /// Those that begin no row of a table.
    fn without_a_row<'n>(page: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
        let mut names: Vec<_> = names.into_iter().collect();
        names.retain(|name| !page.contains(&format!("\n| `{name}` |")));
        names
    }

    #[test]
    fn every_reason_and_every_metric_has_its_row_in_the_docs() {
        let labels = Outcome::labels();
        let reasons = labels.iter().map(|(_, reason)| *reason);
        assert_eq!(without_a_row(DOCUMENTED, reasons), Vec::<&str>::new());
        for (outcome, _) in &labels {
            let quoted = format!("`outcome=\"{outcome}\"`");
            assert!(DOCUMENTED.contains(&quoted), "{quoted}");
        }
        let mut metrics = BTreeSet::new();
        metrics_under(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut metrics,
        );
        assert!(metrics.len() > 15, "{metrics:?}");
        let names = metrics.iter().map(String::as_str);
        assert_eq!(without_a_row(DOCUMENTED, names), Vec::<&str>::new());
    }

    /// The control: a source that counts something new, and a page that is silent about it, are seen.
    #[test]
    fn a_metric_that_the_docs_do_not_name_is_seen() {
        let source = "counter!(\"bidtree_novelties_total\", \"kind\" => kind);\nconst COOKIE: &str = \"bidtree_id\";";
        let found = metrics_in(source);
        assert_eq!(found, ["bidtree_novelties_total"]);
        let names = found.iter().map(String::as_str);
        assert_eq!(
            without_a_row(DOCUMENTED, names),
            ["bidtree_novelties_total"]
        );
        assert_eq!(without_a_row("\n| `late` |", ["late", "later"]), ["later"]);
    }
}
