//! How the browser gets to the EHR's sign-in, and in which language pages speak.

use serde_json::json;

use crate::support::{Launch, TestServer, launch_path, location};

/// An EHR that takes posted authorization requests.
fn takes_forms(server: &TestServer) {
    server.ehr.script(|ehr| {
        let more = json!({"capabilities": ["launch-ehr", "authorize-post"]});
        ehr.more_metadata = more.as_object().unwrap().clone();
    });
}

/// Parameters of a launch whose token is so long.
fn parameters(server: &TestServer, length: usize) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", &server.ehr.iss())
        .append_pair("launch", &"a".repeat(length))
        .finish()
}

/// The values of the hidden fields of a form.
fn fields(page: &str) -> Vec<(&str, &str)> {
    let inputs = page.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (name, rest.split_once('"').unwrap().0)
        })
        .collect()
}

#[tokio::test]
async fn a_long_launch_token_is_posted_by_a_page() {
    let server = TestServer::start().await;
    takes_forms(&server);
    let short = parameters(&server, 1_000);
    let response = server
        .get(&format!("{}?{short}", launch_path("patient")))
        .await;
    assert_eq!(response.status(), 303);
    let longest_url = location(&response).len();
    assert!(longest_url < 2_000);

    for posted in [false, true] {
        let long = parameters(&server, 1_000 + 2_001 - longest_url);
        let response = if posted {
            server.post_form(&launch_path("patient"), long).await
        } else {
            server
                .get(&format!("{}?{long}", launch_path("patient")))
                .await
        };
        assert_eq!(response.status(), 200);
        assert!(response.headers().contains_key("set-cookie"));
        let page = response.text().await.unwrap();
        let action = format!("http://{}/authorize?tenant=1", server.ehr.address);
        assert!(page.contains(&format!("<form method=\"post\" action=\"{action}\">")));
        let fields = fields(&page);
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "response_type",
                "client_id",
                "redirect_uri",
                "scope",
                "launch",
                "aud",
                "state",
                "code_challenge",
                "code_challenge_method"
            ]
        );
        let value = |name| fields.iter().find(|(found, _)| *found == name).unwrap().1;
        assert_eq!(value("aud"), server.ehr.iss());
        assert!(value("launch").len() > 1_000);
        let response = server.return_with("patient", value("state")).await;
        // The launch carried no parameters; what counts is that the state is good.
        assert_eq!(response.status(), 400);
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains("launch_params_invalid")
        );
    }
}

#[tokio::test]
async fn who_does_not_take_forms_gets_a_long_url() {
    let server = TestServer::with_profile("authorize_by_post = true").await;
    let long = parameters(&server, 5_000);
    let response = server
        .get(&format!("{}?{long}", launch_path("patient")))
        .await;
    assert_eq!(response.status(), 303);
    assert!(location(&response).len() > 5_000);
}

#[tokio::test]
async fn a_profile_may_want_every_request_posted() {
    let server = TestServer::with_profile("authorize_by_post = true").await;
    takes_forms(&server);
    assert_eq!(server.begin(Launch::PATIENT).await.status(), 200);
    assert_eq!(server.begin(Launch::PROVIDER).await.status(), 200);
}

#[tokio::test]
async fn pages_speak_the_language_of_the_browser() {
    let server = TestServer::with_profile("authorize_by_post = true").await;
    takes_forms(&server);
    let launch = format!("{}?{}", launch_path("patient"), parameters(&server, 10));
    let failure = launch_path("patient");
    for (accept, language) in [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("da,de;q=0.3,en;q=0.1", "de"),
        ("ar", "ar"),
        ("da", "en"),
        ("*", "en"),
    ] {
        for path in [&launch, &failure] {
            let response = server.get_with(path, "accept-language", accept).await;
            let page = response.text().await.unwrap();
            assert!(
                page.contains(&format!("<html lang=\"{language}\"")),
                "{accept}: {page}"
            );
        }
    }
}
