//! A machine on which a package can be installed without a trace on this one: this one's
//! files below a layer of memory, in a mount namespace that goes with this program.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::process;

/// Puts the layer over the root and waits until standard input ends. Its first argument
/// is an empty folder. No systemd is running there, whatever is outside.
const HOLD: &str = "\
set -e
mount -t tmpfs -o mode=0755 none \"$1\"
mkdir \"$1/upper\" \"$1/work\" \"$1/root\"
mount -t overlay -o \"lowerdir=/,upperdir=$1/upper,workdir=$1/work\" none \"$1/root\"
mount --rbind /proc \"$1/root/proc\"
mount --rbind /dev \"$1/root/dev\"
mount -t tmpfs none \"$1/root/run\"
mount -t tmpfs none \"$1/root/tmp\"
echo $$
exec cat >/dev/null
";
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The machine. It ends when this is dropped.
pub(super) struct Machine {
    /// Whether root's programs have to be asked of sudo.
    pub(super) sudo: bool,
    holder: Child,
    input: Option<ChildStdin>,
    process: String,
    folder: TempDir,
}

impl Machine {
    /// Starts it.
    pub(super) fn start() -> Result<Self> {
        let sudo = !nix::unistd::geteuid().is_root();
        if sudo {
            ensure!(
                process::succeeds(Command::new("sudo").args(["-n", "true"])),
                "a package is installed by root: run this as root, or as a user who may use \
                 sudo without a password"
            );
        }
        let folder = tempfile::Builder::new().prefix("vestibule-").tempdir()?;
        let mut holder = as_root(sudo, "unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                HOLD,
                "sh",
            ])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start unshare")?;
        let input = holder.stdin.take();
        let mut process = String::new();
        let stdout = holder.stdout.take().context("it is piped")?;
        BufReader::new(stdout).read_line(&mut process)?;
        let machine = Self {
            sudo,
            holder,
            input,
            process: process.trim().to_owned(),
            folder,
        };
        ensure!(
            !machine.process.is_empty(),
            "no layer could be put over this machine's files; what refused it is said above"
        );
        Ok(machine)
    }

    /// A program there, run by root.
    pub(super) fn inside(&self, words: &[&str]) -> Command {
        let root = self.folder.path().join("root");
        let mut command = self.beside(&["chroot"]);
        command.arg(root).args(["env", "-i", PATH]);
        command.args(["LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]);
        command.args(words);
        command
    }

    /// The same, which says first which process it is.
    pub(super) fn announced(&self, words: &[&str]) -> Command {
        let script = "echo $$; exec \"$@\"";
        self.inside(&[&["sh", "-c", script, "sh"], words].concat())
    }

    /// Writes a file, with the mode that it has or that the umask gives it.
    pub(super) fn write_bytes(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut child = self
            .inside(&["sh", "-c", "exec cat >\"$1\"", "sh", path])
            .stdin(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().context("it is piped")?;
        input.write_all(bytes)?;
        drop(input);
        ensure!(child.wait()?.success(), "cannot write {path} there");
        Ok(())
    }

    /// What differs from this machine by a file of such a name, one path a line. What
    /// was deleted again counts as nothing.
    pub(super) fn left(&self, name: &str) -> Result<String> {
        let upper = self.folder.path().join("upper");
        let mut find = self.beside(&["find"]);
        find.arg(upper).args(["-name", name, "!", "-type", "c"]);
        process::output(&mut find)
    }

    /// A program that sees the layer, and this machine's files as its root.
    fn beside(&self, words: &[&str]) -> Command {
        let mut command = as_root(self.sudo, "nsenter");
        command.args(["--target", &self.process, "--mount"]);
        command.args(words);
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.input.take());
        if let Err(error) = self.holder.wait() {
            eprintln!("the layer over this machine's files may still be there: {error}");
        }
    }
}

/// A program that root runs.
pub(super) fn as_root(sudo: bool, program: &str) -> Command {
    if !sudo {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}
