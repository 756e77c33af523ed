//! The address by which a launch is handed on to a Connect web app.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{ClassicLink, Entry, LinkForm, Role, join_link::build_classic};

/// The version of a Connect web app, by which its addresses look different: `webapp`,
/// `webapp2` or `webapp3` where it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectForm {
    /// The first: `{base}/#/?conference=…`.
    Webapp,
    /// The second: `{base}/conference/ALIAS?…`.
    Webapp2,
    /// The third, with as few questions as possible: `{base}/m/ALIAS/express?…`.
    Webapp3,
}

/// The address of `link` in the Connect web app at `base`, its address with its path
/// (`https://meet.example.com/webapp3`). It joins without asking what the link says already;
/// a PIN stands in it where the link has one.
pub fn connect_link(mut link: ClassicLink, base: &str, form: ConnectForm) -> String {
    let form = match form {
        ConnectForm::Webapp => LinkForm::Fragment,
        ConnectForm::Webapp2 => LinkForm::Conference,
        ConnectForm::Webapp3 => LinkForm::Express,
    };
    // The express way of the third web app joins by itself, and knows no role but a
    // guest's.
    link.join = form != LinkForm::Express;
    if form == LinkForm::Express && link.entry == Entry::As(Role::Host) {
        link.entry = Entry::Ask;
    }
    build_classic(&link, base, form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DisplayName, JoinLink, LinkText, Pin};

    fn link(entry: Entry) -> ClassicLink {
        let mut link = ClassicLink::new(LinkText::parse("t.1@x").unwrap());
        link.display_name = Some(DisplayName::parse("Ada King").unwrap());
        link.entry = entry;
        link
    }

    #[test]
    fn every_version_gets_the_address_that_it_understands() {
        let host = link(Entry::Pin(Pin::parse("1234#").unwrap()));
        for (base, form, expected) in [
            (
                "https://h/webapp/",
                ConnectForm::Webapp,
                "https://h/webapp/#/?conference=t.1%40x&pin=1234%23&name=Ada%20King&join=1",
            ),
            (
                "https://h/webapp2",
                ConnectForm::Webapp2,
                "https://h/webapp2/conference/t.1%40x?pin=1234%23&name=Ada%20King&join=1",
            ),
            (
                "https://h/webapp3",
                ConnectForm::Webapp3,
                "https://h/webapp3/m/t.1%40x/express?pin=1234%23&name=Ada%20King",
            ),
        ] {
            assert_eq!(connect_link(host.clone(), base, form), expected);
        }
    }

    #[test]
    fn a_guest_is_said_to_be_one_and_the_address_is_read_back_as_the_same_link() {
        let guest = link(Entry::As(Role::Guest));
        for (form, join) in [
            (ConnectForm::Webapp, true),
            (ConnectForm::Webapp2, true),
            (ConnectForm::Webapp3, false),
        ] {
            let href = connect_link(guest.clone(), "https://h/x", form);
            let mut expected = guest.clone();
            expected.join = join;
            assert_eq!(JoinLink::parse(&href), Ok(JoinLink::Classic(expected)));
        }
        let host = link(Entry::As(Role::Host));
        let href = connect_link(host, "https://h/x", ConnectForm::Webapp3);
        assert!(!href.contains("role"), "{href}");
    }

    #[test]
    fn forms_have_the_names_of_the_configuration() {
        for (name, form) in [
            ("webapp", ConnectForm::Webapp),
            ("webapp2", ConnectForm::Webapp2),
            ("webapp3", ConnectForm::Webapp3),
        ] {
            let json = serde_json::Value::from(name);
            assert_eq!(serde_json::to_value(form).unwrap(), json);
            assert_eq!(serde_json::from_value::<ConnectForm>(json).unwrap(), form);
        }
        assert!(serde_json::from_value::<ConnectForm>("webapp4".into()).is_err());
    }
}
