//! The forms that browsers send.

use std::fmt;

use serde::Deserialize;
use url::form_urlencoded;
use vestibule_launch::{
    ClassicLink, DisplayName, Entry, JoinLink, JoinLinkError, LaunchTicket, LinkText, Pin,
    RequestId, Role,
};

use crate::{language, launch::is_browser_key};

/// With what a visit begins.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) by: By,
    /// The key by which this browser may redeem a ticket once more, where the landing
    /// page knows it.
    pub(crate) browser: Option<String>,
}

/// How a visit is found.
#[derive(Debug)]
pub(crate) enum By {
    /// By a link.
    Link(JoinLink),
    /// By what the tab remembers of a launch whose ticket it has redeemed.
    Launch(RememberedLaunch),
}

/// A launch, and the bearer token that it was given.
pub(crate) struct RememberedLaunch {
    pub(crate) request_id: RequestId,
    pub(crate) bearer: String,
}

/// What the shim keeps for a tab that is reloaded.
#[derive(Deserialize)]
struct Remembered {
    ticket: Option<String>,
    id: Option<RequestId>,
    bearer: Option<String>,
    alias: Option<String>,
    role: Option<Role>,
}

/// What a form for a link brought, to be put before the person once more.
#[derive(Default)]
pub(crate) struct Given {
    /// The link, where it is not the landing page's own address.
    pub(crate) link: String,
    pub(crate) tab: String,
    pub(crate) browser: String,
    pub(crate) language: String,
}

/// What somebody does in a visit.
#[derive(Debug)]
pub(crate) enum Step {
    /// A name; none where what was typed is none.
    Name(Option<DisplayName>),
    /// A PIN; none where what was typed is none.
    Pin(Option<Pin>),
    /// In without a PIN.
    Guest,
    /// In, once more.
    Again,
    /// Out.
    Leave,
}

/// The first value of each field that is not empty.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(form: &[u8]) -> Self {
        Self(form_urlencoded::parse(form).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        values
            .find(|(_, value)| !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    }
}

impl Asked {
    /// A ticket, a link, the parameters of one, or what the tab remembers, in this order.
    ///
    /// # Errors
    /// Where none of them leads anywhere.
    pub(crate) fn read(form: &[u8]) -> Result<Self, JoinLinkError> {
        let fields = Fields::read(form);
        let owned = |name| fields.get(name).map(str::to_owned);
        Ok(Self {
            by: by(&fields)?,
            browser: owned("browser").filter(|key| is_browser_key(key)),
        })
    }
}

impl Given {
    pub(crate) fn read(form: &[u8]) -> Self {
        let fields = Fields::read(form);
        let owned = |name| fields.get(name).unwrap_or_default().to_owned();
        Self {
            link: owned("link"),
            tab: owned("tab"),
            browser: owned("browser"),
            language: owned("language"),
        }
    }

    /// Primary tag of the language that somebody chose on the landing page, or that the
    /// link names, where the pages speak it.
    pub(crate) fn language(&self) -> Option<&'static str> {
        language::spoken(&self.language)
    }
}

impl Step {
    /// `step` says which; none where it says nothing that is known.
    pub(crate) fn read(form: &[u8]) -> Option<Self> {
        let fields = Fields::read(form);
        Some(match fields.get("step")? {
            "name" => Self::Name(name(&fields)),
            "pin" => Self::Pin(pin(&fields)),
            "guest" => Self::Guest,
            "again" => Self::Again,
            "leave" => Self::Leave,
            _ => return None,
        })
    }
}

/// What the tab remembers counts only where the form holds nothing of a link: a link that
/// cannot be used must not lead to another visit.
fn by(fields: &Fields) -> Result<By, JoinLinkError> {
    match link(fields)? {
        Some(link) => Ok(By::Link(link)),
        None => fields
            .get("tab")
            .and_then(remembered)
            .ok_or(JoinLinkError::NoConference),
    }
}

fn remembered(json: &str) -> Option<By> {
    let remembered: Remembered = serde_json::from_str(json).ok()?;
    // It was taken out of the address, and no answer has come for it.
    if let Some(ticket) = remembered.ticket {
        let ticket = LaunchTicket::parse(&ticket).ok()?;
        return Some(By::Link(JoinLink::Ticket(ticket)));
    }
    if let (Some(request_id), Some(bearer)) = (remembered.id, remembered.bearer) {
        return Some(By::Launch(RememberedLaunch { request_id, bearer }));
    }
    let mut link = ClassicLink::new(LinkText::parse(&remembered.alias?)?);
    link.entry = remembered.role.map_or(Entry::Ask, Entry::As);
    Some(By::Link(JoinLink::Classic(link)))
}

/// `None`: nothing of a link, as in the landing page's own address after its parameters
/// were taken out of it.
fn link(fields: &Fields) -> Result<Option<JoinLink>, JoinLinkError> {
    if let Some(ticket) = fields.get("ticket") {
        let ticket = LaunchTicket::parse(ticket).map_err(|_| JoinLinkError::NoConference)?;
        return Ok(Some(JoinLink::Ticket(ticket)));
    }
    let written = fields.get("link").unwrap_or_default();
    if let Some(link) = JoinLink::parse_and_tell(written, |_| {})? {
        return Ok(Some(link));
    }
    let Some(conference) = fields.get("conference") else {
        return Ok(None);
    };
    let conference = LinkText::parse(conference).ok_or(JoinLinkError::NoConference)?;
    let mut link = ClassicLink::new(conference);
    link.display_name = name(fields);
    link.entry = match (pin(fields), fields.get("role")) {
        (Some(pin), _) => Entry::Pin(pin),
        (None, Some("guest")) => Entry::As(Role::Guest),
        (None, Some("host")) => Entry::As(Role::Host),
        (None, _) => Entry::Ask,
    };
    link.extension = fields.get("extension").and_then(LinkText::parse);
    link.call_tag = fields.get("callTag").and_then(LinkText::parse);
    Ok(Some(JoinLink::Classic(link)))
}

