//! The visit in plain HTML: what a browser without the landing page's module sees.

mod browser;
mod faults;
mod hospital;
mod language;
mod stories;

use std::time::Duration;

use vestibule_launch::RequestId;

use self::browser::{PLAIN, Page, Plain, VISIT};
use crate::support::{Launch, TestServer, location, log, parameter};

const TICKETS: &str = r#"
provider_web_join_link_template = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}"
patient_web_join_link_template = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}"
"#;

/// A launch's id and its join link.
async fn known_launch(server: &TestServer, launch: Launch<'_>) -> (RequestId, String) {
    let state = server.begin_state(launch).await;
    let id = server.request_id(launch.role, &state).parse().unwrap();
    let response = server.return_with(launch.role, &state).await;
    (id, location(&response).to_owned())
}

async fn join_link(server: &TestServer, launch: Launch<'_>) -> String {
    server.launch(launch).await
}

#[tokio::test]
async fn a_guest_waits_for_the_host_sees_who_is_there_and_leaves() {
    let server = TestServer::start().await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    let waiting = guest.begin(&[("link", &link)]).await;
    assert_eq!(waiting.status, 200);
    assert_eq!(waiting.title(), "Waiting for the host");
    let status = guest.status("waiting").await;
    assert_eq!(status.headers["refresh"], "5");
    assert!(status.text.contains("Nothing has changed."));

    let host = Plain::new(&server);
    let link = join_link(&server, Launch::PROVIDER).await;
    let joined = host.begin(&[("link", &link)]).await;
    assert_eq!(joined.title(), "You have joined as host");
    assert_eq!(host.people().await.len(), 2);

    let status = guest.status("waiting").await;
    let link = format!("<a href=\"{VISIT}\" target=\"_parent\">You have joined</a>");
    assert!(status.text.contains(&link), "{}", status.text);
    let joined = guest.look().await;
    assert_eq!(joined.title(), "You have joined");
    assert!(
        guest
            .people()
            .await
            .contains(&"Beverley P Spinder".to_owned())
    );
    assert!(guest.status("guest").await.text.contains("(you)"));

    let left = guest.step(&[("step", "leave")]).await;
    assert_eq!(left.title(), "You have left the visit");
    assert!(guest.cookie.lock().unwrap().is_none());
    assert_eq!(host.people().await.len(), 1, "the token was given back");
    // Whoever leaves twice has left.
    let left = guest.step(&[("step", "leave")]).await;
    assert_eq!(left.title(), "You have left the visit");
}

#[tokio::test]
async fn a_ticket_is_redeemed_by_the_form_and_once_more_by_the_same_browser() {
    let server = TestServer::with_profile(TICKETS).await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let ticket = parameter(&link, "ticket");
    let host = Plain::new(&server);
    let joined = host.begin(&[("ticket", &ticket)]).await;
    assert_eq!(joined.title(), "You have joined as host");
    // Pressed twice.
    let again = host.begin(&[("link", &link)]).await;
    assert_eq!(again.title(), "You have joined as host");
    // Gone back, and pressed once more.
    server.clock.advance(Duration::from_secs(90));
    let again = host.begin(&[("ticket", &ticket)]).await;
    assert_eq!(again.title(), "You have joined as host");
    assert_eq!(host.people().await.len(), 1);
    let other = Plain::new(&server).begin(&[("ticket", &ticket)]).await;
    assert_eq!(other.status, 410);
    assert!(
        other.text.contains("This link does not work right now"),
        "{}",
        other.text
    );
}

