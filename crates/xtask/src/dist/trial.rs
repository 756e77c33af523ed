//! Whether the package does what it is for: installed, it starts as its own user with the
//! command line of its unit, and launches; upgraded, it finds its data again; removed, it
//! leaves them; purged, it leaves nothing.

mod house;
mod http;
mod machine;
mod program;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use self::{
    house::{CLIENT_SECRET, House, JoinLink},
    machine::Machine,
    program::Program,
};
use super::{
    build,
    made_of::MadeOf,
    package::{Compression, Package},
    source_date,
};
use crate::{
    log_search::is_silent, manifest::Manifest, process, progress::part, workspace::Workspace,
};

/// Built like what the other tests run, of which most is there already: what is to be
/// shown does not depend on how far the program is optimised.
const PROFILE: &str = "dev";
/// What the tests have built before: together with these the program is made of the same
/// crates, and none is built again.
const BINARIES: [&str; 2] = ["vestibule-server", "vestibule-sandbox"];
const UNIT: &str = "/usr/lib/systemd/system/vestibule.service";
const CONFIGURATION: &str = "/etc/vestibule/vestibule.toml";
const PROFILE_FILE: &str = "/etc/vestibule/profiles/healthcare-org.toml";
const DATABASE: &str = "/var/lib/vestibule/vestibule.db";
/// The highest exposure that `systemd-analyze security` may see in the unit, of 100.
const EXPOSURE: &str = "15";

/// Builds two packages and goes through the life of an installation.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let scratch = TempDir::with_prefix_in("trial-", workspace.scratch()?)?;
    let [first, second] = part("two packages", || packages(workspace, scratch.path()))?;
    let machine = Machine::start()?;

    part("installation", || machine.install(&first))?;
    let unit = Unit::read(&machine)?;
    judge_unit(&machine)?;
    check_access(&machine)?;
    let house = House::open(&workspace.binary("vestibule-sandbox"), scratch.path())?;
    machine.write(PROFILE_FILE, &house.profile())?;
    machine.run(&["chown", "root:vestibule", PROFILE_FILE])?;
    machine.run(&["chmod", "0640", PROFILE_FILE])?;
    let configuration = machine.output(&["cat", CONFIGURATION])?;
    let configuration = configuration.replace("127.0.0.1:7080", &house.server);
    machine.write(CONFIGURATION, &configuration)?;

    let server = part("first start", || {
        unit.start(&machine, scratch.path(), "first")
    })?;
    ensure!(server.address == format!("http://{}", house.server));
    check_landing_page(workspace, &server.address)?;
    let link = part("a launch", || house.launch())?;

    // As with systemd the old program runs on until the new one is there.
    part("upgrade", || machine.install(&second))?;
    let kept = machine.output(&["cat", CONFIGURATION])?;
    ensure!(
        kept == configuration.trim(),
        "the upgrade changed {CONFIGURATION}"
    );
    server.stop()?;
    let server = unit.start(&machine, scratch.path(), "second")?;
    let again = part("a launch of the same appointment", || house.launch())?;
    ensure!(again.alias != link.alias, "an alias was given out twice");
    ensure!(again.pin == link.pin, "the upgrade forgot the appointment");
    server.stop()?;
    // Only told: how long it takes depends on how far the program is optimised.
    let log = fs::read_to_string(scratch.path().join("second.log"))?;
    let milliseconds = start_took(&log)?;
    println!("with data of before the program (profile {PROFILE}) starts in {milliseconds} ms");
    part("search of the logs", || search_logs(scratch.path(), &link))?;

    part("removal", || {
        machine.run(&["dpkg", "--remove", "vestibule"])
    })?;
    ensure!(
        !machine.has("/usr/bin/vestibule"),
        "the program is still there"
    );
    for path in [DATABASE, CONFIGURATION, PROFILE_FILE] {
        ensure!(machine.has(path), "removal took {path} away");
    }
    part("purge", || machine.run(&["dpkg", "--purge", "vestibule"]))?;
    ensure!(
        machine.run(&["getent", "passwd", "vestibule"]).is_err(),
        "the user is still there"
    );
    let left = machine.left("*vestibule*")?;
    ensure!(left.is_empty(), "the purged package left {left}");
    Ok(())
}

/// How long the program took to start, in milliseconds, as its log says.
fn start_took(log: &str) -> Result<u64> {
    let mut lines = log.lines().filter_map(|line| line.split_once("started "));
    let milliseconds = lines.find_map(|(_, fields)| fields.strip_prefix("milliseconds="));
    let milliseconds = milliseconds.context("the log does not say how long the start took")?;
    Ok(milliseconds.trim_end().parse()?)
}

/// No log of the trial tells what the launch was about.
fn search_logs(folder: &Path, link: &JoinLink) -> Result<()> {
    let secrets = format!("pin\t{}\npassword\t{CLIENT_SECRET}\n", link.pin);
    fs::write(folder.join("trial.secrets"), secrets)?;
    let searched = vestibule_test_log::search(folder)?;
    for log in ["first.log", "second.log"] {
        let bytes = searched.bytes.get(log).copied().unwrap_or(0);
        ensure!(bytes > 0, "the installed program has logged nothing: {log}");
    }
    is_silent(&searched)
}

