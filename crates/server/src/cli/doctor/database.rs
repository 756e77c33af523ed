//! The database: whether there is a way into it, and how its tables are.

use std::time::Duration;

use vestibule_launch::UnixTime;
use vestibule_store::{StoreError, Tables};

use super::{Finding, outside::Outside};
use crate::{
    cli::database::refuse_other_user,
    config::Config,
    database::{self, Place},
};

const CHECK: &str = "database";

const CLOCK: &str = "database clock";

/// From where on clocks that differ lead to trouble among servers, in seconds.
const FAR: Duration = Duration::from_secs(5);

/// What is found, and whether profiles can be looked for in it.
pub(super) async fn examine(outside: &Outside, config: &Config) -> (Vec<Finding>, bool) {
    let alone = |(finding, usable): (Finding, bool)| (vec![finding], usable);
    let place = match Place::of(config, database::environment().as_ref()) {
        Ok(place) => place,
        Err(error) => {
            let advice = "the server does not start without it";
            return alone((Finding::fail(CHECK, error.to_string(), advice), false));
        }
    };
    if !place.exists() {
        let text = format!("{place} is not there yet");
        let advice = "the server makes it at its first start";
        return alone((Finding::warn(CHECK, text, advice), true));
    }
    // To look into a file makes files beside it.
    if let (Place::File(_), Err(error)) = (&place, refuse_other_user(config)) {
        let advice = "the server could not use what is made here";
        return alone((Finding::fail(CHECK, error.to_string(), advice), false));
    }
    let asked_at = outside.now();
    match place.examine().await {
        Ok(tables) => {
            let (finding, usable) = of_tables(&place, &tables);
            let clock = tables.clock.map(|it| clock_of(it, asked_at, outside.now()));
            (
                [Some(finding), clock].into_iter().flatten().collect(),
                usable,
            )
        }
        Err(error) => alone((unreachable(&place, &error), false)),
    }
}

/// How the database's clock stands to this machine's, which it was asked for between two
/// moments.
fn clock_of(clock: UnixTime, asked_at: UnixTime, answered_at: UnixTime) -> Finding {
    let ahead = clock.since(answered_at);
    let behind = asked_at.since(clock);
    let text = if ahead.as_secs() > 0 {
        format!("{} s ahead of this machine's", ahead.as_secs())
    } else if behind.as_secs() > 0 {
        format!("{} s behind this machine's", behind.as_secs())
    } else {
        "the same as this machine's".to_owned()
    };
    if ahead.max(behind) > FAR {
        let advice = "set both by NTP";
        Finding::warn(CLOCK, text, advice)
    } else {
        Finding::ok(CLOCK, text)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::State;

    #[test]
    fn clocks_that_differ_by_more_than_five_seconds_are_warned_of() {
        let now = UnixTime::from_millis(1_800_000_000_000);
        // Connecting took three seconds.
        let answered_at = now + Duration::from_secs(3);
        let found = |clock: UnixTime| {
            let finding = clock_of(clock, now, answered_at);
            (finding.state, finding.text)
        };
        let second = Duration::from_secs(1);
        for (clock, state, text) in [
            (now, State::Ok, "the same as this machine's"),
            (answered_at, State::Ok, "the same as this machine's"),
            (now - second * 5, State::Ok, "5 s behind this machine's"),
            (now - second * 6, State::Warn, "6 s behind this machine's"),
            (
                answered_at + second * 4,
                State::Ok,
                "4 s ahead of this machine's",
            ),
            (
                answered_at + second * 90,
                State::Warn,
                "90 s ahead of this machine's",
            ),
        ] {
            assert_eq!(found(clock), (state, text.to_owned()));
        }
    }
}
