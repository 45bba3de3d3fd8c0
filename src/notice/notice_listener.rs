//! Notices over HTTP: `/win`, `/bill`, `/loss`, `/imp` and `/click`, by GET or POST; and user syncs, `/sync/<exchange>`.
//!
//! Transport only: what a notice does to money is `settlement`, which has made it durable before the 2xx leaves.
//!
//! | answer | when |
//! |---|---|
//! | 204, a pixel for `/imp`, 302 for `/click` | taken, or taken before |
//! | 400 | no token of ours, or an amount beyond counting |
//! | 410 | a bid too old to be settled |
//! | 503 | it could not be made durable now: the exchange asks again |
//!
//! A user sync is answered 302 to the exchange's own URL; 204 where the law or the person forbids to know who it is; 404
//! where the exchange has none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::settlement::{Notice, Reason, Refusal, Reported};
use super::settlement_server::{Settled, SettlementMessage};
use super::token::{Sealer, Token, TokenError};
use super::visitor::{Synced, VisitorId, sync};
use crate::campaign::Shelf;
use crate::campaign::approval_book::Place;
use crate::campaign::approval_server::ApprovalDesk;
use crate::http::{
    Answer, AsyncService, ContentType, Head, HeaderValue, Limits, ListeningSocket, Methods,
    Request, Route, StatusCode, header, parameter, parameters, serving_listener,
};
use crate::openrtb::codes::LossReason;
use crate::openrtb::consent::Privacy;
use crate::openrtb::macros::SubstitutedPrice;
use crate::store::journal_server::{Journal, read};
use crate::store::movement::ImpressionKey;
use crate::supervision::{Address, Spec};
use crate::units::{UnixMillis, UserHash, UserKey};

/// How long settlement may take to answer. It answers within milliseconds or says that it cannot.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);
/// How long the books may take to say whether an impression was sold. A loss that they say nothing of is not counted.
const LOOK_WITHIN: Duration = Duration::from_secs(2);
/// Notices carry everything in their URL; a body is thrown away.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The query's names, as the serializer writes them: token, price.
pub const TOKEN: &str = "t";
/// The clearing price.
pub const PRICE: &str = "p";
/// Why a bid was lost.
pub const REASON: &str = "r";

/// A transparent pixel of one by one.
const PIXEL: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

const ROUTES: &[Route] = &[
    Route::new("/win", Methods::GetOrPost),
    Route::new("/bill", Methods::GetOrPost),
    Route::new("/loss", Methods::GetOrPost),
    Route::new("/imp", Methods::GetOrPost),
    Route::new("/click", Methods::GetOrPost),
    Route::new("/sync/*", Methods::Get),
];
const SYNC: &str = "sync";
const KINDS: [&str; 6] = ["win", "bill", "loss", "imp", "click", SYNC];
/// Parameters of a user sync that are looked at; one that has more is not clearly allowed.
const PARAMETERS_MAX: usize = 64;

/// Counts a notice: its kind, and what became of it.
pub type CountNotice = Arc<dyn Fn(&'static str, &'static str) + Send + Sync>;
/// Counts a lost bid by its loss code.
pub type CountLoss = Arc<dyn Fn(&str) + Send + Sync>;

/// What the listener's child is given.
#[derive(Clone)]
pub struct NoticeParts {
    /// Its socket.
    pub socket: Arc<ListeningSocket>,
    /// What opens tokens.
    pub sealer: Arc<Sealer>,
    /// What settles.
    pub settlement: Address<SettlementMessage>,
    /// Where a click goes.
    pub shelf: Arc<Shelf>,
    /// What counts.
    pub count: CountNotice,
    /// What counts losses.
    pub count_loss: CountLoss,
    /// Who learns what exchanges think of creatives.
    pub approvals: ApprovalDesk,
    /// Who knows what was sold.
    pub journal: Journal,
    /// Who visits.
    pub visitors: Visitors,
}

/// What user syncs are made of.
#[derive(Clone)]
pub struct Visitors {
    /// Where the exchanges take our ids, by their names.
    pub urls: Arc<HashMap<Arc<str>, Arc<str>>>,
    /// What makes a user key of an id.
    pub hash: UserHash,
    /// Random bits; none where the machine gives none.
    pub draw: fn() -> Option<u128>,
}

/// The notices' listener as a child.
pub fn notice_listener(parts: &NoticeParts) -> Spec {
    let service = parts.clone();
    serving_listener("listener", &parts.socket, limits(), move || NoticeService {
        parts: service.clone(),
    })
}

/// What answers while notices cannot be taken: 503 to all of them, so that exchanges ask again.
pub fn unavailable_listener(parts: &NoticeParts) -> Spec {
    let count = Arc::clone(&parts.count);
    serving_listener("listener", &parts.socket, limits(), move || Unavailable {
        count: Arc::clone(&count),
    })
}

