//! The database: whether there is a way into it, and how its tables are.

use vestibule_store::{StoreError, Tables};

use super::Finding;
use crate::{
    cli::database::refuse_other_user,
    config::Config,
    database::{self, Place},
};

const CHECK: &str = "database";

/// What is found, and whether profiles can be looked for in it.
pub(super) async fn examine(config: &Config) -> (Finding, bool) {
    let place = match Place::of(config, database::environment().as_ref()) {
        Ok(place) => place,
        Err(error) => {
            let advice = "the server does not start without it";
            return (Finding::fail(CHECK, error.to_string(), advice), false);
        }
    };
    if !place.exists() {
        let text = format!("{place} is not there yet");
        let advice = "the server makes it at its first start";
        return (Finding::warn(CHECK, text, advice), true);
    }
    // To look into a file makes files beside it.
    if let (Place::File(_), Err(error)) = (&place, refuse_other_user(config)) {
        let advice = "the server could not use what is made here";
        return (Finding::fail(CHECK, error.to_string(), advice), false);
    }
    match place.examine().await {
        Ok(tables) => of_tables(&place, &tables),
        Err(error) => (unreachable(&place, &error), false),
    }
}

fn of_tables(place: &Place, tables: &Tables) -> (Finding, bool) {
    let program = match place {
        Place::File(_) => "SQLite",
        Place::Postgres { .. } => "PostgreSQL",
    };
    let version = &tables.version;
    let text = format!("{place}, {program} {version}");
    if tables.newer {
        let text = format!("{text}: a newer version of Vestibule has changed its tables");
        let advice = "install that version here too; this one does not start";
        return (Finding::fail(CHECK, text, advice), false);
    }
    if tables.outstanding > 0 {
        let text = format!(
            "{text}: {} changes of its tables are due",
            tables.outstanding
        );
        let advice = "the server makes them as it starts, and so does every command that uses it";
        return (Finding::warn(CHECK, text, advice), true);
    }
    (Finding::ok(CHECK, format!("{text}, up to date")), true)
}

fn unreachable(place: &Place, error: &StoreError) -> Finding {
    let advice = match place {
        Place::File(_) => "run this command as the server's user, or restore it from a backup",
        Place::Postgres { .. } => {
            "have it started, or correct the database's url in the configuration"
        }
    };
    Finding::fail(CHECK, error.to_string(), advice)
}
