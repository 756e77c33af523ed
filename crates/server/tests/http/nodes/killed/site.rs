//! The site: servers behind one address, of which one or another is killed and comes back.

use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt as _, rngs::ChaCha20Rng};
use reqwest::{Client, RequestBuilder, header::HeaderMap};

use super::super::{GENEROUS, Node};

/// How many servers there are.
pub(super) const SERVERS: usize = 3;

/// The servers, and what stands before them.
pub(super) struct Site {
    folder: PathBuf,
    client: Client,
    servers: [Place; SERVERS],
    asked: AtomicUsize,
    lost: AtomicUsize,
}

#[derive(Default)]
struct Place {
    node: Mutex<Option<Node>>,
    url: Mutex<Option<String>>,
    in_flight: AtomicUsize,
}

/// What a server answered.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Page {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A request that is under way at a server.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Site {
    /// All servers run.
    pub(super) fn start(folder: PathBuf, client: Client) -> Self {
        let site = Self {
            folder,
            client,
            servers: Default::default(),
            asked: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        };
        for server in 0..SERVERS {
            site.start_again(server);
        }
        site
    }

    /// How many requests have been sent to servers.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many of them were not answered.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }

    /// Whether a server has requests under way.
    pub(super) fn is_busy(&self, server: usize) -> bool {
        self.servers[server].in_flight.load(Ordering::SeqCst) > 0
    }

    /// Kills a server as `kill -9` does, whatever it is at.
    pub(super) fn kill(&self, server: usize) {
        let place = &self.servers[server];
        let node = place.node.lock().unwrap().take();
        tokio::task::block_in_place(|| node.expect("it runs").kill());
        place.url.lock().unwrap().take();
    }

    pub(super) fn start_again(&self, server: usize) {
        let place = &self.servers[server];
        let node = tokio::task::block_in_place(|| Node::start(&self.folder));
        *place.url.lock().unwrap() = Some(node.url.clone());
        *place.node.lock().unwrap() = Some(node);
    }

    /// Sends a request to one of the servers, and where nobody listens any more to another
    /// one, as a load balancer does. None where the answer is lost, or whoever asked does
    /// not wait for it any longer.
    pub(super) async fn ask(
        &self,
        rng: &mut ChaCha20Rng,
        patience: Duration,
        request: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Option<Page> {
        let begun = Instant::now();
        loop {
            let server = rng.random_range(0..SERVERS);
            let place = &self.servers[server];
            let url = place.url.lock().unwrap().clone();
            if let Some(url) = url {
                let answer = self.try_once(place, request(&self.client, &url), patience);
                match answer.await {
                    Ok(page) => return Some(page),
                    Err(error) if error.is_connect() => {}
                    Err(_) => {
                        self.lost.fetch_add(1, Ordering::SeqCst);
                        return None;
                    }
                }
            }
            assert!(begun.elapsed() < GENEROUS, "no server listens");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn try_once(
        &self,
        place: &Place,
        request: RequestBuilder,
        patience: Duration,
    ) -> Result<Page, reqwest::Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _under_way = UnderWay::new(&place.in_flight);
        let response = request.timeout(patience).send().await?;
        Ok(Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        })
    }
}
