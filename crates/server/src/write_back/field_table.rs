//! A call of the hospital's choice: URL, form, and what each field is called. For what
//! no EHR has published.

use std::collections::BTreeMap;

use http::Request;
use url::Url;

use super::{Authentication, AuthenticationDocument, CannotTell};
use crate::{
    field_call::{FieldForm, field_call},
    profile::field::{FieldError, longest, text, url, wrong},
};

/// Most fields in a call, and the longest name or constant, in characters.
const MOST_FIELDS: usize = 32;
const LONGEST_NAME: usize = 64;
const LONGEST_CONSTANT: usize = 255;

/// How the parts of a table are called in errors.
pub(super) struct Names {
    pub(super) url: &'static str,
    pub(super) fields: &'static str,
    pub(super) constants: &'static str,
    pub(super) authentication: &'static str,
}

/// A table of a profile, unchecked.
pub(super) struct Given<'a, V> {
    pub(super) url: &'a str,
    pub(super) form: FieldForm,
    pub(super) fields: &'a BTreeMap<String, V>,
    pub(super) constants: &'a BTreeMap<String, String>,
    pub(super) authentication: &'a AuthenticationDocument,
}

/// The same, checked. `V` says what the value of a field is.
pub(super) struct FieldTable<V> {
    url: Url,
    form: FieldForm,
    fields: BTreeMap<String, V>,
    constants: BTreeMap<String, String>,
    authentication: Authentication,
}

impl<V: Copy> FieldTable<V> {
    /// Checks the table, whose fields must name a visit.
    pub(super) fn check(
        given: &Given<'_, V>,
        names: &Names,
        names_the_visit: impl Fn(&V) -> bool,
    ) -> Result<Self, FieldError> {
        if given.fields.len() + given.constants.len() > MOST_FIELDS {
            return wrong(names.fields, "are more than 32, constants included");
        }
        if !given.fields.values().any(names_the_visit) {
            return wrong(
                names.fields,
                "name no visit, so the EHR could not tell which it is; give a field the value \
                 unique_encounter_id, conference_id or telehealth_request_id",
            );
        }
        for name in given.fields.keys() {
            text(names.fields, name, LONGEST_NAME)?;
        }
        for (name, value) in given.constants {
            text(names.constants, name, LONGEST_NAME)?;
            longest(names.constants, value, LONGEST_CONSTANT)?;
            if given.fields.contains_key(name) {
                return wrong(names.constants, "name a field that is among the fields too");
            }
        }
        Ok(Self {
            url: url(names.url, given.url)?,
            form: given.form,
            fields: given.fields.clone(),
            constants: given.constants.clone(),
            authentication: Authentication::check(given.authentication, names.authentication)?,
        })
    }

    /// The request with these values, without credentials.
    pub(super) fn request(
        &self,
        value: impl Fn(V) -> Result<String, CannotTell>,
    ) -> Result<Request<Vec<u8>>, CannotTell> {
        let mut values: Vec<(&str, String)> = Vec::new();
        for (name, kind) in &self.fields {
            values.push((name, value(*kind)?));
        }
        let values = values.iter().map(|(name, value)| (*name, value.as_str()));
        let constants = self.constants.iter();
        let constants = constants.map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = values.chain(constants).collect();
        field_call(&self.url, self.form, &fields).map_err(|_| CannotTell::NoRequest)
    }

    pub(super) fn authentication(&self) -> &Authentication {
        &self.authentication
    }
}
