//! A bidder for tests: it answers rightly, and then as wrongly as a test wants.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{clock, tasks};

/// What it does with one bid request.
pub(crate) enum Act {
    /// Answers so.
    Answer(StatusCode, Value),
    /// Answers as it should, but it and all that come meanwhile only after so long.
    Stall(Duration),
    /// Answers as it should, but only after so long.
    Delay(Duration),
    /// Bids nothing, after so long.
    Shed(Duration),
    /// Breaks the connection.
    Break,
}

type Acting = dyn Fn(u64, &Value) -> Option<Act>;
type Noticing = dyn Fn(u64, &str) -> StatusCode;
/// A page made of the paths of the notices so far.
type Page = dyn Fn(&[String]) -> String;

/// A bidder.
pub(crate) struct Fake {
    act: Box<Acting>,
    notice: Box<Noticing>,
    address: RefCell<String>,
    requests: Cell<u64>,
    notices: RefCell<Vec<String>>,
    /// What `GET /campaigns` answers.
    campaigns: RefCell<Option<Box<Page>>>,
    stalled_until: Cell<std::time::Instant>,
}

impl Fake {
    /// Starts one that does `act` (the n-th request and its JSON; `None` is a right answer) and answers notices so.
    pub(crate) async fn start(
        act: impl Fn(u64, &Value) -> Option<Act> + 'static,
        notice: impl Fn(u64, &str) -> StatusCode + 'static,
    ) -> Rc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let fake = Rc::new(Self {
            act: Box::new(act),
            notice: Box::new(notice),
            address: RefCell::new(address),
            requests: Cell::new(0),
            notices: RefCell::default(),
            campaigns: RefCell::default(),
            stalled_until: Cell::new(clock::now()),
        });
        let serving = Rc::clone(&fake);
        tasks::start(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = Rc::clone(&serving);
                tasks::start(async move {
                    let service = service_fn(move |request| Rc::clone(&fake).answer(request));
                    let serving =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    drop(serving.await);
                });
            }
        });
        fake
    }

    /// Where it listens.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address.borrow())
    }

    /// Lets it answer `GET /campaigns`, as an admin server does.
    pub(crate) fn keep_books(&self, page: impl Fn(&[String]) -> String + 'static) {
        *self.campaigns.borrow_mut() = Some(Box::new(page));
    }

    /// Paths of the notices that it got, in order.
    pub(crate) fn notices(&self) -> Vec<String> {
        self.notices.borrow().clone()
    }

    async fn answer(
        self: Rc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let path = request.uri().to_string();
        if request.method() == Method::GET {
            if path == "/ready" {
                return Ok(respond(StatusCode::OK, "1"));
            }
            if let Some(page) = self
                .campaigns
                .borrow()
                .as_ref()
                .filter(|_| path == "/campaigns")
            {
                return Ok(respond(StatusCode::OK, &page(&self.notices.borrow())));
            }
            let mut notices = self.notices.borrow_mut();
            notices.push(path.clone());
            let count = u64::try_from(notices.len()).unwrap();
            return Ok(respond((self.notice)(count, &path), ""));
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        self.requests.set(self.requests.get() + 1);
        let act = (self.act)(self.requests.get(), &asked);
        if let Some(Act::Stall(time)) = act {
            self.stalled_until.set(clock::now() + time);
        }
        clock::sleep(
            self.stalled_until
                .get()
                .saturating_duration_since(clock::now()),
        )
        .await;
        if let Some(Act::Delay(time) | Act::Shed(time)) = act {
            clock::sleep(time).await;
        }
        let right = || right_answer(&asked, &self.address.borrow());
        let (status, answer) = match act {
            Some(Act::Break) => return Err(std::io::Error::other("broken as asked")),
            Some(Act::Answer(status, answer)) => (status, answer),
            Some(Act::Shed(_)) => (StatusCode::NO_CONTENT, Value::Null),
            Some(Act::Stall(_) | Act::Delay(_)) | None => (StatusCode::OK, right()),
        };
        if status == StatusCode::NO_CONTENT {
            return Ok(respond(status, ""));
        }
        Ok(respond(status, &answer.to_string()))
    }
}

