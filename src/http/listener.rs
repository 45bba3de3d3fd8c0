//! Listeners as children: one hands sockets on, one serves them itself.
//!
//! A listening socket is bound before the tree and outlives every listener: while one restarts, connections wait in the
//! kernel, and nobody is refused.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::listen::{AcceptTrouble, ListeningSocket, accept};
use super::serve::{Limits, serve_async_connection};
use super::service::AsyncService;
use crate::supervision::{Context, Failure, Plane, Spec, task};

/// Connections of one serving listener. Operators and trackers keep few; exchanges that send notices keep some hundreds.
const CONNECTIONS_MAX: usize = 2_048;

/// A listener that hands every accepted socket on.
pub fn listener(
    id: &str,
    socket: &Arc<ListeningSocket>,
    hand_on: impl Fn(TcpStream) + Clone + Send + Sync + 'static,
) -> Spec {
    let socket = Arc::clone(socket);
    task(id, Plane::Control, move |context| {
        let (socket, hand_on) = (Arc::clone(&socket), hand_on.clone());
        async move {
            context.ready();
            run(&socket, &context, |stream, _| hand_on(stream)).await
        }
    })
}

/// A listener that serves its connections in the control plane, each with a service of its own.
pub fn serving_listener<S: AsyncService>(
    id: &str,
    socket: &Arc<ListeningSocket>,
    limits: Limits,
    service: impl Fn() -> S + Clone + Send + Sync + 'static,
) -> Spec {
    let socket = Arc::clone(socket);
    task(id, Plane::Control, move |context| {
        let (socket, service) = (Arc::clone(&socket), service.clone());
        async move {
            context.ready();
            run(&socket, &context, |stream, _| {
                if context.owned_tasks() < CONNECTIONS_MAX {
                    serve(&context, stream, limits, service());
                }
            })
            .await
        }
    })
}

fn serve<S: AsyncService>(context: &Context, stream: TcpStream, limits: Limits, service: S) {
    let child = context.clone();
    context.spawn_on(Plane::Control, async move {
        let Ok(stream) = tokio::net::TcpStream::from_std(stream) else {
            return;
        };
        let closing = async {
            child.stopped().await;
        };
        serve_async_connection(stream, limits, service, closing, child.clock().clone()).await;
    });
}

async fn run(
    socket: &ListeningSocket,
    context: &Context,
    sink: impl FnMut(TcpStream, SocketAddr),
) -> Result<(), Failure> {
    let trouble = |trouble: AcceptTrouble| match trouble {
        AcceptTrouble::LostPeer(_) => {}
        AcceptTrouble::NoRoom(error) => {
            tracing::warn!(path = context.path(), %error, "no room for another connection");
        }
    };
    let closing = async {
        context.stopped().await;
    };
    Ok(accept(socket, sink, trouble, closing).await?)
}
