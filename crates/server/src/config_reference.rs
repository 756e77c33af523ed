//! Every key of `vestibule.toml` in one table: type, default, meaning and an example.
//! `docs/reference/configuration.md` is generated from it; tests hold it against what the
//! program reads.

use std::fmt::Write as _;

mod tables;

pub use tables::TABLES;

/// A table of the configuration.
#[derive(Debug)]
pub struct Table {
    /// Its name; empty for the keys that stand before all tables.
    pub name: &'static str,
    /// Whether there may be several of it, each under `[[name]]`.
    pub is_list: bool,
    /// What it is about.
    pub meaning: &'static str,
    /// Its keys.
    pub settings: &'static [Setting],
}

/// A key.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// What can stand there.
    pub kind: &'static str,
    /// What holds without it.
    pub default: Default,
    /// What it says.
    pub meaning: &'static str,
    /// A value, in TOML.
    pub example: &'static str,
    /// Lines without which the example is refused.
    pub needs: &'static str,
}

/// What holds without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// It must be there.
    Required,
    /// The same as with this value, in TOML.
    Value(&'static str),
    /// What no value says.
    Without(&'static str),
}

/// A key that is good by itself.
const fn key(
    key: &'static str,
    kind: &'static str,
    default: Default,
    meaning: &'static str,
    example: &'static str,
) -> Setting {
    Setting {
        key,
        kind,
        default,
        meaning,
        example,
        needs: "",
    }
}

impl Setting {
    /// The same, which is good beside these lines only.
    const fn beside(self, needs: &'static str) -> Self {
        Self { needs, ..self }
    }
}

impl Table {
    /// As it stands above its keys.
    fn heading(&self) -> String {
        match (self.name, self.is_list) {
            ("", _) => "Before all tables".to_owned(),
            (name, false) => format!("`[{name}]`"),
            (name, true) => format!("`[[{name}]]`"),
        }
    }
}

/// The page.
pub fn markdown() -> String {
    let mut text = "# Configuration\n\n\
        Every key of `vestibule.toml`, made of what the program reads: \
        `UPDATE_DOCS=1 cargo test -p vestibule-server --test http configuration_reference` \
        renews it. The defaults are those of a server that anybody can reach: leave out what \
        need not be changed. A key that is not here is refused, and so is a value that cannot \
        be meant. Relative paths start at the folder of the file. \
        [A sample](../samples/vestibule.toml) has all of it in place.\n"
        .to_owned();
    for table in TABLES {
        let Table {
            meaning, settings, ..
        } = table;
        let heading = table.heading();
        write!(
            text,
            "\n## {heading}\n\n{meaning}\n\n\
             | key | type | without it | meaning | example |\n|---|---|---|---|---|\n"
        )
        .expect("a string takes everything");
        for setting in *settings {
            let Setting {
                key,
                kind,
                meaning,
                example,
                ..
            } = setting;
            let default = match setting.default {
                Default::Required => "it must be there".to_owned(),
                Default::Value(value) => format!("`{value}`"),
                Default::Without(words) => words.to_owned(),
            };
            let row = format!("`{key}` | {kind} | {default} | {meaning} | `{example}`");
            writeln!(text, "| {row} |").expect("a string takes everything");
        }
    }
    text
}
