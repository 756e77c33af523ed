//! The SQLite back-end against the conformance suite.

use std::sync::Arc;

use vestibule_store::SqliteStore;

mod conformance;

async fn with_store<F: Future<Output = ()>>(check: impl FnOnce(Arc<SqliteStore>) -> F) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(&folder.path().join("state.db"))
        .await
        .expect("a new database opens");
    check(Arc::new(store)).await;
}

macro_rules! conforms {
    ($($check:ident,)+ ; $($race:ident,)+) => {
        $(
            #[tokio::test]
            async fn $check() {
                with_store(async |store| conformance::$check(&*store).await).await;
            }
        )+
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $race() {
                with_store(async |store| conformance::$race(store).await).await;
            }
        )+
    };
}

conforms! {
    a_launch_is_found_in_each_of_its_states,
    a_state_is_consumed_once_by_its_own_profile_and_role_in_time,
    one_fingerprint_completes_one_launch,
    the_first_writer_of_an_appointment_wins,
    an_alias_leads_to_its_appointment_until_it_expires,
    a_ticket_is_for_the_first_browser,
    failures_are_recorded_on_the_launch,
    purging_forgets_what_is_old_and_only_that,
    purging_forgets_what_is_sealed_once_it_is_of_no_use,
    ;
    one_of_fifty_consumes_a_state,
    one_of_fifty_redeems_a_ticket,
    fifty_make_one_appointment,
    one_of_fifty_completes,
}
