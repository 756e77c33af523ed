//! The store as the servers of a simulation see it: behind the gate.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_launch::{DeviceTest, EhrRole, ErrorName, RequestId, UnixTime};
use vestibule_store::*;

use crate::gate::Gate;

/// Makes the methods of a trait wait at the gate. References are cloned, since what
/// waits may outlive who asked.
macro_rules! behind_the_gate {
    ($($trait:ident { $($name:ident($($argument:ident: $type:ty $(=> $lend:tt)?),*) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl $trait for Gate {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                $(let $argument = own!($argument $($lend)?);)*
                self.store(stringify!($name), move |store| async move {
                    store.$name($(lend!($argument $($lend)?)),*).await
                })
                .await
            })*
        }
    )*};
}

macro_rules! own {
    ($argument:ident) => {
        $argument
    };
    ($argument:ident lent) => {
        $argument.to_owned()
    };
}

macro_rules! lend {
    ($argument:ident) => {
        $argument
    };
    ($argument:ident lent) => {
        &$argument
    };
}

behind_the_gate! {
    AdminSessions {
        begin_admin_session(hash: AdminSessionHash, session: AdminSession) -> ();
        use_admin_session(hash: AdminSessionHash, idle: Duration, now: UnixTime) -> Option<AdminSession>;
        find_admin_session(hash: AdminSessionHash, idle: Duration, now: UnixTime) -> Option<AdminSession>;
        end_admin_session(hash: AdminSessionHash) -> bool;
    }
    Audit {
        record_audit(entry: NewAuditEntry, now: UnixTime) -> ();
        record_audit_all(entries: Vec<NewAuditEntry>, now: UnixTime) -> ();
        list_audit(filter: &AuditFilter => lent, page: Page<i64>) -> Vec<AuditEntry>;
        purge_audit(before: UnixTime) -> u64;
    }
    Launches {
        begin_launch(launch: NewLaunch, now: UnixTime) -> Begun;
        begin_authorised(launch: NewLaunch, now: UnixTime) -> Begun;
        consume_state(request_id: RequestId, profile: Uuid, role: EhrRole, now: UnixTime) -> Consumed;
        find_or_create_appointment(appointment: NewAppointment, now: UnixTime) -> Appointment;
        complete_launch(completion: Completion, now: UnixTime) -> Completed;
        find_alias(alias: AliasHash, now: UnixTime) -> Option<FoundAlias>;
        redeem_ticket(ticket: TicketHash, browser: BrowserHash, now: UnixTime) -> Redemption;
        find_bearer(request_id: RequestId, now: UnixTime) -> Option<Bearer>;
        record_failed_launch(launch: FailedLaunch, now: UnixTime) -> bool;
        record_failure(request_id: RequestId, source: FailureSource, error_name: ErrorName, course: Course, now: UnixTime) -> bool;
        find_launch(request_id: RequestId) -> Option<Launch>;
        find_launch_by_alias(alias: AliasHash) -> Option<Launch>;
    }
    LaunchEvents {
        record_event(event: NewLaunchEvent, write_backs: Vec<NewWriteBack>, most: u32, now: UnixTime) -> Recorded;
        events_of(request_id: RequestId) -> Vec<LaunchEventRecord>;
        device_test_of(request_id: RequestId) -> Option<DeviceTest>;
    }
    JoinLinks {
        join_link_of(request_id: RequestId, now: UnixTime) -> Option<Vec<u8>>;
        join_link_by_fingerprint(fingerprint: Fingerprint, now: UnixTime) -> Option<(RequestId, Vec<u8>)>;
    }
    Limits {
        take(key: LimitKey, bucket: Bucket, now: UnixTime) -> Taken;
        attempt(key: LimitKey, limit: AttemptLimit, now: UnixTime) -> Attempted;
        withdraw(key: LimitKey, at: UnixTime) -> ();
        locked_until(key: LimitKey, limit: AttemptLimit, now: UnixTime) -> Option<UnixTime>;
    }
    Overview {
        list_launches(filter: &LaunchFilter => lent, page: Page<RequestId>) -> Vec<LaunchRow>;
        launch_row(request_id: RequestId) -> Option<LaunchRow>;
        list_appointments(filter: &AppointmentFilter => lent, page: Page<AppointmentId>) -> Vec<AppointmentRow>;
        appointment_row(appointment: AppointmentId) -> Option<AppointmentRow>;
        attendees(appointment: AppointmentId) -> Vec<Attendee>;
        oldest_launch() -> Option<UnixTime>;
        count_launches(filter: &LaunchFilter => lent, step: Step, grouping: Grouping) -> Vec<LaunchCount>;
        launch_durations(filter: &LaunchFilter => lent, page: Page<RequestId>) -> Vec<LaunchDurations>;
        summarise_launches(filter: &LaunchFilter => lent, measure: Measure, per: Per) -> Vec<Summary>;
        visit_lengths(filter: &AppointmentFilter => lent, page: Page<AppointmentId>) -> VisitLengths;
        summarise_visits(filter: &AppointmentFilter => lent, per: Per) -> Vec<Summary>;
        departments(limit: u32) -> Vec<String>;
        list_write_backs(filter: &WriteBackFilter => lent, page: Page<i64>) -> Vec<WriteBackRow>;
        attempts_of(write_backs: &[i64] => lent) -> HashMap<i64, Vec<Attempt>>;
        send_again(write_back: i64, now: UnixTime) -> SentAgain;
    }
    Profiles {
        profile_number(uuid: Uuid) -> ProfileNumber;
        insert_profile(uuid: Uuid, sealed: Vec<u8>, entry: Option<NewAuditEntry>, now: UnixTime) -> Inserted;
        update_profile(uuid: Uuid, sealed: Vec<u8>, read_at: UnixTime, entry: Option<NewAuditEntry>, now: UnixTime) -> Updated;
        delete_profile(uuid: Uuid, entry: Option<NewAuditEntry>, now: UnixTime) -> bool;
        profiles() -> Vec<StoredProfile>;
        profiles_revision() -> i64;
    }
    Sessions {
        find_session(request_id: RequestId) -> Option<Session>;
        claim_renewals(now: UnixTime, lease: Duration, limit: u32) -> Vec<Session>;
        claim_renewal(request_id: RequestId, now: UnixTime, lease: Duration) -> Option<Session>;
        renewed(session: &Session => lent, sealed: Vec<u8>, renew_at: Option<UnixTime>, expires_at: UnixTime) -> bool;
        renewal_failed(session: &Session => lent, try_again_at: Option<UnixTime>) -> bool;
        end_session(request_id: RequestId, now: UnixTime) -> bool;
    }
    Visits {
        find_appointment_by_key(encounter: EncounterKey) -> Option<Appointment>;
        apply_event(event: VisitEvent, always: Vec<NewWriteBack>, presences: Vec<Presence>, when_over: Vec<NewWriteBack>, now: UnixTime) -> Applied;
        running_visits(profile: Uuid) -> u64;
        over_since(appointment: AppointmentId, since: UnixTime) -> Option<UnixTime>;
        running_on(node: &str => lent) -> Vec<AppointmentId>;
        participants(appointment: AppointmentId) -> Vec<Participant>;
        launches_of(appointment: AppointmentId) -> Vec<Launch>;
    }
    WriteBacks {
        claim_write_backs(now: UnixTime, lease: Duration, limit: u32, of_profile: u32) -> Vec<WriteBack>;
        write_back_sent(write_back: &WriteBack => lent, status: u16, now: UnixTime) -> bool;
        write_back_failed(write_back: &WriteBack => lent, status: Option<u16>, reason: Reason, then: NotTold, now: UnixTime) -> bool;
        unsent_write_backs() -> Unsent;
        write_backs_of(request_id: RequestId) -> Vec<WriteBackRecord>;
    }
}

#[async_trait]
impl Store for Gate {
    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError> {
        self.store("purge", move |store| async move {
            store.purge(before, now).await
        })
        .await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.store("ready", |store| async move { store.ready().await })
            .await
    }

    /// The store outlives every server.
    async fn close(&self) {}
}
