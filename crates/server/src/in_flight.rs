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
    /// Counts one more until the result is dropped.
    pub fn more(&self) -> One {
        self.0.fetch_add(1, Ordering::SeqCst);
        One(self.clone())
    }

    /// How many there are.
    pub fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until there are none.
    pub async fn none(&self) {
        while self.0.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Counts one request until its response begins or its caller has gone. A route that
/// goes on without its caller finds the counter in the request's extensions.
pub async fn count(
    State(in_flight): State<InFlight>,
    mut request: Request,
    next: Next,
) -> Response {
    let _one = in_flight.more();
    request.extensions_mut().insert(in_flight);
    next.run(request).await
}

/// Something under way, until it is dropped.
#[derive(Debug)]
pub struct One(InFlight);

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
