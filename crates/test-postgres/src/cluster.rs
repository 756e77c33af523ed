//! A cluster: one PostgreSQL server with its databases.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{binaries, next_name, user::Other, watchdog::Watchdog};

/// Seconds that PostgreSQL may take to start or end.
const PATIENCE: &str = "60";

/// Who owns the databases. There is no password: only this machine gets in, and only to
/// what lasts as long as a test.
const OWNER: &str = "vestibule";

/// Little of the disk, and nothing of the memory that programs share through `/dev/shm`: that
/// of a container is small.
const SMALL: &str = "wal_level = minimal\nmax_wal_senders = 0\nmin_wal_size = 32MB\n\
    max_wal_size = 96MB\ndynamic_shared_memory_type = mmap\n";

/// How many bytes of the server's log a failure shows.
const TAIL: usize = 2_000;

/// Whether what is committed is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is: it survives the machine.
    On,
    /// It need not be: faster. It survives [`Cluster::kill`] too, as the system has it by
    /// then.
    Off,
}

/// A PostgreSQL server of its own, on a free port of this machine's loopback address. It
/// ends, and its folder goes, when this is dropped or the process ends.
pub struct Cluster {
    binaries: PathBuf,
    other: Option<Other>,
    folder: PathBuf,
    port: u16,
    _watchdog: Watchdog,
}

impl Cluster {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// Where that is not possible, with what to do.
    pub fn start(durability: Durability) -> Self {
        let binaries = binaries::folder();
        let folder = tempfile::Builder::new()
            .prefix("vestibule-postgres-")
            .tempdir()
            .expect("a temporary folder can be made")
            .keep();
        let watchdog = Watchdog::over(&folder);
        let other = Other::needed();
        if let Some(other) = &other {
            other.own(&folder);
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
            .expect("the folder is ours");
        let cluster = Self {
            binaries,
            other,
            folder,
            port: free_port(),
            _watchdog: watchdog,
        };
        cluster.init(durability);
        cluster.start_again();
        cluster
    }

    /// Lets only those in from now on who come by TLS, with this certificate and key of the
    /// server, as PEM. The server starts again for it.
    ///
    /// # Panics
    /// Where it does not.
    pub fn require_tls(&self, certificate: &str, key: &str) {
        let write = |name: &str, text: &str| {
            let path = self.data().join(name);
            fs::write(&path, text).expect("the cluster's files can be written");
            // PostgreSQL takes no key that others may read.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                .expect("the file is ours");
            if let Some(other) = &self.other {
                other.own(&path);
            }
        };
        write("server.crt", certificate);
        write("server.key", key);
        write("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
        let settings = self.data().join("postgresql.auto.conf");
        let settings = fs::read_to_string(settings).expect("the cluster has settings");
        write("postgresql.auto.conf", &format!("{settings}ssl = on\n"));
        self.restart();
    }

    /// An empty database. Gives its URL.
    ///
    /// # Panics
    /// Where the server does not run.
    pub fn database(&self) -> String {
        let name = next_name();
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Drops a database, given by its URL, and breaks its connections. Where the server does
    /// not run, nothing happens: the database goes with its cluster.
    pub(crate) fn forget(&self, database: &str) {
        let name = name_of(database);
        let mut drop = self.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        let _ = drop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }

    /// Runs a statement in a database, given by its URL, with PostgreSQL's own client.
    /// Gives the rows as it prints them: a line each, columns divided by `|`.
    ///
    /// # Panics
    /// Where it fails.
    pub fn query(&self, database: &str, statement: &str) -> String {
        self.sql(name_of(database), statement)
    }

    /// Ends the server at once, as when it crashes: no transaction is finished, and every
    /// connection breaks.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn kill(&self) {
        self.pg_ctl(&["stop", "--mode=immediate"]);
    }

    /// Starts the server again, on the same port.
    ///
    /// # Panics
    /// Where it runs, or does not start.
    pub fn start_again(&self) {
        self.pg_ctl(&["start"]);
    }

    /// Ends the server in good order, breaking connections, and starts it again.
    ///
    /// # Panics
    /// Where that does not succeed.
    pub fn restart(&self) {
        self.pg_ctl(&["restart", "--mode=fast"]);
    }

    /// Freezes the server: its connections stay open and nothing answers.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a frozen server go on.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Lets no file of the server take another byte, as on a full disk: whoever tries gets an
    /// error.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn fill_disk(&self) {
        self.limit_files("0");
    }

    /// Lets the files of the server grow again.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn free_disk(&self) {
        self.limit_files("unlimited");
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn init(&self, durability: Durability) {
        let mut initdb = self.program("initdb");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .args(["--username", OWNER, "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--no-instructions"]);
        self.run(initdb);
        let durable = match durability {
            Durability::On => "on",
            Durability::Off => "off",
        };
        let folder = self.folder.display();
        let port = self.port;
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n\
             fsync = {durable}\nfull_page_writes = {durable}\n\
             shared_buffers = 64MB\nmax_connections = 200\nautovacuum = off\n\
             log_min_messages = warning\n{SMALL}"
        );
        let path = self.data().join("postgresql.auto.conf");
        fs::write(&path, settings).expect("the cluster's settings can be written");
        if let Some(other) = &self.other {
            other.own(&path);
        }
    }

