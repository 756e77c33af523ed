//! Reading join links.

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{
    ClassicLink, Entry, JoinLink, JoinLinkError, LONGEST_LINK, LinkText, Remark,
    address::{Address, PathAlias},
};
use crate::{DisplayName, LaunchTicket, Pin, Role};

/// The parameters that are read; other ones are left alone.
const NAMES: [&str; 11] = [
    "conference",
    "ticket",
    "name",
    "pin",
    "role",
    "join",
    "muteMicrophone",
    "muteCamera",
    "callType",
    "extension",
    "callTag",
];

pub(super) fn parse(href: &str) -> Result<(JoinLink, Vec<Remark>), JoinLinkError> {
    if href.len() > LONGEST_LINK {
        return Err(JoinLinkError::TooLong);
    }
    let address = Address::split(href);
    let path_alias = PathAlias::find(address.path()).map(|found| found.alias);

    let mut parameters = Parameters::read(query_of_fragment(address.fragment));
    if parameters.pairs.is_empty() {
        parameters = Parameters::read(address.query);
    }

    if let Some(ticket) = parameters.usable("ticket", |text| LaunchTicket::parse(text).ok()) {
        return Ok((JoinLink::Ticket(ticket), parameters.remarks));
    }

    let named = parameters.get("conference");
    if named.is_some() && path_alias.is_some() {
        parameters.remark(Remark::Duplicate("conference"));
    }
    let conference = named
        .map(decode_value)
        .or_else(|| path_alias.map(decode))
        .ok_or(JoinLinkError::NoConference)?;
    let conference = LinkText::parse(&conference).ok_or(JoinLinkError::NoConference)?;

    let mut link = ClassicLink::new(conference);
    link.display_name = parameters.usable("name", |text| DisplayName::parse(text).ok());
    let pin = parameters.usable("pin", |text| Pin::parse(text).ok());
    let role = parameters.usable("role", role);
    link.entry = match (pin, role) {
        (Some(pin), _) => Entry::Pin(pin),
        (None, Some(role)) => Entry::As(role),
        (None, None) => Entry::Ask,
    };
    link.join = parameters.usable("join", flag).unwrap_or(false);
    link.mute_microphone = parameters.usable("muteMicrophone", flag).unwrap_or(false);
    link.mute_camera = parameters.usable("muteCamera", flag).unwrap_or(false);
    link.call_type = parameters.usable("callType", LinkText::parse);
    link.extension = parameters.usable("extension", LinkText::parse);
    link.call_tag = parameters.usable("callTag", LinkText::parse);
    Ok((JoinLink::Classic(link), parameters.remarks))
}

/// The first value of every parameter, still encoded. An empty value counts as none.
struct Parameters<'a> {
    pairs: Vec<(&'static str, &'a str)>,
    remarks: Vec<Remark>,
}

impl<'a> Parameters<'a> {
    fn read(query: &'a str) -> Self {
        let mut parameters = Self {
            pairs: Vec::new(),
            remarks: Vec::new(),
        };
        for pair in query.split('&') {
            // A link copied out of HTML source separates with `&amp;`.
            let pair = pair.strip_prefix("amp;").unwrap_or(pair);
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            let Some(name) = known(key) else {
                continue;
            };
            if value.is_empty() {
                continue;
            }
            if parameters.get(name).is_some() {
                parameters.remark(Remark::Duplicate(name));
            } else {
                parameters.pairs.push((name, value));
            }
        }
        parameters
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.pairs
            .iter()
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1)
    }

    fn remark(&mut self, remark: Remark) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// The value as `read` makes it; a remark where it makes nothing of it.
    fn usable<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = decode_value(self.get(name)?);
        let usable = read(&value);
        if usable.is_none() {
            self.remark(Remark::Unusable(name));
        }
        usable
    }
}

/// The parameter's usual name. `alias` is another word for `conference`.
fn known(key: &str) -> Option<&'static str> {
    if key.eq_ignore_ascii_case("alias") {
        return Some("conference");
    }
    NAMES
        .into_iter()
        .find(|name| key.eq_ignore_ascii_case(name))
}

