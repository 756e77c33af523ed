//! What holds whichever of two servers with one database a request comes to.

use std::{sync::Arc, time::Duration};

use reqwest::Response;
use tokio::{sync::Notify, task::JoinHandle};
use vestibule_launch::ErrorName;
use vestibule_server::{config::Config, server::Server};

use crate::{
    faults::assert_invariants,
    support::{
        Admin, Browser, Launch, PATH, TestServer, TokenScript, UUID, launch_path, location,
        parameter, return_path,
    },
};

const PASSWORD: &str = "correct horse battery";

/// Another server with the same database, clock and EHR.
pub(crate) struct Second {
    pub(crate) url: String,
    pub(crate) admin_url: Option<String>,
    running: JoinHandle<()>,
}

impl Second {
    pub(crate) async fn beside(server: &TestServer) -> Self {
        let config = Config::read(&server.folder.path().join("vestibule.toml")).unwrap();
        let clock = server.clock.clone();
        let second = Server::bind_with_clock(&config, clock).await.unwrap();
        let url = format!("http://{}", second.address());
        let admin_url = second.admin_address();
        Self {
            url,
            admin_url: admin_url.map(|address| format!("http://{address}")),
            running: tokio::spawn(async move {
                second.run(std::future::pending()).await.unwrap();
            }),
        }
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn patients_launch(server: &TestServer) -> String {
    let parameters = server.parameters(Launch::PATIENT);
    format!("{}?{parameters}", launch_path("patient"))
}

fn way_back(state: &str) -> String {
    let path = return_path("patient");
    format!("{path}?code=code-of-the-ehr&state={state}")
}

async fn get(server: &TestServer, url: &str, path: &str) -> Response {
    let request = server.client.get(format!("{url}{path}"));
    request.send().await.unwrap()
}

#[tokio::test]
async fn launches_count_at_whichever_server_they_begin() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 3\n").await;
    let second = Second::beside(&server).await;
    let urls = [&server.url, &second.url];
    for turn in 0..3 {
        let begun = get(&server, urls[turn % 2], &patients_launch(&server)).await;
        assert_eq!(begun.status(), 303);
    }
    for url in urls {
        let refused = get(&server, url, &patients_launch(&server)).await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "20");
    }
    server.clock.advance(Duration::from_secs(20));
    let statuses = [
        get(&server, urls[1], &patients_launch(&server)).await,
        get(&server, urls[0], &patients_launch(&server)).await,
    ];
    assert_eq!(statuses.map(|it| it.status().as_u16()), [303, 429]);
}

#[tokio::test]
async fn what_is_wrong_with_a_launch_counts_at_the_other_server_too() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 4\n").await;
    let second = Second::beside(&server).await;
    let unknown = launch_path("patient").replace(UUID, "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a");
    let mut statuses = Vec::new();
    for url in [&server.url, &second.url, &server.url, &second.url] {
        statuses.push(get(&server, url, &unknown).await.status().as_u16());
    }
    assert_eq!(statuses, [404, 404, 429, 429], "each counts twice");
    let begun = get(&server, &second.url, &patients_launch(&server)).await;
    assert_eq!(begun.status(), 303, "profiles count apart");
}

#[tokio::test]
async fn row_10_the_same_browser_gets_the_same_link_from_another_server() {
    let server = TestServer::start().await;
    let second = Second::beside(&server).await;
    let browser = Browser::new(&server);
    let path = patients_launch(&server);
    let state = browser.begin(&path).await;
    let joined = browser.get_at(&second.url, &way_back(&state)).await;
    assert_eq!(joined.status(), 303);
    let link = location(&joined).to_owned();
    server.clock.advance(Duration::from_secs(59));
    for url in [&server.url, &second.url] {
        for path in [&path, &way_back(&state)] {
            let again = browser.get_at(url, path).await;
            assert_eq!(again.status(), 303);
            assert_eq!(location(&again), link);
        }
    }
    server.clock.advance(Duration::from_secs(1));
    for url in [&server.url, &second.url] {
        for path in [&path, &way_back(&state)] {
            let late = browser.get_at(url, path).await;
            assert_invariants(late, 410, ErrorName::LaunchUsed).await;
        }
    }
    assert_eq!(server.ehr.script(|ehr| ehr.token_requests.len()), 1);
}

