//! The least an HTTP server can do: read each request's body, answer the same bytes. What a bidder is compared with.
//!
//! hyper on one thread, like one data thread of a server built on it, and nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::tasks;

/// What it answers with.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 200 with these bytes.
    Content(Bytes),
    /// 204.
    Nothing,
}

impl Reply {
    /// A bid of a usual size, 1.2 KB.
    pub fn sample() -> Self {
        Self::Content(Bytes::from_static(include_bytes!(
            "../scenarios/sample_response.json"
        )))
    }
}

/// Listens on `address` and tells where, which matters for port 0.
///
/// # Errors
/// Where the address cannot be listened on.
pub async fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Answers for ever. Must be called inside `tasks::run`.
///
/// # Errors
/// Where connections cannot be accepted any more.
pub async fn serve(listener: TcpListener, reply: Reply) -> std::io::Result<Infallible> {
    loop {
        let (stream, _) = listener.accept().await?;
        let reply = reply.clone();
        tasks::start(async move {
            // A connection that breaks is its client's affair.
            drop(connection(stream, reply).await);
        });
    }
}

async fn connection(stream: TcpStream, reply: Reply) -> hyper::Result<()> {
    // Without it answers still leave, only later.
    stream.set_nodelay(true).unwrap_or_default();
    let service = service_fn(move |request| answer(request, reply.clone()));
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(
    request: Request<Incoming>,
    reply: Reply,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let mut response = Response::new(Full::new(Bytes::new()));
    match reply {
        Reply::Content(bytes) => {
            *response.body_mut() = Full::new(bytes);
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
        }
        Reply::Nothing => *response.status_mut() = StatusCode::NO_CONTENT,
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Pool;

    #[test]
    fn it_answers_the_same_bytes_to_every_request() {
        let bodies = tasks::run(async {
            let (listener, bound) = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
            tasks::start(async move {
                drop(serve(listener, Reply::Content(Bytes::from_static(b"same"))).await);
            });
            let pool = Pool::new(&bound.to_string(), 2);
            let mut bodies = Vec::new();
            for path in ["/bid", "/ready"] {
                let request = Request::post(path).body(Full::new(Bytes::from_static(b"{}")));
                let answer = pool.send(request.unwrap()).await.unwrap();
                bodies.push((answer.status.as_u16(), answer.body));
            }
            bodies
        })
        .unwrap();
        assert_eq!(
            bodies,
            [
                (200, Bytes::from_static(b"same")),
                (200, Bytes::from_static(b"same"))
            ]
        );
    }

    #[test]
    fn the_sample_is_a_response_of_a_usual_size() {
        let Reply::Content(bytes) = Reply::sample() else {
            panic!("the sample is content");
        };
        assert!((1_100..1_500).contains(&bytes.len()), "{}", bytes.len());
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert!(json["seatbid"][0]["bid"][0]["price"].is_number());
    }
}
