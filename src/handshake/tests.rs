use std::vec;

use proptest::prelude::*;
use vestibule_launch::{
    BrowserErrorName, ClassicLink, DisplayName, Entry, LinkText, Pin, Role,
    client_api::RequestTokenBody,
};

use super::{Action, PinHeader};
use crate::answer::{Answer, ExtensionKind};

fn link(entry: Entry) -> ClassicLink {
    let mut link = ClassicLink::new(LinkText::parse("visit").unwrap());
    link.display_name = Some(DisplayName::parse("Ada Canary").unwrap());
    link.entry = entry;
    link
}

type Handshake = super::Handshake<serde_json::Value>;

fn handshake(entry: Entry) -> Handshake {
    Handshake::new(link(entry), &"node.example".into())
}

fn pin(text: &str) -> Pin {
    Pin::parse(text).unwrap()
}

fn wanted(host_pin: bool, guest_pin: bool) -> Answer {
    Answer::PinWanted {
        host_pin,
        guest_pin,
        extension: None,
    }
}

/// The body that is sent, as the node reads it.
fn body(handshake: &Handshake) -> RequestTokenBody {
    serde_json::from_value(handshake.body().clone()).unwrap()
}

fn sent_pin(handshake: &Handshake) -> &str {
    match handshake.pin() {
        PinHeader::Absent => "",
        PinHeader::None => "none",
        PinHeader::Pin(pin) => pin.expose(),
    }
}

#[test]
fn the_first_request_carries_no_pin_whatever_the_link_says() {
    for entry in [
        Entry::Ask,
        Entry::As(Role::Guest),
        Entry::As(Role::Host),
        Entry::Pin(pin("12345678")),
    ] {
        let mut handshake = handshake(entry);
        assert_eq!(handshake.start(), Action::Send);
        assert_eq!(sent_pin(&handshake), "");
        let body = body(&handshake);
        assert_eq!(body.display_name, "Ada Canary");
        assert_eq!(body.chosen_idp.as_deref(), Some("none"));
        assert_eq!(body.sso_token.as_deref(), Some("none"));
        assert_eq!(body.node.as_deref(), Some("node.example"));
    }
}

#[test]
fn a_name_missing_from_the_link_is_asked_for_first() {
    let mut link = link(Entry::Ask);
    link.display_name = None;
    let mut handshake = Handshake::new(link, &"node.example".into());
    assert_eq!(handshake.start(), Action::AskName);
    let name = DisplayName::parse("Grace").unwrap();
    assert_eq!(handshake.name_given(name), Action::Send);
    assert_eq!(body(&handshake).display_name, "Grace");
}

#[test]
fn a_pin_of_the_link_answers_every_prompt_for_one() {
    for (host_pin, guest_pin) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut handshake = handshake(Entry::Pin(pin("12345678")));
        handshake.start();
        let action = handshake.answered(wanted(host_pin, guest_pin));
        assert_eq!(action, Action::Send);
        assert_eq!(sent_pin(&handshake), "12345678", "{host_pin} {guest_pin}");
    }
}

#[test]
fn a_guest_link_enters_with_pin_none_where_guests_need_none() {
    for host_pin in [true, false] {
        let mut handshake = handshake(Entry::As(Role::Guest));
        handshake.start();
        assert_eq!(handshake.answered(wanted(host_pin, false)), Action::Send);
        assert_eq!(sent_pin(&handshake), "none");
    }
}

#[test]
fn a_guest_link_asks_for_the_guest_pin_where_guests_need_one() {
    for host_pin in [true, false] {
        let mut handshake = handshake(Entry::As(Role::Guest));
        handshake.start();
        assert_eq!(
            handshake.answered(wanted(host_pin, true)),
            Action::AskPin {
                whose: Some(Role::Guest),
                wrong: false
            }
        );
    }
}

