//! Counts requests under way, so that a server that ends can let them finish.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

/// Requests under way. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// Waits until there are none.
    pub async fn none(&self) {
        while self.0.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Counts one request until its response begins or its caller has gone.
pub async fn count(State(in_flight): State<InFlight>, request: Request, next: Next) -> Response {
    let _one = One::more(in_flight);
    next.run(request).await
}

struct One(InFlight);

impl One {
    fn more(in_flight: InFlight) -> Self {
        in_flight.0.fetch_add(1, Ordering::SeqCst);
        Self(in_flight)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