fn limits() -> Limits {
    Limits {
        body_bytes: BODY_BYTES_MAX,
        ..Limits::default()
    }
}

struct NoticeService {
    parts: NoticeParts,
}

/// What a notice is about.
#[derive(Clone, Copy)]
struct Subject {
    place: Place,
    key: ImpressionKey,
    bid_at: UnixMillis,
}

impl Subject {
    fn of(token: &Token) -> Self {
        Self {
            place: (token.exchange, token.creative),
            key: ImpressionKey {
                bid: token.bid,
                imp: token.imp,
            },
            bid_at: token.bid_at,
        }
    }
}

impl AsyncService for NoticeService {
    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    async fn answer(&mut self, request: Request<'_>) -> Answer {
        let kind = KINDS.get(request.head.route).copied().unwrap_or("unknown");
        let query = request.head.query.unwrap_or_default();
        if kind == SYNC {
            return self.sync(&request.head, query);
        }
        let token = match self.open(query) {
            Ok(token) => token,
            Err(error) => {
                (self.parts.count)(kind, label(error));
                return Answer::empty(StatusCode::BAD_REQUEST);
            }
        };
        let subject = Subject::of(&token);
        self.recognise(&request.head, query, token.user);
        let landing = (kind == "click").then(|| self.landing(&token)).flatten();
        let notice = notice(kind, query);
        let call = self
            .parts
            .settlement
            .call(|reply| SettlementMessage::Settle(notice, Box::new(token), reply));
        let settled = match tokio::time::timeout(SETTLE_WITHIN, call).await {
            Ok(Ok(settled)) => settled,
            Ok(Err(_)) | Err(_) => Settled::Unavailable,
        };
        (self.parts.count)(kind, settled.label());
        self.learn((settled, kind), query, subject).await;
        match (settled, kind) {
            // A person who clicked is sent on, whatever the books say.
            (_, "click") => landing.unwrap_or(Answer::empty(StatusCode::NOT_FOUND)),
            (Settled::Unavailable, _) => Answer::empty(StatusCode::SERVICE_UNAVAILABLE),
            (Settled::Refused(Refusal::PastHorizon), _) => Answer::empty(StatusCode::GONE),
            (Settled::Refused(Refusal::OutOfRange), _) => Answer::empty(StatusCode::BAD_REQUEST),
            (_, "imp") => Answer::new(StatusCode::OK, ContentType::GIF, PIXEL)
                .with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            _ => Answer::no_content(),
        }
    }
}

impl NoticeService {
    fn open(&self, query: &str) -> Result<Token, TokenError> {
        let text = parameter(query, TOKEN).ok_or(TokenError::Malformed)?;
        self.parts.sealer.open(&text)
    }

