//! Where the servers of these tests keep what they remember: in SQLite, or in PostgreSQL
//! where `VESTIBULE_TEST_DATABASE` is `postgresql`.

/// Lines for a server's configuration, before any table: a database of its own.
pub(crate) fn configuration() -> String {
    let chosen = std::env::var("VESTIBULE_TEST_DATABASE");
    match chosen.as_deref() {
        Ok("postgresql") => postgres(),
        Ok("sqlite") | Err(_) => String::new(),
        Ok(other) => panic!("VESTIBULE_TEST_DATABASE is sqlite or postgresql, and not {other}"),
    }
}

/// The same, in PostgreSQL.
pub(crate) fn postgres() -> String {
    let url = vestibule_test_postgres::database();
    format!("database.url = \"{url}\"\ndatabase.connections = 4\n")
}
