//! What is in a launch URL, and what is wrong with it.

use std::fmt;

use secrecy::SecretString;
use url::Url;
use vestibule_launch::{EhrRole, LaunchContext, LaunchParameters, ParameterMap, UnixTime};

use super::{
    super::{
        chosen::Known,
        launch_url::{Entrance, LaunchUrl},
    },
    opening::{Opening, keys, open},
};
use crate::clock::rfc3339;

/// What is in a launch URL. Values are in it only where they were asked for.
#[derive(Default)]
pub(super) struct Report {
    facts: Vec<(&'static str, String)>,
    parameters: Vec<String>,
    notes: Vec<String>,
    problems: Vec<String>,
}

impl Report {
    /// Looks at a launch URL. The first of `known` is the profile that counts.
    pub(super) fn of(url: &LaunchUrl, known: &[Known], now: UnixTime, values: bool) -> Self {
        let mut report = Self::default();
        report.address(url);
        let profile = known.first();
        match profile {
            Some(profile) => report.profile(url, profile),
            None => {
                report.note("without a profile nothing can be opened: give --profile or --config");
            }
        }
        if let Some(Entrance::Launch(..)) = url.entrance {
            report.smart(url, profile);
        }
        report.encrypted(url, known, now, values);
        report
    }

    /// Whether a launch by this URL goes as far as the EHR lets it.
    pub(super) fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    fn fact(&mut self, name: &'static str, text: impl Into<String>) {
        self.facts.push((name, text.into()));
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    fn address(&mut self, url: &LaunchUrl) {
        let role = |role: &EhrRole| format!("{}, by the path", role.as_str());
        match &url.entrance {
            None => self.fact("kind", "an encrypted parameter alone"),
            Some(Entrance::Launch(by, _)) => {
                self.fact("kind", "a launch from the EHR, with sign-in");
                self.fact("role", role(by));
            }
            Some(Entrance::DirectJoin(by, _)) => {
                self.fact("kind", "a direct join link, without sign-in");
                self.fact("role", role(by));
            }
            Some(Entrance::Zoom) => self.fact("kind", "Zoom's video visit URL, without sign-in"),
        }
    }

    fn profile(&mut self, url: &LaunchUrl, profile: &Known) {
        let uuid = profile.document.uuid;
        let name = &profile.document.name;
        self.fact("profile", format!("{uuid} {name} ({})", profile.place));
        if let Some(named) = url.entrance.as_ref().and_then(Entrance::uuid)
            && named != uuid
        {
            self.problem(format!(
                "the URL names the profile {named}: put the uuid of the profile into the EHR's \
                 launch URL"
            ));
        }
        if let Err(faults) = &profile.checked {
            for fault in faults.iter() {
                self.problem(format!("the profile: {fault}"));
            }
        }
        let is_zoom = profile.document.zoom.is_some();
        match url.entrance {
            Some(Entrance::Zoom) if !is_zoom => {
                self.problem("the profile has no table [zoom], so it takes no Zoom URLs");
            }
            Some(Entrance::Launch(..) | Entrance::DirectJoin(..)) if is_zoom => {
                self.problem("the profile is one for Zoom's URLs: /telehealth?org_id=…&data=…");
            }
            _ => {}
        }
    }

    /// What SMART App Launch puts into the URL.
    fn smart(&mut self, url: &LaunchUrl, profile: Option<&Known>) {
        if let Some(iss) = self.one(url, "iss") {
            let allowed = profile
                .and_then(|known| known.checked.as_ref().ok())
                .map(|profile| {
                    let iss = Url::parse(&iss).ok();
                    let sign_in = profile.sign_in.as_ref();
                    iss.zip(sign_in)
                        .is_some_and(|(iss, sign_in)| sign_in.allows(&iss))
                });
            if allowed == Some(false) {
                self.problem(
                    "iss is not allowed: it must begin with \
                     telehealth_integration_oauth2_base_api_url, or be named in allowed_iss",
                );
            }
            self.fact("iss", iss);
        }
        if let Some(launch) = self.one(url, "launch") {
            self.fact("launch", format!("{} characters", launch.chars().count()));
        }
    }

    /// The value of a parameter that must be there once.
    fn one(&mut self, url: &LaunchUrl, name: &str) -> Option<String> {
        let mut values = url.decoded(name);
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Some(value),
            (Some(_), Some(_)) => {
                self.problem(format!("{name} is there more than once"));
                None
            }
            _ => {
                self.problem(format!(
                    "{name} is missing or empty: in a shell the URL has to stand in quotation \
                     marks, or it ends at the first &"
                ));
                None
            }
        }
    }

    fn encrypted(&mut self, url: &LaunchUrl, known: &[Known], now: UnixTime, values: bool) {
        let document = known.first().map(|known| &known.document);
        let name = document
            .filter(|document| document.zoom.is_none())
            .and_then(|document| document.encrypted_parameter_name.as_deref())
            .unwrap_or("data");
        if url.raw(name).next().is_none() {
            return self.nothing_encrypted(url, name);
        }
        let Some(text) = self.one(url, name) else {
            return;
        };
        self.fact(
            "encrypted",
            format!("{name}, {} characters", text.chars().count()),
        );
        for raw in url.raw(name) {
            self.on_its_way(raw);
        }
        let Some(profile) = known.first() else {
            return;
        };
        let own = keys(&profile.document);
        match open(&text, &own) {
            Opening::Opens(key, changes, parameters) => {
                self.fact("opens with", key.describe());
                for change in changes {
                    self.problem(change.to_string());
                }
                match key.valid_until {
                    Some(until) if until <= now => self.problem(format!(
                        "the EHR still has the previous key, which was valid until {}: give it \
                         the new one",
                        rfc3339(until)
                    )),
                    Some(until) => self.note(format!(
                        "the EHR still has the previous key, which is valid until {}",
                        rfc3339(until)
                    )),
                    None => {}
                }
                self.contents(url, profile, &parameters, values);
            }
            Opening::Ungrammatical(key, error) => {
                self.fact("decrypts with", key.describe());
                self.problem(format!("{error}; adapt the EHR's launch record"));
            }
            Opening::Shut(shut) => {
                if let Some(key) = own.first() {
                    self.fact("tried", key.describe());
                }
                match opened_by(&text, &known[1..]) {
                    Some(other) => self.problem(format!(
                        "it opens with the key of another profile, {} {}: the EHR's launch \
                         record has the wrong uuid or the wrong key",
                        other.document.uuid, other.document.name
                    )),
                    None => self.problem(shut.to_string()),
                }
            }
            Opening::NoKey => self.problem("the profile has no key that could open it"),
        }
    }

