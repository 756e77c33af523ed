//! The filters, one concept a file. All have one shape, so that the table below
//! is all there is to know about what exists.

#[cfg(feature = "full")]
mod base64;
#[cfg(feature = "full")]
pub(crate) mod format;
#[cfg(feature = "full")]
mod number;
#[cfg(feature = "full")]
pub(crate) mod pex;
mod sequence;
#[cfg(feature = "full")]
mod strip_tags;
mod text;
mod truncate;
mod url;

use minijinja::{
    Environment, Error, State, Value,
    value::{Rest, ValueOrKwargs},
};

/// Takes the filtered value and the arguments, named ones in one value at the end.
pub(crate) type Filter = fn(&mut State<'_, '_>, &Value, Vec<Value>) -> Result<Value, Error>;

/// The standard filters that Pexip Infinity leaves on, then its own.
const FILTERS: &[(&str, Filter)] = &[
    #[cfg(feature = "full")]
    ("abs", number::abs),
    ("capitalize", text::capitalize),
    ("default", sequence::default),
    ("first", sequence::first),
    #[cfg(feature = "full")]
    ("float", number::float),
    #[cfg(feature = "full")]
    ("format", format::format),
    #[cfg(feature = "full")]
    ("int", number::int),
    ("join", sequence::join),
    ("last", sequence::last),
    ("length", sequence::length),
    ("lower", text::lower),
    #[cfg(feature = "full")]
    ("range", sequence::range),
    ("replace", text::replace),
    #[cfg(feature = "full")]
    ("round", number::round),
    #[cfg(feature = "full")]
    ("striptags", strip_tags::strip_tags),
    ("trim", text::trim),
    ("truncate", truncate::truncate),
    ("upper", text::upper),
    #[cfg(feature = "full")]
    ("pex_base64", base64::base64),
    #[cfg(feature = "full")]
    ("pex_clean_phone_number", text::clean_phone_number),
    #[cfg(feature = "full")]
    ("pex_head", text::head),
    #[cfg(feature = "full")]
    ("pex_require_min_length", text::require_min_length),
    #[cfg(feature = "full")]
    ("pex_reverse", text::reverse),
    #[cfg(feature = "full")]
    ("pex_strlen", text::length),
    #[cfg(feature = "full")]
    ("pex_tail", text::tail),
    ("pex_url_decode", url::decode),
    ("pex_url_encode", url::encode),
];

pub(crate) fn exists(name: &str) -> bool {
    all().any(|(known, _)| known == name)
}

pub(crate) fn register(environment: &mut Environment) {
    for (name, filter) in all() {
        let filter =
            move |state: &mut State<'_, '_>, value: &Value, arguments: Rest<ValueOrKwargs>| {
                filter(state, value, arguments.into_values())
            };
        environment.add_filter(name, filter);
    }
}

pub(crate) fn all() -> impl Iterator<Item = (&'static str, Filter)> {
    #[cfg(feature = "full")]
    let more = pex::FILTERS;
    #[cfg(not(feature = "full"))]
    let more: &[(&str, Filter)] = &[];
    FILTERS.iter().chain(more).copied()
}
