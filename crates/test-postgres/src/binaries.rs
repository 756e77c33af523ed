//! Where PostgreSQL's programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian has them, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

const ADVICE: &str = "PostgreSQL is not installed: `apt-get install postgresql`, or your \
    distribution's package of its server, puts it on this machine";

/// The folder with `initdb`, `pg_ctl`, `postgres` and `psql`.
///
/// # Panics
/// Where there is none.
pub(crate) fn folder() -> PathBuf {
    let candidates = debian()
        .into_iter()
        .chain(of_pg_config())
        .chain(of_path())
        .collect::<Vec<_>>();
    let found = candidates.into_iter().find(|folder| is_whole(folder));
    found.unwrap_or_else(|| panic!("{ADVICE}"))
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "psql"]
        .iter()
        .all(|program| folder.join(program).exists())
}

/// The newest version first.
fn debian() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, path)| path).collect()
}

fn of_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| folder.trim().into())
}

fn of_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect()
}
