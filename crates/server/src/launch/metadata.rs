//! The metadata of EHRs, remembered: asked for once, renewed behind the launches' back,
//! and good for a day where the EHR does not answer any more.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, header};
use url::Url;
use vestibule_launch::UnixTime;
use vestibule_smart::{
    MAX_CAPABILITY_STATEMENT_BYTES, Metadata, MetadataError, MetadataRequestError,
    capability_statement_request, metadata_request,
};

use crate::{expiring::Expiring, http_client::TransportError, tools::Tools};

/// How long an EHR may take to tell its metadata, in however many places it is looked.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long metadata is fresh where the EHR says nothing of it.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// How long it is fresh at most, whatever the EHR says.
const FRESH_AT_MOST: Duration = Duration::from_secs(60 * 60);

/// How long it is used where the EHR does not tell it any more.
const USABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// After how many failures in a row an EHR is not asked for a while.
const FAILURES: u32 = 3;

/// How long it is not asked then; afterwards one launch tries again.
const PAUSE: Duration = Duration::from_secs(30);

/// The same where its name cannot be resolved: that is mended soon, or not at all.
const PAUSE_DNS: Duration = Duration::from_secs(5);

/// Most EHRs and applications that are remembered.
const MOST: usize = 1_000;

/// Where an EHR's metadata is, and who asks: EHRs may answer each application with
/// endpoints of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whereabouts {
    /// The FHIR base URL.
    pub iss: Url,
    /// The application.
    pub client_id: String,
    /// Base URL of the EHR's OAuth2 endpoints: the last place to look.
    pub oauth2_base: Url,
}

/// Why there is no metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataFetchError {
    /// The EHR cannot be asked.
    #[error(transparent)]
    Request(#[from] MetadataRequestError),
    /// The EHR did not answer.
    #[error("the EHR's SMART metadata: {0}")]
    Transport(#[from] TransportError),
    /// The answer is of no use.
    #[error(transparent)]
    Answer(#[from] MetadataError),
}

/// The metadata of EHRs.
pub struct MetadataCache(Mutex<Expiring<Whereabouts, Arc<Entry>>>);

#[derive(Default)]
struct Entry {
    known: Mutex<Known>,
    /// Held by whoever asks the EHR.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    good: Option<Good>,
    failure: Option<Failed>,
    /// How often the EHR was asked.
    asked: u64,
}

#[derive(Clone)]
struct Good {
    metadata: Arc<Metadata>,
    told_at: UnixTime,
    fresh_until: UnixTime,
}

/// The failures since the last good answer.
#[derive(Clone)]
struct Failed {
    error: MetadataFetchError,
    in_a_row: u32,
    at: UnixTime,
}

impl MetadataCache {
    /// What is known of an EHR; it is asked where nothing is, once for however many
    /// launches wait. What is not fresh any more is used while it is renewed.
    ///
    /// # Errors
    /// Where nothing is known and the EHR does not tell.
    pub async fn find(
        &self,
        tools: &Tools,
        place: &Whereabouts,
    ) -> Result<Arc<Metadata>, MetadataFetchError> {
        let entry = self.entry(place, tools.now());
        let (known, asked) = {
            let known = entry.known();
            (known.usable(tools.now()), known.asked)
        };
        let Some(good) = known else {
            return entry.ask(tools, place, asked).await;
        };
        let now = tools.now();
        if now >= good.fresh_until {
            let failing = entry.known().failure.is_some();
            if failing {
                tools.telemetry.metadata_stale();
                let age_seconds = now.since(good.told_at).as_secs();
                let host = place.iss.host_str();
                tracing::warn!(
                    host,
                    age_seconds,
                    stale = true,
                    "old SMART metadata is used"
                );
            }
            let (tools, place) = (tools.clone(), place.clone());
            // The launch goes on meanwhile; where it fails, that is logged.
            tokio::spawn(async move { entry.renew(&tools, &place).await });
        }
        Ok(good.metadata)
    }

    /// What is known lives on as long as it may be used; where it is forgotten earlier,
    /// because there are too many, the EHR is asked again.
    fn entry(&self, place: &Whereabouts, now: UnixTime) -> Arc<Entry> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.touch(place, now, Arc::default))
    }
}

impl Entry {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the EHR. Who waited while somebody else asked gets the same answer.
    async fn ask(
        &self,
        tools: &Tools,
        place: &Whereabouts,
        asked: u64,
    ) -> Result<Arc<Metadata>, MetadataFetchError> {
        let _asking = self.asking.lock().await;
        {
            let known = self.known();
            let now = tools.now();
            if let Some(good) = known.usable(now) {
                return Ok(good.metadata);
            }
            if let Some(failure) = &known.failure
                && (known.asked > asked || failure.pauses(now))
            {
                return Err(failure.error.clone());
            }
        }
        self.fetch(tools, place).await
    }

    /// Asks the EHR for something fresher, unless somebody else does.
    async fn renew(&self, tools: &Tools, place: &Whereabouts) {
        let Ok(_asking) = self.asking.try_lock() else {
            return;
        };
        let now = tools.now();
        let wanted = {
            let known = self.known();
            let fresh = known
                .good
                .as_ref()
                .is_some_and(|good| now < good.fresh_until);
            let pauses = known
                .failure
                .as_ref()
                .is_some_and(|failure| failure.pauses(now));
            !fresh && !pauses
        };
        if wanted {
            // What went wrong is logged and remembered.
            let _ = self.fetch(tools, place).await;
        }
    }

