//! Row 19: the database takes its time, and all connections to it are in use. Launches are
//! turned away soon and not queued up, and the server goes on by itself.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::Response;
use sqlx::{Connection as _, PgConnection};
use vestibule_launch::RequestId;

use super::{GENEROUS, House, Node, assert_failure, assert_given_up, assert_logged, readiness};
use crate::support::{ADMIN_CONFIG, location, parameter};

/// Connections of the server: few, so that they are all in use.
const CONNECTIONS: &str = "database.connections = 2\n";

/// Launches at a time: were each to wait for its turn, the last would wait for as many
/// seconds.
const STREAM: usize = 200;

/// Who has signed in at the one server that runs.
struct Administrator {
    url: String,
    cookie: String,
}

impl Administrator {
    async fn sign_in(house: &House) -> Self {
        let url = loop {
            // The server says it in its log.
            let log = fs::read_to_string(house.folder.path().join("log")).unwrap();
            let line = log.lines().find(|it| it.contains("the admin API listens"));
            if let Some(line) = line {
                let (_, url) = line.split_once("url=\"").unwrap();
                break url.split('"').next().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let request = house.client.post(format!("{url}/admin/sign-in"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin");
        let request = request.body("name=admin&password=correct+horse+battery");
        let response = request.timeout(GENEROUS).send().await.unwrap();
        assert_eq!(response.status(), 303);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { url, cookie }
    }

    async fn get(&self, house: &House, path: &str) -> Response {
        let request = house.client.get(format!("{}{path}", self.url));
        let request = request.header("cookie", &self.cookie);
        request.timeout(GENEROUS).send().await.unwrap()
    }
}

async fn assert_shed(response: Response) -> RequestId {
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_failure(response).await
}

/// Launches one after the other until it is over. Gives which were turned away.
async fn launch_until(
    over: &AtomicBool,
    house: &House,
    node: &Node,
    browser: usize,
) -> Vec<RequestId> {
    let mut shed = Vec::new();
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let token = format!("launch-{browser}-{number}");
        shed.push(assert_shed(house.begin(node, &token).await).await);
    }
    shed
}

#[tokio::test(flavor = "multi_thread")]
async fn row_19_with_a_slow_database_launches_are_shed_and_administrators_answered() {
    let house = House::with(&format!("{CONNECTIONS}{ADMIN_CONFIG}")).await;
    let node = house.node();
    let admin = Administrator::sign_in(&house).await;
    assert_eq!(house.begin(&node, "launch-0").await.status(), 303);
    let mut holder = PgConnection::connect(&house.database).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    // What launches write, and what is written to see whether the database takes it.
    sqlx::query("LOCK TABLE launches, _sqlx_migrations IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();

    // All are turned away while the database still does not answer.
    let burst = (0..STREAM).map(|number| {
        let (house, node) = (&house, &node);
        async move {
            let token = format!("burst-{number}");
            assert_shed(house.begin(node, &token).await).await
        }
    });
    let mut shed = futures_util::future::join_all(burst).await;

    // Nor do they keep anybody else from an answer, however many there are.
    let over = AtomicBool::new(false);
    let stream = async {
        let browsers = (0..20).map(|browser| launch_until(&over, &house, &node, browser));
        futures_util::future::join_all(browsers).await.concat()
    };
    let others = async {
        readiness(&house, &node, 503).await;
        for _ in 0..8 {
            assert_eq!(house.get(&node, "/healthz").await.status(), 200);
            let page = admin.get(&house, "/admin/profiles").await;
            assert_eq!(page.status(), 200, "administrators are answered");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        over.store(true, Ordering::SeqCst);
    };
    let (turned_away, ()) = tokio::join!(stream, others);
    assert!(turned_away.len() >= 20);
    shed.extend(turned_away);
    assert_given_up(&assert_logged(&house.log(), &shed));
    held.rollback().await.unwrap();

    // Without being started anew, and with nothing half done.
    readiness(&house, &node, 200).await;
    let launched = house.begin(&node, "launch-1").await;
    assert_eq!(launched.status(), 303);
    let state = parameter(location(&launched), "state");
    let joined = house.return_with(&node, &state, "code-1").await;
    assert_eq!(joined.status(), 303);
}