#[tokio::test]
async fn a_ticket_that_the_landing_page_redeemed_goes_on_with_its_browser_s_key() {
    let server = TestServer::with_profile(TICKETS).await;
    let link = join_link(&server, Launch::PATIENT).await;
    let browser = "00112233445566778899aabbccddeeff";
    let body = serde_json::json!({"ticket": parameter(&link, "ticket"), "browser": browser});
    let redeemed = server
        .post_json("/api/telehealth/v1/launch/redeem", &body)
        .await;
    let redeemed: serde_json::Value =
        serde_json::from_str(&redeemed.text().await.unwrap()).unwrap();
    let page = Plain::new(&server);
    let waiting = page.begin(&[("link", &link), ("browser", browser)]).await;
    assert_eq!(waiting.title(), "Waiting for the host");
    // A trap later on: the link is gone, and the tab remembers the launch.
    let tab = serde_json::json!({
        "id": redeemed["telehealth_request_id"], "bearer": redeemed["token"],
    });
    let tab = tab.to_string();
    let form = [
        ("link", "https://h/webapp/"),
        ("tab", &*tab),
        ("browser", browser),
    ];
    server.clock.advance(Duration::from_secs(300));
    let waiting = Plain::new(&server).begin(&form).await;
    assert_eq!(waiting.title(), "Waiting for the host");
    let stolen = [
        form[0],
        form[1],
        ("browser", "ffeeddccbbaa99887766554433221100"),
    ];
    assert_eq!(Plain::new(&server).begin(&stolen).await.status, 410);
}

#[tokio::test]
async fn name_role_and_pin_are_asked_for_where_the_link_does_not_say_them() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let (alias, pin) = (parameter(&link, "conference"), parameter(&link, "pin"));
    let host = Plain::new(&server);
    let name = host.begin(&[("conference", &alias)]).await;
    assert_eq!(name.title(), "What is your name?");
    let name = host.step(&[("step", "name"), ("name", " \u{200b} ")]).await;
    assert_eq!(name.title(), "What is your name?");
    assert!(name.text.contains("Please enter your name."));
    let role = host.step(&[("step", "name"), ("name", "Ada <King>")]).await;
    assert_eq!(role.title(), "How are you joining?");
    for wrong in ["00000000", "letters"] {
        let role = host.step(&[("step", "pin"), ("pin", wrong)]).await;
        assert_eq!(role.title(), "How are you joining?");
        assert!(role.text.contains("That PIN is not right."));
    }
    let joined = host.step(&[("step", "pin"), ("pin", &pin)]).await;
    assert_eq!(joined.title(), "You have joined as host");
    assert_eq!(host.people().await, ["Ada &lt;King&gt;"]);
    // The link for another browser holds neither name nor PIN.
    assert!(
        joined
            .text
            .contains("https://visit.example.org/webapp/#/?conference=")
    );
    assert!(joined.text.contains("&amp;role=host"));
    assert!(!joined.text.contains(&pin) && !joined.text.contains("name=Ada"));
}

#[tokio::test]
async fn a_guest_chooses_so_and_a_role_that_was_chosen_wrongly_can_be_left() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    let alias = parameter(&link, "conference");
    for role in ["", "host"] {
        let guest = Plain::new(&server);
        let form = [("conference", &*alias), ("name", "Bob"), ("role", role)];
        let question = guest.begin(&form).await;
        assert_eq!(question.title(), "How are you joining?");
        let waiting = guest.step(&[("step", "guest")]).await;
        assert_eq!(waiting.title(), "Waiting for the host");
    }
}

#[tokio::test]
async fn the_host_s_pin_is_shown_where_it_came_by_ticket_so_that_nobody_is_stranded() {
    let server = TestServer::with_profile(TICKETS).await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let joined = Plain::new(&server).begin(&[("link", &link)]).await;
    let (_, pin) = joined.text.split_once("<strong><bdi dir=\"ltr\">").unwrap();
    let pin = pin.split_once('<').unwrap().0;
    assert_eq!(pin.len(), 8);
    let (_, href) = joined.text.split_once("<a href=\"").unwrap();
    let href = href.split_once('"').unwrap().0.replace("&amp;", "&");
    assert!(!href.contains(pin));
    let elsewhere = Plain::new(&server);
    let name = elsewhere.begin(&[("link", &href)]).await;
    assert_eq!(name.title(), "What is your name?");
    elsewhere
        .step(&[("step", "name"), ("name", "Dr Who")])
        .await;
    let joined = elsewhere.step(&[("step", "pin"), ("pin", pin)]).await;
    assert_eq!(joined.title(), "You have joined as host");
}

