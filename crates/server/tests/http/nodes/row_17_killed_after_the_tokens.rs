//! Row 17: a server is killed after the EHR has given tokens, and before its user was sent
//! into the visit. What was committed is given again; what was not leaves nothing behind.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use reqwest::{Response, header::COOKIE};
use sqlx::{Connection as _, PgConnection};
use vestibule_launch::ErrorName;

use super::{GENEROUS, House, Node, assert_failure, assert_logged};
use crate::support::{TokenScript, location, parameter, return_path};

/// A browser that has begun a launch, and comes back from the sign-in.
struct Returning {
    path: String,
    cookie: String,
}

impl House {
    async fn begun(&self, node: &Node, number: usize) -> Returning {
        let begun = self.begin(node, &format!("launch-{number}")).await;
        assert_eq!(begun.status(), 303);
        let cookie = begun.headers()["set-cookie"].to_str().unwrap();
        let state = parameter(location(&begun), "state");
        Returning {
            path: format!(
                "{}?code=code-{number}&state={state}",
                return_path("provider")
            ),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    async fn try_return(
        &self,
        url: &str,
        returning: &Returning,
    ) -> Result<Response, reqwest::Error> {
        let request = self.client.get(format!("{url}{}", returning.path));
        let request = request.header(COOKIE, &returning.cookie);
        request.timeout(GENEROUS).send().await
    }

    async fn return_again(&self, node: &Node, returning: &Returning) -> Response {
        self.try_return(&node.url, returning).await.unwrap()
    }

    fn count(&self, what: &str) -> String {
        let counted = format!("SELECT count(*) FROM {what}");
        let count = self.cluster.query(&self.database, &counted);
        count.trim().to_owned()
    }
}

/// Waits until a launch waits for the table. What jobs ask may wait for it as well.
async fn blocked(watcher: &mut PgConnection, table: &str) {
    let begun = Instant::now();
    loop {
        let waits: Option<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND query ~ ('INSERT INTO ' || $1 || '[[:space:]]') LIMIT 1",
        )
        .bind(table)
        .fetch_optional(&mut *watcher)
        .await
        .unwrap();
        if waits.is_some() {
            return;
        }
        assert!(begun.elapsed() < GENEROUS, "no launch waits for {table}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The server cannot store what the EHR has given, because somebody else keeps the table
/// from being written, and is killed over it.
async fn killed_before_it_was_stored(table: &str) {
    let house = House::new().await;
    let (a, b) = (house.node(), house.node());
    let returning = house.begun(&a, 1).await;
    let mut holder = PgConnection::connect(&house.database).await.unwrap();
    let mut watcher = PgConnection::connect(&house.database).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    let lock = format!("LOCK TABLE {table} IN SHARE MODE");
    let lock = sqlx::query(sqlx::AssertSqlSafe(lock));
    lock.execute(&mut *held).await.unwrap();
    let url = a.url.clone();
    let (answer, ()) = tokio::join!(house.try_return(&url, &returning), async {
        blocked(&mut watcher, table).await;
        let given = house.codes();
        assert_eq!(
            given,
            HashMap::from([("code-1".into(), 1)]),
            "tokens are there"
        );
        a.kill();
    });
    // On a machine that takes long the server may have given it up before.
    assert!(answer.is_err_and(|it| !it.is_timeout()) || house.count("aliases") == "0");
    held.rollback().await.unwrap();

    // The code is spent: whoever reloads the page is told to open the visit anew.
    let again = house.return_again(&b, &returning).await;
    assert_eq!(again.status(), 410);
    let request_id = assert_failure(again).await;
    let told = assert_logged(&house.log(), &[request_id]).remove(0);
    let name = format!("error_name={} ", ErrorName::LaunchUsed);
    assert!(told.contains(&name), "{told}");
    assert_eq!(house.codes(), HashMap::from([("code-1".into(), 1)]));
    assert_eq!(house.count("aliases"), "0");
    assert_eq!(house.count("conferences"), "0");
    assert_eq!(house.count("launches WHERE state = 'completed'"), "0");

    // Which leads there, into the appointment's one conference.
    let anew = house.begun(&b, 2).await;
    let joined = house.return_again(&b, &anew).await;
    assert_eq!(joined.status(), 303);
    assert_eq!(house.count("appointments"), "1");
    assert_eq!(house.count("aliases"), "1");
    assert_eq!(house.count("launches WHERE state = 'completed'"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_17_a_server_killed_before_there_is_an_appointment_leaves_nothing_behind() {
    killed_before_it_was_stored("appointments").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_17_a_server_killed_before_the_launch_is_complete_leaves_nothing_behind() {
    killed_before_it_was_stored("aliases").await;
}

/// The browser is gone when the server has its answer; then the server is.
#[tokio::test(flavor = "multi_thread")]
async fn row_17_what_was_stored_before_the_server_was_killed_is_given_by_another_one() {
    let house = House::new().await;
    let (a, b) = (house.node(), house.node());
    let returning = house.begun(&a, 1).await;
    let may_answer = std::sync::Arc::new(tokio::sync::Notify::new());
    let waits = TokenScript::Waits(may_answer.clone(), Box::new(TokenScript::Gives(None)));
    house.ehr.script(|ehr| ehr.token = waits);
    let asked = async {
        while house.codes().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        answer = house.try_return(&a.url, &returning) => unreachable!("the EHR waits: {answer:?}"),
        () = asked => {}
    }
    may_answer.notify_one();
    let begun = Instant::now();
    while house.count("launches WHERE state = 'completed'") != "1" {
        assert!(begun.elapsed() < GENEROUS, "the launch goes on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    a.kill();
    assert_eq!(house.count("sessions"), "1", "the tokens are kept");
    let joined = house.return_again(&b, &returning).await;
    assert_eq!(joined.status(), 303);
    let link = location(&joined).to_owned();
    assert_eq!(parameter(&link, "pin").len(), 8);
    let c = house.node();
    let joined = house.return_again(&c, &returning).await;
    assert_eq!(location(&joined), link);
    assert_eq!(house.codes(), HashMap::from([("code-1".into(), 1)]));
    assert_eq!(house.count("aliases"), "1");
}
