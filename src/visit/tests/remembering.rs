//! What a tab and its browser remember, and what they come back to by that.

use std::borrow::ToOwned;

use super::*;

const OTHER_TICKET: &str = "https://page.example/webapp/#/?ticket=zyxwvtsrqpnmkjhgfedcba9876543210";
const PAGE: &str = "https://page.example/webapp/";

/// The tab after a reload.
fn reloaded(visit: &Visit<Recorded>) -> Visit<Recorded> {
    begin_with(visit.browser.reloaded(), settings())
}

/// Another tab of the same browser, opened with this link.
fn other_tab(visit: &Visit<Recorded>, href: &str) -> Visit<Recorded> {
    let browser = Recorded::at(href);
    browser
        .lasting
        .replace(visit.browser.lasting.borrow().clone());
    begin_with(browser, settings())
}

fn only_post(visit: &Visit<Recorded>) -> String {
    let posts = visit.calls_of("post");
    assert_eq!(posts.len(), 1, "{posts:?}");
    posts[0].clone()
}

#[test]
fn a_link_that_cannot_be_used_never_leads_to_the_visit_that_the_tab_remembers() {
    let long = format!("{PAGE}#/?conference={}", "a".repeat(9_000));
    for href in [
        "#/?ticket=0123456789abcdefghjk",
        "#/?ticket=",
        "#/?name=Ada",
        "#/?pin=1234&role=host",
        "?conference=%20",
        &long[PAGE.len()..],
    ] {
        let before = joined(TICKET);
        let browser = before.browser.reloaded();
        browser.href.replace(format!("{PAGE}{href}"));
        let visit = begin_with(browser, settings());
        let post = only_post(&visit);
        assert!(
            post.starts_with("/api/telehealth/v1/launch/error ")
                && post.contains("join_link_invalid")
                && !post.contains(ID),
            "{href}: {post}"
        );
        assert_eq!(visit.browser.href.take(), PAGE);
    }
    for href in ["", "#/", "#main", "?lang=de"] {
        let before = joined(TICKET);
        let browser = before.browser.reloaded();
        browser.href.replace(format!("{PAGE}{href}"));
        let visit = begin_with(browser, settings());
        assert!(only_post(&visit).contains("/resume "), "{href}");
    }
}

#[test]
fn a_link_that_the_page_gives_and_that_is_none_never_leads_to_another_visit() {
    let browser = joined(TICKET).browser.reloaded();
    browser.href.replace("no link".into());
    let settings = Settings::read(&json!({"link": "no link"}));
    let visit = begin_with(browser, settings);
    assert!(only_post(&visit).contains("join_link_invalid"));
}

#[test]
fn a_reload_while_the_ticket_is_redeemed_redeems_it_once_more_by_the_same_key() {
    let visit = begin(TICKET);
    let asked = only_post(&visit);
    let mut visit = reloaded(&visit);
    assert_eq!(only_post(&visit), asked);
    visit.launched(launch());
    assert!(!format!("{:?}", visit.browser.remembered()).contains("0123456789abcdef"));
    visit.tell(topic::CLOSED, 0, Value::Null);
    assert!(only_post_of(&reloaded(&visit), "/resume "));
}

fn only_post_of(visit: &Visit<Recorded>, part: &str) -> bool {
    only_post(visit).contains(part)
}

#[test]
fn what_a_ticket_stands_for_is_kept_where_the_answer_comes_after_the_user_has_left() {
    let mut visit = begin(TICKET);
    visit.click("cancel");
    visit.calls();
    visit.launched(launch());
    assert_eq!(visit.shown(), "left rejoin");
    assert!(visit.calls_of("post").is_empty(), "nobody joins unasked");
    assert_eq!(reloaded(&visit).shown(), "left rejoin");
    visit.click("rejoin");
    // The fake's storage went to the tab that was reloaded; this one knows the launch itself.
    assert!(only_post_of(&visit, &format!("/launch/{ID}/resume ")));
}

#[test]
fn what_a_ticket_stands_for_is_kept_where_the_answer_comes_into_the_page_cache() {
    let mut visit = begin(TICKET);
    visit.tell(topic::CLOSED, 0, Value::Null);
    visit.calls();
    visit.launched(launch());
    assert!(visit.calls_of("post").is_empty());
    visit.tell(topic::RESTORED, 0, Value::Null);
    assert!(only_post_of(&visit, &format!("/launch/{ID}/resume ")));
    visit.tell(topic::CLOSED, 0, Value::Null);
    assert!(only_post_of(&reloaded(&visit), "/resume "));
}