#[test]
fn a_host_link_asks_for_the_host_pin_only_where_hosts_need_one() {
    let mut needing = handshake(Entry::As(Role::Host));
    needing.start();
    assert_eq!(
        needing.answered(wanted(true, false)),
        Action::AskPin {
            whose: Some(Role::Host),
            wrong: false
        }
    );
    let mut free = handshake(Entry::As(Role::Host));
    free.start();
    assert_eq!(free.answered(wanted(false, true)), Action::Send);
    assert_eq!(sent_pin(&free), "none");
}

#[test]
fn a_link_without_role_asks_for_it_where_the_node_leaves_it_open() {
    for (host_pin, guest_pin) in [(true, false), (false, true)] {
        let mut handshake = handshake(Entry::Ask);
        handshake.start();
        let action = handshake.answered(wanted(host_pin, guest_pin));
        assert_eq!(action, Action::AskRole);
        let action = handshake.role_chosen(Role::Guest);
        if guest_pin {
            assert!(matches!(action, Action::AskPin { .. }));
        } else {
            assert_eq!((action, sent_pin(&handshake)), (Action::Send, "none"));
        }
    }
}

#[test]
fn a_link_without_role_asks_for_either_pin_where_everybody_needs_one() {
    let mut handshake = handshake(Entry::Ask);
    handshake.start();
    assert_eq!(
        handshake.answered(wanted(true, true)),
        Action::AskPin {
            whose: None,
            wrong: false
        }
    );
}

#[test]
fn a_wrong_pin_is_asked_for_again_and_the_second_try_goes_through() {
    for refusal in [Answer::WrongPin, wanted(true, false)] {
        let mut handshake = handshake(Entry::Pin(pin("11111111")));
        handshake.start();
        handshake.answered(wanted(true, false));
        assert!(matches!(
            handshake.answered(refusal),
            Action::AskPin { wrong: true, .. }
        ));
        assert_eq!(handshake.pin_given(pin("22222222")), Action::Send);
        assert_eq!(sent_pin(&handshake), "22222222");
        assert_eq!(handshake.answered(Answer::Granted), Action::Join);
    }
}

#[test]
fn from_a_pin_that_only_hosts_need_the_way_back_leads_to_the_question_of_the_role() {
    for entry in [Entry::Ask, Entry::As(Role::Host)] {
        let mut handshake = handshake(entry);
        handshake.start();
        if handshake.answered(wanted(true, false)) == Action::AskRole {
            handshake.role_chosen(Role::Host);
        }
        assert_eq!(handshake.back(), Action::AskRole);
        assert_eq!(handshake.back(), Action::Ignore);
        assert_eq!(handshake.role_chosen(Role::Guest), Action::Send);
        assert_eq!(sent_pin(&handshake), "none");
    }
}

#[test]
fn where_everybody_needs_a_pin_no_way_leads_back() {
    let mut handshake = handshake(Entry::Ask);
    handshake.start();
    handshake.answered(wanted(true, true));
    assert_eq!(handshake.back(), Action::Ignore);
    assert_eq!(handshake.pin_given(pin("1234")), Action::Send);
}

#[test]
fn from_the_sign_in_the_way_back_leads_to_the_choice_of_the_provider() {
    let mut handshake = handshake(Entry::Ask);
    handshake.start();
    let providers = AnswerKind::ProviderWanted(true).answer();
    handshake.answered(providers);
    assert_eq!(handshake.back(), Action::Ignore);
    handshake.provider_chosen(&"u".into());
    handshake.answered(AnswerKind::SignInWanted.answer());
    assert_eq!(handshake.back(), Action::ChooseProvider);
    assert_eq!(handshake.signed_in(&"too late".into()), Action::Ignore);
    assert_eq!(handshake.provider_chosen(&"v".into()), Action::Send);
    assert_eq!(body(&handshake).chosen_idp.as_deref(), Some("v"));
}

