//! Reading join links.

use super::{
    ClassicLink, Entry, JoinLink, JoinLinkError, LONGEST_LINK, LinkText, Remark,
    address::{Address, without_amp},
    bytes::{cut, place},
    decode::decode,
};
use crate::{DisplayName, LaunchTicket, Pin, Role};

/// The parameters that are read, in the order of their numbers; other ones are left alone.
const NAMES: &str = "conference,ticket,name,pin,role,join,muteMicrophone,muteCamera,\
    callType,extension,callTag,alias";

const CONFERENCE: usize = 0;
const TICKET: usize = 1;
const NAME: usize = 2;
const PIN: usize = 3;
const ROLE: usize = 4;
const JOIN: usize = 5;
const MUTE_MICROPHONE: usize = 6;
const MUTE_CAMERA: usize = 7;
const CALL_TYPE: usize = 8;
const EXTENSION: usize = 9;
const CALL_TAG: usize = 10;
/// Another word for `conference`.
const ALIAS: usize = 11;

/// Makes a remark on the parameter of this name.
pub(super) type ToRemark = fn(&'static str) -> Remark;

/// The name of a parameter.
pub(super) fn name(number: usize) -> &'static str {
    let mut names = NAMES.as_bytes();
    for _ in 0..number {
        names = cut(names, b',').1;
    }
    let start = NAMES.len() - names.len();
    let end = start + cut(names, b',').0.len();
    NAMES.get(start..end).unwrap_or("")
}

/// Reads a link, and tells `remark` what is not used of it: which remark, and the number
/// of the parameter. `None`: the address has nothing of a link.
pub(super) fn parse(
    href: &str,
    remark: impl FnMut(ToRemark, usize),
) -> Result<Option<JoinLink>, JoinLinkError> {
    if href.len() > LONGEST_LINK {
        return Err(JoinLinkError::TooLong);
    }
    let address = Address::split(href.as_bytes());

    let mut parameters = Parameters {
        values: [&[]; ALIAS],
        named: !address.alias.is_empty(),
        remark,
    };
    if !parameters.read(query_of_fragment(address.fragment)) {
        parameters.read(address.query);
    }

    if let Some(ticket) = parameters.usable(TICKET, |text| LaunchTicket::parse(text).ok()) {
        return Ok(Some(JoinLink::Ticket(ticket)));
    }
    if !parameters.named {
        return Ok(None);
    }

    let conference = match (parameters.value(CONFERENCE), address.alias) {
        ([], alias) => decode(alias, b'+'),
        (named, []) => decode(named, SPACE),
        (named, _) => {
            (parameters.remark)(Remark::Duplicate, CONFERENCE);
            decode(named, SPACE)
        }
    };
    let conference = LinkText::parse(&conference).ok_or(JoinLinkError::NoConference)?;

    let display_name = parameters.usable(NAME, |text| DisplayName::parse(text).ok());
    let pin = parameters.usable(PIN, |text| Pin::parse(text).ok());
    let role = parameters.usable(ROLE, role);
    Ok(Some(JoinLink::Classic(ClassicLink {
        conference,
        display_name,
        entry: match (pin, role) {
            (Some(pin), _) => Entry::Pin(pin),
            (None, Some(role)) => Entry::As(role),
            (None, None) => Entry::Ask,
        },
        join: parameters.flag(JOIN),
        mute_microphone: parameters.flag(MUTE_MICROPHONE),
        mute_camera: parameters.flag(MUTE_CAMERA),
        call_type: parameters.usable(CALL_TYPE, LinkText::parse),
        extension: parameters.usable(EXTENSION, LinkText::parse),
        call_tag: parameters.usable(CALL_TAG, LinkText::parse),
    })))
}

/// As what Pexip's own client writes a space, and in a path no space.
const SPACE: u8 = b' ';

/// The first value of every parameter, still encoded. An empty value counts as none.
struct Parameters<'a, F> {
    values: [&'a [u8]; ALIAS],
    /// One was named, with a value or without; or an alias stands in the path.
    named: bool,
    remark: F,
}

impl<'a, F: FnMut(ToRemark, usize)> Parameters<'a, F> {
    /// Whether there are any.
    fn read(&mut self, mut query: &'a [u8]) -> bool {
        let mut any = false;
        while !query.is_empty() {
            let (pair, others) = cut(query, b'&');
            query = others;
            let (key, value) = cut(without_amp(pair), b'=');
            let number = match place(NAMES.as_bytes(), key) {
                Some(ALIAS) => CONFERENCE,
                Some(number) => number,
                None => continue,
            };
            self.named = true;
            match self.values.get_mut(number) {
                Some(first) if !value.is_empty() => {
                    any = true;
                    if first.is_empty() {
                        *first = value;
                    } else {
                        (self.remark)(Remark::Duplicate, number);
                    }
                }
                _ => {}
            }
        }
        any
    }

    /// The value; empty where there is none.
    fn value(&self, number: usize) -> &'a [u8] {
        self.values.get(number).copied().unwrap_or(&[])
    }

    /// The value as `read` makes it; a remark where it makes nothing of it. None of these
    /// makes anything of an empty text.
    fn usable<T>(&mut self, number: usize, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.value(number);
        let usable = read(&decode(value, SPACE));
        if usable.is_none() && !value.is_empty() {
            (self.remark)(Remark::Unusable, number);
        }
        usable
    }

    fn flag(&mut self, number: usize) -> bool {
        self.usable(number, flag).unwrap_or(false)
    }
}

/// What stands after the route of a fragment: `/?a=b`, `?a=b` or plain `a=b`.
fn query_of_fragment(mut fragment: &[u8]) -> &[u8] {
    let (route, query) = cut(fragment, b'?');
    // Not `contains`, which weighs more in the browser than this function.
    if !query.is_empty() && cut(route, b'=').0.len() == route.len() {
        return query;
    }
    while let [b'/', rest @ ..] = fragment {
        fragment = rest;
    }
    fragment
}

fn role(text: &str) -> Option<Role> {
    match place(b"host,guest", text.as_bytes())? {
        0 => Some(Role::Host),
        _ => Some(Role::Guest),
    }
}

fn flag(text: &str) -> Option<bool> {
    place(b"1,true,yes,0,false,no", text.as_bytes()).map(|place| place < 3)
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use super::*;

    fn parse(href: &str) -> Result<(JoinLink, Vec<Remark>), JoinLinkError> {
        JoinLink::parse_with_remarks(href)
    }

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
