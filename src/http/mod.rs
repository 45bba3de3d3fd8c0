//! HTTP/1.1 as a server speaks it: listening sockets, connections, status codes. It knows nothing of ads.
//!
//! | file | what it decides |
//! |---|---|
//! | `listen` | binding, and what to do when accepting fails |
//! | `listener` | listeners as children: handing sockets on, or serving them |
//! | `query` | parameters of a query string |
//! | `serve` | the life of one connection: time-outs, age, an end that drops nothing in hand |
//! | `respond` | one request: route, framing, body, encoding, then the [`Service`] |
//! | `service` | what a service is asked and may answer |
//! | `route` | which paths exist (404) and which methods they take (405) |
//! | `body` | reading a body within its limits (413, 408) |
//! | `coding` | content codings (415), gzip both ways, within a limit |
//! | `framing` | whether a chunked request is framed beyond doubt (400) |
//! | `watch` | what a connection is doing, seen at its socket |
//! | `data_thread` | the threads that connections live on, and how late they are |
//!
//! Nothing here spawns: a connection is a future that its owner runs. hyper parses and writes; a request head over
//! [`HEAD_BYTES_MAX`] or over 100 headers is its 431, a malformed head its 400.

mod body;
mod coding;
mod data_thread;
mod framing;
mod listen;
mod listener;
mod query;
mod respond;
mod route;
mod serve;
mod service;
mod watch;

#[cfg(test)]
mod tests;

pub use hyper::header::{self, HeaderName, HeaderValue};
pub use hyper::{Method, StatusCode};

pub use coding::{GunzipError, gunzip, gzip};
pub use data_thread::{Berth, DataThreads, Load, data_thread};
pub use listen::{AcceptTrouble, ListenError, ListeningSocket, accept};
pub use listener::{listener, serving_listener};
pub use query::{parameter, parameters};
pub use route::{Methods, Route};
pub use serve::{
    ConnectionEnd, EndCause, HEAD_BYTES_MAX, Limits, serve_async_connection, serve_connection,
};
pub use service::{Answer, AsyncService, ContentType, Head, Headers, Request, Service};
