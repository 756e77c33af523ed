//! A terminal with somebody who types.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::Ran;

/// How long the command may take to its next question.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the command in a terminal of `script`'s, and answers these questions. What it
/// prints and complains of is all in `stdout`.
pub(crate) fn in_terminal(folder: &Path, arguments: &[&str], answers: &[(&str, &str)]) -> Ran {
    let command = [&[env!("CARGO_BIN_EXE_vestibule")], arguments].concat();
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .args([&command.join(" "), "/dev/null"])
        .current_dir(folder)
        .env_remove("VESTIBULE_STATE_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (printed, prints) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stdout.read(&mut buffer) {
            if printed.send(buffer[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut shown = Vec::new();
    let mut read = 0;
    for (question, answer) in answers {
        // What is typed before the question stands there could be seen.
        while !String::from_utf8_lossy(&shown[read..]).ends_with(question) {
            match prints.recv_timeout(PATIENCE) {
                Ok(more) => shown.extend(more),
                Err(_) => panic!("not asked: {}", String::from_utf8_lossy(&shown)),
            }
        }
        read = shown.len();
        writeln!(stdin, "{answer}").unwrap();
    }
    while let Ok(more) = prints.recv_timeout(PATIENCE) {
        shown.extend(more);
    }
    Ran {
        code: child.wait().unwrap().code().unwrap(),
        stdout: String::from_utf8(shown).unwrap(),
        stderr: String::new(),
    }
}
