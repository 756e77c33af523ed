//! Where the servers of a simulation wait: nothing of what they ask of the store, of the
//! EHR or of each other's callers happens before the schedule says so, and how.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{body::Body, http};
use tokio::sync::oneshot;
use vestibule_server::http_client::{Transport, TransportError};
use vestibule_store::{SqliteStore, StoreError};

/// How something goes that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Works,
    /// Nothing happens, and the caller is told.
    Fails,
    /// It happens, and the caller never hears of it.
    AnswerLost,
}

/// A fault of the servers themselves, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// The EHR is not told who is connected, and it is taken to be.
    NobodyTold,
    /// What is sent to the EHR's token endpoint is sent a second time.
    CodeSentTwice,
    /// The schedule breaks off once it has something to tell.
    Panic,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A server, by its number, and the how manieth of its lives.
    Server(usize, u32),
    /// Somebody outside: a browser or a conferencing node.
    Outside,
}

/// Something that was asked for and has not happened.
pub(crate) struct Waiting {
    pub(crate) asker: Asker,
    pub(crate) asked: Asked,
}

pub(crate) enum Asked {
    /// An operation of the store, by its name.
    Store(&'static str, StoreCall),
    /// A request to the EHR by a server.
    Ehr(http::Request<Vec<u8>>, EhrAnswer),
    /// A request to the EHR's own pages by a browser.
    EhrPage(http::Request<Body>, PageAnswer),
    /// A request to whichever server the load balancer chooses.
    Server(http::Request<Body>, PageAnswer),
}

pub(crate) type EhrAnswer = oneshot::Sender<Result<http::Response<Vec<u8>>, TransportError>>;
pub(crate) type PageAnswer = oneshot::Sender<Page>;
pub(crate) type StoreCall =
    Box<dyn FnOnce(SqliteStore, Fate) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// An answer as a browser has it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// Everything that waits. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Queue(Arc<Mutex<Vec<Waiting>>>);

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn take(&self, place: usize) -> Waiting {
        self.0.lock().unwrap().remove(place)
    }

    /// Takes out everything that one asker waits for.
    pub(crate) fn take_of(&self, asker: Asker) -> Vec<Waiting> {
        let mut waiting = self.0.lock().unwrap();
        let (own, others) = mem::take(&mut *waiting)
            .into_iter()
            .partition(|waiting| waiting.asker == asker);
        *waiting = others;
        own
    }

    fn put(&self, asker: Asker, asked: Asked) {
        self.0.lock().unwrap().push(Waiting { asker, asked });
    }

    /// Opens a page of the EHR.
    pub(crate) async fn ehr_page(&self, request: http::Request<Body>) -> Option<Page> {
        let (answer, answered) = oneshot::channel();
        self.put(Asker::Outside, Asked::EhrPage(request, answer));
        answered.await.ok()
    }

    /// Sends a request to some server; none where no answer comes.
    pub(crate) async fn server(&self, request: http::Request<Body>) -> Option<Page> {
        let (answer, answered) = oneshot::channel();
        self.put(Asker::Outside, Asked::Server(request, answer));
        answered.await.ok()
    }
}

/// What one life of a server asks through: its store and its way to the EHR.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) asker: Asker,
    queue: Queue,
    pub(crate) planted: Option<Planted>,
}

impl Gate {
    pub(crate) fn new(asker: Asker, queue: &Queue) -> Self {
        Self {
            asker,
            queue: queue.clone(),
            planted: None,
        }
    }

    async fn ask_the_ehr(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let (answer, answered) = oneshot::channel();
        self.queue.put(self.asker, Asked::Ehr(request, answer));
        match tokio::time::timeout(deadline, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(TransportError::BrokenOff("the EHR is gone".to_owned())),
            Err(_) => Err(TransportError::Timeout(deadline)),
        }
    }

    /// Asks for an operation of the store.
    pub(crate) async fn store<T, Operating>(
        &self,
        name: &'static str,
        operation: impl FnOnce(SqliteStore) -> Operating + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Operating: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let call: StoreCall = Box::new(move |store, fate| {
            Box::pin(async move {
                let result = match fate {
                    Fate::Works => operation(store).await,
                    Fate::Fails => Err(unavailable()),
                    Fate::AnswerLost => {
                        drop(operation(store).await);
                        Err(unavailable())
                    }
                };
                // Who asked may be dead.
                drop(answer.send(result));
            })
        });
        self.queue.put(self.asker, Asked::Store(name, call));
        answered.await.unwrap_or_else(|_| Err(unavailable()))
    }
}

fn unavailable() -> StoreError {
    sqlx::Error::PoolTimedOut.into()
}

#[async_trait]
impl Transport for Gate {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let path = request.uri().path();
        if self.planted == Some(Planted::NobodyTold) && path.contains("ConnectionStatus") {
            return Ok(http::Response::new(Vec::new()));
        }
        if self.planted == Some(Planted::CodeSentTwice) && request.method() == http::Method::POST {
            drop(self.ask_the_ehr(request.clone(), deadline).await);
        }
        self.ask_the_ehr(request, deadline).await
    }
}