    /// What a notice says of its creative. Only the first word of a bid that was open counts: one that was sold, or was
    /// lost before, or was a test, says nothing; and one that we did not make has no token.
    async fn learn(&self, (settled, kind): (Settled, &str), query: &str, subject: Subject) {
        let place = subject.place;
        match settled {
            Settled::Won | Settled::Billed => self.parts.approvals.begin_anew(place),
            Settled::Nothing(Reason::Late) => {
                (self.parts.count_loss)(&code_label(loss_code(query)));
            }
            Settled::Freed if kind == "loss" => {
                let code = loss_code(query);
                (self.parts.count_loss)(&code_label(code));
                // Of the reasons to filter a creative (200 to 215) only these are about the creative as such; the others
                // say that it did not suit this impression, and may all be well on the next.
                match code.and_then(LossReason::from_wire) {
                    Some(LossReason::CreativeRefused) if self.is_unsold(subject).await => {
                        self.parts.approvals.refused(place, subject.key.bid);
                    }
                    Some(LossReason::CreativePending) => self.parts.approvals.begin_anew(place),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether the books know that the impression was not sold. Settlement forgets, and whoever saw an ad holds its token.
    async fn is_unsold(&self, Subject { key, bid_at, .. }: Subject) -> bool {
        let look = read(&self.parts.journal, move |books| {
            books.settled(key).is_none() && !books.is_forgotten(bid_at)
        });
        matches!(tokio::time::timeout(LOOK_WITHIN, look).await, Ok(Ok(true)))
    }

    /// Gives a visitor an id, or reads it, and sends it on to the exchange: to the URL of the configuration, and no other.
    fn sync(&self, head: &Head<'_>, query: &str) -> Answer {
        let count = |outcome| (self.parts.count)(SYNC, outcome);
        let Some(url) = self.parts.visitors.urls.get(head.tail) else {
            count("unknown_exchange");
            return Answer::empty(StatusCode::NOT_FOUND);
        };
        if !is_allowed(head, query) {
            count("restricted");
            return unstored(Answer::no_content());
        }
        let cookies = head.headers.find("cookie");
        let (url, cookie) = match sync(url, cookies, self.parts.visitors.draw) {
            Synced::Known(url) => (url, None),
            Synced::New { url, cookie } => (url, Some(cookie)),
            Synced::Nobody => {
                count("unavailable");
                return unstored(Answer::no_content());
            }
        };
        count(if cookie.is_some() { "new" } else { "known" });
        let Ok(place) = HeaderValue::from_str(&url) else {
            return Answer::empty(StatusCode::NOT_FOUND);
        };
        let answer =
            unstored(Answer::empty(StatusCode::FOUND).with_header(header::LOCATION, place));
        match cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            Some(cookie) => answer.with_header(header::SET_COOKIE, cookie),
            None => answer,
        }
    }

    /// Counts whether the browser that reports is the one that the exchange named: how well user syncs work. Where the
    /// law or the person forbids to know who it is, nobody looks.
    fn recognise(&self, head: &Head<'_>, query: &str, user: Option<UserKey>) {
        if !is_allowed(head, query) {
            return;
        }
        let visitor = head.headers.find("cookie").and_then(VisitorId::in_cookies);
        if let (Some(visitor), Some(user)) = (visitor, user) {
            let key = self.parts.visitors.hash.key(&visitor.to_string());
            let outcome = if key == user { "same" } else { "other" };
            (self.parts.count)("visitor", outcome);
        }
    }

    /// Where a click goes: the creative's own page, never a place that the URL names.
    fn landing(&self, token: &Token) -> Option<Answer> {
        let catalogue = self.parts.shelf.current();
        let creative = catalogue.creative(token.campaign, token.creative)?;
        let place = HeaderValue::from_str(&creative.click_url).ok()?;
        Some(Answer::empty(StatusCode::FOUND).with_header(header::LOCATION, place))
    }
}

/// Whether neither the exchange nor the browser says anything that forbids to know who visits.
fn is_allowed(head: &Head<'_>, query: &str) -> bool {
    let said: Vec<_> = parameters(query).take(PARAMETERS_MAX + 1).collect();
    let named = said
        .iter()
        .filter_map(|[key, value]| Some((key.as_deref()?, value.as_deref())));
    let of_browser = [("gpc", "sec-gpc"), ("dnt", "dnt")];
    let of_browser = of_browser
        .into_iter()
        .filter_map(|(key, name)| Some((key, Some(head.headers.find(name)?))));
    said.len() <= PARAMETERS_MAX && Privacy::of_parameters(&named.chain(of_browser)).is_allowed()
}

/// An answer that no cache keeps: the next visitor is somebody else.
fn unstored(answer: Answer) -> Answer {
    answer.with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

struct Unavailable {
    count: CountNotice,
}

impl AsyncService for Unavailable {
    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    async fn answer(&mut self, request: Request<'_>) -> Answer {
        let kind = KINDS.get(request.head.route).copied().unwrap_or("unknown");
        (self.count)(kind, Settled::Unavailable.label());
        Answer::empty(StatusCode::SERVICE_UNAVAILABLE)
    }
}

fn notice(kind: &str, query: &str) -> Notice {
    let price = || reported(parameter(query, PRICE).as_deref());
    match kind {
        "win" => Notice::Win(price()),
        "bill" => Notice::Bill(price()),
        "loss" => Notice::Loss,
        "imp" => Notice::Impression(price()),
        _ => Notice::Click,
    }
}

fn loss_code(query: &str) -> Option<u32> {
    parameter(query, REASON)?.trim().parse().ok()
}

/// The code where the specification lists it: what exchanges invent must not make a label each.
fn code_label(code: Option<u32>) -> String {
    match code {
        Some(code) if LossReason::from_wire(code).is_some() => code.to_string(),
        Some(_) => "other".to_owned(),
        None => "unknown".to_owned(),
    }
}

fn reported(text: Option<&str>) -> Reported {
    match text.map(SubstitutedPrice::parse) {
        Some(SubstitutedPrice::Price(price)) => Reported::Price(price),
        Some(SubstitutedPrice::Audit) => Reported::Audit,
        None
        | Some(
            SubstitutedPrice::Empty | SubstitutedPrice::Unknown | SubstitutedPrice::Unreplaced,
        ) => Reported::Missing,
        Some(_) => Reported::Unreadable,
    }
}

fn label(error: TokenError) -> &'static str {
    match error {
        TokenError::Malformed => "malformed",
        TokenError::Version(_) => "unknown_version",
        TokenError::UnknownKey(_) => "unknown_key",
        TokenError::Forged => "forged",
    }
}
