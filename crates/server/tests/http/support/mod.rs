//! A server on a port of its own, a scripted EHR, and a browser that follows no
//! redirect by itself.

use vestibule_test_log::Class;

mod admin;
mod browser;
mod ehr;
pub(crate) mod log;
mod process;
mod sandboxed;
mod server;

pub(crate) use crate::{
    clock::TestClock,
    database,
    epic::{KEY, UUID},
};
pub(crate) use admin::{ADMIN_CONFIG, Admin, Answer, PATH, answer};
pub(crate) use browser::Browser;
pub(crate) use ehr::{Ehr, MetadataScript, TokenScript};
pub(crate) use process::{Process, configure, prepared};
pub(crate) use sandboxed::{Page, Sandboxed, backend_client, backend_fields, epic_profile};
pub(crate) use server::{
    CONFIG, Launch, TestServer, encrypt, launch_path, location, profile, return_path,
    write_profile, write_www,
};

/// The parameters of a URL's query or of a fragment that looks like `/?a=b`.
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    let query = text.rsplit_once('?').map_or(text, |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// What of a URL must stand in no log.
fn secret(name: &str) -> Option<Class> {
    match name {
        "pin" => Some(Class::Pin),
        "ticket" | "state" => Some(Class::Token),
        _ => None,
    }
}

/// The one parameter of this name.
pub(crate) fn parameter(text: &str, name: &str) -> String {
    let mut found = parameters(text)
        .into_iter()
        .filter(|(found, _)| found == name);
    let (_, value) = found
        .next()
        .unwrap_or_else(|| panic!("no parameter {name}"));
    assert!(found.next().is_none(), "{name} is there twice");
    if let Some(class) = secret(name) {
        vestibule_test_log::secret(class, &value);
    }
    value
}
