//! An address of its own for what Pexip Infinity asks and tells, so that it need not be
//! where patients' browsers come in.

use std::{any::Any, fmt, io, net::SocketAddr, sync::Arc};

use axum::{Router, http::StatusCode, middleware, response::IntoResponse};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    access_log,
    security_headers::{self, Policies},
};

/// Has its address but does not answer yet.
pub struct PexipServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl PexipServer {
    /// Takes the address, for these routes.
    ///
    /// # Errors
    /// Where it cannot be listened on.
    pub async fn bind(listen: SocketAddr, routes: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let panicked = |panic: Box<dyn Any + Send>| {
            drop(panic);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        };
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            router: routes
                .layer(CatchPanicLayer::custom(panicked))
                .layer(middleware::from_fn_with_state(
                    Arc::new(Policies::new(&[])),
                    security_headers::set,
                ))
                .layer(middleware::from_fn(access_log::log)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end`, then lets requests under way finish.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) {
        let serving = axum::serve(self.listener, self.router).with_graceful_shutdown(end);
        if let Err(error) = serving.await {
            tracing::error!(%error, "what Pexip asks and tells is not served any more");
        }
    }
}

impl fmt::Debug for PexipServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PexipServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
