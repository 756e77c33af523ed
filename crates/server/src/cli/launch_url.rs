//! A launch URL, taken apart.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;
use uuid::Uuid;
use vestibule_launch::EhrRole;

/// A launch URL, or what somebody takes for one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LaunchUrl {
    /// Where it leads; none of an encrypted parameter alone.
    pub(super) entrance: Option<Entrance>,
    /// Names, and values as they stand in the URL.
    parameters: Vec<(String, String)>,
}

/// Where a launch URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// The EHR's launch button, which leads to a sign-in.
    Launch(EhrRole, Uuid),
    /// A direct join link.
    DirectJoin(EhrRole, Uuid),
    /// Zoom's video visit URL.
    Zoom,
}

/// Why a text is no launch URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotALaunchUrl {
    /// It is no URL.
    #[error("this is no URL; give the whole launch URL in quotation marks, or - to read it")]
    NoUrl,
    /// It leads elsewhere.
    #[error(
        "the path of this URL is none of a launch: it should be \
         /api/telehealth/v1/patient/oauth2smartlaunch/<uuid>, the same with provider or with \
         directlaunch, or /telehealth"
    )]
    Path,
    /// The uuid in it is none.
    #[error("the last part of the path is no uuid; copy it from the telehealth profile")]
    Uuid,
}

impl LaunchUrl {
    /// Reads a launch URL. A text without `://` and `?` is taken for the encrypted
    /// parameter alone, as it stands in a URL.
    pub(super) fn parse(text: &str) -> Result<Self, NotALaunchUrl> {
        let text = text.trim();
        if !text.contains("://") && !text.contains('?') {
            if text.is_empty() || text.starts_with("/api/") || text.starts_with("/telehealth") {
                return Err(NotALaunchUrl::NoUrl);
            }
            return Ok(Self {
                entrance: None,
                parameters: vec![(String::new(), text.to_owned())],
            });
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let url = Url::parse(address).map_err(|_| NotALaunchUrl::NoUrl)?;
        let query = query.split('#').next().unwrap_or(query);
        Ok(Self {
            entrance: Some(entrance(url.path())?),
            parameters: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (form_decoded(name).into_owned(), value.to_owned())
                })
                .collect(),
        })
    }

    /// The values of a parameter as they stand in the URL. The encrypted parameter
    /// alone counts under every name.
    pub(super) fn raw<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let alone = self.entrance.is_none();
        self.parameters
            .iter()
            .filter(move |(found, _)| alone || found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The same as a server reads them.
    pub(super) fn decoded<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> {
        self.raw(name).map(|value| form_decoded(value).into_owned())
    }

    /// The names of all parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|(name, _)| name.as_str())
    }

    /// All parameters, as a server reads them from the query.
    pub(super) fn query(&self) -> String {
        let pairs: Vec<_> = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }
}

impl Entrance {
    /// The profile that the URL names by its uuid.
    pub(super) fn uuid(&self) -> Option<Uuid> {
        match self {
            Self::Launch(_, uuid) | Self::DirectJoin(_, uuid) => Some(*uuid),
            Self::Zoom => None,
        }
    }
}

fn entrance(path: &str) -> Result<Entrance, NotALaunchUrl> {
    let path = path.strip_suffix('/').unwrap_or(path);
    // A reverse proxy may put something before it.
    if path.ends_with("/telehealth") {
        return Ok(Entrance::Zoom);
    }
    let mut parts = path.rsplit('/');
    let (uuid, kind, role) = (parts.next(), parts.next(), parts.next());
    let version: Vec<_> = parts.take(3).collect();
    let role = match role {
        Some("patient") => EhrRole::Patient,
        Some("provider") => EhrRole::Provider,
        _ => return Err(NotALaunchUrl::Path),
    };
    let entrance = match kind {
        Some("oauth2smartlaunch") => Entrance::Launch,
        Some("directlaunch") => Entrance::DirectJoin,
        _ => return Err(NotALaunchUrl::Path),
    };
    if version != ["v1", "telehealth", "api"] {
        return Err(NotALaunchUrl::Path);
    }
    let uuid = uuid.and_then(|uuid| uuid.parse().ok());
    uuid.map(|uuid| entrance(role, uuid))
        .ok_or(NotALaunchUrl::Uuid)
}

