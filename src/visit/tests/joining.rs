use std::{string::String, vec::Vec};

use super::*;

/// The `pin` header of each `request_token`.
fn pins(visit: &Visit<Recorded>) -> Vec<String> {
    let posts = visit.calls_of("post");
    let tokens = posts.iter().filter(|post| post.contains("/request_token "));
    tokens
        .map(|post| post.split(' ').nth(1).unwrap().into())
        .collect()
}

#[test]
fn a_link_asks_for_the_token_at_once_and_leaves_nothing_in_the_address() {
    let visit = begin(LINK);
    let calls = visit.calls();
    assert_eq!(calls[0], "address https://page.example/webapp/");
    assert_eq!(
        calls[1],
        "post /api/client/v2/conferences/visit/request_token = \
         {\"chosen_idp\":\"none\",\"display_name\":\"Ada\",\"node\":\"page.example\",\"sso_token\":\"none\"}"
    );
    assert_eq!(visit.shown(), "connecting");
}

#[test]
fn what_is_not_used_of_a_link_is_remarked_by_its_name_alone() {
    let link = "https://page.example/webapp/#/?conference=visit&name=Ada&name=Eve&pin=12x4";
    let visit = begin(link);
    assert_eq!(visit.calls_of("remark"), ["name", "pin"]);
    let calls = visit.calls();
    assert!(
        !calls
            .iter()
            .any(|call| call.contains("Eve") || call.contains("12x4"))
    );
}

#[test]
fn a_guest_waits_until_the_conference_has_started_and_joined_never_flashes() {
    let mut visit = begin(LINK);
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": false}));
    assert_eq!(visit.shown(), "waiting");
    visit.happen(
        "participant_create",
        json!({"uuid": "me", "display_name": "Ada", "role": "guest"}),
    );
    assert_eq!(visit.shown(), "waiting");
    visit.happen("conference_update", json!({"started": true}));
    let shown: Vec<_> = visit.calls_of("show");
    assert_eq!(shown, ["connecting", "waiting", "joined guest"]);
}

#[test]
fn a_guest_who_comes_into_a_visit_that_runs_never_waits() {
    let host = json!({"uuid": "host", "display_name": "Grace", "role": "chair"});
    let told: [&[(&str, Value)]; 2] = [
        &[("conference_update", json!({"started": true}))],
        &[
            ("participant_sync_begin", Value::Null),
            ("participant_create", host),
            ("participant_sync_end", Value::Null),
        ],
    ];
    for events in told {
        let mut visit = begin(TICKET);
        visit.launched(launch());
        visit.answer(200, granted());
        assert_eq!(visit.shown(), "connecting");
        for (name, data) in events {
            visit.happen(name, data.clone());
        }
        let calls = visit.calls();
        let of = |part: &str| calls.iter().any(|call| call.contains(part));
        assert_eq!(visit.shown(), "joined guest");
        assert!(of("\"joined\"") && !of("waiting"), "{calls:?}");
    }
}