#[test]
fn a_sign_in_that_was_not_chosen_has_no_way_back() {
    let mut handshake = handshake(Entry::Ask);
    handshake.start();
    handshake.answered(AnswerKind::SignInWanted.answer());
    assert_eq!(handshake.back(), Action::Ignore);
}

#[test]
fn an_extension_of_the_link_is_used_once_and_then_asked_for() {
    let mut link = link(Entry::Ask);
    link.extension = LinkText::parse("ward 7");
    let mut handshake = Handshake::new(link, &"node.example".into());
    handshake.start();
    let wanted = Answer::ExtensionWanted(ExtensionKind::Standard);
    assert_eq!(handshake.answered(wanted), Action::Send);
    let extension = |handshake: &Handshake| body(handshake).conference_extension;
    assert_eq!(extension(&handshake).as_deref(), Some("ward 7"));
    assert!(matches!(
        handshake.answered(Answer::NotFound),
        Action::AskExtension { wrong: true, .. }
    ));
    assert_eq!(
        handshake.extension_given(&LinkText::parse("ward 8").unwrap()),
        Action::Send
    );
    assert_eq!(extension(&handshake).as_deref(), Some("ward 8"));
}

#[test]
fn single_sign_on_offers_the_providers_then_the_way_there_and_sends_the_token() {
    let mut handshake = handshake(Entry::Ask);
    handshake.start();
    assert_eq!(
        handshake.answered(Answer::ProviderWanted { any: true }),
        Action::ChooseProvider
    );
    assert_eq!(handshake.provider_chosen(&"idp-1".into()), Action::Send);
    assert_eq!(body(&handshake).chosen_idp.as_deref(), Some("idp-1"));
    assert_eq!(handshake.answered(Answer::SignInWanted), Action::SignIn);
    assert_eq!(handshake.signed_in(&"sso".into()), Action::Send);
    assert_eq!(body(&handshake).sso_token.as_deref(), Some("sso"));
}

#[test]
fn a_pin_that_was_given_goes_with_every_further_request() {
    let mut handshake = handshake(Entry::Pin(pin("12345678")));
    handshake.start();
    handshake.answered(wanted(true, false));
    handshake.answered(Answer::ProviderWanted { any: true });
    assert_eq!(handshake.provider_chosen(&"idp-1".into()), Action::Send);
    assert_eq!(sent_pin(&handshake), "12345678");
    let wanted = Answer::ExtensionWanted(ExtensionKind::Standard);
    handshake.answered(wanted);
    assert_eq!(
        handshake.extension_given(&LinkText::parse("7").unwrap()),
        Action::Send
    );
    assert_eq!(sent_pin(&handshake), "12345678");
}

#[test]
fn where_pin_and_extension_are_wanted_at_once_both_are_sent() {
    let mut handshake = handshake(Entry::Pin(pin("12345678")));
    handshake.start();
    let both = Answer::PinWanted {
        host_pin: true,
        guest_pin: false,
        extension: Some(ExtensionKind::Mssip),
    };
    assert_eq!(
        handshake.answered(both),
        Action::AskExtension {
            kind: ExtensionKind::Mssip,
            wrong: false
        }
    );
    assert_eq!(
        handshake.extension_given(&LinkText::parse("7").unwrap()),
        Action::Send
    );
    assert_eq!(handshake.answered(both), Action::Send);
    assert_eq!(sent_pin(&handshake), "12345678");
    assert_eq!(body(&handshake).conference_extension.as_deref(), Some("7"));
    assert_eq!(
        handshake.answered(Answer::NotFound),
        Action::AskExtension {
            kind: ExtensionKind::Mssip,
            wrong: true
        }
    );
}

#[test]
fn a_guest_who_is_refused_without_a_pin_is_asked_for_the_guest_pin() {
    let mut handshake = handshake(Entry::Ask);
    handshake.start();
    handshake.answered(wanted(true, false));
    handshake.role_chosen(Role::Guest);
    assert_eq!(
        handshake.answered(wanted(true, true)),
        Action::AskPin {
            whose: Some(Role::Guest),
            wrong: false
        }
    );
}

