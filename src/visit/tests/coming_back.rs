use super::*;

fn lost(visit: &mut Visit<Recorded>) {
    visit.tell(topic::RENEWED, 403, refused("Invalid token"));
}

#[test]
fn a_token_is_renewed_and_the_stream_that_breaks_is_opened_with_the_new_one() {
    let mut visit = joined(LINK);
    visit.time_out(timer::RENEWAL);
    assert_eq!(
        visit.calls_of("post"),
        ["/api/client/v2/conferences/visit/refresh_token token=t -"]
    );
    visit.tell(
        topic::RENEWED,
        200,
        json!({"result": {"token": "t2", "expires": "120"}}),
    );
    visit.tell(topic::STREAM_LOST, 1, Value::Null);
    visit.tell(topic::STREAM_RETRY, 0, Value::Null);
    assert_eq!(
        visit.calls_of("follow"),
        ["/api/client/v2/conferences/visit/events?token=t2"]
    );
    visit.happen("participant_sync_begin", Value::Null);
    assert!(!visit.browser.running(timer::AWAY));
    assert_eq!(visit.shown(), "joined guest");
}

#[test]
fn a_stream_that_stays_away_is_said_and_its_return_too() {
    let mut visit = joined(LINK);
    visit.tell(topic::STREAM_LOST, 1, Value::Null);
    assert_eq!(visit.shown(), "joined guest");
    visit.time_out(timer::AWAY);
    assert_eq!(visit.shown(), "reconnecting");
    assert_eq!(visit.calls_of("post").len(), 1, "the token is renewed");
    visit.happen("participant_sync_begin", Value::Null);
    assert_eq!(visit.shown(), "joined guest");
}

#[test]
fn a_stream_that_comes_back_while_the_node_has_said_nothing_still_ends_the_wait() {
    let mut visit = begin(LINK);
    visit.answer(200, granted());
    visit.tell(topic::STREAM_LOST, 1, Value::Null);
    visit.time_out(timer::AWAY);
    assert_eq!(visit.shown(), "reconnecting");
    visit.happen("participant_sync_begin", Value::Null);
    assert_eq!(visit.shown(), "reconnecting");
    visit.time_out(timer::SETTLED);
    assert_eq!(visit.shown(), "waiting");
}

#[test]
fn offline_is_said_at_once_and_waking_renews_and_follows_again() {
    let mut visit = joined(LINK);
    visit.tell(topic::OFFLINE, 0, Value::Null);
    assert_eq!(visit.shown(), "reconnecting");
    visit.calls();
    visit.tell(topic::WOKEN, u32::MAX, Value::Null);
    assert_eq!(visit.calls_of("post").len(), 1);
    visit.tell(
        topic::RENEWED,
        200,
        json!({"result": {"token": "t2", "expires": "120"}}),
    );
    assert_eq!(visit.calls_of("follow").len(), 1);
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");
}

#[test]
fn a_page_that_was_hidden_for_a_moment_asks_for_nothing_and_one_that_has_slept_does() {
    let mut visit = joined(LINK);
    visit.tell(topic::WOKEN, 2_000, Value::Null);
    assert!(visit.calls().is_empty());
    visit.tell(topic::WOKEN, 60_000, Value::Null);
    assert_eq!(visit.calls_of("post").len(), 1);
}

#[test]
fn a_node_that_is_away_when_the_token_is_due_is_asked_until_the_token_has_expired() {
    let mut visit = joined(LINK);
    let mut renewals = 0;
    while visit.browser.running(timer::RENEWAL) {
        visit.time_out(timer::RENEWAL);
        visit.tell(topic::RENEWED, 0, Value::Null);
        renewals += 1;
        assert!(renewals < 100);
    }
    assert!(renewals > 3);
    // Now the token is dead: once more through the handshake.
    assert_eq!(visit.shown(), "reconnecting");
    let posts = visit.calls_of("post");
    assert!(posts.last().unwrap().contains("request_token"), "{posts:?}");
}

#[test]
fn a_dead_token_is_replaced_through_the_handshake_with_the_name_but_without_the_pin() {
    let mut visit = begin("https://page.example/webapp/#/?conference=visit&name=Ada&pin=12345678");
    visit.answer(403, host_pin_wanted());
    visit.answer(200, granted_as("HOST"));
    visit.calls();
    lost(&mut visit);
    assert_eq!(visit.shown(), "reconnecting");
    let posts = visit.calls_of("post");
    assert!(
        posts[0].contains("request_token = ") && posts[0].contains("\"display_name\":\"Ada\""),
        "{posts:?}"
    );
    visit.answer(
        403,
        json!({"result": {"pin": "required", "guest_pin": "required"}}),
    );
    assert_eq!(visit.shown(), "pin host");
    assert!(
        !visit.browser.running(timer::GIVE_UP),
        "people may take their time"
    );
    visit.tell(topic::SUBMITTED, 1, "12345678");
    visit.answer(200, granted_as("HOST"));
    assert_eq!(visit.shown(), "joined host");
}

#[test]
fn a_launch_is_resumed_by_its_bearer_token() {
    let mut visit = joined(TICKET);
    lost(&mut visit);
    let posts = visit.calls_of("post");
    assert_eq!(
        posts,
        [format!(
            "/api/telehealth/v1/launch/{ID}/resume Authorization=Bearer bearer \
             {{\"browser\":\"00000000000000000000000000000001\"}}"
        )]
    );
    visit.launched(launch());
    visit.calls();
    visit.answer(200, granted());
    assert_eq!(visit.shown(), "reconnecting");
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.calls_of("show"), ["joined guest"]);
    assert!(!visit.browser.running(timer::GIVE_UP));
}