#[test]
fn a_node_that_does_not_say_how_it_stands_is_given_a_moment() {
    let mut visit = begin(TICKET);
    visit.launched(launch());
    visit.answer(200, granted());
    visit.happen(
        "participant_create",
        json!({"uuid": "me", "display_name": "Ada", "role": "guest"}),
    );
    assert_eq!(visit.shown(), "connecting");
    visit.time_out(timer::SETTLED);
    assert_eq!(visit.shown(), "waiting");
    let calls = visit.calls();
    assert!(
        calls
            .iter()
            .any(|call| call.contains(r#""event":"waiting""#))
    );
    visit.happen(
        "participant_create",
        json!({"uuid": "host", "display_name": "Grace", "role": "chair"}),
    );
    assert_eq!(visit.shown(), "joined guest");
}

#[test]
fn a_moment_that_is_over_shows_nothing_anew_where_the_node_has_said_all() {
    let mut visit = joined(LINK);
    visit.time_out(timer::SETTLED);
    assert!(visit.calls().is_empty());
}

#[test]
fn the_list_of_participants_is_shown_when_it_is_whole() {
    let mut visit = joined(LINK);
    visit.time_out(timer::SETTLED);
    let me = json!({"uuid": "me", "display_name": "Ada", "role": "guest"});
    visit.happen("participant_create", me.clone());
    for (name, shown) in [("participant_sync_end", true), ("", false)] {
        visit.calls();
        visit.happen("participant_sync_begin", Value::Null);
        visit.happen("participant_create", me.clone());
        assert!(visit.calls().is_empty());
        if shown {
            visit.happen(name, Value::Null);
        } else {
            visit.time_out(timer::SETTLED);
        }
        assert_eq!(
            visit.calls(),
            [r#"list participants [{"display_name":"Ada","role":"guest","uuid":"me"}] me"#]
        );
    }
}

#[test]
fn one_who_cancels_before_the_node_has_said_how_it_stands_gives_the_token_back() {
    let mut visit = begin(LINK);
    visit.answer(200, granted());
    assert_eq!(visit.shown(), "connecting");
    visit.calls();
    visit.click("cancel");
    assert_eq!(visit.shown(), "left rejoin");
    let released = visit.calls_of("beacon");
    assert_eq!(released.len(), 1);
    assert!(
        released[0].contains("/release_token?token=t "),
        "{released:?}"
    );
    assert!(visit.browser.timers.borrow().is_empty());
}

#[test]
fn a_host_is_in_at_once() {
    let mut visit = begin(LINK);
    visit.answer(200, granted_as("HOST"));
    assert_eq!(visit.shown(), "joined host");
}

#[test]
fn one_who_is_not_let_in_yet_is_told_so_where_the_host_is_there() {
    let mut visit = begin(LINK);
    let mut waiting = granted();
    waiting["result"]["current_service_type"] = "waiting_room".into();
    visit.answer(200, waiting);
    visit.happen("conference_update", json!({"started": false}));
    assert_eq!(visit.shown(), "waiting");
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "let-in");
    visit.happen(
        "participant_update",
        json!({"uuid": "me", "service_type": "conference"}),
    );
    assert_eq!(visit.shown(), "joined guest");
}

#[test]
fn others_are_listed_and_oneself_is_marked() {
    let mut visit = joined(LINK);
    visit.happen(
        "participant_create",
        json!({"uuid": "me", "display_name": "Ada \"x\"", "role": "guest"}),
    );
    let listed = visit.calls_of("list participants");
    assert_eq!(
        listed,
        [r#"[{"display_name":"Ada \"x\"","role":"guest","uuid":"me"}] me"#]
    );
    assert!(visit.calls_of("show").is_empty(), "the focus stays");
}

#[test]
fn one_who_chose_host_by_mistake_goes_back_and_enters_as_guest() {
    let mut visit = begin(LINK);
    visit.answer(403, host_pin_wanted());
    assert_eq!(visit.shown(), "role");
    visit.click("host");
    assert_eq!(visit.shown(), "pin host back");
    visit.click("back");
    assert_eq!(visit.shown(), "role");
    visit.click("guest");
    assert_eq!(pins(&visit), ["=", "pin=none"]);
}

#[test]
fn a_double_click_acts_once() {
    let mut visit = begin(LINK);
    visit.answer(403, host_pin_wanted());
    visit.click("guest");
    visit.click("guest");
    assert_eq!(pins(&visit).len(), 2);
    visit.answer(200, granted());
    visit.calls();
    visit.click("leave");
    visit.click("leave");
    assert_eq!(visit.calls_of("beacon").len(), 1);
}

#[test]
fn a_wrong_pin_is_said_and_what_is_none_is_not_sent() {
    let mut visit = begin(LINK);
    visit.answer(403, host_pin_wanted());
    visit.click("host");
    visit.tell(topic::SUBMITTED, 1, "letters");
    assert_eq!(visit.shown(), "pin host back!");
    visit.tell(topic::SUBMITTED, 1, "1234");
    visit.answer(403, refused("Invalid PIN"));
    assert_eq!(visit.shown(), "pin host back!");
    assert_eq!(pins(&visit), ["=", "pin=1234"]);
}

#[test]
fn a_name_is_asked_for_where_the_link_has_none() {
    let mut visit = begin("https://page.example/webapp/#/?conference=visit");
    assert_eq!(visit.shown(), "name");
    visit.tell(topic::SUBMITTED, 0, "  ");
    assert_eq!(visit.shown(), "name!");
    visit.tell(topic::SUBMITTED, 0, "Grace");
    assert!(visit.calls().iter().any(|call| call.contains("\"Grace\"")));
}

#[test]
fn an_extension_is_asked_for_and_asked_again_where_there_is_no_such_meeting() {
    let mut visit = begin(LINK);
    visit.answer(403, json!({"result": {"conference_extension": "required", "conference_extension_type": "mssip"}}));
    assert_eq!(visit.shown(), "extension mssip");
    visit.tell(topic::SUBMITTED, 2, "7");
    visit.answer(404, refused("Conference extension not found"));
    assert_eq!(visit.shown(), "extension mssip!");
}

#[test]
fn signing_in_goes_from_the_choice_to_the_provider_and_back() {
    let mut visit = begin(LINK);
    let provider = json!({"name": "Hospital", "uuid": "idp-1"});
    visit.answer(403, json!({"result": {"idp": [provider]}}));
    assert_eq!(visit.shown(), "provider");
    let listed = visit.calls_of("list providers");
    assert_eq!(listed, [r#"[{"name":"Hospital","uuid":"idp-1"}] -"#]);
    visit.click("provider:idp-1");
    let redirect =
        json!({"result": {"redirect_url": "https://idp.example/", "redirect_idp": provider}});
    visit.answer(403, redirect.clone());
    assert_eq!(visit.shown(), "sign-in chosen");
    visit.tell(topic::SIGNED_IN, 0, "closed");
    assert_eq!(visit.shown(), "provider!");
    visit.click("provider:idp-1");
    visit.answer(403, redirect);
    visit.click("back");
    assert_eq!(visit.shown(), "provider");
    visit.click("provider:idp-1");
    visit.answer(
        403,
        json!({"result": {"redirect_url": "https://idp.example/"}}),
    );
    visit.tell(topic::SIGNED_IN, 1, "sso");
    let calls = visit.calls();
    let last = calls.iter().rfind(|call| call.starts_with("post")).unwrap();
    for sent in [r#""chosen_idp":"idp-1""#, r#""sso_token":"sso""#] {
        assert!(last.contains(sent), "{last}");
    }
}

#[test]
fn every_wait_can_be_cancelled_and_a_token_that_comes_later_is_given_back() {
    let mut visit = begin(LINK);
    visit.click("cancel");
    assert_eq!(visit.shown(), "left rejoin");
    visit.calls();
    visit.answer(200, granted());
    let released = visit.calls_of("beacon");
    assert_eq!(
        released,
        ["/api/client/v2/conferences/visit/release_token?token=t {}"]
    );
    assert_eq!(visit.shown(), "left rejoin");

    let mut visit = begin(TICKET);
    visit.click("cancel");
    visit.launched(launch());
    assert_eq!(visit.shown(), "left rejoin");
    visit.click("rejoin");
    assert_eq!(visit.shown(), "connecting");
}

#[test]
fn one_who_has_left_can_come_back() {
    let mut visit = joined(LINK);
    visit.click("leave");
    assert_eq!(visit.shown(), "left rejoin");
    assert!(visit.calls().contains(&"finish -".into()));
    visit.click("rejoin");
    assert_eq!(pins(&visit), ["="]);
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");
}

#[test]
fn a_ticket_is_redeemed_and_every_step_is_told_to_the_launch_api() {
    let mut visit = begin(TICKET);
    assert_eq!(
        visit.calls_of("post"),
        [
            "/api/telehealth/v1/launch/redeem = {\"browser\":\"00000000000000000000000000000001\",\
          \"ticket\":\"0123456789abcdefghjkmnpqrstvwxyz\"}"
        ]
    );
    visit.launched(launch());
    visit.answer(403, host_pin_wanted());
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": false}));
    visit.happen("conference_update", json!({"started": true}));
    visit.happen("conference_update", json!({"started": true}));
    visit.click("leave");
    let posts = visit.calls_of("post");
    let events: Vec<_> = posts
        .iter()
        .filter(|post| post.contains("/events "))
        .collect();
    for (event, name) in events
        .iter()
        .zip(["connecting", "waiting", "joined", "left"])
    {
        assert_eq!(
            **event,
            format!(
                "/api/telehealth/v1/launch/{ID}/events Authorization=Bearer bearer \
                 {{\"event\":\"{name}\",\"utc_time\":\"2026-01-02T03:04:05Z\"}}"
            )
        );
    }
    assert_eq!(events.len(), 4);
    assert!(
        posts[0]
            .starts_with("https://node.example/api/client/v2/conferences/visit/request_token =")
    );
    assert!(
        posts
            .iter()
            .any(|post| post.contains("request_token pin=12345678"))
    );
}

#[test]
fn a_failed_launch_says_its_name_to_the_launch_api_and_is_shown_once() {
    let mut visit = begin(TICKET);
    visit.launched(launch());
    visit.calls();
    visit.answer(404, refused("Neither conference nor gateway found"));
    let posts = visit.calls_of("post");
    assert!(
        posts[0].contains(r#"{"error_name":"conference_not_found","event":"failed""#),
        "{posts:?}"
    );
    assert!(
        posts[1].starts_with("/api/telehealth/v1/launch/error = "),
        "{posts:?}"
    );
    visit.fail_plainly();
    visit.fail_plainly();
    let calls = visit.calls();
    let count = |call: &str| calls.iter().filter(|other| *other == call).count();
    assert_eq!(count("show failed"), 1);
    assert_eq!(count("failure false"), 1);
    assert_eq!(count(&format!("reject conference_not_found {ID} false")), 1);
}

#[test]
fn the_error_page_of_the_profile_is_shown_where_it_can_be_had() {
    let mut visit = begin("https://page.example/webapp/#/");
    let page = json!({"telehealth_request_id": ID, "template": "T", "error_name": "join_link_invalid", "utc_time": ""});
    visit.tell(topic::ERROR_PAGE, 200, page.clone());
    assert_eq!(
        visit.calls_of("render"),
        [serde_json::to_string(&page).unwrap()]
    );
    visit.tell(topic::ERROR_HTML, 1, "<p>");
    let calls = visit.calls();
    assert!(calls.contains(&"error-page <p>".into()), "{calls:?}");
}

#[test]
fn what_may_be_mended_can_be_tried_again_and_is_rejected_only_on_leaving() {
    let mut visit = begin(LINK);
    visit.answer(503, Value::Null);
    visit.fail_plainly();
    let calls = visit.calls();
    assert!(calls.contains(&"failure true".into()));
    assert!(!calls.iter().any(|call| call.starts_with("reject")));
    visit.click("retry");
    visit.click("retry");
    assert_eq!(pins(&visit), ["="]);
    visit.answer(0, Value::Null);
    visit.fail_plainly();
    visit.click("leave");
    let rejected = visit.calls_of("reject");
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].starts_with("conferencing_node_unavailable "));
    assert!(rejected[0].ends_with(" true"));
}

#[test]
fn a_ticket_that_is_refused_is_a_failure_for_good_and_an_absent_server_is_not() {
    let problem = json!({"error_name": "launch_ticket_invalid", "telehealth_request_id": ID});
    for (status, answer, retryable) in [
        (410, problem, "failure false"),
        (0, Value::Null, "failure true"),
        (503, json!({"error_name": "internal_error"}), "failure true"),
        (200, Value::Null, "failure true"),
    ] {
        let mut visit = begin(TICKET);
        visit.redeem(status, answer);
        visit.fail_plainly();
        assert!(visit.calls().contains(&retryable.into()), "{status}");
    }
}

#[test]
fn the_devices_come_first_where_the_page_wants_that_and_their_result_is_told() {
    let settings = Settings {
        ready_first: true,
        ..settings()
    };
    let mut visit = begin_with(Recorded::at(TICKET), settings);
    visit.launched(launch());
    assert_eq!(visit.shown(), "ready");
    assert_eq!(pins(&visit), [""; 0]);
    visit.click("check-devices");
    assert_eq!(visit.calls_of("check-devices"), ["https://node.example"]);
    visit.tell(
        topic::DEVICES,
        0,
        json!({"camera": "passed", "microphone": "denied", "label": "x"}),
    );
    let calls = visit.calls();
    assert!(calls.contains(&"show ready".into()));
    assert!(calls.iter().any(|call| {
        call.contains(r#"{"device_test":{"camera":"passed","microphone":"denied"},"#)
    }));
    // What was left before anything was tried says nothing.
    for untried in [
        Value::Null,
        json!({"camera": "skipped", "microphone": "skipped", "speaker": "skipped", "connection": "skipped"}),
    ] {
        visit.tell(topic::DEVICES, 0, untried);
        assert!(visit.calls_of("post").is_empty());
    }
    visit.click("join");
    assert_eq!(pins(&visit), ["="]);
}

#[test]
fn a_token_that_an_older_request_is_granted_is_given_back() {
    let mut visit = begin(LINK);
    visit.click("cancel");
    visit.click("rejoin");
    visit.tell(topic::SUBMITTED, 0, "Ada");
    assert_eq!(pins(&visit).len(), 2);
    visit.browser.answer_superseded(&granted());
    assert_eq!(
        visit.calls_of("beacon"),
        ["/api/client/v2/conferences/visit/release_token?token=t {}"]
    );
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");
    assert!(visit.calls_of("beacon").is_empty());
}

#[test]
fn the_language_of_the_launch_is_handed_to_the_page() {
    let mut visit = begin(TICKET);
    let mut launch = launch();
    launch["language"] = "es".into();
    visit.launched(launch);
    assert_eq!(visit.calls_of("speak"), ["es"]);
}

#[test]
fn the_page_gets_the_sign_in_as_the_node_of_the_launch_has_it() {
    let mut visit = begin(TICKET);
    visit.launched(launch());
    let wanted = json!({"redirect_url": "https://idp.example/",
        "redirect_idp": {"name": "Hospital", "uuid": "idp-1"}, "disable_popup_flow": true});
    visit.answer(403, json!({"result": wanted}));
    assert_eq!(visit.shown(), "sign-in");
    assert_eq!(
        visit.calls_of("sign-in"),
        [format!("{wanted} https://node.example")]
    );
}