#[tokio::test]
async fn wrong_pins_are_counted_as_everybody_s() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let alias = parameter(&link, "conference");
    let host = Plain::new(&server);
    host.begin(&[("conference", &alias), ("name", "Eve"), ("role", "host")])
        .await;
    for _ in 0..5 {
        let wrong = host.step(&[("step", "pin"), ("pin", "00000000")]).await;
        assert_eq!(wrong.status, 200);
    }
    let locked = host
        .step(&[("step", "pin"), ("pin", &parameter(&link, "pin"))])
        .await;
    assert_eq!(locked.status, 429);
    assert!(
        locked
            .text
            .contains("A wrong PIN was entered too many times.")
    );
    let elsewhere = server.request_token(&alias, &parameter(&link, "pin")).await;
    assert_eq!(elsewhere.status(), 403, "nor does the landing page get in");
}

#[tokio::test]
async fn who_sends_forms_too_often_is_told_when_to_come_back() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 2\n").await;
    let browser = Plain::new(&server);
    for _ in 0..2 {
        browser.begin(&[("conference", "nothing")]).await;
    }
    let refused = browser.begin(&[("conference", "nothing")]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(refused.text.contains("launch_rate_limited"));
}

#[tokio::test]
async fn row_33_a_get_redeems_nothing_and_joins_nothing() {
    let server = TestServer::with_profile(TICKETS).await;
    let link = join_link(&server, Launch::PATIENT).await;
    let ticket = parameter(&link, "ticket");
    for _ in 0..3 {
        let page = Page::of(server.get(&format!("{PLAIN}?ticket={ticket}")).await).await;
        assert_eq!((page.status, page.title()), (200, "Open your visit"));
        let page = Page::of(server.get(&format!("{VISIT}?ticket={ticket}")).await).await;
        assert_eq!(page.status, 410);
        assert_eq!(
            server
                .head(&format!("{PLAIN}?ticket={ticket}"))
                .await
                .status(),
            405
        );
    }
    let waiting = Plain::new(&server).begin(&[("ticket", &ticket)]).await;
    assert_eq!(waiting.title(), "Waiting for the host");
}

#[tokio::test]
async fn what_is_no_link_is_asked_for_again() {
    let server = TestServer::start().await;
    for link in [
        "",
        "hello",
        "https://visit.example.org/webapp/",
        &"a".repeat(9000),
    ] {
        let page = Plain::new(&server).begin(&[("link", link)]).await;
        assert_eq!((page.status, page.title()), (422, "Open your visit"));
        assert!(page.text.contains("This is not the link of a visit."));
        assert!(
            page.text
                .contains(&format!("<form method=\"post\" action=\"{PLAIN}\">"))
        );
    }
}

#[tokio::test]
async fn an_alias_that_nobody_made_and_a_form_that_is_none_lead_to_the_error_page() {
    let server = TestServer::start().await;
    let form = [
        ("conference", "telehealth.nothing@example.org"),
        ("name", "Ada"),
    ];
    let unknown = Plain::new(&server).begin(&form).await;
    assert_eq!(unknown.status, 410);
    assert!(
        unknown
            .text
            .contains("BorvoGetTelehealthDirectLaunchTokenError")
    );
    let form = [("step", "dance")];
    let unknown = Plain::new(&server).step(&form).await;
    assert_eq!(unknown.status, 400);
    let large = server.post_form(PLAIN, "a".repeat(70_000)).await;
    assert_eq!(large.status(), 413);
}

#[tokio::test]
async fn nobody_is_put_into_a_visit_by_somebody_else_s_page() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    for (site, title) in [
        ("cross-site", "Open your visit"),
        ("same-origin", "Waiting for the host"),
        ("none", "Waiting for the host"),
    ] {
        let mut browser = Plain::new(&server);
        browser.header = Some(("sec-fetch-site", site));
        let page = browser.begin(&[("link", &link), ("tab", "{}\"<")]).await;
        assert_eq!((page.status, page.title()), (200, title), "{site}");
        if site != "cross-site" {
            continue;
        }
        assert!(browser.cookie.lock().unwrap().is_none());
        // The person may want it all the same: the form stands there with what came.
        let escaped = link.replace('&', "&amp;");
        assert!(page.text.contains(&format!("value=\"{escaped}\"")));
        assert!(page.text.contains("name=\"tab\" value=\"{}&quot;&lt;\""));
        let step = browser.step(&[("step", "leave")]).await;
        assert_eq!(step.status, 400);
    }
}

