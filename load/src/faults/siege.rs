//! Connections that are held and hardly used: idle ones, half-sent heads, bodies that come byte by byte.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Injector;
use super::raw_wire::{self, Reply};
use crate::scenario::Siege;
use crate::wire::Target;
use crate::{clock, tasks};

/// What a connection does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Nothing.
    Idle,
    /// Half a head, then nothing.
    HalfOpen,
    /// A whole head, then a byte of the body from time to time.
    SlowBody(Duration),
}

/// More connections are opened after a short rest, so that a listener's queue is not what breaks.
const AT_ONCE: u64 = 100;
const REST: Duration = Duration::from_millis(20);
/// How often held connections look whether the run is over.
const STEP: Duration = Duration::from_millis(50);
/// What a slow body claims to be long: it never gets there.
const BODY_BYTES: usize = 100_000;

/// Holds connections until their time is up, and waits for them.
pub(super) async fn lay(injector: &Rc<Injector>, place: usize, siege: &Siege, kind: Kind) {
    let targets = injector.targets(siege.exchange.as_deref());
    let open = Rc::new(Cell::new(0_u64));
    let until = clock::now() + siege.time.min(injector.time_left());
    for (number, target) in (0..siege.connections).zip(targets.iter().cycle()) {
        if number % AT_ONCE == AT_ONCE - 1 {
            clock::sleep(REST).await;
        }
        open.set(open.get() + 1);
        let (injector, open, target) = (Rc::clone(injector), Rc::clone(&open), target.clone());
        tasks::start(async move {
            let outcome = match raw_wire::connect(&target).await {
                Err(_) => Reply::Refused.name(),
                Ok(stream) => match clock::before(until, hold(stream, &target, kind)).await {
                    Some(reply) => reply.name(),
                    None => "held to the end".to_owned(),
                },
            };
            injector.outcome(place, &outcome);
            open.set(open.get().saturating_sub(1));
        });
    }
    while open.get() > 0 && !injector.time_left().is_zero() {
        clock::sleep(STEP).await;
    }
}

/// Until the server answers or closes.
async fn hold(mut stream: TcpStream, target: &Target, kind: Kind) -> Reply {
    let (mut reader, mut writer) = stream.split();
    let head = raw_wire::head(target, BODY_BYTES, "");
    match kind {
        Kind::Idle => read_end(&mut reader).await,
        Kind::HalfOpen => {
            let half = head.len() / 2;
            let sent = head.as_bytes().get(..half).unwrap_or_default();
            if writer.write_all(sent).await.is_err() {
                return Reply::Closed;
            }
            read_end(&mut reader).await
        }
        Kind::SlowBody(byte_every) => {
            if writer.write_all(head.as_bytes()).await.is_err() {
                return Reply::Closed;
            }
            let dripping = async {
                // A JSON string without an end.
                let bytes = b"{\"id\":\"".iter().chain(std::iter::repeat(&b'x'));
                for byte in bytes {
                    if writer.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    clock::sleep(byte_every).await;
                }
            };
            tokio::select! {
                () = dripping => Reply::Closed,
                reply = raw_wire::read_status(&mut reader) => reply,
            }
        }
    }
}

/// An answer to what was never asked counts, too.
async fn read_end(reader: &mut (impl AsyncReadExt + Unpin)) -> Reply {
    raw_wire::read_status(reader).await
}
