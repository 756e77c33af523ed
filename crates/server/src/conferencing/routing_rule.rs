//! Call routing rules, with the meaning that they have in Pexip Infinity: they turn the
//! alias that somebody dialled into the base alias that a launch is stored under.
//!
//! The expressions are Python's: `\1` stands in the replacement for what the first group
//! matched, and `.*` takes as much as it can. They run in linear time here, so look-around
//! and back-references within an expression are refused.
//!
//! Pexip's documentation leaves two things open. Whether an expression must match the
//! whole alias: it must here, unless the rule has `match_whole = false`. And whether
//! upper and lower case differ: they do not here, as aliases are the same in either.

use std::{borrow::Cow, net::IpAddr};

use regex::{Captures, Regex, RegexBuilder};
use serde::Deserialize;
use vestibule_launch::{BaseAlias, EhrRole};

mod replacement;

use self::replacement::Replacement;
use crate::profile::{Profile, RenderError, Sample};

/// Longest name, expression and replacement, in characters, as in the management API.
const LONGEST_TEXT: usize = 250;

/// Longest alias that is looked at, in bytes: four times what the status pages can show.
pub(crate) const LONGEST_ALIAS: usize = 1000;

/// Most rules.
const MOST_RULES: usize = 200;

/// Bytes of a compiled expression: far more than a sensible one takes.
const COMPILED: usize = 1024 * 1024;

const SCHEMES: [&str; 5] = ["h323", "pexip", "sip", "sips", "tel"];

/// A rule as it is written down: under the field names of Pexip Infinity's management
/// API (`gateway_routing_rule`), and `match_whole`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingRuleDocument {
    /// What the rule is called: 1 to 250 characters.
    pub name: String,
    /// 1 to 200: the first rule that matches counts, in ascending order.
    pub priority: u8,
    /// The expression: at most 250 characters.
    pub match_string: String,
    /// Whether it is matched against the alias as it came. Otherwise scheme, parameters
    /// and the IP address of a host are taken off before.
    #[serde(default)]
    pub match_string_full: bool,
    /// Whether it must match from the first character to the last.
    #[serde(default = "yes")]
    pub match_whole: bool,
    /// What takes the place of what matched: at most 250 characters. Where it is empty
    /// the alias stays as it is.
    #[serde(default)]
    pub replace_string: String,
    /// Whether the rule counts.
    #[serde(default = "yes")]
    pub enable: bool,
}

/// The rules of this server, in order of priority. Written down as a list of rules; an
/// empty one stands for the default.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<RoutingRuleDocument>")]
pub struct RoutingRules(Vec<RoutingRule>);

/// A routing rule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("routing_rules: {rule}: {field} {problem}")]
pub struct RoutingRuleError {
    /// The rule's name, or its place where it has none.
    pub rule: String,
    /// The field.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub problem: String,
}

/// The aliases of a profile lead nowhere by the rules.
#[derive(Debug, thiserror::Error)]
#[error("profile {profile}: {field}: {problem}")]
pub struct RoutingFault {
    /// The profile's name.
    pub profile: String,
    /// The profile's alias template.
    pub field: &'static str,
    /// What is wrong, which rule it is, and what to do.
    pub problem: String,
}

/// No rule matches an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no routing rule matches the alias that it renders; adapt the template or routing_rules")]
pub struct NoRoute;

#[derive(Clone, Debug)]
struct RoutingRule {
    name: String,
    priority: u8,
    expression: Regex,
    match_string_full: bool,
    replacement: Replacement,
}

impl RoutingRules {
    /// Checks the rules.
    ///
    /// # Errors
    /// [`RoutingRuleError`]: the first fault that is found.
    pub fn check(documents: &[RoutingRuleDocument]) -> Result<Self, RoutingRuleError> {
        if documents.len() > MOST_RULES {
            return Err(RoutingRuleError {
                rule: "all".into(),
                field: "routing_rules",
                problem: format!("are more than {MOST_RULES}"),
            });
        }
        let mut rules = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let rule = RoutingRule::check(document).map_err(|(field, problem)| {
                let rule = match document.name.trim() {
                    "" => format!("rule {}", index + 1),
                    name => name.chars().take(LONGEST_TEXT).collect(),
                };
                RoutingRuleError {
                    rule,
                    field,
                    problem,
                }
            })?;
            if document.enable {
                rules.push(rule);
            }
        }
        // Rules of the same priority stay in the order in which they are written.
        rules.sort_by_key(|rule| rule.priority);
        Ok(Self(rules))
    }

    /// The base alias of `dialled`, by the first rule that matches.
    ///
    /// # Errors
    /// Where none does.
    pub fn base_alias(&self, dialled: &str) -> Result<String, NoRoute> {
        self.route(dialled).map(|(_, base)| base).ok_or(NoRoute)
    }

    /// The base alias that `dialled` stands for: what the rules make of it, or else itself,
    /// because a conferencing system may have applied its rules already.
    pub fn known_as(&self, dialled: &str) -> String {
        self.base_alias(dialled)
            .unwrap_or_else(|NoRoute| parsed(dialled).into_owned())
    }

    fn route(&self, dialled: &str) -> Option<(&RoutingRule, String)> {
        if dialled.len() > LONGEST_ALIAS {
            return None;
        }
        let dialled = dialled.trim();
        let parsed = parsed(dialled);
        self.0.iter().find_map(|rule| {
            let subject = if rule.match_string_full {
                dialled
            } else {
                &parsed
            };
            Some((rule, rule.apply(subject)?))
        })
    }
}

impl TryFrom<Vec<RoutingRuleDocument>> for RoutingRules {
    type Error = RoutingRuleError;