#[test]
fn coming_back_is_tried_for_two_minutes_and_then_offered() {
    let mut visit = joined(LINK);
    lost(&mut visit);
    assert_eq!(visit.browser.timers.borrow()[&timer::GIVE_UP], 120_000);
    for _ in 0..5 {
        visit.answer(503, Value::Null);
        visit.time_out(timer::RETRY);
    }
    assert_eq!(visit.shown(), "reconnecting");
    visit.time_out(timer::GIVE_UP);
    visit.fail_plainly();
    assert_eq!(visit.shown(), "failed");
    assert!(!visit.browser.running(timer::RETRY));
    let calls = visit.calls();
    assert!(calls.contains(&"failure true".into()));
    assert!(calls.iter().any(|call| call.contains("\"session_lost\"")));
    visit.click("retry");
    assert_eq!(visit.shown(), "reconnecting");
    visit.answer(200, granted());
    assert_eq!(visit.shown(), "reconnecting");
    visit.happen("conference_update", json!({"started": false}));
    assert_eq!(visit.shown(), "waiting");
}

#[test]
fn the_node_s_word_that_the_token_is_dead_leads_back_and_its_end_does_not() {
    let mut visit = joined(LINK);
    visit.happen(
        "disconnect",
        json!({"reason": "Timer expired awaiting token refresh"}),
    );
    assert_eq!(visit.shown(), "reconnecting");
    let mut visit = joined(LINK);
    visit.happen(
        "disconnect",
        json!({"reason": "All conference hosts departed hosted conference"}),
    );
    assert_eq!(visit.shown(), "ended");
    visit.click("rejoin");
    assert_eq!(visit.shown(), "ended");
}

#[test]
fn a_reload_resumes_the_launch_and_never_uses_the_ticket_again() {
    let mut visit = joined(TICKET);
    visit.tell(topic::CLOSED, 0, Value::Null);
    let visit = begin_with(visit.browser.reloaded(), settings());
    let posts = visit.calls_of("post");
    assert!(posts[0].contains(&format!("/launch/{ID}/resume Authorization=Bearer bearer ")));
    assert_eq!(posts.len(), 1);
}

#[test]
fn a_reload_of_a_classic_link_asks_for_name_and_pin_but_not_for_the_role() {
    for (role, screen) in [("guest", ""), ("host", "pin host back")] {
        let href = format!("{LINK}&role={role}");
        let mut visit = begin(&href);
        visit.answer(403, host_pin_wanted());
        if role == "host" {
            visit.tell(topic::SUBMITTED, 1, "1234");
        }
        visit.answer(200, granted_as(&role.to_uppercase()));
        visit.tell(topic::CLOSED, 0, Value::Null);
        let mut visit = begin_with(visit.browser.reloaded(), settings());
        assert_eq!(visit.shown(), "name");
        visit.tell(topic::SUBMITTED, 0, "Ada");
        visit.answer(403, host_pin_wanted());
        if role == "host" {
            assert_eq!(visit.shown(), screen);
        } else {
            assert!(visit.calls().iter().any(|call| call.contains("pin=none")));
        }
    }
}

#[test]
fn neither_pin_nor_name_is_remembered() {
    for href in [
        TICKET,
        "https://h/webapp/#/?conference=visit&pin=12345678&name=Ada",
    ] {
        let mut visit = begin(href);
        if href == TICKET {
            visit.launched(launch());
        }
        visit.answer(403, host_pin_wanted());
        visit.answer(200, granted_as("HOST"));
        let remembered = format!("{:?}", visit.browser.remembered());
        assert!(remembered.contains("visit") || remembered.contains(ID));
        for secret in ["12345678", "Ada", "0123456789abcdefghjk"] {
            assert!(!remembered.contains(secret), "{remembered}");
        }
    }
}

#[test]
fn one_who_has_left_is_still_out_after_a_reload() {
    let mut visit = joined(TICKET);
    visit.click("leave");
    let mut visit = begin_with(visit.browser.reloaded(), settings());
    assert_eq!(visit.shown(), "left rejoin");
    assert!(visit.calls_of("post").is_empty());
    visit.click("rejoin");
    assert!(visit.calls_of("post")[0].contains("/resume "));
}

#[test]
fn closing_gives_the_token_back_and_the_page_cache_brings_the_visit_back() {
    let mut visit = joined(TICKET);
    visit.tell(topic::CLOSED, 0, Value::Null);
    let released = visit.calls_of("beacon");
    assert!(released[0].ends_with("release_token?token=t {\"reason\":\"Browser closed\"}"));
    visit.tell(topic::RESTORED, 0, Value::Null);
    assert_eq!(visit.shown(), "reconnecting");
    assert!(visit.calls_of("post")[0].contains("/resume "));

    // A form that was open is still open.
    let mut visit = begin("https://page.example/webapp/#/?conference=visit");
    visit.tell(topic::CLOSED, 0, Value::Null);
    visit.tell(topic::RESTORED, 0, Value::Null);
    assert_eq!(visit.shown(), "name");
}

#[test]
fn a_launch_api_that_is_too_busy_is_asked_again_while_coming_back() {
    let busy = json!({"error_name": "too_many_requests", "telehealth_request_id": ID});
    let mut visit = joined(TICKET);
    lost(&mut visit);
    visit.redeem(429, busy.clone());
    assert_eq!(visit.shown(), "reconnecting");
    visit.time_out(timer::RETRY);
    visit.launched(launch());
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");

    // The first time there is nothing to come back to, so the user decides.
    let mut visit = begin(TICKET);
    visit.redeem(429, busy);
    visit.fail_plainly();
    assert!(visit.calls().contains(&"failure true".into()));
    assert!(visit.browser.timers.borrow().is_empty());
}
