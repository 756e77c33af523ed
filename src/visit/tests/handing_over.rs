use vestibule_launch::ConnectForm;

use super::*;

fn hand_over(hand_over: HandOver, href: &str) -> Visit<Recorded> {
    let settings = Settings {
        hand_over,
        ..settings()
    };
    begin_with(Recorded::at(href), settings)
}

#[test]
fn the_embedding_page_gets_the_session_and_goes_on_with_it() {
    let mut visit = hand_over(HandOver::Event, LINK);
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": false}));
    // Nobody is sent away to wait elsewhere.
    assert_eq!(visit.shown(), "waiting");
    assert!(visit.calls_of("finish").is_empty());
    visit.happen("conference_update", json!({"started": true}));
    let calls = visit.calls();
    let finished = calls.iter().find_map(|call| call.strip_prefix("finish "));
    let session: Value = serde_json::from_str(finished.unwrap()).unwrap();
    assert_eq!(
        session,
        json!({"conference": "visit", "node": "", "token": "t", "expires": 120,
            "participantUuid": "me", "role": "guest", "displayName": "Ada"})
    );
    assert_eq!(visit.shown(), "handed-on event");
    assert!(!visit.browser.running(timer::RENEWAL));
    assert!(calls.iter().any(|call| call.starts_with("unfollow")));
    // The token is the embedding page's to give back.
    visit.tell(topic::CLOSED, 0, Value::Null);
    visit.click("leave");
    assert!(visit.calls_of("beacon").is_empty());
}

#[test]
fn the_connect_web_app_gets_the_link_after_the_token_was_given_back() {
    for (form, url) in [
        (
            ConnectForm::Webapp,
            "https://c/app/#/?conference=visit&pin=1234&name=Ada&join=1",
        ),
        (
            ConnectForm::Webapp2,
            "https://c/app/conference/visit?pin=1234&name=Ada&join=1",
        ),
        (
            ConnectForm::Webapp3,
            "https://c/app/m/visit/express?pin=1234&name=Ada",
        ),
    ] {
        let connect = HandOver::Connect("https://c/app".into(), form);
        let mut visit = hand_over(connect, &format!("{LINK}&pin=1234"));
        visit.answer(403, host_pin_wanted());
        visit.calls();
        visit.answer(200, granted_as("HOST"));
        let calls = visit.calls();
        let place = |start: &str| {
            calls
                .iter()
                .position(|call| call.starts_with(start))
                .unwrap()
        };
        assert!(place("beacon ") < place("show handed-on"));
        assert!(place("show handed-on") < place("go "));
        assert_eq!(calls[place("go ")], format!("go {url}"));
    }
}

#[test]
fn a_guest_is_handed_on_as_a_guest() {
    let connect = HandOver::Connect("https://c/webapp".into(), ConnectForm::Webapp);
    let mut visit = hand_over(connect, LINK);
    visit.answer(200, granted());
    assert!(visit.calls_of("go").is_empty());
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(
        visit.calls_of("go"),
        ["https://c/webapp/#/?conference=visit&name=Ada&role=guest&join=1"]
    );
}

#[test]
fn one_who_has_to_be_let_in_is_let_in_where_the_visit_goes_on() {
    let mut answer = granted();
    answer["result"]["current_service_type"] = "waiting_room".into();
    let connect = HandOver::Connect("https://c/webapp".into(), ConnectForm::Webapp);
    for (hands_over, goes, shown) in [
        (connect, 1, "handed-on connect"),
        (HandOver::Event, 0, "let-in"),
    ] {
        let mut visit = hand_over(hands_over, LINK);
        visit.answer(200, answer.clone());
        visit.happen("conference_update", json!({"started": false}));
        assert_eq!(visit.shown(), "waiting");
        visit.happen("conference_update", json!({"started": true}));
        assert_eq!(visit.shown(), shown);
        assert_eq!(visit.calls_of("go").len(), goes);
    }
}

#[test]
fn settings_are_read_from_what_the_page_gives() {
    let connect = json!({"handOver": "connect", "connect": {"base": "https://c", "form": "webapp2"},
        "node": "https://n", "launchApi": "https://l", "deviceCheck": "before"});
    let settings = Settings::read(&connect);
    assert_eq!(settings.node, Some("https://n".into()));
    assert_eq!(settings.launch_api, Some("https://l".into()));
    assert!(settings.ready_first);
    assert!(
        matches!(settings.hand_over, HandOver::Connect(base, ConnectForm::Webapp2) if base == "https://c")
    );
    assert!(matches!(
        Settings::read(&json!({"handOver": "event"})).hand_over,
        HandOver::Event
    ));
    for unusable in [
        json!({}),
        json!({"handOver": "connect"}),
        json!({"handOver": "else"}),
    ] {
        assert!(matches!(
            Settings::read(&unusable).hand_over,
            HandOver::Page
        ));
    }
}