    fn nothing_encrypted(&mut self, url: &LaunchUrl, name: &str) {
        let others: Vec<_> = url
            .names()
            .filter(|name| !["iss", "launch", "org_id"].contains(name))
            .collect();
        let hint = match others.as_slice() {
            [] => String::new(),
            others => format!(
                "; there is {}: if that is the encrypted one, set encrypted_parameter_name to its \
                 name",
                others.join(", ")
            ),
        };
        let text = format!("there is no encrypted parameter {name}{hint}");
        match &url.entrance {
            // The EHR's token response may say all that is needed.
            Some(Entrance::Launch(..)) if hint.is_empty() => self.note(format!(
                "{text}: the appointment has to come with the EHR's token response"
            )),
            _ => self.problem(text),
        }
    }

    /// What happened to the text that is mended, but better did not happen.
    fn on_its_way(&mut self, raw: &str) {
        let lower = raw.to_ascii_lowercase();
        if raw.contains(['+', ' ']) {
            self.note("a + stands unencoded in it and is taken for one: it should be %2B");
        }
        if ["%252b", "%252f", "%253d"]
            .iter()
            .any(|twice| lower.contains(twice))
        {
            self.note(
                "it is percent-encoded twice, which is mended here: something on its way \
                 encodes the URL again",
            );
        }
        let padded = lower.ends_with('=') || lower.ends_with("%3d") || lower.ends_with("%253d");
        let decoded = percent_encoding::percent_decode_str(raw).count();
        if !padded && !decoded.is_multiple_of(4) {
            self.note("the = at the end of the base64 is missing, which does no harm");
        }
    }

    fn contents(
        &mut self,
        url: &LaunchUrl,
        known: &Known,
        parameters: &LaunchParameters,
        values: bool,
    ) {
        let is_zoom = known.document.zoom.is_some();
        let map = &known.document.parameter_map;
        for (name, value) in parameters.iter() {
            let field = if is_zoom { None } else { field_of(map, name) };
            let shown = match values {
                true => value.to_owned(),
                false => format!("{} characters", value.chars().count()),
            };
            let field = field.map_or_else(String::new, |field| format!("  -> {field}"));
            self.parameters.push(format!("{name} = {shown}{field}"));
        }
        if is_zoom {
            self.zoom_contents(url, known);
        } else if let Err(error) = LaunchContext::from_parameters(parameters, map) {
            self.problem(error.to_string());
        }
    }

    /// Zoom's URLs are read more strictly than Epic's.
    fn zoom_contents(&mut self, url: &LaunchUrl, known: &Known) {
        let (Some(Entrance::Zoom), Ok(profile)) = (&url.entrance, &known.checked) else {
            return;
        };
        let now = UnixTime::from_millis(0);
        let query = SecretString::from(url.query());
        match profile.dialect.open(&query, now) {
            Ok(opened) => {
                if let Some(role) = opened.role {
                    self.fact("role", format!("{}, by usertype", role.as_str()));
                }
            }
            Err(_) => self.problem(
                "it decrypts, but is not what a Zoom URL has to hold: first usertype=1 or \
                 usertype=2 (only 2 under patient_org_id), then userid and sessionid, and nothing \
                 else than firstname, lastname and email; org_id has to be the profile's",
            ),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts.iter().map(|(name, text)| (*name, text));
        let lines = facts
            .chain(self.parameters.iter().map(|text| ("inside", text)))
            .chain(self.notes.iter().map(|text| ("note", text)))
            .chain(self.problems.iter().map(|text| ("problem", text)));
        for (name, text) in lines {
            // A terminal must not obey what a URL holds.
            let text = text.replace(char::is_control, "\u{fffd}");
            writeln!(f, "{name:<14}{text}")?;
        }
        Ok(())
    }
}

/// Another profile whose key opens it as it is.
fn opened_by<'a>(text: &str, others: &'a [Known]) -> Option<&'a Known> {
    others.iter().find(|other| {
        let keys = keys(&other.document);
        matches!(open(text, &keys), Opening::Opens(_, changes, _) if changes.is_empty())
    })
}

/// The field that a parameter of the EHR fills.
fn field_of(map: &ParameterMap, name: &str) -> Option<&'static str> {
    [
        (&map.unique_encounter_id, "unique_encounter_id"),
        (&map.fname, "launch_information.fname"),
        (&map.mname, "launch_information.mname"),
        (&map.lname, "launch_information.lname"),
        (&map.encfacnpiname, "launch_information.encfacnpiname"),
        (&map.external_id, "external_id, for write-backs"),
        (&map.conference_id, "conference_id, for write-backs"),
    ]
    .into_iter()
    .find(|(known, _)| known.eq_ignore_ascii_case(name))
    .map(|(_, field)| field)
}
