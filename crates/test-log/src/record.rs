//! What tests write down in the folder of [`FOLDER_VARIABLE`], where there is one: all
//! that is logged, and which secrets there were. Each process has files of its own there.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::Class;

/// The environment variable with the folder; without it nothing is written down.
pub const FOLDER_VARIABLE: &str = "VESTIBULE_TEST_LOGS";

/// How the files of logs end.
pub(crate) const LOG: &str = "log";

/// How the files of secrets end: a line each, class and value divided by a tabulator.
pub(crate) const SECRETS: &str = "secrets";

/// Shortest secret that is searched for, in bytes.
const SHORTEST: usize = 6;

static FOLDER: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| env::var_os(FOLDER_VARIABLE).map(PathBuf::from));

static OWN_LOG: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| open("", LOG).map(Mutex::new));

static OWN_SECRETS: LazyLock<Option<Mutex<File>>> =
    LazyLock::new(|| open("", SECRETS).map(Mutex::new));

/// Writes down what was logged in this process.
pub(crate) fn of_this_process(log: &[u8]) {
    append(&OWN_LOG, log);
}

/// Writes down what a program has logged that the test has started.
///
/// # Panics
/// Where that is not possible: a log that is not searched must not go unnoticed.
pub fn record(program: &str, log: &[u8]) {
    if let Some(mut file) = file(program) {
        file.write_all(log).expect("the log can be written down");
    }
}

/// A file for what a program logs that the test has started, where logs are written down.
///
/// # Panics
/// As [`record`].
pub fn file(program: &str) -> Option<File> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    open(&format!("-{program}-{number}"), LOG)
}

/// Where a program's standard error goes whose log the test does not look at: to a file
/// where logs are written down, and otherwise to `otherwise`.
///
/// # Panics
/// As [`record`].
pub fn stderr(program: &str, otherwise: Stdio) -> Stdio {
    file(program).map_or(otherwise, Stdio::from)
}

/// Writes down a secret that must stand in no log. One that is so short that it may stand
/// there by chance is left out.
///
/// # Panics
/// As [`record`], and where it has more than one line.
pub fn secret(class: Class, value: &str) {
    assert!(!value.contains('\n'), "a secret has one line");
    if value.len() >= SHORTEST {
        append(
            &OWN_SECRETS,
            format!("{}\t{value}\n", class.as_str()).as_bytes(),
        );
    }
}

fn append(file: &LazyLock<Option<Mutex<File>>>, bytes: &[u8]) {
    if let Some(file) = &**file {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(bytes).expect("it can be written down");
    }
}

fn open(part: &str, kind: &str) -> Option<File> {
    let folder = FOLDER.as_deref()?;
    fs::create_dir_all(folder).expect("the folder of logs can be made");
    let name = format!("{}-{}{part}.{kind}", suite(), process::id());
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(name));
    Some(file.expect("a file can be made in the folder of logs"))
}

/// The name of the tests that run: that of the program, without the hash that cargo gives
/// it.
fn suite() -> String {
    let program = env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or(Path::new("test").as_os_str());
    let name = name.to_string_lossy();
    let (name, _hash) = name.rsplit_once('-').unwrap_or((&name, ""));
    name.to_owned()
}
