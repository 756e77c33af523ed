//! What a hospital says of its landing page.

use serde::{Deserialize, Serialize};
use vestibule_launch::ConnectForm;

use crate::{Colour, LogoSource, Origin, PagePath, WebAppAddress};

/// The languages in which the page speaks, by primary tag (BCP 47).
pub const LANGUAGES: [&str; 8] = ["en", "es", "fr", "de", "zh", "vi", "tl", "ar"];

/// Longest name and help line, in characters.
const LONGEST_TEXT: usize = 120;

/// The landing page's configuration. Everything may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Document")]
pub struct Configuration {
    /// What stands at the head of the page in place of "Video visit".
    pub hospital: Option<String>,
    /// The image beside the name.
    pub logo: Option<LogoSource>,
    /// The colour of buttons and links.
    pub accent: Option<Colour>,
    /// The language of those whose link and browser name none of [`LANGUAGES`].
    pub language: Option<String>,
    /// Whom to call, as shown where a visit has failed: a number, or a sentence.
    pub help_line: Option<String>,
    /// What happens to a visit that is joined.
    pub hand_over: HandOver,
    /// The Connect web app, for [`HandOver::Connect`] and no other.
    pub connect: Option<Connect>,
    /// Whether camera, microphone and speaker can be checked before joining.
    pub device_check: DeviceCheck,
    /// The conferencing node, where it is not the page's own server.
    pub node: Option<Origin>,
    /// The launch API, where it is not on the page's own server.
    pub launch_api: Option<Origin>,
    /// Where the page stands; its files are under the first. `/webapp/` by default.
    pub paths: Vec<PagePath>,
}

/// As it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    hospital: Option<String>,
    logo: Option<LogoSource>,
    accent: Option<Colour>,
    language: Option<String>,
    help_line: Option<String>,
    #[serde(default)]
    hand_over: HandOver,
    connect: Option<Connect>,
    #[serde(default)]
    device_check: DeviceCheck,
    node: Option<Origin>,
    launch_api: Option<Origin>,
    #[serde(default = "default_paths")]
    paths: Vec<PagePath>,
}

/// What happens to a visit that is joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HandOver {
    /// It stays on the page.
    #[default]
    Page,
    /// Its session goes to the embedding page, as an event and a promise.
    Event,
    /// It goes on to the Connect web app.
    Connect,
}

/// The Connect web app that takes visits over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Its address, with its path.
    pub base: WebAppAddress,
    /// The form of join link that it reads.
    pub form: ConnectForm,
}

/// Whether camera, microphone and speaker can be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceCheck {
    /// They cannot.
    #[default]
    Off,
    /// Forms and waiting screens offer it.
    Offer,
    /// It is offered before a visit is joined, on a screen of its own.
    Before,
}

/// Why values do not go together or cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// A name or help line that cannot be shown.
    #[error("{0}: write at most {LONGEST_TEXT} characters on one line, and no invisible ones")]
    Text(&'static str),
    /// A language that the page does not speak.
    #[error("language: write one of {}", LANGUAGES.join(", "))]
    Language,
    /// A hand-over to an unknown web app.
    #[error(
        "connect: hand_over = \"connect\" needs `connect = {{ base = \"https://…\", form = \"webapp3\" }}`"
    )]
    ConnectMissing,
    /// A web app without a hand-over.
    #[error("connect: is of use with hand_over = \"connect\" only")]
    ConnectUnused,
    /// Two paths of which one is in the other, or none.
    #[error("paths: name at least one path, and none inside another")]
    Paths,
}

impl Configuration {
    /// Where the page's files are.
    pub fn assets(&self) -> PagePath {
        self.paths.first().cloned().unwrap_or_default()
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            hospital: None,
            logo: None,
            accent: None,
            language: None,
            help_line: None,
            hand_over: HandOver::default(),
            connect: None,
            device_check: DeviceCheck::default(),
            node: None,
            launch_api: None,
            paths: default_paths(),
        }
    }
}

impl TryFrom<Document> for Configuration {
    type Error = ConfigurationError;

