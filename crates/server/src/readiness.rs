//! Whether the server can work: it is not ending, its database can be written, and so can
//! its disk.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use vestibule_store::Store;

use crate::serving::Draining;

/// How long database and disk may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long an answer is given again, so that asking costs nothing.
const FRESH: Duration = Duration::from_secs(1);

/// What is written to try the disk, in bytes: more than one block of it.
const PROBE: usize = 8192;

const DRAINING: &str = "the server is ending";
const DATABASE_SLOW: &str = "the database does not take a write within a second";
const DATABASE_REFUSES: &str = "the database takes no write; the log says why";
const DISK_SLOW: &str = "the data folder does not take a file within a second";
const DISK_REFUSES: &str = "the data folder takes no file: is the disk full, or not to be written?";

/// Looks whether the server can work.
pub struct Readiness {
    store: Arc<dyn Store>,
    /// Where the database is a file: its folder.
    data: Option<PathBuf>,
    draining: Draining,
    last: Mutex<Option<(Instant, Vec<&'static str>)>>,
    /// A disk that hangs holds up one thread, and not one for every look.
    disk_is_tried: Arc<AtomicBool>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether launches can be taken.
    pub ready: bool,
    /// What is in the way, in words.
    pub problems: Vec<&'static str>,
}

impl Readiness {
    /// Looks at this store and, where it is a file, at its folder.
    pub fn new(store: Arc<dyn Store>, data: Option<PathBuf>, draining: Draining) -> Self {
        Self {
            store,
            data,
            draining,
            last: Mutex::new(None),
            disk_is_tried: Arc::default(),
        }
    }

    /// Looks, or says what was found within the last second.
    pub async fn look(&self) -> Report {
        let mut problems = Vec::new();
        if self.draining.has_begun() {
            problems.push(DRAINING);
        }
        problems.extend(self.found().await);
        Report {
            ready: problems.is_empty(),
            problems,
        }
    }

    async fn found(&self) -> Vec<&'static str> {
        let mut last = self.last.lock().await;
        if let Some((at, problems)) = &*last
            && at.elapsed() < FRESH
        {
            return problems.clone();
        }
        let (database, disk) = tokio::join!(self.database(), self.disk());
        let problems: Vec<_> = database.into_iter().chain(disk).collect();
        *last = Some((Instant::now(), problems.clone()));
        problems
    }

    async fn database(&self) -> Option<&'static str> {
        match timeout(PATIENCE, self.store.ready()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::error!(%error, "the database takes no write");
                Some(DATABASE_REFUSES)
            }
            Err(_) => {
                tracing::error!("the database does not take a write within a second");
                Some(DATABASE_SLOW)
            }
        }
    }

    async fn disk(&self) -> Option<&'static str> {
        let folder = self.data.clone()?;
        if self.disk_is_tried.swap(true, Ordering::SeqCst) {
            return Some(DISK_SLOW);
        }
        let is_tried = Arc::clone(&self.disk_is_tried);
        let tried = tokio::task::spawn_blocking(move || {
            let tried = write(&folder);
            is_tried.store(false, Ordering::SeqCst);
            tried
        });
        match timeout(PATIENCE, tried).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => {
                tracing::error!(%error, "the data folder takes no file");
                Some(DISK_REFUSES)
            }
            Ok(Err(_)) => Some(DISK_REFUSES),
            Err(_) => {
                tracing::error!("the data folder does not take a file within a second");
                Some(DISK_SLOW)
            }
        }
    }
}

/// Writes a file and removes it again.
fn write(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!("readiness.{}", std::process::id()));
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(&[0; PROBE])?;
        file.sync_data()
    });
    match fs::remove_file(&path) {
        // Another look has removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => written,
        removed => written.and(removed),
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}