#[test]
fn a_browser_that_remembers_nothing_has_one_key_all_the_same() {
    let mut browser = Recorded::at(TICKET);
    browser.without_storage = true;
    let mut visit = begin_with(browser, settings());
    let key = |post: &str| post.split("\"browser\":\"").nth(1).unwrap()[..32].to_owned();
    let first = key(&only_post(&visit));
    visit.redeem(503, Value::Null);
    visit.fail_plainly();
    visit.calls();
    visit.click("retry");
    assert_eq!(key(&only_post(&visit)), first);
}

#[test]
fn the_end_of_a_visit_is_still_its_end_after_a_reload() {
    for href in [LINK, TICKET] {
        let mut visit = joined(href);
        visit.happen(
            "disconnect",
            json!({"reason": "All conference hosts departed hosted conference"}),
        );
        assert_eq!(visit.shown(), "ended");
        let mut visit = reloaded(&visit);
        assert_eq!(visit.shown(), "ended");
        assert!(visit.calls_of("post").is_empty());
        visit.click("rejoin");
        assert_eq!(visit.shown(), "ended");
    }
}

#[test]
fn a_failure_for_good_is_shown_again_after_a_reload_and_not_reported_again() {
    let page = json!({"error_name": "conference_not_found", "telehealth_request_id": ID,
        "utc_time": "2026-01-02T03:04:05Z", "template": "T"});
    let mut visit = begin(LINK);
    visit.answer(404, refused("Neither conference nor gateway found"));
    // The server has not answered yet: what is known already is shown again.
    let early = visit.browser.tab.borrow().clone();
    visit.tell(topic::ERROR_PAGE, 200, page.clone());
    visit.tell(topic::ERROR_HTML, 1, "<p>");
    assert_eq!(visit.shown(), "failed");
    for early in [None, Some(early)] {
        let browser = visit.browser.reloaded();
        let whole = early.is_none();
        visit.browser.tab.replace(browser.tab.borrow().clone());
        if let Some(early) = early {
            browser.tab.replace(early);
        }
        let mut visit = begin_with(browser, settings());
        assert!(visit.calls_of("post").is_empty());
        let mut visit_again = reloaded(&visit);
        let rendered: Value = serde_json::from_str(&visit_again.calls_of("render")[0]).unwrap();
        assert_eq!(rendered["error_name"], "conference_not_found");
        if whole {
            assert_eq!(rendered, page);
        }
        visit_again.tell(topic::ERROR_HTML, 0, Value::Null);
        let calls = visit_again.calls();
        assert!(calls.contains(&"failure false".into()));
        assert!(calls.iter().any(|call| call.starts_with("reject ")));
        assert_eq!(visit_again.shown(), "failed");
        visit.click("leave");
    }
}

#[test]
fn another_link_is_taken_after_an_end_and_after_a_failure() {
    let mut visit = joined(LINK);
    visit.happen(
        "disconnect",
        json!({"reason": "Conference host ended the conference with a DTMF command"}),
    );
    let browser = visit.browser.reloaded();
    browser.href.replace(TICKET.into());
    let visit = begin_with(browser, settings());
    assert!(only_post_of(&visit, "/launch/redeem "));
}

#[test]
fn the_link_opens_the_visit_again_after_its_tab_was_closed() {
    let mut first = joined(TICKET);
    first.tell(topic::CLOSED, 0, Value::Null);
    let mut second = other_tab(&first, TICKET);
    assert!(only_post_of(
        &second,
        &format!("/launch/{ID}/resume Authorization=Bearer bearer ")
    ));
    second.launched(launch());
    assert!(second.calls_of("post")[0].contains("request_token"));
    // Another ticket is another launch.
    let third = other_tab(&first, OTHER_TICKET);
    assert!(only_post_of(&third, "/launch/redeem "));
}

#[test]
fn the_same_ticket_in_a_second_tab_finds_the_visit_in_the_first_one() {
    let mut first = joined(TICKET);
    let mut second = other_tab(&first, TICKET);
    second.launched(launch());
    let asked: Value = serde_json::from_str(&second.calls_of("tell")[0]).unwrap();
    first.tell(topic::TAB, 0, asked);
    let here: Value = serde_json::from_str(&first.calls_of("tell")[0]).unwrap();
    second.tell(topic::TAB, 0, here);
    assert_eq!(second.shown(), "elsewhere");
}

