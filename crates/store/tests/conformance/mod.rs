//! What every `Store` must do, as tests that a back-end runs against itself.
//!
//! Each function takes an empty store and panics where the store is wrong.

use std::{future::Future, sync::Arc, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};

use vestibule_store::{
    AliasHash, AppointmentId, BearerHash, Begun, BrowserHash, Completed, Completion, Consumed,
    Course, EncounterKey, Fingerprint, LaunchState, NewAppointment, NewBearer, NewLaunch,
    NewSession, NewTicket, Store, TicketHash,
};

pub(crate) mod admin_sessions;
pub(crate) mod audit;
pub(crate) mod bearers;
pub(crate) mod figures;
pub(crate) mod join_links;
pub(crate) mod launch_events;
pub(crate) mod launches;
pub(crate) mod limits;
pub(crate) mod overview;
pub(crate) mod profiles;
pub(crate) mod purge;
pub(crate) mod sent_again;
pub(crate) mod sessions;
pub(crate) mod tickets;
pub(crate) mod visits;
pub(crate) mod write_backs;

/// Runs all of it: `$with_store` makes an empty store and hands it to a check.
macro_rules! conforms {
    ($with_store:path) => {
        $crate::conformance::conforms! {
            $with_store;
            admin_sessions {
                a_session_lasts_until_it_is_ended,
                a_session_that_is_not_used_is_over,
                use_is_noted_once_a_minute,
                a_session_that_is_only_looked_for_is_not_used,
                purging_forgets_sessions_that_are_over,
            } {
                one_of_fifty_ends_a_session,
            }
            audit {
                entries_are_read_as_they_were_written,
                entries_are_found_by_their_encounter,
                entries_are_recorded_together,
                entries_are_listed_by_what_is_asked_for,
                pages_of_entries_have_each_entry_once,
                entries_are_kept_until_they_are_old,
            } {
                fifty_entries_at_once_are_all_kept,
            }
            figures {
                launches_are_counted_by_time_and_group,
                durations_are_told_by_the_page_or_by_the_node,
                a_visit_that_is_over_has_a_length,
                durations_are_summarised_by_time_and_department,
                a_visit_is_as_long_as_somebody_was_there,
                pages_of_lengths_have_each_visit_once,
            } {}
            overview {
                launches_that_joined_are_told_from_those_that_did_not,
                pages_of_launches_have_each_launch_once,
                launches_are_listed_by_what_is_asked_for,
                departments_are_listed_once,
                appointments_are_listed_with_their_times,
                appointments_are_of_the_time_in_which_they_took_place,
                attendees_have_the_role_of_their_launch,
                write_backs_are_listed_by_what_is_asked_for,
            } {}
            sent_again {
                the_latest_attempts_to_send_are_on_record,
                attempts_are_read_of_several_write_backs_at_once,
                what_was_given_up_is_sent_again_in_its_place,
                what_was_given_up_after_it_is_sent_again_behind_it,
                what_was_overtaken_is_not_sent_again,
                what_another_kind_tells_overtakes_nothing,
            } {
                one_of_fifty_sends_again,
            }
            launches {
                the_course_of_a_launch_is_kept_with_it,
                a_launch_that_never_began_is_stored_as_failed,
                a_failure_after_which_somebody_joins_is_overcome,
                a_launch_is_found_in_each_of_its_states,
                a_launch_without_sign_in_is_authorised_at_once,
                a_state_is_consumed_once_by_its_own_profile_and_role_in_time,
                one_fingerprint_completes_one_launch,
                the_first_writer_of_an_appointment_wins,
                an_alias_leads_to_its_appointment_until_it_expires,
                failures_are_recorded_on_the_launch,
            } {
                one_of_fifty_consumes_a_state,
                fifty_make_one_appointment,
                one_of_fifty_completes,
            }
            tickets {
                a_ticket_is_for_the_first_browser,
            } {
                one_of_fifty_redeems_a_ticket,
            }
            bearers {
                a_bearer_is_good_from_redeeming_until_the_alias_expires,
                a_bearer_is_of_the_browser_that_redeemed_the_ticket,
                a_visit_is_over_when_nobody_is_there_after_a_provider_was,
            } {}
            launch_events {
                events_are_kept_in_the_order_of_their_arrival,
                a_launch_has_so_many_events_and_no_more,
                the_first_failure_that_is_reported_stays_on_the_launch,
                the_newest_device_test_counts,
                an_event_and_its_write_backs_are_stored_together_or_not_at_all,
            } {
                events_at_once_have_each_their_number,
            }
            profiles {
                a_profile_has_one_number_for_ever,
                a_profile_is_inserted_once,
                a_profile_is_replaced_by_those_who_read_its_last_state,
                a_forgotten_profile_that_returns_is_not_taken_for_its_past,
                every_change_of_a_profile_grows_the_revision,
                a_change_and_its_entry_are_stored_together_or_not_at_all,
            } {
                fifty_get_one_number,
                one_of_fifty_inserts_a_profile,
                one_of_fifty_replaces_a_profile,
            }
            sessions {
                a_session_begins_as_its_launch_completes,
                a_due_renewal_is_for_one_caller_until_its_lease_is_over,
                a_renewal_that_came_late_counts_where_nobody_began_another,
                a_session_that_was_looked_at_is_not_leased,
                a_failed_renewal_is_tried_again_or_never,
                one_session_is_claimed_before_it_is_due,
                the_longest_due_renewals_come_first,
                a_session_of_no_use_is_not_renewed,
                a_session_is_renewed_while_what_was_given_up_may_be_sent_again,
                a_session_of_use_is_not_ended,
                a_session_that_ended_is_not_renewed,
            } {
                each_renewal_is_for_one_of_fifty,
            }
            visits {
                an_event_is_applied_once,
                a_visit_is_over_when_all_nodes_ended_it_and_nobody_is_connected,
                a_conference_that_ends_ends_participations_on_its_node,
                a_restart_ends_what_ran_on_the_node,
                participants_come_change_and_go,
                a_participant_is_found_without_the_appointment,
                what_is_not_known_changes_nothing,
                running_visits_are_counted_by_profile,
                launches_are_found_by_appointment,
                a_presence_is_told_where_it_changes,
            } {
                the_last_of_fifty_to_leave_is_told,
                one_of_fifty_applies_an_event,
                the_last_of_fifty_nodes_ends_the_visit,
            }
            join_links {
                a_join_link_is_given_again_until_it_expires,
                a_launch_without_a_join_link_has_none,
                purging_forgets_join_links_that_expired,
            } {}
            limits {
                a_bucket_gives_its_tokens_at_once_and_then_one_after_the_other,
                buckets_are_counted_apart,
                a_bucket_without_room_gives_nothing,
                attempts_are_refused_from_the_last_allowed_until_the_window_has_passed,
                an_attempt_that_succeeds_does_not_count,
                attempts_are_counted_apart,
                purging_forgets_counts_that_say_nothing,
            } {
                of_fifty_as_many_take_a_token_as_there_are,
                of_fifty_attempts_as_many_are_made_as_may_be,
                fifty_attempts_are_all_withdrawn,
            }
            write_backs {
                why_a_write_back_was_not_told_is_on_record,
                the_same_write_back_is_kept_once,
                write_backs_of_one_launch_are_sent_in_order,
                write_backs_of_one_launch_wait_but_for_device_tests,
                the_oldest_write_backs_that_are_due_come_first,
                what_was_put_off_comes_after_what_waits,
                a_profile_gets_so_many_places_and_no_more,
                a_write_back_whose_sender_vanished_is_claimed_again,
                a_failed_write_back_holds_up_later_ones_until_given_up,
                those_that_hold_no_lease_record_nothing,
                what_is_unsent_is_counted_with_the_age_of_the_oldest,
            } {
                each_write_back_is_for_one_of_fifty,
            }
            purge {
                purging_forgets_what_is_old_and_only_that,
                purging_forgets_what_is_sealed_once_it_is_of_no_use,
                purging_forgets_expired_sessions_of_no_use,
                purging_keeps_sessions_while_what_was_given_up_may_be_sent_again,
                purging_forgets_bearers_with_their_alias_and_events_with_their_launch,
                purging_keeps_what_a_running_visit_needs,
                a_forgotten_appointment_leaves_its_number_to_no_other,
                purging_ends_visits_whose_last_event_was_lost,
                purging_keeps_who_left_lately,
                purging_keeps_what_an_unsent_write_back_needs,
                purging_forgets_old_events_participants_and_write_backs,
            } {}
        }
    };
    ($with_store:path; $($noun:ident { $($check:ident,)* } { $($race:ident,)* })+) => {
        $(
            mod $noun {
                use super::*;

                $(
                    #[tokio::test]
                    async fn $check() {
                        let check = conformance::$noun::$check;
                        $with_store(async |store| check(&*store).await).await;
                    }
                )*
                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $race() {
                        $with_store(async |store| conformance::$noun::$race(store).await).await;
                    }
                )*
            }
        )+
    };
}
pub(crate) use conforms;

