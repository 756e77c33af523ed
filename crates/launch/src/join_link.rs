//! Join links: what a launch hands to the browser.
//!
//! Every form of link that Pexip's web apps have understood is read, with any
//! branding path in place of `webapp`, and every form can be built. Addresses
//! are taken apart by hand: this runs in the browser shim, where a URL library
//! would weigh more than all the rest.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

mod address;
mod build;
mod bytes;
mod decode;
mod parse;
mod scrub;

use core::fmt;

pub(crate) use build::classic as build_classic;
pub use build::{LinkForm, encode_component};
pub use scrub::scrub;

use crate::{DisplayName, LaunchTicket, Pin, Role, trim::trim};

/// What a join link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinLink {
    /// Conference, name and PIN stand in the link.
    Classic(ClassicLink),
    /// The link holds a ticket only: `{base}/#/?ticket=…`.
    Ticket(LaunchTicket),
}

impl JoinLink {
    /// Reads a join link: the address of the page, or a part of it from the path on.
    /// A parameter that cannot be used counts as absent.
    ///
    /// # Errors
    /// Where the link names no conference or is longer than [`LONGEST_LINK`].
    pub fn parse(href: &str) -> Result<Self, JoinLinkError> {
        parse::parse(href, |_, _| {})?.ok_or(JoinLinkError::NoConference)
    }

    /// As [`JoinLink::parse`], and tells the name of each parameter that was not used, as
    /// often as it was not. Where [`JoinLink::parse_with_remarks`] would weigh too much.
    /// `None`: the address has nothing of a link, neither a parameter nor an alias.
    ///
    /// # Errors
    /// As [`JoinLink::parse`].
    pub fn parse_and_tell(
        href: &str,
        mut unused: impl FnMut(&'static str),
    ) -> Result<Option<Self>, JoinLinkError> {
        parse::parse(href, |_, number| unused(parse::name(number)))
    }

    /// As [`JoinLink::parse`], and says which parameters were not used.
    ///
    /// Where query and fragment both hold join parameters the fragment counts: a
    /// reverse proxy may have added a query. Of parameters given twice the first
    /// counts; a conference given as a parameter counts before one in the path.
    ///
    /// # Errors
    /// As [`JoinLink::parse`].
    pub fn parse_with_remarks(href: &str) -> Result<(Self, Vec<Remark>), JoinLinkError> {
        let mut remarks = Vec::new();
        let link = parse::parse(href, |remark, number| {
            let remark = remark(parse::name(number));
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
        })?;
        Ok((link.ok_or(JoinLinkError::NoConference)?, remarks))
    }

    /// The address of this link: `base` is the address of the web app, with its
    /// branding path (`https://meet.example.com/webapp`). A ticket always stands in
    /// the fragment, whatever `form` says.
    pub fn build(&self, base: &str, form: LinkForm) -> String {
        match self {
            Self::Classic(link) => build::classic(link, base, form),
            Self::Ticket(ticket) => build::ticket(ticket, base),
        }
    }
}

/// Longest join link that is read, in bytes.
pub const LONGEST_LINK: usize = 8 * 1024;

/// A link that carries its parameters itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ClassicLink {
    /// Alias of the conference.
    pub conference: LinkText,
    /// `name`: what other participants see.
    pub display_name: Option<DisplayName>,
    /// `pin` or `role`: how the user comes in.
    pub entry: Entry,
    /// `join=1`: join without asking anything that is known.
    pub join: bool,
    /// `muteMicrophone=true`.
    pub mute_microphone: bool,
    /// `muteCamera=true`.
    pub mute_camera: bool,
    /// `callType`: the media to start with, as the Connect web app names it.
    pub call_type: Option<LinkText>,
    /// `extension`: the target behind a virtual reception.
    pub extension: Option<LinkText>,
    /// `callTag`: handed on to the reports of the conferencing node.
    pub call_tag: Option<LinkText>,
}

impl ClassicLink {
    /// A link that names a conference and nothing else.
    pub fn new(conference: LinkText) -> Self {
        Self {
            conference,
            display_name: None,
            entry: Entry::Ask,
            join: false,
            mute_microphone: false,
            mute_camera: false,
            call_type: None,
            extension: None,
            call_tag: None,
        }
    }