#[tokio::test]
async fn row_10_another_browser_gets_nothing_from_another_server() {
    let server = TestServer::start().await;
    let second = Second::beside(&server).await;
    let path = patients_launch(&server);
    let state = Browser::new(&server).begin(&path).await;
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
    let other = Browser::new(&server);
    other.launch(&patients_launch(&server)).await;
    for browser in [&Browser::new(&server), &other] {
        let response = browser.get_at(&second.url, &path).await;
        assert_invariants(response, 410, ErrorName::LaunchUsed).await;
        let response = browser.get_at(&second.url, &way_back(&state)).await;
        assert!([400, 410].contains(&response.status().as_u16()));
    }
}

/// The second click waits for what the first one comes to.
#[tokio::test]
async fn row_11_a_double_click_at_two_servers_gives_one_launch_and_one_link() {
    let server = TestServer::start().await;
    let second = Second::beside(&server).await;
    let browser = Browser::new(&server);
    let state = browser.begin(&patients_launch(&server)).await;
    let may_go_on = Arc::new(Notify::new());
    let script = TokenScript::Waits(Arc::clone(&may_go_on), Box::new(TokenScript::Gives(None)));
    server.ehr.script(|ehr| ehr.token = script);
    let path = way_back(&state);
    let let_go_on = async {
        while server.ehr.script(|ehr| ehr.token_requests.is_empty()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Longer than it takes the other server to find that it comes second.
        tokio::time::sleep(Duration::from_millis(300)).await;
        may_go_on.notify_one();
    };
    let (first, second, ()) = tokio::join!(
        browser.get_at(&server.url, &path),
        browser.get_at(&second.url, &path),
        let_go_on
    );
    assert_eq!([first.status(), second.status()], [303, 303]);
    assert_eq!(location(&first), location(&second));
    assert_eq!(server.ehr.script(|ehr| ehr.token_requests.len()), 1);
}

/// Where the first click fails, the second says so too, and does not try again.
#[tokio::test]
async fn row_11_a_double_click_at_two_servers_fails_once() {
    let server = TestServer::start().await;
    let second = Second::beside(&server).await;
    let browser = Browser::new(&server);
    let state = browser.begin(&patients_launch(&server)).await;
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Answers(500, ""));
    let path = way_back(&state);
    let (first, second) = tokio::join!(
        browser.get_at(&server.url, &path),
        browser.get_at(&second.url, &path)
    );
    let mut statuses = [first.status().as_u16(), second.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [410, 502]);
    assert_eq!(server.ehr.script(|ehr| ehr.token_requests.len()), 1);
}

#[tokio::test]
async fn row_11_two_tabs_at_two_servers_get_the_same_link() {
    let server = TestServer::start().await;
    let second = Second::beside(&server).await;
    let browser = Browser::new(&server);
    let path = patients_launch(&server);
    let here = browser.begin(&path).await;
    let there = browser.get_at(&second.url, &path).await;
    let there = parameter(location(&there), "state");
    let (here, there) = (way_back(&here), way_back(&there));
    let (here, there) = tokio::join!(
        browser.get_at(&server.url, &here),
        browser.get_at(&second.url, &there)
    );
    assert_eq!([here.status(), there.status()], [303, 303]);
    assert_eq!(location(&here), location(&there));
}