/// Runs what concerns write-backs of before the upgrade. `$with_visits` makes an empty store
/// and another way to its database; by that `$as_before` makes every write-back one of an
/// earlier version.
macro_rules! conforms_after_the_upgrade {
    ($with_visits:path, $as_before:path) => {
        $crate::conformance::conforms_after_the_upgrade! {
            $with_visits, $as_before;
            write_backs what_waited_at_the_upgrade_is_told_before_what_came_later,
            sent_again what_was_given_up_before_the_upgrade_is_sent_again_with_what_came_later,
            sessions a_session_is_not_renewed_for_what_was_overtaken_since_the_upgrade,
        }
    };
    ($with_visits:path, $as_before:path; $($noun:ident $check:ident,)+) => {$(
        #[tokio::test]
        async fn $check() {
            $with_visits(|store, other| async move {
                let as_before = async || $as_before(&other).await;
                conformance::$noun::$check(&*store, as_before).await;
            })
            .await;
        }
    )+};
}
pub(crate) use conforms_after_the_upgrade;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
const PROFILE: Uuid = Uuid::from_u128(0x12da_aebc_ea75_43c1_a6c7_c044_be66_a36e);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn request_id(number: u8) -> RequestId {
    RequestId::from_bytes([number; 16])
}

fn alias(number: u8) -> AliasHash {
    AliasHash::from_bytes([number; 32])
}

