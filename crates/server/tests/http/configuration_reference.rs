//! The table of every setting, held against what the program reads.

use std::{collections::BTreeSet, fs, path::Path};

use serde::de::DeserializeOwned;
use vestibule_server::{
    admin::{AdminConfig, AdminUser, OidcConfig},
    conferencing::{PexipConfig, RoutingRuleDocument},
    config::{Config, LandingPageConfig},
    config_reference::{self, Default, Setting, TABLES, Table},
    database::DatabaseConfig,
    limits::LimitsConfig,
    retention::RetentionConfig,
    serving::{ConnectionLimits, TlsConfig},
    telemetry::{MetricsConfig, TracesConfig},
};

use crate::support::CONFIG;

const FILE: &str = "../../docs/reference/configuration.md";

#[test]
fn configuration_reference() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = config_reference::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "docs/reference/configuration.md is out of date; renew it by \
         `UPDATE_DOCS=1 cargo test -p vestibule-server --test http configuration_reference`"
    );
}

/// The keys of a table, from what is said of one that is none.
fn read<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = toml::from_str::<T>("no_such_key = 1") else {
        panic!("any key is taken");
    };
    let (_, listed) = error.message().split_once("expected ").unwrap();
    let keys = listed.split('`').skip(1).step_by(2);
    keys.map(str::to_owned).collect()
}

fn described(name: &str) -> BTreeSet<String> {
    let table = TABLES.iter().find(|table| table.name == name);
    let settings = table.unwrap_or_else(|| panic!("no table {name}")).settings;
    let inner = TABLES.iter().filter_map(|table| {
        let (outer, inner) = table.name.split_once('.')?;
        (outer == name).then(|| inner.to_owned())
    });
    let settings = settings.iter().map(|setting| setting.key.to_owned());
    settings.chain(inner).collect()
}

#[test]
fn every_key_that_is_read_is_described_and_no_other() {
    let mut keys = described("");
    let tables = TABLES.iter().map(|table| table.name.to_owned());
    keys.extend(tables.filter(|name| !name.is_empty() && !name.contains('.')));
    assert_eq!(read::<Config>(), keys);
    assert_eq!(read::<LandingPageConfig>(), described("landing_page"));
    assert_eq!(read::<DatabaseConfig>(), described("database"));
    assert_eq!(read::<TlsConfig>(), described("tls"));
    assert_eq!(read::<ConnectionLimits>(), described("connections"));
    assert_eq!(read::<LimitsConfig>(), described("limits"));
    assert_eq!(read::<RetentionConfig>(), described("retention"));
    assert_eq!(read::<AdminConfig>(), described("admin"));
    assert_eq!(read::<AdminUser>(), described("admin.users"));
    assert_eq!(read::<OidcConfig>(), described("admin.oidc"));
    assert_eq!(read::<MetricsConfig>(), described("metrics"));
    assert_eq!(read::<TracesConfig>(), described("traces"));
    assert_eq!(read::<PexipConfig>(), described("pexip"));
    assert_eq!(read::<RoutingRuleDocument>(), described("routing_rules"));
}

/// The table that another one stands in, with what it requires.
fn around(name: &str) -> String {
    let Some((outer, _)) = name.split_once('.') else {
        return String::new();
    };
    let table = TABLES.iter().find(|table| table.name == outer).unwrap();
    let required = table.settings.iter();
    let required = required.filter(|setting| setting.default == Default::Required);
    let lines = required.map(|Setting { key, example, .. }| format!("{key} = {example}\n"));
    format!("[{outer}]\n{}", lines.collect::<String>())
}

/// A configuration that has what a table requires, and these lines in it.
fn configured(table: &Table, lines: &str) -> Result<String, String> {
    let has = |text: &str, key: &str| {
        text.lines()
            .any(|line| line.starts_with(&format!("{key} = ")))
    };
    let required = table
        .settings
        .iter()
        .filter(|setting| setting.default == Default::Required && !has(lines, setting.key));
    let required: String = required
        .map(|Setting { key, example, .. }| format!("{key} = {example}\n"))
        .collect();
    let lines = format!("{required}{lines}");
    let text = match (table.name, table.is_list) {
        ("", _) => {
            let others = CONFIG.lines().filter(|line| {
                !has(&lines, line.split_once(" = ").unwrap().0) && !line.starts_with("frame_")
            });
            let others: String = others.map(|line| format!("{line}\n")).collect();
            format!("{others}{lines}")
        }
        (name, false) => format!("{CONFIG}{}[{name}]\n{lines}", around(name)),
        (name, true) => format!("{CONFIG}{}[[{name}]]\n{lines}", around(name)),
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let config = Config::read(file.path()).map_err(|error| error.to_string())?;
    Ok(format!("{config:?}"))
}

#[test]
fn examples_are_taken_and_defaults_are_what_holds_without() {
    for table in TABLES {
        for setting in table.settings {
            let Setting { key, needs, .. } = setting;
            let place = format!("{} {key}", table.name);
            let beside: String = needs
                .lines()
                .filter(|line| !line.starts_with(&format!("{key} = ")))
                .map(|line| format!("{line}\n"))
                .collect();
            let with = |value: &str| configured(table, &format!("{key} = {value}\n{beside}"));
            let changed = with(setting.example).unwrap_or_else(|fault| panic!("{place}: {fault}"));
            let without = configured(table, &beside);
            match setting.default {
                Default::Value(value) => {
                    assert_eq!(with(value), without, "{place}");
                    assert_ne!(Ok(changed), without, "{place}: its example changes nothing");
                }
                Default::Without(_) => {
                    // A half of a pair is refused.
                    assert!(without.is_err() || without != Ok(changed), "{place}");
                }
                Default::Required => {}
            }
        }
    }
}
