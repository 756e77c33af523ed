//! The filters, one concept a file. All have one shape, so that the table below
//! is all there is to know about what exists.

mod base64;
pub(crate) mod format;
mod number;
mod sequence;
mod strip_tags;
mod text;
mod truncate;
mod url;

use minijinja::{
    Environment, Error, State, Value,
    value::{Rest, ValueOrKwargs},
};

/// Takes the filtered value and the arguments, named ones in one value at the end.
type Filter = fn(&mut State<'_, '_>, &Value, Vec<Value>) -> Result<Value, Error>;

/// The standard filters that Pexip Infinity leaves on, then its own.
const FILTERS: &[(&str, Filter)] = &[
    ("abs", number::abs),
    ("capitalize", text::capitalize),
    ("default", sequence::default),
    ("first", sequence::first),
    ("float", number::float),
    ("format", format::format),
    ("int", number::int),
    ("join", sequence::join),
    ("last", sequence::last),
    ("length", sequence::length),
    ("lower", text::lower),
    ("range", sequence::range),
    ("replace", text::replace),
    ("round", number::round),
    ("striptags", strip_tags::strip_tags),
    ("trim", text::trim),
    ("truncate", truncate::truncate),
    ("upper", text::upper),
    ("pex_base64", base64::base64),
    ("pex_clean_phone_number", text::clean_phone_number),
    ("pex_head", text::head),
    ("pex_require_min_length", text::require_min_length),
    ("pex_reverse", text::reverse),
    ("pex_strlen", text::length),
    ("pex_tail", text::tail),
    ("pex_url_decode", url::decode),
    ("pex_url_encode", url::encode),
];

pub(crate) fn exists(name: &str) -> bool {
    FILTERS.iter().any(|(known, _)| *known == name)
}

pub(crate) fn register(environment: &mut Environment) {
    for (name, filter) in FILTERS {
        let filter = |state: &mut State<'_, '_>, value: &Value, arguments: Rest<ValueOrKwargs>| {
            filter(state, value, arguments.into_values())
        };
        environment.add_filter(*name, filter);
    }
}
