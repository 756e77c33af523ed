//! `vestibule man`.

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::Cli;

/// Which page.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A command, such as `profile import`; without, the page of vestibule itself
    #[arg(value_name = "COMMAND")]
    path: Vec<String>,
}

pub(super) fn man(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    std::io::stdout().write_all(&page(&arguments.path)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The page of the command at `path`, in roff.
fn page(path: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut root = Cli::command();
    // Gives each command its name in full, such as vestibule-profile-import.
    root.build();
    let mut command = &root;
    for name in path {
        command = command
            .find_subcommand(name)
            .with_context(|| format!("there is no command `{}`", path.join(" ")))?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_and_no_other_has() {
        for path in ["", "serve", "profile", "profile import"] {
            let path: Vec<String> = path.split_whitespace().map(str::to_owned).collect();
            let page = String::from_utf8(page(&path).unwrap()).unwrap();
            assert!(page.contains(".SH NAME"), "{page}");
        }
        let error = page(&["fly".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "there is no command `fly`");
    }
}
