//! The changes to the tables, in their order, for each database. A change that databases
//! already have is never edited or numbered anew: its file would not be the one that was
//! carried out, and they would not be opened any more. Numbers that are missing were never
//! part of a version.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

/// From the files of a folder.
macro_rules! changes {
    ($folder:literal: $($zeros:literal { $($version:literal $name:literal,)+ })+) => {
        Migrator::with_migrations(vec![$($(Migration::new(
            $version,
            $name.into(),
            MigrationType::Simple,
            include_str!(concat!(
                "../../../migrations/", $folder, "/", $zeros, $version, "_", $name, ".sql"
            ))
            .into_sql_str(),
            false,
        )),+),+])
    };
}

pub(crate) fn of_sqlite() -> Migrator {
    changes! { "sqlite": "000" {
        1 "launches",
        2 "profiles",
        3 "sessions",
        4 "visits",
        5 "write_backs",
        6 "sealed_launches",
        7 "launch_events",
        8 "limits",
        9 "overview",
    } "00" {
        10 "audit",
        11 "story",
        12 "appointment_numbers",
        13 "identities",
        15 "lanes",
        16 "by_profile",
        17 "write_back_kinds",
        18 "long_appointments",
    } }
}

pub(crate) fn of_postgres() -> Migrator {
    changes! { "postgres": "000" {
        1 "launches",
        2 "profiles",
        3 "sessions",
        4 "visits",
        5 "write_backs",
        6 "limits",
        7 "overview",
        8 "audit",
        9 "story",
    } "00" {
        11 "identities",
        13 "lanes",
        14 "by_profile",
        15 "write_back_kinds",
        16 "long_appointments",
    } }
}

/// The changes that come before the one of this name.
#[cfg(test)]
pub(crate) fn before(all: &Migrator, name: &str) -> Migrator {
    let place = all.iter().position(|it| it.description == name);
    let earlier = all.iter().take(place.unwrap()).cloned();
    Migrator::with_migrations(earlier.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers, and the beginnings of the SHA-384 by which sqlx knows a change again.
    fn as_known(changes: &Migrator) -> Vec<(i64, u32)> {
        let beginning =
            |it: &Migration| u32::from_be_bytes(it.checksum.first_chunk().copied().unwrap());
        changes
            .iter()
            .map(|it| (it.version, beginning(it)))
            .collect()
    }

    #[test]
    fn changes_that_databases_already_have_are_as_they_were() {
        let sqlite = [
            (1, 0x3e70_f3d2),
            (2, 0xfaea_b48d),
            (3, 0xffac_d8e4),
            (4, 0x7a0f_9e35),
            (5, 0xdaa5_124e),
            (6, 0xabdb_ee01),
            (7, 0xd0a1_7abe),
            (8, 0xaa05_371e),
            (9, 0x275d_45b8),
            (10, 0x9ce6_b42b),
            (11, 0x3c1e_5614),
            (12, 0xadd7_761e),
            (13, 0xbeac_9978),
            (15, 0x96ef_9a56),
            (16, 0x7829_5d80),
        ];
        let postgres = [
            (1, 0xcc3a_57c0),
            (2, 0x0239_96a4),
            (3, 0x245a_5337),
            (4, 0x4098_4592),
            (5, 0x7571_b0b9),
            (6, 0x07bd_b6df),
            (7, 0x3a7b_005b),
            (8, 0xfe8c_7af9),
            (9, 0x33fc_c0d6),
            (11, 0xadfd_7b4b),
            (13, 0x1dd0_cfc6),
            (14, 0x7829_5d80),
        ];
        for (changes, known) in [(of_sqlite(), &sqlite[..]), (of_postgres(), &postgres[..])] {
            assert_eq!(as_known(&before(&changes, "write_back_kinds")), known);
        }
    }
}
