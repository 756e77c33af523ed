//! Passwords that are guessed many at once: no more are looked at than there may be.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use reqwest::RequestBuilder;

use crate::{
    openapi::PEXIP,
    support::{ADMIN_CONFIG, PATH, TestServer},
    two_servers::Second,
};

const AT_ONCE: usize = 40;

const ADMIN_PASSWORD: &str = vestibule_test_log::canary::ADMIN_PASSWORD;

const PEXIP_PASSWORD: &str = vestibule_test_log::canary::PEXIP_PASSWORD;

/// Two servers with one database, and every door of theirs.
struct House {
    server: TestServer,
    second: Second,
}

/// Where a password is asked for.
#[derive(Clone, Copy, Debug)]
enum Door {
    Policy,
    EventSink,
    AdminApi,
    SignIn,
}

impl House {
    async fn start() -> Self {
        let server = TestServer::with("", &format!("{ADMIN_CONFIG}{PEXIP}")).await;
        let second = Second::beside(&server).await;
        Self { server, second }
    }

    /// A request with this password, to one server or the other.
    fn request(&self, door: Door, turn: usize, password: &str) -> RequestBuilder {
        let (server, second, client) = (&self.server, &self.second, &self.server.client);
        let browsers = [&server.url, &second.url][turn % 2];
        let admin = [&server.admin_url, &second.admin_url][turn % 2];
        let admin = admin.as_ref().unwrap();
        match door {
            Door::Policy => {
                let request = client.get(format!("{browsers}/policy/v1/registrations"));
                request.basic_auth("pexip", Some(password))
            }
            Door::EventSink => {
                let request = client.post(format!("{browsers}/api/telehealth/v1/event_sink"));
                request.basic_auth("pexip", Some(password)).body("{}")
            }
            Door::AdminApi => {
                let request = client.get(format!("{admin}{PATH}"));
                request.basic_auth("admin", Some(password))
            }
            Door::SignIn => {
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs([("name", "admin"), ("password", password)])
                    .finish();
                let request = client.post(format!("{admin}/admin/sign-in"));
                let request = request.header("sec-fetch-site", "same-origin");
                let form = "application/x-www-form-urlencoded";
                request.header("content-type", form).body(body)
            }
        }
    }

    /// How often each status was answered to these passwords, all sent at once.
    async fn at_once(&self, door: Door, passwords: &[String]) -> BTreeMap<u16, usize> {
        let requests = passwords.iter().enumerate().map(|(turn, password)| {
            let request = self.request(door, turn, password);
            async move { request.send().await.unwrap().status().as_u16() }
        });
        let mut counts = BTreeMap::new();
        for status in join_all(requests).await {
            *counts.entry(status).or_default() += 1;
        }
        counts
    }
}

fn wrong(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("guess {number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_wrong_passwords_at_once_no_more_are_looked_at_than_there_may_be() {
    for door in [Door::Policy, Door::EventSink, Door::AdminApi, Door::SignIn] {
        let house = House::start().await;
        let counts = house.at_once(door, &wrong(AT_ONCE)).await;
        let expected = BTreeMap::from([(401, 10), (429, AT_ONCE - 10)]);
        assert_eq!(counts, expected, "{door:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_passwords_at_once_are_all_let_in_and_none_is_counted() {
    let right = |password: &str| vec![password.to_owned(); AT_ONCE];
    for (door, password, status) in [
        (Door::Policy, PEXIP_PASSWORD, 404),
        (Door::AdminApi, ADMIN_PASSWORD, 200),
        (Door::SignIn, ADMIN_PASSWORD, 303),
    ] {
        let house = House::start().await;
        let counts = house.at_once(door, &right(password)).await;
        let statuses: Vec<_> = counts.keys().copied().collect();
        assert!(
            counts.len() == 1 && ![401, 429, 503].contains(&statuses[0]),
            "{door:?}: {counts:?} and not {status}"
        );
        let counts = house.at_once(door, &wrong(10)).await;
        assert_eq!(counts, BTreeMap::from([(401, 10)]), "{door:?}");
        let counts = house.at_once(door, &wrong(1)).await;
        assert_eq!(counts, BTreeMap::from([(429, 1)]), "{door:?}");
    }
}

/// One a second is looked at all the same: whoever has the right one may be behind the
/// address of whoever guesses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_limit_one_a_second_is_looked_at_of_many_at_once() {
    let house = House::start().await;
    house.at_once(Door::AdminApi, &wrong(AT_ONCE)).await;
    for _ in 0..3 {
        house.server.clock.advance(Duration::from_secs(1));
        let right = vec![ADMIN_PASSWORD.to_owned(); 10];
        let counts = house.at_once(Door::AdminApi, &right).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (429, 9)]));
    }
    house.server.clock.advance(Duration::from_secs(5 * 60));
    let right = [ADMIN_PASSWORD.to_owned()];
    let counts = house.at_once(Door::AdminApi, &right).await;
    assert_eq!(counts, BTreeMap::from([(200, 1)]));
}
