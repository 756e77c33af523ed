//! What a command reads from its user: secrets, and arguments that shall not stand in
//! the shell's history.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, bail};
use nix::sys::termios::{self, LocalFlags, SetArg, Termios};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// The most that is read, in bytes.
const MOST: u64 = 64 * 1024;

/// An argument, or for `-` what comes on standard input, without white space around it.
pub(super) fn argument(argument: &str) -> anyhow::Result<Zeroizing<String>> {
    if argument != "-" {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    let text = standard_input()?;
    match text.trim() {
        "" => bail!("standard input is empty"),
        text => Ok(Zeroizing::new(text.to_owned())),
    }
}

/// A secret of one line: asked for without showing it, or from standard input where
/// that is no terminal.
pub(super) fn secret(question: &str) -> anyhow::Result<SecretString> {
    let text = match is_terminal() {
        true => unseen(question).context("the terminal cannot be read")?,
        false => standard_input()?,
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).into())
}

/// A question to be answered with `y`; anything else is a no.
pub(super) fn agrees(question: &str) -> anyhow::Result<bool> {
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Whether somebody is there to answer.
pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// A line that is not shown while it is typed.
fn unseen(question: &str) -> io::Result<Zeroizing<String>> {
    let shown = termios::tcgetattr(io::stdin())?;
    let mut unseen = shown.clone();
    unseen.local_flags.remove(LocalFlags::ECHO);
    unseen.local_flags.insert(LocalFlags::ECHONL);
    // Before the question, so that nothing can be typed that is still shown; what was
    // typed earlier is thrown away.
    termios::tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &unseen)?;
    let _restore = Restore(shown);
    write!(io::stderr(), "{question}: ")?;
    let mut line = Zeroizing::new(String::with_capacity(4096));
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// Shows again what is typed, however the question ends.
struct Restore(Termios);

impl Drop for Restore {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to restore.
        let _ = termios::tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

fn standard_input() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().take(MOST + 1).read_to_string(&mut text);
    if read.context("standard input cannot be read")? as u64 > MOST {
        bail!("standard input is longer than 64 KiB");
    }
    Ok(text)
}
