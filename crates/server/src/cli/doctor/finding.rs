//! What the doctor finds: one line each.

use std::fmt::{self, Write as _};

use serde::Serialize;
use uuid::Uuid;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The profile; none of what is the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Uuid>,
    #[serde(skip)]
    name: String,
    /// What was checked.
    pub(crate) check: &'static str,
    /// How it is.
    pub(crate) state: State,
    /// What was found.
    pub(crate) text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// It works, but better were otherwise; or it cannot be told from here.
    Warn,
    /// Launches fail.
    Fail,
}

impl Finding {
    pub(super) fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, State::Ok, text.into(), None)
    }

    pub(super) fn warn(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(check, State::Warn, text.into(), Some(advice.into()))
    }

    pub(super) fn fail(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(check, State::Fail, text.into(), Some(advice.into()))
    }

    /// The same, of a profile.
    pub(super) fn of(self, profile: Uuid, name: &str) -> Self {
        Self {
            profile: Some(profile),
            name: name.to_owned(),
            ..self
        }
    }

    /// Texts come from EHRs too: they must not command a terminal, or break a line.
    fn new(check: &'static str, state: State, text: String, advice: Option<String>) -> Self {
        let plain = |text: String| text.replace(char::is_control, " ");
        Self {
            profile: None,
            name: String::new(),
            check,
            state,
            text: plain(text),
            advice: advice.map(plain),
        }
    }
}

/// Every finding in a line of its own, under the profile that it is of.
pub(super) fn in_lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut before = None;
    for finding in findings {
        if before != Some(finding.profile) {
            let heading = match finding.profile {
                None => "server".to_owned(),
                Some(uuid) => format!("profile {uuid} {}", finding.name),
            };
            writeln!(text, "{heading}").expect("a string takes everything");
            before = Some(finding.profile);
        }
        writeln!(text, "{finding}").expect("a string takes everything");
    }
    text
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        write!(f, "  {state:<5} {:<17} {}", self.check, self.text)?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_under_what_it_is_of() {
        let uuid = Uuid::from_u128(1);
        let findings = [
            Finding::ok("www", "built"),
            Finding::fail("dns", "no\naddress", "mend it\u{1b}[2J").of(uuid, "Org"),
            Finding::warn("clock", "late", "set it").of(uuid, "Org"),
        ];
        let expected = format!(
            "server\n  ok    www               built\nprofile {uuid} Org\n  \
             fail  dns               no address; mend it [2J\n  \
             warn  clock             late; set it\n"
        );
        assert_eq!(in_lines(&findings), expected);
        let json = serde_json::to_value(&findings[1]).unwrap();
        let expected = serde_json::json!({
            "profile": uuid, "check": "dns", "state": "fail",
            "text": "no address", "advice": "mend it [2J",
        });
        assert_eq!(json, expected);
    }
}
