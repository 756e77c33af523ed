//! Whether the profile's templates make what launches need, and lead where they shall.

use vestibule_launch::{EhrRole, ErrorName};
use vestibule_template::contexts::ErrorPageContext;

use super::Finding;
use crate::{
    conferencing::{RoutingRules, check_routing},
    profile::{JoinLinkValues, Profile, RenderError, Sample},
};

const CHECK: &str = "templates";
const ROUTING: &str = "routing rule";

/// Everything is rendered twice: with all that an EHR can say, and with no more than it
/// must.
pub(super) fn examine(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let full = Sample::new();
    let mut bare = Sample::new();
    bare.context.launch_information = Default::default();
    bare.context.external_id = None;
    bare.context.conference_id = None;
    let rendered = match render(profile, &full) {
        Ok(rendered) => rendered,
        Err(error) => return vec![failed(&error, "a sample launch")],
    };
    match render(profile, &bare) {
        Err(error) => findings.push(failed(&error, "a launch that names no patient")),
        Ok(bare) => {
            let both = rendered.iter().zip(&bare);
            findings.extend(both.filter_map(|((field, usual), (_, bare))| odd(field, usual, bare)));
        }
    }
    findings.extend(error_page(profile, &full));
    if findings.is_empty() {
        let shown: Vec<_> = rendered
            .iter()
            .map(|(field, text)| format!("{field} “{text}”"))
            .collect();
        findings.push(Finding::ok(CHECK, shown.join(", ")));
    }
    findings
}

/// Where the aliases lead.
pub(super) fn routing(profile: &Profile, rules: &RoutingRules) -> Finding {
    if let Err(fault) = check_routing(profile, rules) {
        let text = format!("{}: {}", fault.field, fault.problem);
        return Finding::fail(ROUTING, text, "the server does not start like this");
    }
    let sample = Sample::new();
    let alias = profile.alias(
        EhrRole::Patient,
        &sample.base_alias,
        &sample.context,
        sample.request_id,
    );
    match alias.map(|alias| (rules.base_alias(&alias), alias)) {
        Ok((Ok(base), alias)) => Finding::ok(ROUTING, format!("{alias} is {base}")),
        // The check before has rendered and routed it.
        _ => Finding::fail(
            ROUTING,
            "the sample alias leads nowhere",
            "adapt the template",
        ),
    }
}

type Rendered = Vec<(&'static str, String)>;

/// What users see of it. Links are made too, but not shown.
fn render(profile: &Profile, sample: &Sample) -> Result<Rendered, RenderError> {
    let mut rendered = vec![(
        "visit",
        profile.service_name(&sample.context, &sample.service_tag)?,
    )];
    for (role, shown) in [
        (EhrRole::Patient, "patient"),
        (EhrRole::Provider, "provider"),
    ] {
        let (context, request_id) = (&sample.context, sample.request_id);
        let alias = profile.alias(role, &sample.base_alias, context, request_id)?;
        let name = profile.display_name(role, context, request_id)?;
        let name = name.as_ref().map_or("", |name| name.as_str());
        let values = JoinLinkValues {
            telehealth_alias: &alias,
            display_name: name,
            pin: (role == EhrRole::Provider).then_some(&sample.pin),
            launch_ticket: &sample.ticket,
            request_id,
            unique_encounter_id: context.unique_encounter_id.as_str(),
        };
        profile.join_link(role, &values)?;
        // Where there is no name, the landing page asks for one.
        let name = if name.is_empty() {
            "(is asked for)"
        } else {
            name
        };
        rendered.push((shown, name.to_owned()));
    }
    Ok(rendered)
}

fn failed(error: &RenderError, with: &str) -> Finding {
    Finding::fail(
        CHECK,
        format!("with {with}: {error}"),
        "correct the template; `vestibule profile check` says where",
    )
}

/// A value that was missing, and shows where it otherwise would not.
fn odd(field: &str, usual: &str, bare: &str) -> Option<Finding> {
    let has = |text: &str, word: &str| {
        text.split(|character: char| !character.is_alphanumeric())
            .any(|found| found == word)
    };
    let shown = ["None", "Undefined", "undefined"]
        .into_iter()
        .find(|word| has(bare, word) && !has(usual, word));
    shown.map(|shown| {
        Finding::warn(
            CHECK,
            format!("where the EHR names no patient, {field} is “{bare}”, with {shown} in it"),
            "write `(launch_information.fname or \"\")` in the template, for example",
        )
    })
}

fn error_page(profile: &Profile, sample: &Sample) -> Vec<Finding> {
    let request_id = sample.request_id.to_string();
    for error_name in [ErrorName::MetadataFetch, ErrorName::LinkNotValid] {
        let context = ErrorPageContext {
            error_name: error_name.as_str().to_owned(),
            telehealth_request_id: request_id.clone(),
            utc_time: "2027-01-15T08:00:00Z".to_owned(),
            language: None,
            detailed_debug_information: None,
        };
        match profile.error_page(&context) {
            Err(error) => {
                let field = "launch_error_web_template";
                return vec![failed(
                    &RenderError::Template { field, error },
                    "a sample launch",
                )];
            }
            Ok(page) if !page.contains(&request_id) => {
                return vec![Finding::warn(
                    CHECK,
                    format!(
                        "the error page of {} does not show the request id",
                        error_name.as_str()
                    ),
                    "put {{telehealth_request_id}} into launch_error_web_template: the help desk needs it",
                )];
            }
            Ok(_) => {}
        }
    }
    Vec::new()
}
