//! Rows 14 and 15: a return from the EHR that is forged, of another browser, or a
//! refusal.

use std::time::Duration;

use serde_json::json;
use vestibule_launch::ErrorName;

use super::assert_invariants;
use crate::support::{Browser, Launch, TestServer, launch_path, return_path};

fn path(server: &TestServer) -> String {
    let parameters = server.parameters(Launch::PATIENT);
    format!("{}?{parameters}", launch_path("patient"))
}

#[tokio::test]
async fn row_14_a_state_that_is_not_of_this_profile_and_role_leads_nowhere() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    let elsewhere = TestServer::start().await.begin_state(Launch::PATIENT).await;
    let other = if state.starts_with('A') { "B" } else { "A" };
    let altered = format!("{other}{}", &state[1..]);
    for (role, state) in [
        ("provider", state.as_str()),
        ("patient", &elsewhere),
        ("patient", altered.as_str()),
        ("patient", "AAAA"),
        ("patient", ""),
        ("patient", "https%3A%2F%2Fevil.example.org"),
    ] {
        let response = server.return_with(role, state).await;
        assert_invariants(response, 400, ErrorName::StateInvalid).await;
    }
    for query in [
        "code=1".to_owned(),
        format!("state={state}"),
        format!("code=1&error=x&state={state}"),
        format!("code=1&code=2&state={state}"),
        format!("code=1&state={state}&state={state}"),
    ] {
        let path = format!("{}?{query}", return_path("patient"));
        let response = server.get(&path).await;
        assert_invariants(response, 400, ErrorName::StateInvalid).await;
    }
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn row_14_a_launch_of_another_browser_leads_nowhere_and_is_not_lost() {
    let server = TestServer::start().await;
    let attacker = Browser::new(&server);
    let state = attacker.begin(&path(&server)).await;
    // The victim has a launch under way, so its browser shows that it keeps cookies.
    let victim = Browser::new(&server);
    victim.begin(&path(&server)).await;
    let response = victim.return_with("patient", &state).await;
    assert_invariants(response, 400, ErrorName::StateInvalid).await;
    assert_eq!(attacker.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn row_14_a_false_cookie_is_refused() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let state = browser.begin(&path(&server)).await;
    let honest = browser.cookies();
    browser.falsify();
    let response = browser.return_with("patient", &state).await;
    assert_invariants(response, 400, ErrorName::StateInvalid).await;
    let back = format!(
        "{}?code=code-of-the-ehr&state={state}",
        return_path("patient")
    );
    // Nor do a true and a false one together.
    let both = format!("{honest}; {}", browser.cookies());
    assert_eq!(server.get_with(&back, "cookie", &both).await.status(), 400);
    assert_eq!(
        server.get_with(&back, "cookie", &honest).await.status(),
        303
    );
}

#[tokio::test]
async fn row_14_browsers_that_keep_cookies_back_may_launch_unless_the_server_says_no() {
    let server = TestServer::start().await;
    server.launch(Launch::PATIENT).await;
    let server = TestServer::with("", "require_launch_cookie = true\n").await;
    let state = server.begin_state(Launch::PATIENT).await;
    let response = server.return_with("patient", &state).await;
    assert_invariants(response, 400, ErrorName::StateInvalid).await;
    Browser::new(&server).launch(&path(&server)).await;
}

#[tokio::test]
async fn row_14_the_cookie_is_for_this_server_and_works_in_frames() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let state = browser.begin(&path(&server)).await;
    let id = server.request_id("patient", &state);
    let name = format!("__Host-vestibule-launch-{id}");
    let scope = "HttpOnly; Secure; SameSite=None; Partitioned";
    let pending = format!(" Path=/; Max-Age=900; {scope}");
    assert_eq!(browser.attributes(), [(name.clone(), pending)]);
    browser.return_with("patient", &state).await;
    let given = format!(" Path=/; Max-Age=60; {scope}");
    assert_eq!(browser.attributes(), [(name, given)]);

    let site = |role: &str, uuid: &str| {
        format!(
            "{role}_oauth2_redirect_url = \"http://127.0.0.1:7080/api/telehealth/v1/{role}/oauth2authorized/{uuid}\""
        )
    };
    let server = TestServer::with_profile_changed(|profile| {
        let lines = profile
            .lines()
            .filter(|line| !line.contains("_redirect_url"));
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        for role in ["patient", "provider"] {
            lines.insert(1, site(role, crate::support::UUID));
        }
        lines.join("\n")
    })
    .await;
    let browser = Browser::new(&server);
    let state = browser.begin(&path(&server)).await;
    let id = server.request_id("patient", &state);
    let plain = " Path=/; Max-Age=900; HttpOnly; SameSite=Lax".to_owned();
    assert_eq!(
        browser.attributes(),
        [(format!("vestibule-launch-{id}"), plain)]
    );
    assert_eq!(browser.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn row_14_several_launches_run_in_one_browser() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let mut states = Vec::new();
    for _ in 0..5 {
        states.push(browser.begin(&path(&server)).await);
    }
    for state in states.iter().rev() {
        assert_eq!(browser.return_with("patient", state).await.status(), 303);
    }
}

#[tokio::test]
async fn row_14_however_many_launches_a_browser_remembers_its_newest_one_goes_on() {
    let server = TestServer::with("", "require_launch_cookie = true\n").await;
    let browser = Browser::new(&server);
    let state = browser.begin(&path(&server)).await;
    let others = (0..70).map(|number| {
        let id = format!("3e0b8a55-8df1-4f0c-8f7f-{number:012x}");
        format!("__Host-vestibule-launch-{id}=AAAA; ")
    });
    let cookies = others.collect::<String>() + &browser.cookies();
    let back = format!(
        "{}?code=code-of-the-ehr&state={state}",
        return_path("patient")
    );
    let response = server.get_with(&back, "cookie", &cookies).await;
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn row_14_another_authorization_server_is_refused() {
    let server = TestServer::start().await;
    server.ehr.script(|ehr| {
        let more = json!({
            "issuer": "https://ehr.example.org/oauth2",
            "authorization_response_iss_parameter_supported": true,
        });
        ehr.more_metadata = more.as_object().unwrap().clone();
    });
    for (iss, status) in [
        ("&iss=https%3A%2F%2Fehr.example.org%2Foauth2", 303),
        ("&iss=https%3A%2F%2Fevil.example.org", 400),
        ("", 400),
    ] {
        let state = server.begin_state(Launch::PATIENT).await;
        let path = format!("{}?code=c&state={state}{iss}", return_path("patient"));
        let before = server.ehr.script(|ehr| ehr.token_requests.len());
        let response = server.get(&path).await;
        if status == 303 {
            assert_eq!(response.status(), 303);
        } else {
            assert_invariants(response, status, ErrorName::StateInvalid).await;
            let after = server.ehr.script(|ehr| ehr.token_requests.len());
            assert_eq!(before, after, "the code goes nowhere");
        }
    }
}

#[tokio::test]
async fn row_14_a_state_is_good_for_a_quarter_of_an_hour() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    server.clock.advance(Duration::from_secs(15 * 60));
    let response = server.return_with("patient", &state).await;
    assert_invariants(response, 400, ErrorName::StateInvalid).await;
}

/// Comes back with this error; what the EHR says of it is for nobody's eyes.
async fn comes_back_with(server: &TestServer, error: &str, status: u16, name: ErrorName) {
    let state = server.begin_state(Launch::PATIENT).await;
    let path = format!(
        "{}?error={error}&error_description=Beverley%3Cscript%3E&state={state}",
        return_path("patient")
    );
    assert_invariants(server.get(&path).await, status, name).await;
}

#[tokio::test]
async fn row_15_a_sign_in_that_was_refused_or_given_up_is_told_and_can_be_tried_again() {
    let server = TestServer::start().await;
    for error in ["access_denied", "login_required", "login_cancelled"] {
        comes_back_with(&server, error, 403, ErrorName::SignInRefused).await;
    }
    server.launch(Launch::PATIENT).await;
}

#[tokio::test]
async fn row_15_an_ehr_that_is_out_of_order_at_the_sign_in_is_not_the_users_refusal() {
    let server = TestServer::start().await;
    for error in ["server_error", "temporarily_unavailable"] {
        comes_back_with(&server, error, 502, ErrorName::EhrUnreachable).await;
    }
    server.launch(Launch::PATIENT).await;
}

#[tokio::test]
async fn row_15_an_application_that_the_ehr_does_not_take_is_for_its_analyst() {
    let server = TestServer::start().await;
    for error in [
        "invalid_scope",
        "unauthorized_client",
        "invalid_request",
        "unsupported_response_type",
    ] {
        comes_back_with(&server, error, 502, ErrorName::TokenExchange).await;
    }
    server.launch(Launch::PATIENT).await;
}
