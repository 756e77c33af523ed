//! The sample files in docs/samples.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use vestibule_launch::ParameterMap;
use vestibule_server::{
    admin::{AdminConfig, AdminUser, OidcConfig},
    conferencing::{PexipConfig, RoutingRuleDocument},
    config::{Config, LandingPageConfig},
    database::DatabaseConfig,
    direct_link::DirectLinksDocument,
    limits::LimitsConfig,
    profile::{PreviousSecrets, Profile, ProfileDocument, TokenResponseMap, folder},
    retention::RetentionConfig,
    serving::{ConnectionLimits, TlsConfig},
    telemetry::{MetricsConfig, TracesConfig},
    write_back::{DeviceTestDocument, EndOfCallDocument, EpicDocument},
};
use vestibule_smart::{AssertionKey, KeyKind};

const PROFILE: &str = "profiles/healthcare-org.toml";

fn sample(name: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    fs::read_to_string(samples.join(name)).unwrap()
}

/// The sample with every key that is left out; prose has a space after its `#`.
fn switched_on(name: &str) -> String {
    let is_key =
        |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase() || first == '[');
    let text = sample(name);
    let lines = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(is_key).unwrap_or(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The keys of a table, from what is said of one that is none.
fn keys<T: DeserializeOwned>() -> Vec<String> {
    let Err(error) = toml::from_str::<T>("no_such_key = 1") else {
        panic!("any key is taken");
    };
    let (_, listed) = error.message().split_once("expected ").unwrap();
    let keys: Vec<_> = listed
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert!(!keys.is_empty(), "{error}");
    keys
}

/// Every key stands in the sample: as a key, or as the name of a table.
#[track_caller]
fn has<T: DeserializeOwned>(text: &str) {
    for key in keys::<T>() {
        let is_table = |line: &str| {
            let name = line.trim_matches(['[', ']']);
            let last = name.rsplit('.').next();
            line.starts_with('[') && last == Some(&*key)
        };
        let begin = format!("{key} = ");
        let found = text
            .lines()
            .any(|line| line.starts_with(&begin) || is_table(line));
        // Templates that are left out are told of by name.
        let named = key.ends_with("_template") && text.contains(&key);
        // What stands in the place of all of Epic's.
        assert!(
            found || named || key == "zoom",
            "{key} is not in the sample"
        );
    }
}

#[test]
fn the_samples_are_valid() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    let config = Config::read(&samples.join("vestibule.toml")).unwrap();
    let files = folder::read(&config.profiles, None).unwrap();
    let [file] = &files[..] else {
        panic!("one profile");
    };
    let profile = &file.profile;
    assert_eq!(profile.uuid.to_string(), crate::support::UUID);
    assert!(profile.uses_ticket(vestibule_launch::EhrRole::Patient));
}

#[test]
fn the_sample_configuration_has_every_key() {
    let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4";
    let text = switched_on("vestibule.toml").replace("$argon2id$v=19$...", hash);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.toml");
    fs::write(&path, &text).unwrap();
    let config = Config::read(&path).unwrap();
    assert!(config.admin.is_some() && config.require_launch_cookie);
    assert!(config.pexip.policy.is_some() && config.pexip.listen.is_some());
    assert_eq!(config.limits.launches_per_minute, 600);
    has::<Config>(&text);
    has::<LandingPageConfig>(&text);
    assert_eq!(config.landing_page.paths.len(), 2);
    has::<LimitsConfig>(&text);
    has::<RetentionConfig>(&text);
    has::<DatabaseConfig>(&text);
    has::<AdminConfig>(&text);
    has::<AdminUser>(&text);
    has::<OidcConfig>(&text);
    has::<TlsConfig>(&text);
    has::<ConnectionLimits>(&text);
    has::<MetricsConfig>(&text);
    has::<TracesConfig>(&text);
    has::<PexipConfig>(&text);
    has::<RoutingRuleDocument>(&text);
}

#[test]
fn the_sample_profile_has_every_key() {
    let key = AssertionKey::generate(KeyKind::P384).unwrap();
    let pem = format!("'''\n{}'''", key.to_pem().as_str());
    let text = switched_on(PROFILE).replace("\"put the private key in PEM form here\"", &pem);
    let profile = Profile::parse(Path::new("profile.toml"), &text).unwrap();
    assert_eq!(profile.write_backs.len(), 3);
    assert!(profile.direct_links.is_some());
    has::<ProfileDocument>(&text);
    has::<ParameterMap>(&text);
    has::<TokenResponseMap>(&text);
    has::<EpicDocument>(&text);
    has::<EndOfCallDocument>(&text);
    has::<DeviceTestDocument>(&text);
    has::<DirectLinksDocument>(&text);
    has::<PreviousSecrets>(&text);
}