#[test]
fn a_lasting_failure_cannot_be_tried_again_and_a_passing_one_can() {
    for (answer, name, retryable) in [
        (
            Answer::NotFound,
            BrowserErrorName::ConferenceNotFound,
            false,
        ),
        (Answer::PinLocked, BrowserErrorName::PinLocked, false),
        (Answer::Refused, BrowserErrorName::NodeRefused, false),
        (
            Answer::ProviderWanted { any: false },
            BrowserErrorName::NodeRefused,
            false,
        ),
        (Answer::Unavailable, BrowserErrorName::NodeUnavailable, true),
        (Answer::Malformed, BrowserErrorName::NodeAnswerInvalid, true),
    ] {
        let mut handshake = handshake(Entry::Pin(pin("1234")));
        handshake.start();
        handshake.answered(wanted(true, false));
        let Action::Fail(failure) = handshake.answered(answer) else {
            panic!("{name:?} is a failure");
        };
        assert_eq!((failure.error_name, failure.retryable), (name, retryable));
        let again = handshake.retry();
        assert_eq!(again == Action::Send, retryable, "{name:?}");
        if retryable {
            assert_eq!(sent_pin(&handshake), "1234", "the same request once more");
        }
    }
}

/// Everything that can be handed to the machine.
#[derive(Clone, Debug)]
enum Input {
    Answer(AnswerKind),
    Name,
    Role(Role),
    Pin,
    Extension,
    Provider,
    SignedIn,
    Retry,
    Back,
    Start,
}

#[derive(Clone, Debug)]
enum AnswerKind {
    Granted,
    PinWanted(bool, bool, bool),
    WrongPin,
    PinLocked,
    ExtensionWanted,
    ProviderWanted(bool),
    SignInWanted,
    NotFound,
    Refused,
    Unavailable,
    Malformed,
}

impl AnswerKind {
    fn answer(&self) -> Answer {
        match *self {
            Self::Granted => Answer::Granted,
            Self::PinWanted(host_pin, guest_pin, extension) => Answer::PinWanted {
                host_pin,
                guest_pin,
                extension: extension.then_some(ExtensionKind::Standard),
            },
            Self::WrongPin => Answer::WrongPin,
            Self::PinLocked => Answer::PinLocked,
            Self::ExtensionWanted => Answer::ExtensionWanted(ExtensionKind::Mssip),
            Self::ProviderWanted(any) => Answer::ProviderWanted { any },
            Self::SignInWanted => Answer::SignInWanted,
            Self::NotFound => Answer::NotFound,
            Self::Refused => Answer::Refused,
            Self::Unavailable => Answer::Unavailable,
            Self::Malformed => Answer::Malformed,
        }
    }
}

fn answers() -> impl Strategy<Value = AnswerKind> {
    prop_oneof![
        1 => Just(AnswerKind::Granted),
        6 => any::<(bool, bool, bool)>()
            .prop_map(|(host, guest, extension)| AnswerKind::PinWanted(host, guest, extension)),
        3 => Just(AnswerKind::WrongPin),
        1 => Just(AnswerKind::PinLocked),
        3 => Just(AnswerKind::ExtensionWanted),
        2 => any::<bool>().prop_map(AnswerKind::ProviderWanted),
        2 => Just(AnswerKind::SignInWanted),
        2 => Just(AnswerKind::NotFound),
        1 => Just(AnswerKind::Refused),
        2 => Just(AnswerKind::Unavailable),
        1 => Just(AnswerKind::Malformed),
    ]
}