    async fn fetch(
        &self,
        tools: &Tools,
        place: &Whereabouts,
    ) -> Result<Arc<Metadata>, MetadataFetchError> {
        let fetched = fetch(tools, place).await;
        tools.telemetry.metadata_fetched(fetched.is_ok());
        let now = tools.now();
        let mut known = self.known();
        known.asked += 1;
        match fetched {
            Ok((metadata, fresh)) => {
                let metadata = Arc::new(metadata);
                known.failure = None;
                known.good = Some(Good {
                    metadata: Arc::clone(&metadata),
                    told_at: now,
                    fresh_until: now + fresh,
                });
                Ok(metadata)
            }
            Err(error) => {
                let in_a_row = known.failure.take().map_or(0, |failure| failure.in_a_row) + 1;
                let (host, cached) = (place.iss.host_str(), known.good.is_some());
                tracing::warn!(host, %error, in_a_row, cached, "no SMART metadata from the EHR");
                known.failure = Some(Failed {
                    error: error.clone(),
                    in_a_row,
                    at: now,
                });
                Err(error)
            }
        }
    }
}

impl Known {
    fn usable(&self, now: UnixTime) -> Option<Good> {
        let good = self.good.clone();
        good.filter(|good| now < good.told_at + USABLE)
    }
}

impl Failed {
    /// Whether the EHR is left in peace at `now`.
    fn pauses(&self, now: UnixTime) -> bool {
        let pause = match self.error {
            MetadataFetchError::Transport(TransportError::Dns(_)) => PAUSE_DNS,
            _ => PAUSE,
        };
        self.in_a_row >= FAILURES && now < self.at + pause
    }
}

/// The EHR's metadata, and for how long it is fresh.
async fn fetch(
    tools: &Tools,
    place: &Whereabouts,
) -> Result<(Metadata, Duration), MetadataFetchError> {
    let mut first = None;
    let looked = look(tools, place, &mut first);
    match tokio::time::timeout(DEADLINE, looked).await {
        Ok(found) => found,
        Err(_) => Err(match first {
            Some(error) => error.into(),
            None => TransportError::Timeout(DEADLINE).into(),
        }),
    }
}

/// Looks in each place where an EHR may tell its metadata. `missing` becomes why it is
/// looked in more than the first.
async fn look(
    tools: &Tools,
    place: &Whereabouts,
    missing: &mut Option<MetadataError>,
) -> Result<(Metadata, Duration), MetadataFetchError> {
    let question = metadata_request(&place.iss, &place.client_id)?;
    let answer = tools.transport.send(question, DEADLINE).await;
    let first = match answer {
        Ok(answer) => match Metadata::from_response(&answer) {
            Ok(metadata) => return Ok((metadata, freshness(answer.headers()))),
            Err(error) => error,
        },
        Err(TransportError::TooLarge(_)) => MetadataError::TooLarge,
        Err(error) => return Err(error.into()),
    };
    if !is_missing(first) {
        return Err(first.into());
    }
    *missing = Some(first);
    // An EHR that is older than SMART App Launch 2.0 says it in its CapabilityStatement.
    let mut bases = vec![&place.iss];
    if !is_same_place(&place.iss, &place.oauth2_base) {
        bases.push(&place.oauth2_base);
    }
    for base in bases {
        let question = capability_statement_request(base, &place.client_id)?;
        let longest = MAX_CAPABILITY_STATEMENT_BYTES;
        let answer = tools.transport.send_long(question, DEADLINE, longest).await;
        if let Ok(answer) = answer
            && let Ok(metadata) = Metadata::from_capability_statement(&answer)
        {
            return Ok((metadata, freshness(answer.headers())));
        }
    }
    Err(first.into())
}

/// Whether the EHR may tell its metadata elsewhere. One that is down, or does not
/// support what must be, is not asked again.
fn is_missing(error: MetadataError) -> bool {
    match error {
        MetadataError::Status(status) => matches!(status, 404 | 410),
        MetadataError::Malformed | MetadataError::TooLarge => true,
        MetadataError::EndpointInvalid(_)
        | MetadataError::S256Unsupported
        | MetadataError::OAuthUrisMissing => false,
    }
}

fn is_same_place(one: &Url, other: &Url) -> bool {
    one.as_str().trim_end_matches('/') == other.as_str().trim_end_matches('/')
}

/// `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1), an hour at most.
fn freshness(headers: &HeaderMap) -> Duration {
    let directives = headers.get(header::CACHE_CONTROL);
    let directives = directives.and_then(|value| value.to_str().ok());
    let seconds = directives
        .into_iter()
        .flat_map(|value| value.split(','))
        .find_map(|directive| {
            let (name, value) = directive.trim().split_once('=')?;
            let value = value.trim().trim_matches('"');
            name.eq_ignore_ascii_case("max-age")
                .then(|| value.parse().ok())?
        });
    seconds.map_or(FRESH, |seconds| {
        Duration::from_secs(seconds).min(FRESH_AT_MOST)
    })
}

impl Default for MetadataCache {
    fn default() -> Self {
        Self(Mutex::new(Expiring::new(USABLE, MOST)))
    }
}

impl fmt::Debug for MetadataCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataCache(…)")
    }
}
