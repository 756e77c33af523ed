//! Running the command.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// What it printed; it must have ended well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// The same where it must have ended with 1.
    #[track_caller]
    pub(crate) fn bad(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        self.stdout
    }

    /// What it complained of.
    #[track_caller]
    pub(crate) fn complaint(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(self.stderr.starts_with("vestibule: "), "{self:?}");
        self.stderr
    }

    /// The same where it has noted something before.
    #[track_caller]
    pub(crate) fn complaint_after_notes(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (1, ""), "{self:?}");
        let (_, complaint) = self.stderr.split_once("vestibule: ").unwrap();
        complaint.to_owned()
    }

    /// The line that begins with this, white space apart.
    #[track_caller]
    pub(crate) fn line(&self, begins: &str) -> &str {
        let mut lines = self.stdout.lines().map(str::trim);
        let found = lines.find(|line| line.starts_with(begins));
        found.unwrap_or_else(|| panic!("no line begins with {begins}: {self:?}"))
    }
}

/// `vestibule`, with a folder to run in.
pub(crate) fn vestibule(folder: &Path, arguments: &[&str]) -> Ran {
    run(folder, arguments, "", &[])
}

/// The same with text on standard input, and variables of the environment.
pub(crate) fn run(
    folder: &Path,
    arguments: &[&str],
    input: &str,
    environment: &[(&str, &str)],
) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .env_remove("VESTIBULE_STATE_KEY")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing closes it before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