fn roles() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Host), Just(Role::Guest)]
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        8 => answers().prop_map(Input::Answer),
        1 => Just(Input::Name),
        2 => roles().prop_map(Input::Role),
        2 => Just(Input::Pin),
        1 => Just(Input::Extension),
        1 => Just(Input::Provider),
        1 => Just(Input::SignedIn),
        1 => Just(Input::Retry),
        1 => Just(Input::Back),
        1 => Just(Input::Start),
    ]
}

fn links() -> impl Strategy<Value = ClassicLink> {
    let entries = prop_oneof![
        Just(Entry::Ask),
        roles().prop_map(Entry::As),
        Just(Entry::Pin(pin("12345678"))),
    ];
    (entries, any::<bool>(), any::<bool>()).prop_map(|(entry, named, extension)| {
        let mut link = link(entry);
        if !named {
            link.display_name = None;
        }
        if extension {
            link.extension = LinkText::parse("ward 7");
        }
        link
    })
}

fn feed(handshake: &mut Handshake, input: &Input) -> Action {
    match input {
        Input::Answer(kind) => handshake.answered(kind.answer()),
        Input::Name => handshake.name_given(DisplayName::parse("Grace").unwrap()),
        Input::Role(role) => handshake.role_chosen(*role),
        Input::Pin => handshake.pin_given(pin("2222")),
        Input::Extension => handshake.extension_given(&LinkText::parse("7").unwrap()),
        Input::Provider => handshake.provider_chosen(&"u".into()),
        Input::SignedIn => handshake.signed_in(&"t".into()),
        Input::Retry => handshake.retry(),
        Input::Back => handshake.back(),
        Input::Start => handshake.start(),
    }
}

proptest! {
    /// Whatever the node answers, without the user doing anything the machine comes
    /// to rest: each thing the link knows is sent at most once.
    #[test]
    fn answers_alone_never_make_it_send_for_ever(
        link in links(),
        answers in prop::collection::vec(answers(), 40),
    ) {
        let mut handshake = Handshake::new(link, &"node.example".into());
        let mut requests = 0;
        let mut action = handshake.start();
        for answer in answers {
            requests += usize::from(action == Action::Send);
            action = handshake.answered(answer.answer());
        }
        // Without a PIN, with the extension, with the link's PIN or as a guest.
        prop_assert!(requests <= 4, "{requests} requests");
    }

    /// The link's PIN is sent only after the node has wanted one, and never where
    /// the user is a guest: by the link, or by their own word at the last prompt.
    #[test]
    fn a_pin_goes_out_only_where_it_is_wanted_and_never_as_a_guest(
        link in links(),
        inputs in prop::collection::vec(inputs(), 60),
    ) {
        let guest_link = link.role() == Some(Role::Guest);
        let mut handshake = Handshake::new(link, &"node.example".into());
        let mut prompted = false;
        let mut typed = false;
        handshake.start();
        for input in &inputs {
            prompted |= matches!(input, Input::Answer(AnswerKind::PinWanted(..)));
            if feed(&mut handshake, input) != Action::Send {
                continue;
            }
            typed |= matches!(input, Input::Pin);
            if matches!(input, Input::Role(_)) {
                prop_assert_eq!(sent_pin(&handshake), "none");
            }
            if let PinHeader::Pin(pin) = handshake.pin() {
                prop_assert!(typed || prompted, "a PIN that nobody wanted");
                prop_assert!(typed || pin.expose() == "12345678", "a PIN from nowhere");
                prop_assert!(typed || !guest_link, "a PIN in a guest request");
            }
        }
    }

    /// Once in, nothing brings it out again.
    #[test]
    fn a_granted_token_ends_the_handshake(
        link in links(),
        inputs in prop::collection::vec(inputs(), 60),
    ) {
        let mut handshake = Handshake::new(link, &"node.example".into());
        handshake.start();
        let mut joined = false;
        for input in &inputs {
            let action = feed(&mut handshake, input);
            if joined {
                prop_assert_eq!(action, Action::Ignore);
            }
            joined |= action == Action::Join;
        }
    }
}
