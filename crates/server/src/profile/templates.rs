//! The templates of a profile: checked when the profile is read, rendered when a
//! launch needs them.

use vestibule_launch::EhrRole;
use vestibule_template::{Kind, Template, defaults};

use super::{
    Faults, Profile, ProfileDocument, Sample,
    field::{FieldError, longest, wrong},
};

mod render;

pub use render::{JoinLinkValues, RenderError};

/// Longest templates, in characters, as in the management API.
const LONGEST_TEMPLATE: usize = 1024;
const LONGEST_ERROR_TEMPLATE: usize = 12_288;

/// The templates that differ between patients and providers.
pub(super) struct RoleTemplates {
    alias: Field,
    display_name: Field,
    join_link: Field,
}

/// A template and the field that it stands in.
pub(super) struct Field {
    name: &'static str,
    template: Template,
}

impl Field {
    fn parse(
        name: &'static str,
        kind: Kind,
        source: Option<&str>,
        default: &str,
    ) -> Result<Self, FieldError> {
        let source = source.unwrap_or(default);
        let limit = match kind {
            Kind::ErrorPage => LONGEST_ERROR_TEMPLATE,
            _ => LONGEST_TEMPLATE,
        };
        longest(name, source, limit)?;
        let template =
            Template::parse_as(kind, source).map_err(|error| (name, error.to_string()))?;
        Ok(Self { name, template })
    }
}

impl RoleTemplates {
    pub(super) fn parse(
        document: &ProfileDocument,
        role: EhrRole,
        faults: &mut Faults,
    ) -> Option<Self> {
        let field = |name, kind, source: &Option<String>, default| {
            Field::parse(name, kind, source.as_deref(), default)
        };
        let (alias, display_name, join_link) = match role {
            EhrRole::Patient => (
                field(
                    "patient_alias_template",
                    Kind::Alias,
                    &document.patient_alias_template,
                    defaults::ALIAS,
                ),
                field(
                    "patient_display_name_template",
                    Kind::DisplayName,
                    &document.patient_display_name_template,
                    defaults::PATIENT_DISPLAY_NAME,
                ),
                field(
                    "patient_web_join_link_template",
                    Kind::JoinLink,
                    &document.patient_web_join_link_template,
                    defaults::PATIENT_JOIN_LINK,
                ),
            ),
            EhrRole::Provider => (
                field(
                    "provider_alias_template",
                    Kind::Alias,
                    &document.provider_alias_template,
                    defaults::ALIAS,
                ),
                field(
                    "provider_display_name_template",
                    Kind::DisplayName,
                    &document.provider_display_name_template,
                    defaults::PROVIDER_DISPLAY_NAME,
                ),
                field(
                    "provider_web_join_link_template",
                    Kind::JoinLink,
                    &document.provider_web_join_link_template,
                    defaults::PROVIDER_JOIN_LINK,
                ),
            ),
        };
        let join_link =
            join_link.and_then(|join_link| check_join_link(&join_link, role).map(|()| join_link));
        let (alias, display_name, join_link) = (
            faults.keep(alias),
            faults.keep(display_name),
            faults.keep(join_link),
        );
        Some(Self {
            alias: alias?,
            display_name: display_name?,
            join_link: join_link?,
        })
    }
}

pub(super) fn service_name(document: &ProfileDocument) -> Result<Field, FieldError> {
    let source = document.service_name_template.as_deref();
    Field::parse(
        "service_name_template",
        Kind::ServiceName,
        source,
        defaults::SERVICE_NAME,
    )
}

pub(super) fn error_page(document: &ProfileDocument) -> Result<Template, FieldError> {
    let source = document.launch_error_web_template.as_deref();
    let default = defaults::ERROR_PAGE;
    Field::parse(
        "launch_error_web_template",
        Kind::ErrorPage,
        source,
        default,
    )
    .map(|field| field.template)
}

/// A conferencing system tells visits apart by their names.
pub(super) fn tell_visits_apart(profile: &Profile) -> Result<(), FieldError> {
    let name = |sample: Sample| profile.service_name(&sample.context, &sample.service_tag);
    // One that fails has a warning of its own.
    if let (Ok(one), Ok(next)) = (name(Sample::new()), name(Sample::next_appointment()))
        && one == next
    {
        return wrong(
            "service_name_template",
            "gives two appointments the same name, so their patients would meet; \
             put the whole {{unique_encounter_id}} into every name",
        );
    }
    Ok(())
}

/// A join link carries either a ticket and nothing personal, or the alias, with the
/// PIN for hosts. A guest must never learn the PIN.
fn check_join_link(field: &Field, role: EhrRole) -> Result<(), FieldError> {
    let mentions = |variable| field.template.mentions(variable);
    if mentions("launch_ticket") {
        if mentions("pin") || mentions("display_name") || mentions("telehealth_alias") {
            return wrong(
                field.name,
                "has {{launch_ticket}}, which stands for pin, display_name and telehealth_alias; remove these",
            );
        }
        return Ok(());
    }
    match (role, mentions("pin")) {
        (EhrRole::Provider, false) => {
            wrong(field.name, "must contain {{pin}} or {{launch_ticket}}")
        }
        (EhrRole::Patient, true) => wrong(
            field.name,
            "must not contain {{pin}}: with the host PIN a patient would be a host",
        ),
        _ => Ok(()),
    }
}
