//! The templates of a profile: checked when the profile is read, rendered when a
//! launch needs them.

use http::HeaderValue;
use url::Url;
use vestibule_launch::{
    BaseAlias, DisplayName, EhrRole, LONGEST_LINK, LaunchContext, LaunchTicket, Pin, RequestId,
};
use vestibule_template::{
    Escaping, Template, TemplateError,
    contexts::{
        AliasContext, DisplayNameContext, ErrorPageContext, JoinLinkContext, LaunchInformation,
        ServiceNameContext,
    },
    defaults,
};

use super::{
    Profile,
    file::{FieldError, ProfileFile, longest, wrong},
};

/// Longest templates, in characters, as in the management API.
const LONGEST_TEMPLATE: usize = 1024;
const LONGEST_ERROR_TEMPLATE: usize = 12_288;

/// Longest service name and alias, in characters: the limit of Pexip
/// Infinity's status pages.
const LONGEST_SERVICE_NAME: usize = 250;

/// What the values of a join link are.
pub struct JoinLinkValues<'a> {
    /// The rendered alias.
    pub telehealth_alias: &'a str,
    /// The display name; empty where the landing page shall ask for it.
    pub display_name: &'a str,
    /// The host PIN, for hosts only.
    pub pin: Option<&'a Pin>,
    /// The one-time ticket, which counts only where the template has it.
    pub launch_ticket: &'a LaunchTicket,
    /// Identifies the launch.
    pub request_id: RequestId,
    /// The appointment.
    pub unique_encounter_id: &'a str,
}

/// Why a template gave nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// It failed.
    #[error("{field}: {error}")]
    Template {
        /// The profile's field.
        field: &'static str,
        /// What the template engine says; it repeats no value.
        error: TemplateError,
    },
    /// What it gave cannot be used.
    #[error("{field} gave {problem}")]
    Unusable {
        /// The profile's field.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

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
        source: Option<&str>,
        default: &str,
        limit: usize,
    ) -> Result<Self, FieldError> {
        let source = source.unwrap_or(default);
        longest(name, source, limit)?;
        let template = Template::parse(source).map_err(|error| (name, error.to_string()))?;
        Ok(Self { name, template })
    }

    fn must_mention(self, variable: &str) -> Result<Self, FieldError> {
        if self.template.mentions(variable) {
            return Ok(self);
        }
        wrong(self.name, &format!("must contain {{{{{variable}}}}}"))
    }

    fn render(
        &self,
        escaping: Escaping,
        context: &impl serde::Serialize,
    ) -> Result<String, RenderError> {
        self.template
            .render(escaping, context)
            .map_err(|error| RenderError::Template {
                field: self.name,
                error,
            })
    }

    fn unusable<T>(&self, problem: &'static str) -> Result<T, RenderError> {
        Err(RenderError::Unusable {
            field: self.name,
            problem,
        })
    }
}

impl RoleTemplates {
    pub(super) fn parse(file: &ProfileFile, role: EhrRole) -> Result<Self, FieldError> {
        let field = |name, source: &Option<String>, default| {
            Field::parse(name, source.as_deref(), default, LONGEST_TEMPLATE)
        };
        let (alias, display_name, join_link) = match role {
            EhrRole::Patient => (
                field(
                    "patient_alias_template",
                    &file.patient_alias_template,
                    defaults::ALIAS,
                )?,
                field(
                    "patient_display_name_template",
                    &file.patient_display_name_template,
                    defaults::PATIENT_DISPLAY_NAME,
                )?,
                field(
                    "patient_web_join_link_template",
                    &file.patient_web_join_link_template,
                    defaults::PATIENT_JOIN_LINK,
                )?,
            ),
            EhrRole::Provider => (
                field(
                    "provider_alias_template",
                    &file.provider_alias_template,
                    defaults::ALIAS,
                )?,
                field(
                    "provider_display_name_template",
                    &file.provider_display_name_template,
                    defaults::PROVIDER_DISPLAY_NAME,
                )?,
                field(
                    "provider_web_join_link_template",
                    &file.provider_web_join_link_template,
                    defaults::PROVIDER_JOIN_LINK,
                )?,
            ),
        };
        check_join_link(&join_link, role)?;
        Ok(Self {
            alias: alias.must_mention("base_telehealth_alias")?,
            display_name,
            join_link,
        })
    }
}

pub(super) fn service_name(file: &ProfileFile) -> Result<Field, FieldError> {
    let source = file.service_name_template.as_deref();
    Field::parse(
        "service_name_template",
        source,
        defaults::SERVICE_NAME,
        LONGEST_TEMPLATE,
    )?
    .must_mention("unique_encounter_id")
}

