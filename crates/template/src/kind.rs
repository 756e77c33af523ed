//! What each kind of template may name: the table of variables in Pexip's
//! documentation of the Epic integration.

use std::fmt;

use crate::{TemplateError, TemplateErrorKind, guard::Use};

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Makes the alias of a launch.
    Alias,
    /// Makes a display name.
    DisplayName,
    /// Makes a join link.
    JoinLink,
    /// Makes the conference's name.
    ServiceName,
    /// Makes the page that says why a launch failed.
    ErrorPage,
}

/// `launch_ticket` and `language` are ours, the others Pexip's.
const VARIABLES: &[(&str, &[Kind])] = {
    use Kind::{Alias, DisplayName, ErrorPage, JoinLink, ServiceName};
    &[
        ("base_telehealth_alias", &[Alias]),
        ("detailed_debug_information", &[ErrorPage]),
        ("display_name", &[JoinLink]),
        ("error_name", &[ErrorPage]),
        ("language", &[ErrorPage]),
        ("launch_information", &[DisplayName, ServiceName]),
        ("launch_ticket", &[JoinLink]),
        ("pin", &[JoinLink]),
        ("telehealth_alias", &[JoinLink]),
        (
            "telehealth_integration",
            &[Alias, DisplayName, JoinLink, ServiceName],
        ),
        (
            "telehealth_request_id",
            &[Alias, DisplayName, JoinLink, ErrorPage],
        ),
        (
            "unique_encounter_id",
            &[Alias, DisplayName, JoinLink, ServiceName],
        ),
        ("utc_time", &[ErrorPage]),
    ]
};

/// The fields of the variables that have any. `mname` stands in the documented
/// default for patients' display names, though not in the table.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "launch_information",
        &["fname", "mname", "lname", "encfacnpiname"],
    ),
    (
        "telehealth_integration",
        &[
            "telehealth_call_domain",
            "name",
            "description",
            "integration_uuid",
            "infinity_webapp_server_base_url",
        ],
    ),
];

impl Kind {
    /// The variables that a template of this kind can use, in alphabetical order.
    pub fn variables(self) -> impl Iterator<Item = &'static str> {
        VARIABLES
            .iter()
            .filter(move |(_, kinds)| kinds.contains(&self))
            .map(|(name, _)| *name)
    }

    /// Of these variables the template must use at least one.
    pub fn mandatory(self) -> &'static [&'static str] {
        match self {
            Self::Alias => &["base_telehealth_alias"],
            Self::JoinLink => &["telehealth_alias", "launch_ticket"],
            Self::ServiceName => &["unique_encounter_id"],
            Self::DisplayName | Self::ErrorPage => &[],
        }
    }

    /// Checks what a template uses and does not assign itself.
    pub(crate) fn check(self, source: &str, uses: &[Use]) -> Result<(), TemplateError> {
        for used in uses {
            self.check_use(used)?;
        }
        let mandatory = self.mandatory();
        let is_there = uses
            .iter()
            .any(|used| used.is_reached && mandatory.contains(&&*used.variable));
        if is_there || mandatory.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = mandatory
            .iter()
            .map(|name| format!("{{{{{name}}}}}"))
            .collect();
        let message = format!("{self} must contain {}", wanted.join(" or "));
        // It is missing up to the end.
        Err(TemplateError::new(TemplateErrorKind::Variable, message).at_byte(source, source.len()))
    }

    fn check_use(self, used: &Use) -> Result<(), TemplateError> {
        let variable = &*used.variable;
        if !used.is_assigned_somewhere && !self.variables().any(|known| known == variable) {
            let known: Vec<_> = self.variables().collect();
            return Err(used.wrong(format!(
                "{self} has no variable {variable}; it can use {}",
                known.join(", ")
            )));
        }
        let fields = FIELDS.iter().find(|(name, _)| *name == variable);
        if let (Some((_, fields)), Some(field)) = (fields, &used.field)
            && !fields.contains(&&**field)
        {
            return Err(used.wrong(format!(
                "{variable} has no field {field}; it has {}",
                fields.join(", ")
            )));
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alias => "an alias template",
            Self::DisplayName => "a display name template",
            Self::JoinLink => "a join link template",
            Self::ServiceName => "a service name template",
            Self::ErrorPage => "an error page template",
        })
    }
}
