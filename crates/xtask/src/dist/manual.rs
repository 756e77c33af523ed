//! Manual pages and completions, which the program makes of its own command line.

use std::path::Path;

use anyhow::{Context, Result};

use super::tree::Tree;
use crate::{process::output, workspace::Workspace};

/// Where each shell looks for the completions of programs that packages bring.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/vestibule"),
    ("zsh", "usr/share/zsh/vendor-completions/_vestibule"),
    ("fish", "usr/share/fish/vendor_completions.d/vestibule.fish"),
];

/// Adds both.
pub(super) fn add(workspace: &Workspace, program: &Path, tree: &Tree) -> Result<()> {
    for (shell, path) in COMPLETIONS {
        let mut command = workspace.command(program);
        let mut script = output(command.args(["completions", shell]))?;
        script.push('\n');
        tree.file(path, script.as_bytes())?;
    }
    let mut commands = vec![Vec::new()];
    while let Some(words) = commands.pop() {
        let mut command = workspace.command(program);
        let mut page = output(command.arg("man").args(&words))?;
        let name = name(&words);
        let below = subcommands(&name, &page);
        commands.extend(
            below
                .into_iter()
                .map(|word| [words.clone(), vec![word]].concat()),
        );
        page.push('\n');
        let path = format!("usr/share/man/man1/{name}.1.gz");
        tree.compressed(&path, page.as_bytes())
            .with_context(|| format!("cannot add the page of {name}"))?;
    }
    Ok(())
}

/// `vestibule-profile-import`.
fn name(words: &[String]) -> String {
    let mut name = "vestibule".to_owned();
    for word in words {
        name.push('-');
        name.push_str(word);
    }
    name
}

/// The commands right below `name` of which a page says that they have pages. Help has
/// none: it is what it shows.
fn subcommands(name: &str, page: &str) -> Vec<String> {
    let page = page.replace("\\-", "-");
    let prefix = format!("{name}-");
    page.lines()
        .filter_map(|line| line.strip_prefix(&prefix)?.strip_suffix("(1)"))
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = ".SH SUBCOMMANDS\n.TP\nvestibule\\-launch\\-link(1)\nMake a URL\n.TP\n\
        vestibule\\-profile(1)\nCheck\n.TP\nvestibule\\-help(1)\nPrint this";

    #[test]
    fn a_page_names_the_pages_below_it() {
        assert_eq!(subcommands("vestibule", PAGE), ["launch-link", "profile"]);
        assert!(subcommands("vestibule-profile", PAGE).is_empty());
        let words = ["profile".to_owned(), "import".to_owned()];
        assert_eq!(name(&words), "vestibule-profile-import");
    }
}
