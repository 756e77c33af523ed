//! What a profile's templates make of a launch.

use http::HeaderValue;
use url::Url;
use vestibule_launch::{
    BaseAlias, DisplayName, EhrRole, LONGEST_LINK, LaunchContext, LaunchTicket, Pin, RequestId,
};
use vestibule_smart::is_protected;
use vestibule_template::{
    Escaping, Surroundings, TemplateError,
    contexts::{
        AliasContext, DisplayNameContext, ErrorPageContext, JoinLinkContext, LaunchInformation,
        ServiceNameContext,
    },
};

use super::Field;
use crate::profile::Profile;

/// Longest service name and alias, in characters: the limit of Pexip
/// Infinity's status pages.
const LONGEST_SERVICE_NAME: usize = 250;

/// Digits of the service tag at the end of a service name that had to be cut.
const TAG_DIGITS: usize = 16;

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

impl Profile {
    /// The conference's name, the same for everybody in the encounter, and no other
    /// encounter's: Pexip Infinity tells conferences apart by it. Of a name of more than
    /// 250 characters the beginning stays, and the beginning of `service_tag`, which is
    /// the appointment's, makes it one of its own.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn service_name(
        &self,
        context: &LaunchContext,
        service_tag: &str,
    ) -> Result<String, RenderError> {
        let name = self.service_name.render(
            Escaping::None,
            &ServiceNameContext {
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
                launch_information: information(context),
                telehealth_integration: self.integration.clone(),
            },
            &self.surroundings(),
        )?;
        let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return self.service_name.unusable("no name");
        }
        Ok(shortened(name, service_tag))
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
        let field = &self.templates(role).alias;
        let alias = field.render(
            Escaping::None,
            &AliasContext {
                base_telehealth_alias: base.as_str().to_owned(),
                telehealth_integration: self.integration.clone(),
                telehealth_request_id: request_id.to_string(),
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
            },
            &self.surroundings(),
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
        let name = self.templates(role).display_name.render(
            Escaping::None,
            &DisplayNameContext {
                launch_information: information(context),
                telehealth_integration: self.integration.clone(),
                telehealth_request_id: request_id.to_string(),
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
            },
            &self.surroundings(),
        )?;
        Ok(DisplayName::parse(&name).ok())
    }

    /// Whether the join link of this role carries a ticket, and so no name or PIN.
    pub fn uses_ticket(&self, role: EhrRole) -> bool {
        self.templates(role)
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
        let field = &self.templates(role).join_link;
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
            &self.surroundings(),
        )?;
        let link = link.trim();
        let is_link = Url::parse(link).is_ok_and(|url| is_protected(&url));
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
        self.error_page
            .render_with(Escaping::Html, context, &self.surroundings())
    }
}

impl Field {
    fn render(
        &self,
        escaping: Escaping,
        context: &impl serde::Serialize,
        surroundings: &Surroundings,
    ) -> Result<String, RenderError> {
        self.template
            .render_with(escaping, context, surroundings)
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

/// At most [`LONGEST_SERVICE_NAME`] characters.
fn shortened(name: String, service_tag: &str) -> String {
    if name.chars().count() <= LONGEST_SERVICE_NAME {
        return name;
    }
    let left = LONGEST_SERVICE_NAME - TAG_DIGITS - 1;
    let beginning: String = name.chars().take(left).collect();
    let digits: String = service_tag.chars().take(TAG_DIGITS).collect();
    format!("{} {digits}", beginning.trim_end())
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
