//! Those of Pexip's own filters that the error page in the browser does without.

mod ambient;
mod debug_log;
mod dictionary;
mod hash;
mod links;
mod now;
mod random;
mod regex;
mod subnet;
mod uuid;

use super::Filter;

/// By name.
pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("pex_debug_log", debug_log::debug_log),
    ("pex_find_first_match", regex::find_first_match),
    ("pex_hash", hash::hash),
    ("pex_in_subnet", subnet::in_subnet),
    ("pex_md5", hash::md5),
    ("pex_now", now::now),
    ("pex_random_pin", random::random_pin),
    ("pex_regex_replace", regex::replace),
    ("pex_regex_search", regex::search),
    ("pex_safelinks_decode", links::safelinks_decode),
    ("pex_to_json", dictionary::to_json),
    ("pex_to_uuid", uuid::to_uuid),
    ("pex_update", dictionary::update),
    ("pex_urldefense_decode", links::urldefense_decode),
    ("pex_uuid4", uuid::uuid4),
];

/// Those that are called like functions; what would be filtered is the first argument.
pub(crate) const FUNCTIONS: &[&str] = &[
    "pex_debug_log",
    "pex_in_subnet",
    "pex_now",
    "pex_random_pin",
    "pex_regex_search",
    "pex_uuid4",
];
