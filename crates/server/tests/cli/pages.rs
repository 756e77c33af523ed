//! Completions, manual pages, and the reference that is made of the same.

use std::{fmt::Write as _, fs, path::Path};

use clap::CommandFactory as _;
use vestibule_server::cli::Cli;

use crate::support::vestibule;

#[test]
fn every_shell_gets_completions_of_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = vestibule(folder.path(), &["completions", shell]).good();
        for part in ["vestibule", "decode-launch", "keypair"] {
            assert!(script.contains(part), "{shell} lacks {part}");
        }
    }
}

#[test]
fn bash_takes_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let script = vestibule(folder.path(), &["completions", "bash"]).good();
    let path = folder.path().join("vestibule.bash");
    fs::write(&path, script).unwrap();
    let asked = "COMP_WORDS=(vestibule profile ke); COMP_CWORD=2; \
                 _vestibule vestibule ke profile; echo ${COMPREPLY[@]}";
    let bash = std::process::Command::new("bash")
        .args([
            "--norc",
            "-c",
            &format!("source {}; {asked}", path.display()),
        ])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(bash.stdout).unwrap().trim(), "keypair");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = vestibule(folder.path(), &["man"]).good();
    assert!(page.contains(".TH vestibule 1"), "{page}");
    let page = vestibule(folder.path(), &["man", "profile", "import"]).good();
    assert!(page.contains(".TH vestibule-profile-import 1"), "{page}");
    assert!(page.contains("secrets\\-from\\-env"), "{page}");
    let ran = vestibule(folder.path(), &["man", "fly"]);
    assert!(ran.complaint().contains("there is no command `fly`"));
}

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let reference = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &reference).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == reference,
        "docs/reference/cli.md is out of date: UPDATE_DOCS=1 cargo test -p vestibule-server --test cli"
    );
}

fn reference() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = "# The command line\n\nMade of the program's own help: \
                    `UPDATE_DOCS=1 cargo test -p vestibule-server --test cli` renews it.\n"
        .to_owned();
    section(&mut text, &mut root, "vestibule");
    text
}

fn section(text: &mut String, command: &mut clap::Command, name: &str) {
    let help = command.render_long_help().to_string();
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    writeln!(
        text,
        "\n## `{name}`\n\n```text\n{}\n```",
        help.join("\n").trim_end()
    )
    .unwrap();
    for command in command.get_subcommands_mut() {
        if command.get_name() != "help" {
            let name = format!("{name} {}", command.get_name());
            section(text, command, &name);
        }
    }
}