    fn try_from(documents: Vec<RoutingRuleDocument>) -> Result<Self, RoutingRuleError> {
        if documents.is_empty() {
            return Ok(Self::default());
        }
        Self::check(&documents)
    }
}

/// One rule: the aliases of telehealth launches as the default templates make them.
impl Default for RoutingRules {
    fn default() -> Self {
        let document = RoutingRuleDocument {
            name: "Telehealth".into(),
            priority: 1,
            match_string: r"telehealth\.(.*)@(.*)".into(),
            match_string_full: false,
            match_whole: true,
            replace_string: r"\1".into(),
            enable: true,
        };
        Self::check(&[document]).expect("the default rule is one")
    }
}

impl RoutingRule {
    fn check(document: &RoutingRuleDocument) -> Result<Self, (&'static str, String)> {
        let fault = |field, problem: &str| (field, problem.to_owned());
        if document.name.trim().is_empty() {
            return Err(fault("name", "is empty"));
        }
        if document.match_string.is_empty() {
            return Err(fault("match_string", "is empty"));
        }
        for (field, text) in [
            ("name", &document.name),
            ("match_string", &document.match_string),
            ("replace_string", &document.replace_string),
        ] {
            if text.chars().count() > LONGEST_TEXT {
                return Err(fault(field, "is longer than 250 characters"));
            }
        }
        if !(1..=200).contains(&document.priority) {
            return Err(fault("priority", "must be 1 to 200"));
        }
        let expression = expression(&document.match_string, document.match_whole)
            .map_err(|problem| ("match_string", problem))?;
        let replacement = Replacement::parse(&document.replace_string, &expression)
            .map_err(|problem| ("replace_string", problem))?;
        Ok(Self {
            name: document.name.clone(),
            priority: document.priority,
            expression,
            match_string_full: document.match_string_full,
            replacement,
        })
    }

    /// What the rule makes of `subject`; none where it does not match, or where nothing
    /// would be left.
    fn apply(&self, subject: &str) -> Option<String> {
        if !self.expression.is_match(subject) {
            return None;
        }
        let replaced: Cow<'_, str> = if self.replacement.is_empty() {
            subject.into()
        } else {
            let expand = |captures: &Captures<'_>| self.replacement.expand(captures);
            self.expression.replace_all(subject, expand)
        };
        (!replaced.is_empty()).then(|| replaced.into_owned())
    }
}

/// Whether each alias template of the profile renders aliases that the rules lead to base
/// aliases of their own. A launch of a profile that fails here would lead nowhere.
///
/// # Errors
/// The first template that does not.
pub fn check_routing(profile: &Profile, rules: &RoutingRules) -> Result<(), RoutingFault> {
    for (role, field) in [
        (EhrRole::Patient, "patient_alias_template"),
        (EhrRole::Provider, "provider_alias_template"),
    ] {
        let fault = |problem: String| RoutingFault {
            profile: profile.integration.name.clone(),
            field,
            problem,
        };
        let [first, second] = ["0", "1"].map(|digit| {
            let alias = sample_alias(profile, role, digit)
                .map_err(|error| fault(format!("a sample launch cannot be rendered: {error}")))?;
            rules.route(&alias).ok_or_else(|| {
                fault(format!(
                    "an alias such as {alias} is matched by no routing rule; \
                     adapt the template or [[routing_rules]]"
                ))
            })
        });
        let ((rule, first), (_, second)) = (first?, second?);
        if first.to_lowercase() == second.to_lowercase() {
            return Err(fault(format!(
                "routing rule {} makes the same of every alias, so launches could not be \
                 told apart; keep base_telehealth_alias in replace_string",
                rule.name
            )));
        }
    }
    Ok(())
}

/// An alias as the profile renders it for a launch that never was.
fn sample_alias(profile: &Profile, role: EhrRole, digit: &str) -> Result<String, RenderError> {
    let Sample {
        context,
        request_id,
        ..
    } = Sample::new();
    let base = BaseAlias::parse(&digit.repeat(26)).expect("26 digits are a base alias");
    profile.alias(role, &base, &context, request_id)
}

/// The expression, so that it matches whole aliases only where it shall.
fn expression(text: &str, match_whole: bool) -> Result<Regex, String> {
    let compile = |text: &str| {
        RegexBuilder::new(text)
            .case_insensitive(true)
            .size_limit(COMPILED)
            .build()
    };
    // By itself first: anchors must not mend what is wrong alone.
    let alone = compile(text).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "is too large an expression; simplify it".to_owned(),
        _ => format!(
            "is no regular expression that runs in linear time; look-around and \
             back-references are not possible: {}",
            last_line(&error.to_string())
        ),
    })?;
    if !match_whole {
        return Ok(alone);
    }
    compile(&format!(r"\A(?:{text})\z")).map_err(|error| last_line(&error.to_string()))
}

/// What an error of the expression says, without the picture before it.
fn last_line(error: &str) -> String {
    let line = error.lines().last().unwrap_or(error);
    line.trim_start_matches("error: ").to_owned()
}

/// An alias without scheme, parameters and the IP address of a host.
fn parsed(alias: &str) -> Cow<'_, str> {
    let mut alias = alias.trim();
    if let Some((scheme, rest)) = alias.split_once(':')
        && SCHEMES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(scheme))
    {
        alias = rest;
    }
    alias = alias.split([';', '?']).next().unwrap_or(alias);
    match alias.rsplit_once('@') {
        Some((user, host)) if is_ip(host) => user.into(),
        _ => alias.into(),
    }
}

/// Whether a host, with or without a port, is an IP address.
fn is_ip(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|host| host.split_once(']'));
    let (address, _) = bracketed
        .or_else(|| host.split_once(':').filter(|(_, port)| is_port(port)))
        .unwrap_or((host, ""));
    address.parse::<IpAddr>().is_ok()
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