#[test]
fn a_visit_that_was_left_ended_or_failed_leaves_no_launch_in_the_browser() {
    let ended = json!({"reason": "All conference hosts departed hosted conference"});
    let leave: fn(&mut Visit<Recorded>, Value) = |visit, _| visit.click("leave");
    let end: fn(&mut Visit<Recorded>, Value) = |visit, ended| visit.happen("disconnect", ended);
    let fail: fn(&mut Visit<Recorded>, Value) = |visit, _| {
        visit.happen("disconnect", json!({"reason": "Participant limit reached"}));
    };
    for go in [leave, end, fail] {
        let mut visit = joined(TICKET);
        assert!(
            visit
                .browser
                .lasting
                .borrow()
                .contains_key("vestibule.launch")
        );
        go(&mut visit, ended.clone());
        assert!(
            !visit
                .browser
                .lasting
                .borrow()
                .contains_key("vestibule.launch")
        );
    }
    // The end of a visit of another kind takes nothing of this one away.
    let first = joined(TICKET);
    let mut second = other_tab(&first, LINK);
    second.click("cancel");
    assert!(
        second
            .browser
            .lasting
            .borrow()
            .contains_key("vestibule.launch")
    );
}

#[test]
fn a_launch_that_goes_on_in_another_tab_is_still_known_when_that_one_is_closed() {
    let mut first = joined(TICKET);
    let mut second = other_tab(&first, TICKET);
    second.launched(launch());
    let tell = |from: &Visit<Recorded>, to: &mut Visit<Recorded>| {
        let message = serde_json::from_str(&from.calls_of("tell")[0]).unwrap();
        to.tell(topic::TAB, 0, Value::clone(&message));
    };
    tell(&second, &mut first);
    tell(&first, &mut second);
    second.click("take-over");
    tell(&second, &mut first);
    assert_eq!(first.shown(), "left rejoin");
    // The second tab is closed, and what the browser remembers is what the first one left.
    let third = other_tab(&first, TICKET);
    assert!(only_post_of(&third, "/resume "));
}

#[test]
fn what_another_tab_has_remembered_since_is_not_taken_away() {
    let ended = json!({"reason": "All conference hosts departed hosted conference"});
    let leave: fn(&mut Visit<Recorded>, Value) = |visit, _| visit.click("leave");
    let end: fn(&mut Visit<Recorded>, Value) = |visit, ended| visit.happen("disconnect", ended);
    let fail: fn(&mut Visit<Recorded>, Value) = |visit, _| {
        visit.happen("disconnect", json!({"reason": "Participant limit reached"}));
    };
    let cancel_late: fn(&mut Visit<Recorded>, Value) = |visit, _| {
        visit.tell(topic::RENEWED, 403, refused("Invalid token"));
        visit.click("leave");
        visit.launched(launch());
    };
    for go in [leave, end, fail, cancel_late] {
        let mut visit = joined(TICKET);
        let others = r#"{"id":"another","bearer":"b","hash":1}"#;
        let key = "vestibule.launch";
        let mut remembered = visit.browser.lasting.borrow_mut();
        remembered.insert(key.into(), others.into());
        drop(remembered);
        go(&mut visit, ended.clone());
        assert_eq!(visit.browser.lasting.borrow()[key], others);
    }
}

#[test]
fn a_ticket_s_link_that_is_opened_again_where_the_visit_was_left_leads_back_in() {
    let mut visit = joined(TICKET);
    visit.click("leave");
    let browser = visit.browser.reloaded();
    browser.href.replace(TICKET.into());
    let visit = begin_with(browser, settings());
    assert!(only_post_of(&visit, "/resume "));
    assert_eq!(visit.shown(), "connecting");
}

#[test]
fn a_reload_keeps_extension_and_call_tag_of_the_link() {
    let mut visit = begin(&format!("{LINK}&extension=77&callTag=blue"));
    visit.answer(
        403,
        json!({"result": {"conference_extension": "required", "conference_extension_type": "standard"}}),
    );
    visit.answer(200, granted());
    visit.tell(topic::CLOSED, 0, Value::Null);
    let mut visit = reloaded(&visit);
    visit.tell(topic::SUBMITTED, 0, "Ada");
    assert!(only_post_of(&visit, "\"call_tag\":\"blue\""));
    visit.answer(
        403,
        json!({"result": {"conference_extension": "required", "conference_extension_type": "standard"}}),
    );
    assert!(only_post_of(&visit, "\"conference_extension\":\"77\""));
}