fn name(fields: &Fields) -> Option<DisplayName> {
    DisplayName::parse(fields.get("name")?).ok()
}

fn pin(fields: &Fields) -> Option<Pin> {
    Pin::parse(fields.get("pin")?).ok()
}

impl fmt::Debug for RememberedLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RememberedLaunch")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: &str = "0123456789abcdefghjkmnpqrstvwxyz";

    fn asked(form: &[(&str, &str)]) -> Result<JoinLink, JoinLinkError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        Asked::read(form.as_bytes()).map(|asked| match asked.by {
            By::Link(link) => link,
            By::Launch(launch) => panic!("{launch:?}"),
        })
    }

    #[test]
    fn a_ticket_a_link_and_its_parameters_lead_to_the_same() {
        let ticket = JoinLink::Ticket(LaunchTicket::parse(TICKET).unwrap());
        assert_eq!(asked(&[("ticket", TICKET)]), Ok(ticket.clone()));
        let link = format!("https://visit.example.org/webapp/#/?ticket={TICKET}");
        assert_eq!(asked(&[("link", &link), ("conference", "x")]), Ok(ticket));
        let link = "https://visit.example.org/webapp/#/?conference=a&name=Ada&role=guest";
        let parameters = [("conference", "a"), ("name", "Ada"), ("role", "guest")];
        assert_eq!(asked(&[("link", link)]), asked(&parameters));
        assert!(asked(&parameters).is_ok());
        let host = [("conference", "a"), ("pin", " 1234# "), ("role", "guest")];
        let JoinLink::Classic(host) = asked(&host).unwrap() else {
            panic!("no ticket")
        };
        assert_eq!(host.pin().unwrap().expose(), "1234#");
    }

    #[test]
    fn the_landing_page_s_own_address_is_no_link_but_its_parameters_count() {
        let page = ("link", "https://visit.example.org/webapp/");
        let expected = Err(JoinLinkError::NoConference);
        assert_eq!(asked(&[page]), expected);
        assert_eq!(asked(&[]), expected);
        assert_eq!(asked(&[("ticket", "short"), ("link", "")]), expected);
        assert!(asked(&[page, ("conference", "a")]).is_ok());
        let long = "a".repeat(9000);
        let long = asked(&[("link", &format!("/#/?conference={long}"))]);
        assert_eq!(long, Err(JoinLinkError::TooLong));
    }

    #[test]
    fn what_the_tab_remembers_counts_where_there_is_no_link() {
        let page = ("link", "https://visit.example.org/webapp/");
        let alias = ("tab", r#"{"alias":"a","role":"guest"}"#);
        let parameters = [("conference", "a"), ("role", "guest")];
        assert_eq!(asked(&[page, alias]), asked(&parameters));
        assert_eq!(
            asked(&[("conference", "b"), alias]),
            asked(&[("conference", "b")])
        );
        let ticket = format!(r#"{{"ticket":"{TICKET}"}}"#);
        assert_eq!(
            asked(&[page, ("tab", &ticket)]),
            asked(&[("ticket", TICKET)])
        );
        for unusable in [
            "https://visit.example.org/webapp/#/?pin=1234",
            "/#/?ticket=short",
        ] {
            let asked = asked(&[("link", unusable), alias]);
            assert_eq!(asked, Err(JoinLinkError::NoConference), "{unusable}");
        }
        for nothing in [
            "",
            "{}",
            "x",
            r#"{"alias":""}"#,
            r#"{"id":"x","bearer":"y"}"#,
        ] {
            let asked = asked(&[page, ("tab", nothing)]);
            assert_eq!(asked, Err(JoinLinkError::NoConference), "{nothing}");
        }
        let id = "01010101-0101-4101-8101-010101010101";
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("tab", &format!(r#"{{"id":"{id}","bearer":"secret"}}"#))
            .finish();
        let By::Launch(launch) = Asked::read(form.as_bytes()).unwrap().by else {
            panic!("a launch is remembered")
        };
        assert_eq!(launch.request_id.to_string(), id);
        assert!(!format!("{launch:?}").contains("secret"));
    }

    #[test]
    fn a_step_with_something_unusable_is_a_step_all_the_same() {
        assert!(matches!(
            Step::read(b"step=name&name=Ada"),
            Some(Step::Name(Some(_)))
        ));
        assert!(matches!(
            Step::read(b"step=name&name=+"),
            Some(Step::Name(None))
        ));
        assert!(matches!(
            Step::read(b"step=pin&pin=abcd"),
            Some(Step::Pin(None))
        ));
        assert!(matches!(
            Step::read(b"step=pin&pin=1234"),
            Some(Step::Pin(Some(_)))
        ));
        assert!(matches!(Step::read(b"step=guest"), Some(Step::Guest)));
        assert!(matches!(Step::read(b"step=again"), Some(Step::Again)));
        assert!(matches!(Step::read(b"step=leave"), Some(Step::Leave)));
        assert!(Step::read(b"step=host").is_none());
        assert!(Step::read(b"name=Ada").is_none());
    }
}