#[tokio::test]
async fn a_cookie_that_was_altered_or_is_old_is_no_visit() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    let guest = Plain::new(&server);
    guest.begin(&[("link", &link)]).await;
    let cookie = guest.cookie.lock().unwrap().clone().unwrap();
    for alter in [0, 40, 60] {
        let mut altered = cookie.clone().into_bytes();
        let place = "vestibule-plain=".len() + alter;
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        *guest.cookie.lock().unwrap() = Some(String::from_utf8(altered).unwrap());
        let lost = guest.look().await;
        assert_eq!(lost.status, 410);
        assert_eq!(lost.title(), "This page no longer knows your visit");
        assert!(guest.cookie.lock().unwrap().is_none());
    }
    *guest.cookie.lock().unwrap() = Some(cookie);
    server.clock.advance(Duration::from_secs(119));
    assert_eq!(guest.look().await.title(), "Waiting for the host");
    server.clock.advance(Duration::from_secs(119));
    assert_eq!(
        guest.look().await.title(),
        "Waiting for the host",
        "it was renewed"
    );
    server.clock.advance(Duration::from_secs(12 * 60 * 60));
    assert_eq!(guest.look().await.status, 410);
}

#[tokio::test]
async fn who_has_been_put_out_is_asked_whether_to_come_back() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    let guest = Plain::new(&server);
    guest.begin(&[("link", &link)]).await;
    // The node gives a waiting guest up after a quarter of an hour.
    let mut looks = 0;
    while guest.look().await.title() == "Waiting for the host" {
        server.clock.advance(Duration::from_secs(61));
        looks += 1;
        assert!(looks < 16, "the guest waits for ever");
    }
    let status = guest.status("waiting").await;
    assert!(!status.headers.contains_key("refresh"));
    assert!(
        status
            .text
            .contains("target=\"_parent\">You are no longer in the visit</a>")
    );
    let out = guest.look().await;
    assert_eq!(out.title(), "You are no longer in the visit");
    let again = guest.step(&[("step", "again")]).await;
    assert_eq!(again.title(), "Waiting for the host");
}

#[tokio::test]
async fn a_phone_that_slept_longer_than_its_token_lives_is_in_the_visit_again() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let host = Plain::new(&server);
    host.begin(&[("link", &link)]).await;
    server.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(host.look().await.title(), "You have joined as host");
    assert_eq!(host.people().await.len(), 1);
    // A PIN that was typed is not kept: it is asked for, and nothing else.
    let (alias, pin) = (parameter(&link, "conference"), parameter(&link, "pin"));
    let typing = Plain::new(&server);
    let form = [("conference", &*alias), ("name", "Ada"), ("role", "host")];
    typing.begin(&form).await;
    typing.step(&[("step", "pin"), ("pin", &pin)]).await;
    server.clock.advance(Duration::from_secs(10 * 60));
    let asked = typing.look().await;
    assert!(asked.text.contains("Host PIN"), "{}", asked.text);
    let joined = typing.step(&[("step", "pin"), ("pin", &pin)]).await;
    assert_eq!(joined.title(), "You have joined as host");
    // Until the alias leads nowhere any more.
    server.clock.advance(Duration::from_secs(10 * 60 * 60));
    let ended = typing.look().await;
    assert_eq!(ended.title(), "The visit has ended");
    assert!(typing.cookie.lock().unwrap().is_none());
}

