//! An address of its own for what Pexip Infinity asks and tells, so that it need not be
//! where patients' browsers come in.

use std::{any::Any, fmt, io, net::SocketAddr, sync::Arc};

use axum::{Router, http::StatusCode, middleware, response::IntoResponse};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    access_log::{self, RequestLog},
    security_headers::{self, Policies},
    serving::{Draining, Listener, Settings},
    tools::Tools,
};

/// Has its address but does not answer yet.
pub struct PexipServer {
    listener: Listener,
    router: Router,
}

impl PexipServer {
    /// Takes the address, for these routes.
    ///
    /// # Errors
    /// Where it cannot be listened on.
    pub async fn bind(
        listen: SocketAddr,
        settings: Settings,
        routes: Router,
        tools: &Tools,
    ) -> io::Result<Self> {
        let listener = Listener::bind(listen, settings).await?;
        let panicked = |panic: Box<dyn Any + Send>| {
            drop(panic);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        };
        Ok(Self {
            listener,
            router: routes
                .layer(CatchPanicLayer::custom(panicked))
                .layer(middleware::from_fn_with_state(
                    Arc::new(Policies::new(&[])),
                    security_headers::set,
                ))
                .layer(middleware::from_fn_with_state(
                    RequestLog::new("pexip", tools),
                    access_log::log,
                )),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Answers until draining begins, then lets requests under way finish.
    pub async fn run(self, draining: Draining) {
        self.listener.serve(self.router, draining).await;
    }
}

impl fmt::Debug for PexipServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PexipServer")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}