fn ticket(number: u8) -> TicketHash {
    TicketHash::from_bytes([number; 32])
}

fn browser(number: u8) -> BrowserHash {
    BrowserHash::from_bytes([number; 32])
}

fn bearer(number: u8) -> BearerHash {
    BearerHash::from_bytes([number; 32])
}

fn launch(number: u8, fingerprint: u8) -> NewLaunch {
    NewLaunch {
        request_id: request_id(number),
        profile: PROFILE,
        role: EhrRole::Provider,
        fingerprint: Fingerprint::from_bytes([fingerprint; 32]),
        sealed: vec![number, 1, 2, 3],
        expires_at: NOW + MINUTE,
        course: Course::default(),
    }
}

fn appointment(encounter: u8, sealed: &[u8]) -> NewAppointment {
    NewAppointment {
        profile: PROFILE,
        encounter: EncounterKey::from_bytes([encounter; 32]),
        sealed: sealed.to_vec(),
    }
}

async fn begin(store: &dyn Store, launch: NewLaunch) -> Begun {
    store
        .begin_launch(launch, NOW)
        .await
        .expect("the store begins a launch")
}

async fn consume(store: &dyn Store, number: u8, now: UnixTime) -> Consumed {
    store
        .consume_state(request_id(number), PROFILE, EhrRole::Provider, now)
        .await
        .expect("the store answers")
}

async fn complete(store: &dyn Store, number: u8, now: UnixTime) -> Completed {
    complete_at(store, number, 1, None, now).await
}

/// Completes a launch at the appointment of an encounter.
async fn complete_at(
    store: &dyn Store,
    number: u8,
    encounter: u8,
    session: Option<NewSession>,
    now: UnixTime,
) -> Completed {
    let completion = Completion {
        request_id: request_id(number),
        appointment: visit(store, encounter, now).await,
        course: Course::default(),
        alias: alias(number),
        alias_expires_at: NOW + MINUTE,
        ticket: Some(NewTicket {
            hash: ticket(number),
            sealed: b"redeemed".to_vec(),
            expires_at: NOW + MINUTE,
            bearer: NewBearer {
                hash: bearer(number),
                sealed: b"resumed".to_vec(),
            },
        }),
        session,
        link: None,
    };
    store
        .complete_launch(completion, now)
        .await
        .expect("the store completes a launch")
}

/// The appointment of an encounter.
async fn visit(store: &dyn Store, encounter: u8, now: UnixTime) -> AppointmentId {
    store
        .find_or_create_appointment(appointment(encounter, b"shared"), now)
        .await
        .expect("the store has appointments")
        .id
}

async fn completed(store: &dyn Store, number: u8) {
    begin(store, launch(number, number)).await;
    consume(store, number, NOW).await;
    assert_eq!(complete(store, number, NOW).await, Completed::Now);
}

async fn state(store: &dyn Store, number: u8) -> Option<LaunchState> {
    let launch = store
        .find_launch(request_id(number))
        .await
        .expect("the store answers");
    launch.map(|launch| launch.state)
}

/// What fifty callers at once get.
async fn race<T, F>(store: &Arc<dyn Store>, run: impl Fn(Arc<dyn Store>, u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..50)
        .map(|number| tokio::spawn(run(Arc::clone(store), number)))
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no caller panics"));
    }
    outcomes
}