#[tokio::test]
async fn whoever_opens_another_visit_leaves_the_one_before() {
    let server = TestServer::with_profile(TICKETS).await;
    let first = join_link(&server, Launch::PROVIDER).await;
    let second = join_link(&server, Launch::PROVIDER).await;
    let browser = Plain::new(&server);
    browser.begin(&[("link", &first)]).await;
    assert_eq!(browser.people().await.len(), 1);
    // Both launches lead to one appointment, so a participant that stayed would be seen.
    browser.begin(&[("link", &second)]).await;
    assert_eq!(browser.people().await.len(), 1, "no ghost stays");
}

#[tokio::test]
async fn looks_are_bounded_and_a_visit_outlives_the_bound() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PATIENT).await;
    let guest = Plain::new(&server);
    guest.begin(&[("link", &link)]).await;
    let mut looks = 0;
    let refused = loop {
        let page = guest.look().await;
        if page.status != 200 {
            break page;
        }
        looks += 1;
        assert!(looks <= 60, "without bound");
    };
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.refresh(), Some("30"), "the page heals");
    // The frame goes on to look, and is not kept from being shown.
    let refused = guest.status("waiting").await;
    assert_eq!((refused.status, refused.refresh()), (429, Some("5")));
    assert!(refused.is_a_frame(), "{}", refused.text);
    assert!(refused.text.contains("is not known at the moment"));
    server.clock.advance(Duration::from_secs(5));
    assert_eq!(guest.look().await.title(), "Waiting for the host");
}

#[tokio::test]
async fn pages_run_nothing_are_not_stored_and_show_no_secret() {
    let server = TestServer::start().await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let host = Plain::new(&server);
    let joined = host.begin(&[("link", &link)]).await;
    let policy = joined.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        policy.ends_with("frame-ancestors 'self' https://portal.example.org"),
        "{policy}"
    );
    assert_eq!(joined.headers["cache-control"], "no-store");
    assert_eq!(joined.headers["referrer-policy"], "no-referrer");
    assert!(!joined.text.contains("<script"));
    // What is sealed is not readable, and not logged.
    let cookie = host.cookie.lock().unwrap().clone().unwrap();
    let (_, value) = cookie.split_once('=').unwrap();
    let logged = log::text();
    for secret in [
        value,
        &parameter(&link, "pin"),
        &parameter(&link, "conference"),
    ] {
        assert!(!logged.contains(secret));
    }
}

#[tokio::test]
async fn a_visit_is_handed_on_to_the_connect_web_app_where_the_page_does_so() {
    for (form, expected) in [
        ("webapp", "https://meet.example.org/x/#/?conference="),
        ("webapp2", "https://meet.example.org/x/conference/"),
        ("webapp3", "https://meet.example.org/x/m/"),
    ] {
        let config = format!(
            "[landing_page]\nhand_over = \"connect\"\n\
             connect = {{ base = \"https://meet.example.org/x\", form = \"{form}\" }}\n"
        );
        let server = TestServer::with(TICKETS, &config).await;
        let link = join_link(&server, Launch::PROVIDER).await;
        let browser = Plain::new(&server);
        let response = browser.post(PLAIN, &[("link", &link)]).await;
        assert_eq!(response.status(), 303);
        let location = location(&response);
        assert!(location.starts_with(expected), "{location}");
        assert_eq!(parameter(location, "pin").len(), 8);
        assert!(browser.cookie.lock().unwrap().is_none());
    }
}

#[tokio::test]
async fn a_conferencing_node_of_the_configuration_is_asked_over_the_network() {
    let node = TestServer::start().await;
    let link = join_link(&node, Launch::PROVIDER).await;
    let config = format!("[landing_page]\nnode = \"{}\"\n", node.url);
    let server = TestServer::with("", &config).await;
    let host = Plain::new(&server);
    let joined = host.begin(&[("link", &link)]).await;
    assert_eq!(joined.title(), "You have joined as host");
    node.end().await;
    let away = host.look().await;
    assert_eq!((away.status, away.title()), (200, "Reconnecting"));
    let unreachable = Plain::new(&server).begin(&[("link", &link)]).await;
    assert_eq!(unreachable.status, 503);
    assert_eq!(
        unreachable.title(),
        "The visit cannot be reached at the moment"
    );
    assert!(unreachable.text.contains("conferencing_node_unavailable"));
}