pub(super) fn error_page(file: &ProfileFile) -> Result<Template, FieldError> {
    let source = file.launch_error_web_template.as_deref();
    let default = defaults::ERROR_PAGE;
    Field::parse(
        "launch_error_web_template",
        source,
        default,
        LONGEST_ERROR_TEMPLATE,
    )
    .map(|field| field.template)
}

impl Profile {
    /// The conference's name, the same for everybody in the encounter; at most 250
    /// characters of it. Two encounters may get the same one: the service tag tells
    /// conferences apart.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn service_name(&self, context: &LaunchContext) -> Result<String, RenderError> {
        let name = self.service_name.render(
            Escaping::None,
            &ServiceNameContext {
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
                launch_information: information(context),
                telehealth_integration: self.integration.clone(),
            },
        )?;
        let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name: String = name.chars().take(LONGEST_SERVICE_NAME).collect();
        if name.is_empty() {
            return self.service_name.unusable("no name");
        }
        Ok(name.trim_end().to_owned())
    }

    /// The alias of one launch.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn alias(
        &self,
        role: EhrRole,
        base: &BaseAlias,
        context: &LaunchContext,
        request_id: RequestId,
    ) -> Result<String, RenderError> {
        let field = &self.role(role).templates.alias;
        let alias = field.render(
            Escaping::None,
            &AliasContext {
                base_telehealth_alias: base.as_str().to_owned(),
                telehealth_integration: self.integration.clone(),
                telehealth_request_id: request_id.to_string(),
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
            },
        )?;
        let whole = alias.contains(base.as_str()) && alias.chars().count() <= LONGEST_SERVICE_NAME;
        if !whole
            || alias
                .chars()
                .any(|character| character.is_whitespace() || character.is_control())
        {
            return field.unusable("no alias without spaces around its {{base_telehealth_alias}}");
        }
        Ok(alias)
    }

    /// The display name of one launch; none where the template gives nothing to see,
    /// or too much: then the landing page asks.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn display_name(
        &self,
        role: EhrRole,
        context: &LaunchContext,
        request_id: RequestId,
    ) -> Result<Option<DisplayName>, RenderError> {
        let name = self.role(role).templates.display_name.render(
            Escaping::None,
            &DisplayNameContext {
                launch_information: information(context),
                telehealth_integration: self.integration.clone(),
                telehealth_request_id: request_id.to_string(),
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
            },
        )?;
        Ok(DisplayName::parse(&name).ok())
    }

    /// Whether the join link of this role carries a ticket, and so no name or PIN.
    pub fn uses_ticket(&self, role: EhrRole) -> bool {
        self.role(role)
            .templates
            .join_link
            .template
            .mentions("launch_ticket")
    }

    /// The join link of one launch.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn join_link(
        &self,
        role: EhrRole,
        values: &JoinLinkValues<'_>,
    ) -> Result<HeaderValue, RenderError> {
        let field = &self.role(role).templates.join_link;
        let link = field.render(
            Escaping::JoinLink,
            &JoinLinkContext {
                telehealth_alias: values.telehealth_alias.to_owned(),
                pin: values.pin.map(|pin| pin.expose().to_owned()),
                display_name: values.display_name.to_owned(),
                launch_ticket: Some(values.launch_ticket.expose().to_owned()),
                telehealth_integration: self.integration.clone(),
                telehealth_request_id: values.request_id.to_string(),
                unique_encounter_id: values.unique_encounter_id.to_owned(),
            },
        )?;
        let link = link.trim();
        let is_link = Url::parse(link).is_ok_and(|url| super::is_protected(&url));
        let is_plain = link.bytes().all(|byte| byte.is_ascii_graphic());
        match HeaderValue::from_str(link) {
            Ok(mut header) if is_link && is_plain && link.len() <= LONGEST_LINK => {
                header.set_sensitive(true);
                Ok(header)
            }
            _ => field.unusable("no https URL"),
        }
    }

    /// The text of the error page's template, which the shim renders in the browser.
    pub fn error_page_source(&self) -> &str {
        self.error_page.source()
    }

    /// The error page.
    ///
    /// # Errors
    /// Where the template fails on these values.
    pub fn error_page(&self, context: &ErrorPageContext) -> Result<String, TemplateError> {
        self.error_page.render(Escaping::Html, context)
    }
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
    if !mentions("telehealth_alias") {
        return wrong(
            field.name,
            "must contain {{telehealth_alias}} or {{launch_ticket}}",
        );
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

fn information(context: &LaunchContext) -> LaunchInformation {
    let information = &context.launch_information;
    LaunchInformation {
        fname: information.fname.clone(),
        mname: information.mname.clone(),
        lname: information.lname.clone(),
        encfacnpiname: information.encfacnpiname.clone(),
    }
}