    fn try_from(document: Document) -> Result<Self, ConfigurationError> {
        for (key, text) in [
            ("hospital", &document.hospital),
            ("help_line", &document.help_line),
        ] {
            if text.as_deref().is_some_and(|text| !can_be_shown(text)) {
                return Err(ConfigurationError::Text(key));
            }
        }
        let language = document.language.as_deref();
        if language.is_some_and(|language| !LANGUAGES.contains(&language)) {
            return Err(ConfigurationError::Language);
        }
        match (document.hand_over, &document.connect) {
            (HandOver::Connect, None) => return Err(ConfigurationError::ConnectMissing),
            (HandOver::Page | HandOver::Event, Some(_)) => {
                return Err(ConfigurationError::ConnectUnused);
            }
            _ => {}
        }
        let paths = &document.paths;
        let meet = paths.iter().enumerate().any(|(index, path)| {
            let later = paths.iter().skip(index + 1);
            later.into_iter().any(|other| path.meets(other))
        });
        if paths.is_empty() || meet {
            return Err(ConfigurationError::Paths);
        }
        Ok(Self {
            hospital: document.hospital,
            logo: document.logo,
            accent: document.accent,
            language: document.language,
            help_line: document.help_line,
            hand_over: document.hand_over,
            connect: document.connect,
            device_check: document.device_check,
            node: document.node,
            launch_api: document.launch_api,
            paths: document.paths,
        })
    }
}

fn default_paths() -> Vec<PagePath> {
    vec![PagePath::default()]
}

/// No control character, and none that turns the direction of what follows.
fn can_be_shown(text: &str) -> bool {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT && !text.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Configuration, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn nothing_has_to_be_said() {
        let configuration = read("").unwrap();
        assert_eq!(configuration.hand_over, HandOver::Page);
        assert_eq!(configuration.device_check, DeviceCheck::Off);
        assert_eq!(configuration.paths, [PagePath::default()]);
        assert_eq!(configuration.assets().as_str(), "/webapp/");
    }

    #[test]
    fn a_configuration_that_is_left_out_is_that_of_nothing() {
        assert_eq!(read("").unwrap(), Configuration::default());
    }

    #[test]
    fn everything_can_be_said() {
        let configuration = read(
            "hospital = \"Healthcare Org\"\nlogo = \"logo.svg\"\naccent = \"#0B5C6B\"\n\
             language = \"es\"\nhelp_line = \"+1 555 0100\"\nhand_over = \"connect\"\n\
             connect = { base = \"https://meet.example.org/webapp3/\", form = \"webapp3\" }\n\
             device_check = \"before\"\nnode = \"https://node.example.org\"\n\
             launch_api = \"https://visit.example.org\"\npaths = [\"/webapp/\", \"/visit/\"]\n",
        )
        .unwrap();
        let connect = configuration.connect.unwrap();
        assert_eq!(connect.form, ConnectForm::Webapp3);
        assert_eq!(connect.base.as_str(), "https://meet.example.org/webapp3");
        assert_eq!(configuration.accent.unwrap().to_string(), "#0b5c6b");
    }

    #[test]
    fn what_cannot_be_is_refused_in_a_sentence() {
        for (text, words) in [
            ("colour = \"#fff\"", "unknown field"),
            ("accent = \"teal\"", "hexadecimal"),
            ("hospital = \"\"", "hospital: write at most"),
            ("hospital = \"a\\nb\"", "hospital: write at most"),
            ("hospital = \"a\\u202Eb\"", "hospital: write at most"),
            (
                "language = \"tlh\"",
                "language: write one of en, es, fr, de, zh, vi, tl, ar",
            ),
            ("hand_over = \"connect\"", "connect: hand_over"),
            (
                "connect = { base = \"https://a.example/w\", form = \"webapp\" }",
                "connect: is of use",
            ),
            ("hand_over = \"video\"", "expected one of"),
            ("device_check = \"always\"", "expected one of"),
            ("node = \"https://node.example.org/\"", "origin"),
            ("paths = []", "paths: name"),
            ("paths = [\"/webapp/\", \"/webapp/\"]", "paths: name"),
            ("paths = [\"/webapp/\", \"/webapp/visit/\"]", "paths: name"),
            ("paths = [\"webapp\"]", "slash at either end"),
            ("logo = \"data:image/gif;base64,R0lG\"", "PNG, SVG or WebP"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(words), "{text}: {refused}");
        }
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert!(read(&format!("help_line = \"{long}\"")).is_err());
    }
}
