//! Figures that the database does not read in time.

use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use vestibule_server::database::Place;

use super::{PATIENCE, SETUP, between};
use crate::house::House;

/// In the place of the times in which something of a visit lasted, times without end.
const ENDLESS_IN_SQLITE: &str = "
    DROP VIEW visit_times;
    CREATE VIEW visit_times (appointment, began_at, ended_at) AS
    WITH RECURSIVE endless (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless)
    SELECT -n, n, n FROM endless";

/// The same; they last longer than a statement may.
const ENDLESS_IN_POSTGRES: &str = "
    DROP VIEW visit_times;
    CREATE VIEW visit_times (appointment, began_at, ended_at) AS
    SELECT -n, n, n FROM (SELECT 1::bigint + length(pg_sleep(60)::text) AS n) AS asleep";

const GONE: &str = "DROP VIEW visit_times";

const SHORTER_OR_ONE: &str = "This took too long. Choose a shorter time or one profile.";

impl House {
    /// Changes the tables behind the server's back.
    async fn damage(&self, in_sqlite: &'static str, in_postgres: &'static str) {
        match self.place() {
            Place::File(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut database = SqliteConnection::connect_with(&options).await.unwrap();
                let done = sqlx::raw_sql(in_sqlite).execute(&mut database);
                done.await.unwrap();
            }
            Place::Postgres { .. } => {
                let url = self.config().database.url.unwrap();
                let database = PgConnection::connect(url.expose_secret());
                let mut database = database.await.unwrap();
                let done = sqlx::raw_sql(in_postgres).execute(&mut database);
                done.await.unwrap();
            }
        }
    }
}

/// A chart of the overview.
fn chart<'a>(page: &'a str, id: &str) -> &'a str {
    let start = format!("<h2 id=\"chart-{id}\"");
    between(page, &start, "</section>")[0]
}

#[tokio::test]
async fn a_figure_that_takes_too_long_says_so_and_the_others_are_shown() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("vic").await;
    house.damage(ENDLESS_IN_SQLITE, ENDLESS_IN_POSTGRES).await;
    let page = signed.text("/admin").await;
    let length = chart(&page, "length");
    assert!(length.contains(SHORTER_OR_ONE), "{length}");
    assert!(!length.contains("<table"), "{length}");
    assert_eq!(page.matches("This took too long").count(), 1, "{page}");
    let launches = chart(&page, "launches");
    assert!(launches.contains("2 launches, 0 failed"), "{launches}");
    for (id, told) in [("joined", "of 2"), ("waited", "median 40 s")] {
        let chart = chart(&page, id);
        assert!(chart.contains(told), "{told} in {chart}");
        assert!(chart.contains("<table"), "{chart}");
    }
    // Of departments one of the medians is missing.
    let departments = chart(&page, "departments");
    let radiology = between(departments, ">Radiology</a></th>", "</tr>")[0];
    let cells = between(radiology, "<td class=\"number\">", "</td>");
    assert_eq!(cells[..2], ["2", "0"]);
    assert_eq!(cells.last(), Some(&"took too long"), "{radiology}");
    assert!(page.contains("<strong>2</strong>"), "{page}");
    for (query, what) in [
        ("time=day", "Choose one profile."),
        (
            "time=day&profile=12daaebc-ea75-43c1-a6c7-c044be66a36e",
            "Try again soon.",
        ),
    ] {
        let page = signed.text(&format!("/admin?{query}")).await;
        let length = chart(&page, "length");
        assert!(length.contains(what), "{what} in {length}");
    }
    // It is watched like any other page.
    let mut live = signed.get("/admin/live?page=/admin").await;
    let first = tokio::time::timeout(PATIENCE, live.chunk()).await.unwrap();
    let first = first.unwrap().unwrap();
    assert!(first.starts_with(b"event: watching"), "{first:?}");
    drop(live);
    // What fails for another reason is no page.
    house.damage(GONE, GONE).await;
    assert_eq!(signed.get("/admin").await.status(), 503);
    house.end().await;
}