fn respond(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, json);
    response
}

/// A response with which nothing is wrong: one bid for each imp, a dollar above its floor.
pub(crate) fn right_answer(asked: &Value, notices: &str) -> Value {
    let id = asked["id"].as_str().unwrap();
    let imps = asked["imp"].as_array().unwrap();
    let bids: Vec<Value> = imps
        .iter()
        .enumerate()
        .map(|(place, imp)| right_bid(imp, &format!("{id}-{place}"), notices))
        .collect();
    json!({"id": id, "bidid": "r1", "cur": "USD", "seatbid": [{"seat": "1234", "bid": bids}]})
}

fn right_bid(imp: &Value, id: &str, notices: &str) -> Value {
    let floor = imp["bidfloor"].as_f64().unwrap_or(0.0);
    let price = ((floor + 1.0) * 100.0).round() / 100.0;
    let is_secure = imp["secure"] == json!(1) || imp["secure"] == json!(true);
    let scheme = if is_secure { "https" } else { "http" };
    let shown = format!("{scheme}://{notices}/imp?t={id}&p=${{AUCTION_PRICE}}");
    let clicked = format!("http://{notices}/click?t={id}");
    let url = |kind: &str| format!("http://{notices}/{kind}?t={id}&p=${{AUCTION_PRICE}}");
    let mut bid = json!({
        "id": id,
        "impid": imp["id"],
        "price": price,
        "nurl": url("win"),
        "burl": url("bill"),
        "lurl": format!("http://{notices}/loss?t={id}&r=${{AUCTION_LOSS}}"),
        "adomain": ["brand.example"],
        "cat": ["IAB22"],
        "cid": format!("campaign-{}", id.len() % 3),
        "crid": "creative-1",
    });
    let (mtype, adm) = if imp["banner"].is_object() {
        let banner = &imp["banner"];
        bid["w"] = banner["w"].clone();
        bid["h"] = banner["h"].clone();
        let shown = shown.replace('&', "&amp;");
        let image = "<img src=\"https://cdn.example/a.png\" width=\"300\">";
        let pixel = format!("<img src='{shown}' width=1 height=1 />");
        (1, format!("<a href=\"{clicked}\">{image}</a>{pixel}"))
    } else if imp["video"].is_object() {
        (2, right_vast(&shown, &clicked))
    } else {
        (4, right_native(&imp["native"], &shown, &clicked))
    };
    bid["mtype"] = json!(mtype);
    bid["adm"] = json!(adm);
    bid
}

fn right_vast(shown: &str, clicked: &str) -> String {
    format!(
        "<VAST version=\"3.0\"><Ad id=\"1\"><InLine><AdSystem>x</AdSystem><AdTitle>x</AdTitle>\
         <Impression><![CDATA[{shown}]]></Impression><Creatives><Creative><Linear><Duration>00:00:15</Duration>\
         <VideoClicks><ClickTracking><![CDATA[{clicked}]]></ClickTracking></VideoClicks><MediaFiles>\
         <MediaFile delivery=\"progressive\" type=\"video/mp4\" width=\"640\" height=\"360\">\
         <![CDATA[https://cdn.example/a.mp4]]></MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>"
    )
}

fn right_native(native: &Value, shown: &str, clicked: &str) -> String {
    let asked: Value = serde_json::from_str(native["request"].as_str().unwrap()).unwrap();
    let assets: Vec<Value> = asked["assets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asset| {
            let id = &asset["id"];
            if asset["title"].is_object() {
                json!({"id": id, "title": {"text": "A title"}})
            } else if asset["img"].is_object() {
                json!({"id": id, "img": {"url": "https://cdn.example/a.jpg", "w": 1200, "h": 627}})
            } else {
                json!({"id": id, "data": {"value": "A text"}})
            }
        })
        .collect();
    json!({
        "ver": "1.2",
        "assets": assets,
        "link": {"url": "https://brand.example/", "clicktrackers": [clicked]},
        "eventtrackers": [{"event": 1, "method": 1, "url": shown}],
    })
    .to_string()
}