/// Two packages of one program: nothing but the revision differs.
fn packages(workspace: &Workspace, folder: &Path) -> Result<[PathBuf; 2]> {
    let manifest = Manifest::read(workspace)?;
    let made_of = MadeOf::of(workspace, &manifest)?;
    let program = folder.join("vestibule");
    build(workspace, &manifest, PROFILE, None, &BINARIES, &program)?;
    let package = |revision| {
        let package = Package {
            program: &program,
            made_of: &made_of,
            revision,
            date: source_date(workspace)?,
            compression: Compression::Fast,
        };
        package.build(workspace, folder)
    };
    Ok([package(1)?, package(2)?])
}

/// What systemd would do with the unit.
struct Unit {
    user: String,
    words: Vec<String>,
}

impl Unit {
    fn read(machine: &Machine) -> Result<Self> {
        Self::parse(&machine.output(&["cat", UNIT])?)
    }

    fn parse(text: &str) -> Result<Self> {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let found = lines.find(|(name, _)| *name == key);
            found
                .map(|(_, value)| value.to_owned())
                .with_context(|| format!("the unit has no {key}"))
        };
        let start = value("ExecStart")?;
        Ok(Self {
            user: value("User")?,
            words: start.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// Starts the unit's command line as its user, with no privilege, and waits until it
    /// listens.
    fn start(&self, machine: &Machine, folder: &Path, name: &str) -> Result<Program> {
        let user = [
            format!("--reuid={}", self.user),
            format!("--regid={}", self.user),
        ];
        let mut words = vec!["setpriv", &user[0], &user[1], "--clear-groups"];
        words.extend(["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]);
        words.extend(["--pdeathsig", "TERM", "--"]);
        words.extend(self.words.iter().map(String::as_str));
        let log = folder.join(name).with_extension("log");
        Program::start(machine.announced(&words), machine.sudo, &log)
    }
}

/// systemd's own verdict on the unit.
fn judge_unit(machine: &Machine) -> Result<()> {
    machine.run(&["systemd-analyze", "verify", "--man=no", UNIT])?;
    let threshold = format!("--threshold={EXPOSURE}");
    let report = machine.output(&[
        "systemd-analyze",
        "security",
        "--offline=true",
        "--no-pager",
        &threshold,
        UNIT,
    ])?;
    let verdict = report.lines().last().unwrap_or_default();
    println!("{verdict}");
    Ok(())
}

/// Only root and the server get at what is secret.
fn check_access(machine: &Machine) -> Result<()> {
    for (path, expected) in [
        ("/etc/vestibule/profiles", "root:vestibule 750"),
        (CONFIGURATION, "root:vestibule 640"),
        ("/var/lib/vestibule", "vestibule:vestibule 700"),
        ("/usr/bin/vestibule", "root:root 755"),
    ] {
        let found = machine.output(&["stat", "--format=%U:%G %a", path])?;
        ensure!(found == expected, "{path} is {found}, not {expected}");
    }
    let shell = machine.output(&["getent", "passwd", "vestibule"])?;
    ensure!(shell.ends_with("/nologin"), "{shell}");
    Ok(())
}

/// The page and its largest files, as they were built.
fn check_landing_page(workspace: &Workspace, server: &str) -> Result<()> {
    let manifest = Manifest::read(workspace)?;
    let page = http::get(&format!("{server}/webapp/"))?;
    ensure!(page.status == 200, "the landing page is {}", page.status);
    let mut modules = 0;
    for entry in fs::read_dir(workspace.path(&manifest.output))? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_string_lossy();
        if !name.ends_with(".wasm") {
            continue;
        }
        modules += 1;
        let answer = http::get(&format!("{server}/webapp/{name}"))?;
        ensure!(answer.status == 200, "{name} is {}", answer.status);
        ensure!(answer.header("content-type") == Some("application/wasm"));
        ensure!(answer.body == fs::read(&path)?, "{name} differs");
    }
    ensure!(modules == manifest.modules.len(), "{modules} modules");
    Ok(())
}

impl Machine {
    /// Installs a package, or upgrades to it.
    fn install(&self, package: &Path) -> Result<()> {
        const HERE: &str = "/tmp/package.deb";
        let bytes =
            fs::read(package).with_context(|| format!("cannot read {}", package.display()))?;
        self.write_bytes(HERE, &bytes)?;
        self.run(&["dpkg", "--install", HERE])
    }

    /// Runs a program to its end.
    fn run(&self, words: &[&str]) -> Result<()> {
        self.output(words).map(drop)
    }

    /// The same, with what it said.
    fn output(&self, words: &[&str]) -> Result<String> {
        process::output(&mut self.inside(words))
    }

    fn has(&self, path: &str) -> bool {
        process::succeeds(&mut self.inside(&["test", "-e", path]))
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        self.write_bytes(path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_the_start_took_is_read_from_the_log() {
        let log = "2027-01-15T08:00:00.000000Z  INFO vestibule_server::cli::serve: profile\n\
            2027-01-15T08:00:00.042000Z  INFO vestibule_server::cli::serve: started milliseconds=42\n";
        assert_eq!(start_took(log).unwrap(), 42);
        let end = log.len() - 3;
        assert!(start_took(&log[..end]).is_err());
        assert!(start_took("").is_err());
    }

    #[test]
    fn user_and_command_line_are_those_of_the_unit() {
        let unit = Unit::parse(include_str!("debian/vestibule.service")).unwrap();
        assert_eq!(unit.user, "vestibule");
        let words = "/usr/bin/vestibule serve --config /etc/vestibule/vestibule.toml";
        assert_eq!(unit.words.join(" "), words);
        assert!(Unit::parse("[Service]\nUser=a\n").is_err());
    }
}
