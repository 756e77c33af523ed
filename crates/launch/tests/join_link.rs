//! Properties of join links: what is built is read back, whatever is read does
//! no harm, nothing personal is shown.

use proptest::{option, prelude::*};
use vestibule_launch::{
    ClassicLink, DisplayName, Entry, JoinLink, LaunchTicket, LinkForm, LinkText, Pin, Role, scrub,
};

const BASES: [&str; 6] = [
    "https://meet.example.com/webapp",
    "https://meet.example.com:8443/webapp2/",
    "https://[2001:db8::1]//webapp3",
    "/bva-app",
    "https://meet.example.com/m",
    "https://meet.example.com/conference/",
];

fn link_text() -> impl Strategy<Value = LinkText> {
    prop_oneof![
        ".{1,40}",
        "[ -~]{1,40}",
        "telehealth\\.[a-z0-9]{26}@[a-z.]{3,20}"
    ]
    .prop_filter_map("white space", |text: String| LinkText::parse(&text))
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        Just(Entry::Ask),
        Just(Entry::As(Role::Guest)),
        Just(Entry::As(Role::Host)),
        "[0-9]{4,20}#?"
            .prop_map(|pin| Entry::Pin(Pin::parse(&pin).expect("it is written as a PIN"))),
    ]
}

fn display_name() -> impl Strategy<Value = DisplayName> {
    prop_oneof![".{1,60}", "[ -~]{1,60}"].prop_filter_map("nothing to see", |text: String| {
        DisplayName::parse(&text).ok()
    })
}

prop_compose! {
    fn classic_link()(
        conference in link_text(),
        display_name in option::of(display_name()),
        entry in entry(),
        (join, mute_microphone, mute_camera) in any::<(bool, bool, bool)>(),
        call_type in option::of(link_text()),
        extension in option::of(link_text()),
        call_tag in option::of(link_text()),
    ) -> ClassicLink {
        ClassicLink {
            conference, display_name, entry, join, mute_microphone, mute_camera,
            call_type, extension, call_tag,
        }
    }
}

/// Text made of the pieces that matter to the parser, in any order.
fn structured_link() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://h"),
        Just("/"),
        Just("webapp"),
        Just("webapp3"),
        Just("m"),
        Just("conference"),
        Just("home"),
        Just("express"),
        Just("step-by-step"),
        Just("?"),
        Just("#"),
        Just("&"),
        Just("&amp;"),
        Just("="),
        Just("conference="),
        Just("alias="),
        Just("pin="),
        Just("name="),
        Just("role="),
        Just("ticket="),
        Just("guest"),
        Just("1234"),
        Just("%"),
        Just("%2"),
        Just("%23"),
        Just("%FF"),
        Just("+"),
        Just("é"),
        Just("0123456789abcdefghjkmnpqrstvwxyz"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_link_that_was_built_is_read_back_in_every_form(
        link in classic_link(),
        base in prop::sample::select(&BASES),
    ) {
        let link = JoinLink::Classic(link);
        for form in LinkForm::ALL {
            let href = link.build(base, form);
            let read = JoinLink::parse_with_remarks(&href);
            prop_assert_eq!(read, Ok((link.clone(), vec![])), "{:?} {}", form, href);
        }
    }

    #[test]
    fn a_link_survives_html_escaping(link in classic_link()) {
        let link = JoinLink::Classic(link);
        let href = link.build("/webapp", LinkForm::Fragment).replace('&', "&amp;");
        prop_assert_eq!(JoinLink::parse(&href), Ok(link));
    }

    #[test]
    fn the_url_standard_s_encoder_of_queries_is_understood(link in classic_link()) {
        // An independent encoder: spaces as plus signs, as Pexip's own client writes them.
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("conference", link.conference.as_str());
        if let Some(name) = &link.display_name {
            query.append_pair("name", name.as_str());
        }
        if let Some(pin) = link.pin() {
            query.append_pair("pin", pin.expose());
        }
        let JoinLink::Classic(read) = JoinLink::parse(&format!("/webapp3/m/?{}", query.finish())).unwrap() else {
            panic!("there is no ticket in it");
        };
        prop_assert_eq!(&read.conference, &link.conference);
        prop_assert_eq!(&read.display_name, &link.display_name);
        prop_assert_eq!(read.pin(), link.pin());
    }

    #[test]
    fn a_link_that_was_built_is_a_url_with_the_same_parts_to_the_url_standard(
        link in classic_link(),
    ) {
        let expected = link.conference.as_str().to_owned();
        let href = JoinLink::Classic(link).build("https://h.example/webapp", LinkForm::Query);
        let url = url::Url::parse(&href).unwrap();
        prop_assert_eq!(url.fragment(), None);
        let (name, value) = url.query_pairs().next().unwrap();
        prop_assert_eq!((&*name, &*value), ("conference", expected.as_str()));
    }

    #[test]
    fn whatever_is_read_does_no_harm(href in any::<String>()) {
        let _ = JoinLink::parse_with_remarks(&href);
        prop_assert!(href.starts_with(&scrub(&href)));
    }

    #[test]
    fn whatever_pieces_are_read_do_no_harm_and_read_the_same_once_rebuilt(href in structured_link()) {
        prop_assert!(href.starts_with(&scrub(&href)));
        if let Ok(link) = JoinLink::parse(&href) {
            let rebuilt = link.build("/webapp", LinkForm::Fragment);
            prop_assert_eq!(JoinLink::parse(&rebuilt), Ok(link));
        }
    }

    #[test]
    fn scrubbing_leaves_nothing_of_the_link(
        alias in "[a-z0-9]{26}@zz",
        name in "[A-Z][a-z]{9,12} [A-Z][a-z]{9}",
        pin in "[0-9]{8}",
        base in prop::sample::select(&BASES),
    ) {
        let mut link = ClassicLink::new(LinkText::parse(&alias).unwrap());
        link.display_name = Some(DisplayName::parse(&name).unwrap());
        link.entry = Entry::Pin(Pin::parse(&pin).unwrap());
        let link = JoinLink::Classic(link);
        for form in LinkForm::ALL {
            let left = scrub(&link.build(base, form));
            prop_assert!(left.starts_with(base.trim_end_matches('/')), "{}", left);
            prop_assert!(left.len() <= base.len() + "/home/".len(), "{}", left);
            prop_assert_eq!(scrub(&left), left);
        }
    }

    #[test]
    fn debug_shows_nothing_personal(
        alias in "[a-z0-9]{26}@zz",
        name in "[A-Z][a-z]{9,12} [A-Z][a-z]{9}",
        pin in "[0-9]{8}",
        base in prop::sample::select(&BASES),
        ticket in "[0-9a-hjkmnp-tv-z]{32}",
    ) {
        let mut link = ClassicLink::new(LinkText::parse(&alias).unwrap());
        link.display_name = Some(DisplayName::parse(&name).unwrap());
        link.entry = Entry::Pin(Pin::parse(&pin).unwrap());
        let href = JoinLink::Classic(link).build(base, LinkForm::Express);
        let shown = format!("{:?}", JoinLink::parse_with_remarks(&href));
        for hidden in [&alias, &name, &pin] {
            prop_assert!(!shown.contains(hidden.as_str()), "{}", shown);
        }
        let link = JoinLink::Ticket(LaunchTicket::parse(&ticket).unwrap());
        let shown = format!("{link:?}");
        prop_assert!(!shown.contains(&ticket));
    }
}