#[tokio::test]
async fn row_32_wrong_pins_count_at_whichever_server_they_are_tried() {
    let server = TestServer::start().await;
    let second = Second::beside(&server).await;
    let link = server.launch(Launch::PROVIDER).await;
    let (alias, pin) = (parameter(&link, "conference"), parameter(&link, "pin"));
    let request_token = async |url: &str, pin: &str| {
        let url = format!("{url}/api/client/v2/conferences/{alias}/request_token");
        let request = server.client.post(url).header("pin", pin);
        let request = request.header("content-type", "application/json");
        let request = request.body(r#"{"display_name": "Somebody"}"#);
        let response = request.send().await.unwrap();
        response.text().await.unwrap()
    };
    let wrong = if pin == "11112222" {
        "22221111"
    } else {
        "11112222"
    };
    for url in [
        &server.url,
        &second.url,
        &server.url,
        &second.url,
        &server.url,
    ] {
        assert!(
            request_token(url, &pin).await.contains("\"token\""),
            "right ones do not count"
        );
        assert!(request_token(url, wrong).await.contains("Invalid PIN"));
    }
    for url in [&server.url, &second.url] {
        for pin in [wrong, &pin] {
            let refused = request_token(url, pin).await;
            assert!(refused.contains("exceeded PIN entry retries"), "{refused}");
        }
        assert!(
            request_token(url, "none").await.contains("\"token\""),
            "guests have none"
        );
    }
    server.clock.advance(Duration::from_secs(5 * 60));
    assert!(request_token(&second.url, &pin).await.contains("\"token\""));
}

#[tokio::test]
async fn wrong_admin_passwords_count_at_whichever_server_they_are_tried() {
    let admin = Admin::start().await;
    let server = &admin.server;
    let second = Second::beside(server).await;
    let urls = [&server.admin_url, &second.admin_url].map(|url| url.as_deref().unwrap());
    let status = async |url: &str, password: &str| {
        let request = server.client.get(format!("{url}{PATH}"));
        let request = request.basic_auth("admin", Some(password));
        request.send().await.unwrap().status().as_u16()
    };
    for turn in 0..10 {
        assert_eq!(status(urls[turn % 2], "wrong").await, 401);
    }
    for (url, other) in [(urls[0], urls[1]), (urls[1], urls[0])] {
        assert_eq!(status(url, "wrong").await, 429, "the one of this second");
        assert_eq!(status(other, PASSWORD).await, 429, "not looked at");
        server.clock.advance(Duration::from_secs(1));
    }
    server.clock.advance(Duration::from_secs(5 * 60));
    for url in urls {
        assert_ne!(status(url, PASSWORD).await, 429);
    }
}

#[tokio::test]
async fn an_administrator_who_signs_in_at_one_server_is_in_at_the_other_until_signing_out() {
    let Admin { server } = Admin::start().await;
    let second = Second::beside(&server).await;
    let urls = [
        server.admin_url.as_ref().unwrap(),
        second.admin_url.as_ref().unwrap(),
    ];
    let post = async |url: &str, path: &str, cookie: &str, body: String| {
        let request = server.client.post(format!("{url}{path}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin").body(body);
        let response = request.header("cookie", cookie).send().await.unwrap();
        assert_eq!(response.status(), 303);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    };
    let password = PASSWORD.replace(' ', "+");
    let signed_in = format!("name=admin&password={password}");
    let cookie = post(urls[0], "/admin/sign-in", "", signed_in).await;
    let page = async |url: &str| {
        let request = server.client.get(format!("{url}/admin/profiles"));
        request.header("cookie", &cookie).send().await.unwrap()
    };
    assert_eq!(page(urls[0]).await.status(), 200);
    let found = page(urls[1]).await;
    assert_eq!(found.status(), 200);
    let found = found.text().await.unwrap();
    let (_, rest) = found.split_once("name=\"csrf\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap();
    post(urls[1], "/admin/sign-out", &cookie, format!("csrf={token}")).await;
    for url in urls {
        assert_eq!(page(url).await.status(), 303, "to the sign-in");
    }
}
