//! A program that ends when its parent does, even where the parent is killed.
//! This program asks the kernel for that and then becomes the other one.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use anyhow::{Error, anyhow};
use nix::{
    sys::{prctl::set_pdeathsig, signal::Signal},
    unistd::{Pid, getppid},
};

/// Arguments of the hidden command `bound`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Process id of the parent
    parent: i32,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// A command that runs a program bound to this process. The thread that starts
/// it must live as long as it does.
pub(super) fn command(program: &std::path::Path) -> Command {
    // The link leads to this program even where its file has been replaced.
    let mut command = Command::new("/proc/self/exe");
    command
        .arg("bound")
        .arg(std::process::id().to_string())
        .arg(program);
    command
}

/// Becomes the program; returns only where that fails.
pub(crate) fn become_program(arguments: &Arguments) -> Error {
    if let Err(error) = set_pdeathsig(Signal::SIGTERM) {
        return anyhow!("cannot bind to the parent process: {error}");
    }
    // The parent may have died before it was asked for.
    if getppid() != Pid::from_raw(arguments.parent) {
        return anyhow!("the parent process is gone");
    }
    let (program, rest) = arguments
        .program
        .split_first()
        .expect("clap requires a program");
    let error = Command::new(program).args(rest).exec();
    anyhow!("cannot start {}: {error}", program.display())
}
