//! Cleans up after tests however they end: a shell that waits for the end of its standard
//! input, which the system closes with the process of the tests, be it killed.

use std::{
    io::PipeWriter,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// As the input ends: ends PostgreSQL and removes the folder. Its number is in its own file;
/// another process may have it by now, which was not started for that folder and is left alone. `CONT`
/// comes first, where a test has frozen it: a stopped process takes no other signal but
/// `KILL`.
const SCRIPT: &str = r#"
read -r end
pid=none
[ -f "$1/data/postmaster.pid" ] && read -r pid < "$1/data/postmaster.pid"
runs() {
    grep -qaF -- "$1/data" "/proc/$pid/cmdline" 2>/dev/null
}
if runs "$1"; then
    kill -CONT "$pid"
    kill -QUIT "$pid"
    tries=0
    while runs "$1" && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    runs "$1" && kill -KILL "$pid"
fi
rm -rf "$1"
"#;

/// A watchdog over a cluster's folder.
pub(crate) struct Watchdog {
    /// Its end, when dropped or when the process ends, is the sign.
    sign: Option<PipeWriter>,
    shell: Child,
}

impl Watchdog {
    /// Begins to watch.
    pub(crate) fn over(folder: &Path) -> Self {
        let (reader, writer) = std::io::pipe().expect("there are pipes");
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(folder)
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // So that Ctrl-C, which goes to the group of the tests, spares it.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        Self {
            sign: Some(writer),
            shell,
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.sign.take());
        drop(self.shell.wait());
    }
}