    /// The PIN, where the link has one.
    pub fn pin(&self) -> Option<&Pin> {
        match &self.entry {
            Entry::Pin(pin) => Some(pin),
            Entry::Ask | Entry::As(_) => None,
        }
    }

    /// The role, where the link names one and has no PIN: a PIN decides by itself.
    pub fn role(&self) -> Option<Role> {
        match self.entry {
            Entry::As(role) => Some(role),
            Entry::Ask | Entry::Pin(_) => None,
        }
    }
}

impl fmt::Debug for ClassicLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicLink")
            .field("entry", &self.entry)
            .field("join", &self.join)
            .finish_non_exhaustive()
    }
}

/// How the user of a link comes into the conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// As whatever the conferencing node asks for.
    Ask,
    /// With this PIN: the node knows from it whether as host or as guest.
    Pin(Pin),
    /// In this role: a host is still asked for the PIN.
    As(Role),
}

/// Text of a link that is not empty and has no white space around it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkText(String);

impl LinkText {
    /// Trims the text; `None` where nothing is left.
    pub fn parse(text: &str) -> Option<Self> {
        let text = trim(text);
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<LinkText> for String {
    fn from(text: LinkText) -> Self {
        text.0
    }
}

/// Does not show the text: an alias lets its reader knock at the conference.
impl fmt::Debug for LinkText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkText(…)")
    }
}

/// What was not used of a link. Names the parameter, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The parameter stands in the link more than once.
    Duplicate(&'static str),
    /// The parameter's value is not one: a PIN of letters, a role of no name.
    Unusable(&'static str),
}

/// Why a link is not a join link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinLinkError {
    /// There is neither an alias nor a ticket in it.
    #[error("the link names no conference: it is incomplete, or was used already")]
    NoConference,
    /// It is longer than [`LONGEST_LINK`].
    #[error("the link is longer than 8192 bytes")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_alias_nor_name_nor_pin_nor_ticket() {
        let mut link = ClassicLink::new(LinkText::parse("secret-alias").unwrap());
        link.display_name = Some(DisplayName::parse("Beverley Spinder").unwrap());
        link.entry = Entry::Pin(Pin::parse("87654321").unwrap());
        link.call_tag = LinkText::parse("secret-tag");
        let ticket = LaunchTicket::parse(&"0".repeat(32)).unwrap();
        let shown = format!(
            "{:?} {:?}",
            JoinLink::Classic(link),
            JoinLink::Ticket(ticket)
        );
        for hidden in ["secret", "Beverley", "8765", "0000"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    #[test]
    fn an_address_without_a_link_is_told_from_a_link_that_cannot_be_used() {
        let read = |href| JoinLink::parse_and_tell(href, |_| {});
        for href in [
            "https://h/webapp/",
            "https://h/webapp/#/",
            "https://h/webapp/?lang=de#main",
            "https://h/webapp3/m/",
        ] {
            assert_eq!(read(href), Ok(None), "{href}");
        }
        for href in [
            "https://h/webapp/#/?ticket=short",
            "https://h/webapp/#/?ticket=",
            "https://h/webapp/#/?name=Ada",
            "https://h/webapp/?pin=1234",
            "https://h/webapp/#/?conference=%20",
            "https://h/webapp3/m/%20",
        ] {
            assert_eq!(read(href), Err(JoinLinkError::NoConference), "{href}");
        }
        assert!(matches!(read("/webapp/#/?conference=a"), Ok(Some(_))));
    }

    #[test]
    fn a_pin_leaves_no_room_for_a_role() {
        let mut link = ClassicLink::new(LinkText::parse("a").unwrap());
        link.entry = Entry::As(Role::Guest);
        assert_eq!((link.role(), link.pin()), (Some(Role::Guest), None));
        link.entry = Entry::Pin(Pin::parse("1234").unwrap());
        assert_eq!(link.role(), None);
        assert_eq!(link.pin().unwrap().expose(), "1234");
    }
}
