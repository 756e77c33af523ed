//! Building join links.

use alloc::string::String;

use super::{ClassicLink, Entry};
use crate::LaunchTicket;

/// The forms of a join link, after the address of the web app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkForm {
    /// `/#/?conference=…`: understood by every version of the web app, and the only
    /// form besides the ticket that sends nothing to a server.
    Fragment,
    /// `/?conference=…`: the first web app.
    Query,
    /// `/home/?conference=…`
    Home,
    /// `/conference/<alias>?…`: the second web app.
    Conference,
    /// `/m/<alias>?…`: the third web app.
    Meeting,
    /// `/m/<alias>/express?…`
    Express,
    /// `/m/<alias>/step-by-step?…`
    StepByStep,
    /// `/m/?conference=…`
    MeetingQuery,
}

impl LinkForm {
    /// Every form.
    pub const ALL: [Self; 8] = [
        Self::Fragment,
        Self::Query,
        Self::Home,
        Self::Conference,
        Self::Meeting,
        Self::Express,
        Self::StepByStep,
        Self::MeetingQuery,
    ];
}

/// Percent-encodes a text so that it can stand as one value in a query, a fragment
/// or a path: everything but letters, digits and `-._~` (JavaScript's
/// `encodeURIComponent` leaves `!*'()` alone as well).
pub fn encode_component(text: &str) -> String {
    let mut encoded = String::new();
    append_encoded(&mut encoded, text);
    encoded
}

/// By hand: the tables of the crate that the server uses weigh more in the browser than
/// all of this.
fn append_encoded(href: &mut String, text: &str) {
    for byte in text.bytes() {
        // The unreserved characters of RFC 3986 section 2.3.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            href.push(byte.into());
        } else {
            href.push('%');
            href.push(hex(byte >> 4));
            href.push(hex(byte & 15));
        }
    }
}

fn hex(digit: u8) -> char {
    char::from(digit + if digit < 10 { b'0' } else { b'A' - 10 })
}

fn without_slashes(mut base: &str) -> &str {
    while let Some(shorter) = base.strip_suffix('/') {
        base = shorter;
    }
    base
}

pub(super) fn ticket(ticket: &LaunchTicket, base: &str) -> String {
    let base = without_slashes(base);
    let mut href = String::from(base);
    href.push_str("/#/?ticket=");
    href.push_str(ticket.expose());
    href
}

pub(crate) fn classic(link: &ClassicLink, base: &str, form: LinkForm) -> String {
    let alias = encode_component(link.conference.as_str());
    let base = without_slashes(base);
    let (head, in_query) = match form {
        LinkForm::Fragment => ([base, "/#/", "", ""], true),
        LinkForm::Query => ([base, "/", "", ""], true),
        LinkForm::Home => ([base, "/home/", "", ""], true),
        LinkForm::MeetingQuery => ([base, "/m/", "", ""], true),
        LinkForm::Conference => ([base, "/conference/", &alias, ""], false),
        LinkForm::Meeting => ([base, "/m/", &alias, ""], false),
        LinkForm::Express => ([base, "/m/", &alias, "/express"], false),
        LinkForm::StepByStep => ([base, "/m/", &alias, "/step-by-step"], false),
    };
    // Not `concat`, whose checks weigh more in the browser than this.
    let mut href = String::new();
    for part in head {
        href.push_str(part);
    }
    let mut separator = '?';
    let mut append = |name: &str, value: &str| {
        href.push(separator);
        href.push_str(name);
        href.push('=');
        append_encoded(&mut href, value);
        separator = '&';
    };
    if in_query {
        append("conference", link.conference.as_str());
    }
    if let Entry::Pin(pin) = &link.entry {
        append("pin", pin.expose());
    }
    if let Some(name) = &link.display_name {
        append("name", name.as_str());
    }
    if let Entry::As(role) = link.entry {
        append("role", role.as_str());
    }
    if link.join {
        append("join", "1");
    }
    if link.mute_microphone {
        append("muteMicrophone", "true");
    }
    if link.mute_camera {
        append("muteCamera", "true");
    }
    for (name, value) in [
        ("callType", &link.call_type),
        ("extension", &link.extension),
        ("callTag", &link.call_tag),
    ] {
        if let Some(value) = value {
            append(name, value.as_str());
        }
    }
    href
}

#[cfg(test)]
mod tests {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;
    use crate::{DisplayName, LinkText, Pin, Role};

    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');

    proptest! {
        #[test]
        fn components_are_escaped_as_percent_encoding_does(text: String) {
            let judge = utf8_percent_encode(&text, ESCAPED).collect::<String>();
            prop_assert_eq!(encode_component(&text), judge);
        }
    }

    #[test]
    fn components_are_escaped_as_rfc_3986_unreserved_characters_demand() {
        assert_eq!(encode_component("aZ09-._~"), "aZ09-._~");
        assert_eq!(
            encode_component("Ada & Bob+1@x#/?é!*'()"),
            "Ada%20%26%20Bob%2B1%40x%23%2F%3F%C3%A9%21%2A%27%28%29"
        );
    }

    #[test]
    fn every_form_is_built_as_pexip_writes_it() {
        let mut link = ClassicLink::new(LinkText::parse("t.1@x").unwrap());
        link.display_name = Some(DisplayName::parse("Ada King").unwrap());
        link.entry = Entry::Pin(Pin::parse("1234#").unwrap());
        link.join = true;
        let rest = "pin=1234%23&name=Ada%20King&join=1";
        for (form, base, href) in [
            (
                LinkForm::Fragment,
                "/webapp/",
                "/webapp/#/?conference=t.1%40x&",
            ),
            (LinkForm::Query, "/webapp", "/webapp/?conference=t.1%40x&"),
            (
                LinkForm::Home,
                "/webapp",
                "/webapp/home/?conference=t.1%40x&",
            ),
            (
                LinkForm::Conference,
                "/webapp2",
                "/webapp2/conference/t.1%40x?",
            ),
            (LinkForm::Meeting, "/webapp3", "/webapp3/m/t.1%40x?"),
            (LinkForm::Express, "/webapp3", "/webapp3/m/t.1%40x/express?"),
            (
                LinkForm::StepByStep,
                "/webapp3",
                "/webapp3/m/t.1%40x/step-by-step?",
            ),
            (
                LinkForm::MeetingQuery,
                "/inbar/",
                "/inbar/m/?conference=t.1%40x&",
            ),
        ] {
            assert_eq!(classic(&link, base, form), format!("{href}{rest}"));
        }
    }

    #[test]
    fn a_link_without_parameters_has_no_question_mark() {
        let mut link = ClassicLink::new(LinkText::parse("a").unwrap());
        assert_eq!(
            classic(&link, "/webapp3", LinkForm::Meeting),
            "/webapp3/m/a"
        );
        link.entry = Entry::As(Role::Guest);
        assert_eq!(
            classic(&link, "/webapp3", LinkForm::Meeting),
            "/webapp3/m/a?role=guest"
        );
    }

    #[test]
    fn a_ticket_stands_in_the_fragment() {
        let text = "0123456789abcdefghjkmnpqrstvwxyz";
        let built = ticket(&LaunchTicket::parse(text).unwrap(), "https://h/webapp/");
        assert_eq!(built, format!("https://h/webapp/#/?ticket={text}"));
    }
}