    fn pg_ctl(&self, arguments: &[&str]) {
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl
            .args(arguments)
            .args(["--wait", "--silent", "--timeout", PATIENCE, "--pgdata"])
            .arg(self.data())
            .arg("--log")
            .arg(self.log());
        self.run(pg_ctl);
    }

    fn sql(&self, database: &str, statement: &str) -> String {
        self.run(self.psql(database, statement))
    }

    fn psql(&self, database: &str, statement: &str) -> Command {
        let mut psql = self.program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statement])
            .arg(self.url(database));
        psql
    }

    /// Runs one of the programs. Where it fails, so does the test, with what program and
    /// server say.
    fn run(&self, command: Command) -> String {
        output(command).unwrap_or_else(|failure| {
            let log = fs::read(self.log()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log[log.len().saturating_sub(TAIL)..]);
            panic!("{failure}\nthe end of the server's log:\n{log}")
        })
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn signal(&self, signal: Signal) {
        self.for_each_process(|process| kill(Pid::from_raw(process), signal).is_ok());
    }

    /// How large files of the server may become, in bytes.
    fn limit_files(&self, limit: &str) {
        self.for_each_process(|process| {
            let mut prlimit = Command::new("prlimit");
            prlimit.current_dir(&self.folder);
            prlimit.args(["--pid", &process.to_string()]);
            prlimit.arg(format!("--fsize={limit}:unlimited"));
            // Not even root may limit the processes of others everywhere.
            if let Some(other) = &self.other {
                other.run(&mut prlimit);
            }
            output(prlimit).is_ok()
        });
    }

    /// Does something with every process of the server: the one that listens, and those for
    /// connections. `act` says whether it could be done.
    fn for_each_process(&self, act: impl Fn(i32) -> bool) {
        let main = self.main_process();
        // The listener first: those that it starts from now on are as it is, or it starts none.
        assert!(act(main), "the server runs");
        for process in children_of(main) {
            // One for a connection may have ended just now.
            act(process);
        }
    }

    fn main_process(&self) -> i32 {
        let file = fs::read_to_string(self.data().join("postmaster.pid"));
        let file = file.expect("the server runs");
        let first = file
            .lines()
            .next()
            .expect("its number is in the first line");
        first.parse().expect("it is a number")
    }

    /// One of PostgreSQL's programs, as the cluster's user, in a folder that this user
    /// may be in.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            // Certificates of whoever runs the tests are none of its business.
            .env("HOME", &self.folder)
            .stdin(Stdio::null());
        for (variable, _) in std::env::vars_os() {
            // What is meant for another server.
            if variable.to_string_lossy().starts_with("PG") {
                command.env_remove(variable);
            }
        }
        if let Some(other) = &self.other {
            other.run(&mut command);
        }
        command
    }
}

/// The processes that a process has started, by the system's own list.
fn children_of(process: i32) -> Vec<i32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let list = fs::read_to_string(Path::new(&path)).expect("the system lists processes");
    list.split_whitespace()
        .map(|number| number.parse().expect("it is a number"))
        .collect()
}

/// A port that nobody listens on at the moment, and that no other cluster of this process
/// gets; below those that the system gives out to connections, so that it stays free until
/// the server starts, and while it is started again.
fn free_port() -> u16 {
    const FIRST: u32 = 15_000;
    const PORTS: u32 = 16_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let own = std::process::id().wrapping_mul(40_503);
    for _ in 0..PORTS {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + own.wrapping_add(tried) % PORTS;
        let port = u16::try_from(port).expect("it is below 31000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port from 15000 to 31000 is free");
}

/// The name of a database, given by its URL.
fn name_of(database: &str) -> &str {
    let (_, name) = database.rsplit_once('/').expect("it is a URL");
    name
}

/// Runs a program to its end and gives what it says, or why it failed. Its output goes to
/// files and not to pipes: the server that `pg_ctl` starts would hold a pipe open.
fn output(mut command: Command) -> Result<String, String> {
    let mut stdout = tempfile::tempfile().expect("a temporary file can be made");
    let mut stderr = tempfile::tempfile().expect("a temporary file can be made");
    let handle = |file: &fs::File| Stdio::from(file.try_clone().expect("a file has handles"));
    let status = command
        .stdout(handle(&stdout))
        .stderr(handle(&stderr))
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let text = read_from_start(&mut stdout);
    if status.success() {
        return Ok(text);
    }
    let errors = read_from_start(&mut stderr);
    Err(format!("{command:?}: {status}\n{text}{errors}"))
}

fn read_from_start(file: &mut fs::File) -> String {
    use std::io::{Read as _, Seek as _};
    file.rewind().expect("a file can be read again");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("it is text");
    text
}
