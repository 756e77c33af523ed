//! The simulated EHR as a running server.

use std::{
    future::{self, Future},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use rand::CryptoRng;
use tokio::{net::TcpListener, sync::oneshot, time};
use vestibule_launch::Clock;

use crate::{config::Config, controls::Controls, ehr::Ehr, id_token::IdTokenKey, routes};

/// How long requests under way may take to finish. They take milliseconds; what
/// lasts longer is a browser that opened a connection and says nothing.
const DRAIN: Duration = Duration::from_secs(2);

/// A simulated EHR that has its address and can serve.
pub struct Sandbox {
    listener: TcpListener,
    ehr: Arc<Ehr>,
}

/// The address of the configuration cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (field listen): {source}")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// The EHR's routes for requests that come without a listener, and its controls.
/// `address` is where the EHR believes to be found. Several that are given clones of
/// one key make it once.
pub fn router(
    config: Config,
    address: String,
    clock: Arc<dyn Clock>,
    rng: Box<dyn CryptoRng + Send>,
    id_token_key: IdTokenKey,
) -> (axum::Router, Controls) {
    let ehr = Arc::new(Ehr::new(config, address, clock, rng, id_token_key));
    (routes::router(ehr.clone()), Controls(ehr))
}

impl Sandbox {
    /// Takes the address of the configuration; connections are accepted from
    /// now on and answered once [`Self::serve`] runs.
    ///
    /// # Errors
    /// [`BindError`] where the address cannot be had.
    pub async fn bind(
        config: Config,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, BindError> {
        let failed = |source| BindError {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = format!("http://{}", listener.local_addr().map_err(failed)?);
        Ok(Self {
            listener,
            ehr: Arc::new(Ehr::new(config, address, clock, rng, IdTokenKey::default())),
        })
    }

    /// The EHR's own address, such as `http://127.0.0.1:7081`. Its FHIR base
    /// address, the `iss` of every launch, is this and `/api/FHIR/R4`.
    pub fn address(&self) -> &str {
        self.ehr.address()
    }

    /// What a test can see and change while the EHR serves.
    pub fn controls(&self) -> Controls {
        Controls(self.ehr.clone())
    }

    /// Answers requests until `shutdown` is done, then for at most two seconds
    /// those under way.
    ///
    /// # Errors
    /// As [`axum::serve()`]: none today.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let (stopping, stopped) = oneshot::channel();
        let server = axum::serve(self.listener, routes::router(self.ehr)).with_graceful_shutdown(
            async move {
                shutdown.await;
                // Nobody listens any more only where the server has ended already.
                let _ = stopping.send(());
            },
        );
        let drained = async {
            if stopped.await.is_err() {
                future::pending::<()>().await;
            }
            time::sleep(DRAIN).await;
        };
        tokio::select! {
            result = server => result,
            () = drained => Ok(()),
        }
    }
}