/// As forms are read: `+` is a space.
fn form_decoded(text: &str) -> Cow<'_, str> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "12daaebc-ea75-43c1-a6c7-c044be66a36e";

    fn parse(text: &str) -> Result<LaunchUrl, NotALaunchUrl> {
        LaunchUrl::parse(text)
    }

    #[test]
    fn each_entrance_is_recognised_below_whatever_is_before_it() {
        let uuid = UUID.parse().unwrap();
        for (path, entrance) in [
            (
                format!("/api/telehealth/v1/patient/oauth2smartlaunch/{UUID}"),
                Entrance::Launch(EhrRole::Patient, uuid),
            ),
            (
                format!("/video/api/telehealth/v1/provider/oauth2smartlaunch/{UUID}/"),
                Entrance::Launch(EhrRole::Provider, uuid),
            ),
            (
                format!("/api/telehealth/v1/patient/directlaunch/{UUID}"),
                Entrance::DirectJoin(EhrRole::Patient, uuid),
            ),
            ("/telehealth".to_owned(), Entrance::Zoom),
        ] {
            let url = parse(&format!("https://visit.example.org{path}?data=a%2Bb")).unwrap();
            assert_eq!(url.entrance, Some(entrance));
            assert_eq!(url.decoded("data").collect::<Vec<_>>(), ["a+b"]);
            assert_eq!(url.raw("data").collect::<Vec<_>>(), ["a%2Bb"]);
        }
    }

    #[test]
    fn parameters_are_read_as_a_server_reads_them() {
        let path =
            format!("https://visit.example.org/api/telehealth/v1/patient/oauth2smartlaunch/{UUID}");
        let url = parse(&format!("{path}?iss=https%3A%2F%2Fa&data=a+b==&data=c#x?y")).unwrap();
        assert_eq!(url.decoded("iss").collect::<Vec<_>>(), ["https://a"]);
        assert_eq!(url.decoded("data").collect::<Vec<_>>(), ["a b==", "c"]);
        assert_eq!(url.names().collect::<Vec<_>>(), ["iss", "data", "data"]);
        assert_eq!(url.query(), "iss=https%3A%2F%2Fa&data=a+b==&data=c");
    }

    #[test]
    fn an_encrypted_parameter_alone_goes_by_every_name() {
        let url = parse("  5W1TzaFQtbAPt97fFLoNk2lNTqI%2F+Dzal8lM==\n").unwrap();
        assert_eq!(url.entrance, None);
        let decoded: Vec<_> = url.decoded("whatever").collect();
        assert_eq!(decoded, ["5W1TzaFQtbAPt97fFLoNk2lNTqI/ Dzal8lM=="]);
    }

    #[test]
    fn what_is_no_launch_url_is_told() {
        for (text, error) in [
            ("", NotALaunchUrl::NoUrl),
            ("/api/telehealth/v1/patient", NotALaunchUrl::NoUrl),
            ("visit.example.org/telehealth?data=a", NotALaunchUrl::NoUrl),
            ("https://visit.example.org/", NotALaunchUrl::Path),
            (
                "https://visit.example.org/api/telehealth/v1/nurse/oauth2smartlaunch/1?data=a",
                NotALaunchUrl::Path,
            ),
            (
                "https://visit.example.org/patient/oauth2smartlaunch/1?data=a",
                NotALaunchUrl::Path,
            ),
            (
                "https://visit.example.org/api/telehealth/v1/patient/oauth2smartlaunch/%3Cuuid%3E?data=a",
                NotALaunchUrl::Uuid,
            ),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
