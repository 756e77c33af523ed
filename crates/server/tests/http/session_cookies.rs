//! Cookies that somebody else chose, planted or took: of launches. Those of administrators
//! are with their sign-in.

use std::time::Duration;

use reqwest::{Response, header::SET_COOKIE};

use crate::support::{Launch, TestServer, launch_path, location, parameter, return_path};

/// A launch that has begun: its cookie, by name and value, and its way back.
struct Begun {
    name: String,
    value: String,
    back: String,
}

async fn begin(server: &TestServer) -> Begun {
    let response = server.begin(Launch::PATIENT).await;
    assert_eq!(response.status(), 303);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    vestibule_test_log::secret(vestibule_test_log::Class::Token, value);
    let state = parameter(location(&response), "state");
    let path = return_path("patient");
    Begun {
        name: name.to_owned(),
        value: value.to_owned(),
        back: format!("{path}?code=code-of-the-ehr&state={state}"),
    }
}

async fn get(server: &TestServer, path: &str, cookie: &str) -> Response {
    server.get_with(path, "cookie", cookie).await
}

/// An attacker who has a cookie for a launch of their own names it as that of another one,
/// or plants one that they made up before the launch began.
#[tokio::test]
async fn the_cookie_of_another_launch_opens_none() {
    let server = TestServer::start().await;
    let (own, others) = (begin(&server).await, begin(&server).await);
    assert_ne!(own.value, others.value);
    let Begun { name, value, back } = &own;
    let other = &others.value;
    for cookie in [
        format!("{name}={other}"),
        format!("{name}={other}; {name}={value}"),
        format!("{name}={value}; {name}={other}"),
        format!("{name}="),
        format!("{}={other}", others.name),
    ] {
        let refused = get(&server, back, &cookie).await;
        assert!(refused.status().is_client_error(), "{}", refused.status());
        assert!(!refused.headers().contains_key("location"));
    }
    let joined = get(&server, back, &format!("{name}={value}")).await;
    assert_eq!(joined.status(), 303, "it was not used up");
}

/// A cookie that is there already is not made the cookie of the next launch.
#[tokio::test]
async fn a_cookie_that_was_planted_before_is_not_taken() {
    let server = TestServer::start().await;
    let planted = begin(&server).await;
    let cookie = format!("{}={}", planted.name, planted.value);
    let parameters = server.parameters(Launch::PATIENT);
    let path = format!("{}?{parameters}", launch_path("patient"));
    let response = get(&server, &path, &cookie).await;
    assert_eq!(response.status(), 303);
    let fresh = response.headers()[SET_COOKIE].to_str().unwrap();
    let (name, rest) = fresh.split_once('=').unwrap();
    assert_ne!(name, planted.name);
    assert!(!rest.starts_with(&planted.value));
    let state = parameter(location(&response), "state");
    let back = format!(
        "{}?code=code-of-the-ehr&state={state}",
        return_path("patient")
    );
    let refused = get(&server, &back, &cookie).await;
    assert!(refused.status().is_client_error(), "the planted one alone");
}

#[tokio::test]
async fn a_stolen_cookie_is_worth_nothing_a_minute_after_its_launch() {
    let server = TestServer::start().await;
    let begun = begin(&server).await;
    let cookie = format!("{}={}", begun.name, begun.value);
    let joined = get(&server, &begun.back, &cookie).await;
    let link = location(&joined).to_owned();
    assert_eq!(joined.status(), 303);
    server.clock.advance(Duration::from_secs(59));
    let again = get(&server, &begun.back, &cookie).await;
    assert_eq!(location(&again), link, "its own browser may come again");
    server.clock.advance(Duration::from_secs(1));
    let refused = get(&server, &begun.back, &cookie).await;
    assert_eq!(refused.status(), 410);
    assert!(!refused.headers().contains_key("location"));
}