/// What stands after the route of a fragment: `/?a=b`, `?a=b` or plain `a=b`.
fn query_of_fragment(fragment: &str) -> &str {
    match fragment.split_once('?') {
        Some((route, query)) if !route.contains('=') => query,
        _ => fragment.trim_start_matches('/'),
    }
}

fn role(text: &str) -> Option<Role> {
    [Role::Host, Role::Guest]
        .into_iter()
        .find(|role| text.eq_ignore_ascii_case(role.as_str()))
}

fn flag(text: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["1", "true", "yes"]) {
        Some(true)
    } else if is(["0", "false", "no"]) {
        Some(false)
    } else {
        None
    }
}

/// A parameter's value: Pexip's own client writes a space as `+`.
fn decode_value(text: &str) -> Zeroizing<String> {
    decode(&Zeroizing::new(text.replace('+', " ")))
}

/// Decodes percent escapes. What is no escape stays as it is, what is no UTF-8
/// becomes U+FFFD.
fn decode(text: &str) -> Zeroizing<String> {
    Zeroizing::new(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic(href: &str) -> (ClassicLink, Vec<Remark>) {
        match parse(href).unwrap() {
            (JoinLink::Classic(link), remarks) => (link, remarks),
            (JoinLink::Ticket(_), _) => panic!("{href} is read as a ticket"),
        }
    }

    fn conference(href: &str) -> String {
        classic(href).0.conference.as_str().to_owned()
    }

    #[test]
    fn the_links_of_pexip_s_default_templates_are_read() {
        let (provider, remarks) = classic(
            "https://pexip.example.com//webapp/#/?conference=telehealth.7f0c@example.com&pin=40718265&name=Healthcare Org",
        );
        assert_eq!(provider.conference.as_str(), "telehealth.7f0c@example.com");
        assert_eq!(provider.pin().unwrap().expose(), "40718265");
        assert_eq!(provider.display_name.unwrap().as_str(), "Healthcare Org");
        assert_eq!(remarks, []);

        let (patient, _) = classic(
            "https://pexip.example.com/webapp/#/?conference=telehealth.7f0c%40example.com&name=Beverley%20P%20Spinder&role=guest",
        );
        assert_eq!(patient.role(), Some(Role::Guest));
        assert_eq!(patient.display_name.unwrap().as_str(), "Beverley P Spinder");
    }

    #[test]
    fn every_form_of_link_names_its_conference() {
        for href in [
            "https://h/webapp/#/?conference=a%40b",
            "https://h/webapp/?conference=a@b",
            "https://h/webapp?conference=a@b",
            "https://h/webapp/home/?conference=a@b",
            "https://h/webapp/#?alias=a@b",
            "https://h/webapp/#conference=a@b",
            "https://h/webapp/conference/a@b",
            "https://h/webapp/conference/a%40b?name=x",
            "https://h/webapp2/conference/a@b?name=x&join=1",
            "https://h/webapp3/m/a@b?pin=1234",
            "https://h/webapp3/m/a%40b/express?pin=1234",
            "https://h/webapp3/m/a@b/step-by-step",
            "https://h/inbar/m/?conference=a@b&pin=1234",
            "https://h/bva-app/?join=1&media=&escalate=1&conference=a@b",
            "/webapp/?role=guest&amp;conference=a@b",
            "#/?conference=a@b",
        ] {
            assert_eq!(conference(href), "a@b", "{href}");
        }
    }

    #[test]
    fn plus_and_percent_twenty_are_spaces_and_percent_2b_is_a_plus() {
        let name = |href| classic(href).0.display_name.unwrap().as_str().to_owned();
        assert_eq!(name("/webapp/#/?conference=a&name=Ada+King"), "Ada King");
        assert_eq!(name("/webapp/#/?conference=a&name=Ada%20King"), "Ada King");
        assert_eq!(name("/webapp/#/?conference=a&name=Ada%2BKing"), "Ada+King");
        assert_eq!(conference("/webapp3/m/a+b"), "a+b");
    }

    #[test]
    fn a_pin_keeps_its_hash_raw_or_encoded() {
        for href in [
            "/bva-app/#/?conference=a&pin=1234567#&role=host",
            "/bva-app/#/?conference=a&pin=1234567%23&role=host",
            "/bva-app/?conference=a&pin=1234567%23&role=host",
            "/bva-app/?conference=a&pin=1234567#&role=host",
            "/bva-app/?conference=a&pin=1234567#",
        ] {
            let (link, remarks) = classic(href);
            assert_eq!(link.pin().unwrap().expose(), "1234567#", "{href}");
            assert_eq!(remarks, []);
        }
        let (link, _) = classic("/bva-app/#/?conference=a&pin=1234567#&join=1");
        assert!(link.join);
    }

    #[test]
    fn the_first_of_duplicates_counts_and_the_name_is_remarked() {
        let (link, remarks) =
            classic("/webapp/#/?conference=a&alias=b&pin=1111&pin=2222&pin=3333&name=&name=Ada");
        assert_eq!(link.conference.as_str(), "a");
        assert_eq!(link.pin().unwrap().expose(), "1111");
        assert_eq!(link.display_name.unwrap().as_str(), "Ada");
        assert_eq!(
            remarks,
            [Remark::Duplicate("conference"), Remark::Duplicate("pin")]
        );
        let (link, remarks) = classic("/webapp3/m/a?conference=b");
        assert_eq!(link.conference.as_str(), "b");
        assert_eq!(remarks, [Remark::Duplicate("conference")]);
    }

    #[test]
    fn the_fragment_counts_where_query_and_fragment_hold_parameters() {
        let (link, _) = classic("/webapp/?conference=q&pin=1111#/?conference=f&name=Ada");
        assert_eq!(link.conference.as_str(), "f");
        assert_eq!(link.entry, Entry::Ask);
        let (link, _) = classic("/webapp/?conference=q&pin=1111#/");
        assert_eq!(link.conference.as_str(), "q");
        assert!(link.pin().is_some());
        assert_eq!(conference("/webapp/?utm=1#/?conference=f"), "f");
        assert_eq!(conference("/webapp/conference/p#/?conference=f"), "f");
        assert_eq!(conference("/webapp/conference/p#/?name=Ada"), "p");
    }

    #[test]
    fn unusable_values_count_as_absent_and_are_remarked_by_name() {
        let (link, remarks) = classic(&format!(
            "/webapp/#/?conference=a&pin=12345x&name={}&role=chair&join=maybe&ticket=short",
            "x".repeat(201)
        ));
        assert_eq!(link, ClassicLink::new(LinkText::parse("a").unwrap()));
        assert_eq!(
            remarks,
            ["ticket", "name", "pin", "role", "join"].map(Remark::Unusable)
        );
    }

    #[test]
    fn bad_escapes_are_kept_and_bad_utf_8_is_replaced() {
        let name = |href| classic(href).0.display_name.unwrap().as_str().to_owned();
        assert_eq!(name("/webapp/#/?conference=a&name=100%"), "100%");
        assert_eq!(name("/webapp/#/?conference=a&name=%zz%4"), "%zz%4");
        assert_eq!(name("/webapp/#/?conference=a&name=a%FFb"), "a\u{FFFD}b");
    }

    #[test]
    fn a_ticket_is_read_from_fragment_or_query() {
        let ticket = "0123456789abcdefghjkmnpqrstvwxyz";
        for href in [
            format!("https://h/webapp/#/?ticket={ticket}"),
            format!("https://h/webapp/?ticket={ticket}"),
            format!("https://h/webapp/?conference=a#/?ticket={ticket}&conference=b"),
        ] {
            let expected = JoinLink::Ticket(LaunchTicket::parse(ticket).unwrap());
            assert_eq!(parse(&href).unwrap(), (expected, vec![]), "{href}");
        }
        assert_eq!(
            parse("https://h/webapp/#/?ticket=short"),
            Err(JoinLinkError::NoConference)
        );
    }

    #[test]
    fn a_link_without_conference_and_an_overlong_link_are_refused() {
        for href in [
            "",
            "https://h/webapp/",
            "https://h/webapp/#/",
            "https://h/webapp/#/?conference=&name=Ada",
            "https://h/webapp/#/?conference=%20",
            "https://h/webapp3/m/",
        ] {
            assert_eq!(parse(href), Err(JoinLinkError::NoConference), "{href}");
        }
        let long = format!("/webapp/#/?conference={}", "a".repeat(LONGEST_LINK));
        assert_eq!(parse(&long), Err(JoinLinkError::TooLong));
    }
}
