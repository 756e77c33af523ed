//! What video systems tell the EHR.

use vestibule_launch::UnixTime;

use super::{Ehr, Moving};
use crate::{
    basic::BasicUser,
    connection_status::{ConnectionStatus, ConnectionStatusFault},
    end_of_call::{EndOfCall, EndOfCallFault},
    journal::Event,
    parameters::Parameters,
};

/// The headers of a write-back that matter.
#[derive(Clone, Copy, Default)]
pub(crate) struct WriteBackHeaders<'a> {
    pub(crate) authorization: Option<&'a str>,
    pub(crate) epic_client_id: Option<&'a str>,
    pub(crate) idempotency_key: Option<&'a str>,
}

impl Ehr {
    /// `SetExternalConnectionStatus`, with its query.
    pub(crate) fn connection_status(
        &self,
        headers: WriteBackHeaders<'_>,
        query: &[u8],
    ) -> Result<(), ConnectionStatusFault> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let outcome = self
            .may_tell_status(headers, &moving, now)
            .and_then(|()| told(query));
        let event = match &outcome {
            Ok(told) => Event::ConnectionStatus {
                told: told.clone(),
                idempotency_key: headers.idempotency_key.map(str::to_owned),
            },
            Err(fault) => Event::ConnectionStatusRefused {
                reason: fault.to_string(),
            },
        };
        moving.record(event, now);
        outcome.map(drop)
    }

    /// A notification as Zoom sends it, with its query.
    pub(crate) fn zoom_notification(
        &self,
        authorization: Option<&str>,
        query: &[u8],
    ) -> Result<(), ConnectionStatusFault> {
        let user = self
            .zoom
            .as_ref()
            .and_then(|zoom| zoom.notification.as_ref());
        let outcome = if user.is_none_or(|user| user.is_in(authorization)) {
            told(query)
        } else {
            Err(ConnectionStatusFault::Unauthorized)
        };
        let event = match &outcome {
            Ok(told) => Event::ZoomNotification { told: told.clone() },
            Err(fault) => Event::ZoomNotificationRefused {
                reason: fault.to_string(),
            },
        };
        self.lock().record(event, self.clock.now());
        outcome.map(drop)
    }

    /// The call that says a visit has ended.
    pub(crate) fn end_of_call(
        &self,
        headers: WriteBackHeaders<'_>,
        call: Result<EndOfCall, EndOfCallFault>,
    ) -> Result<(), EndOfCallFault> {
        let user = self.end_of_call.user.as_ref();
        self.field_call(headers, user, call, |outcome| match outcome {
            Ok((call, idempotency_key)) => Event::CallEnded {
                call,
                idempotency_key,
            },
            Err(reason) => Event::CallEndedRefused { reason },
        })
    }

    /// The call that says how a device check went. No user is set up for it.
    pub(crate) fn device_test(
        &self,
        headers: WriteBackHeaders<'_>,
        call: Result<EndOfCall, EndOfCallFault>,
    ) -> Result<(), EndOfCallFault> {
        self.field_call(headers, None, call, |outcome| match outcome {
            Ok((call, idempotency_key)) => Event::DeviceTested {
                call,
                idempotency_key,
            },
            Err(reason) => Event::DeviceTestRefused { reason },
        })
    }

    /// A call whose fields the hospital has chosen. `event` is what is recorded of it: what
    /// was told and under which idempotency key, or why that was refused.
    fn field_call(
        &self,
        headers: WriteBackHeaders<'_>,
        user: Option<&BasicUser>,
        call: Result<EndOfCall, EndOfCallFault>,
        event: impl FnOnce(Result<(EndOfCall, Option<String>), String>) -> Event,
    ) -> Result<(), EndOfCallFault> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let outcome = if is_let_in(headers.authorization, user, &moving, now) {
            call
        } else {
            Err(EndOfCallFault::Unauthorized)
        };
        let told = match &outcome {
            Ok(call) => Ok((call.clone(), headers.idempotency_key.map(str::to_owned))),
            Err(fault) => Err(fault.to_string()),
        };
        moving.record(event(told), now);
        outcome.map(drop)
    }

    /// Whoever signs in by Basic needs `Epic-Client-ID` beside, where it is
    /// configured; an access token is of a client already.
    fn may_tell_status(
        &self,
        headers: WriteBackHeaders<'_>,
        moving: &Moving,
        now: UnixTime,
    ) -> Result<(), ConnectionStatusFault> {
        let credentials = self.status.as_ref();
        let user = credentials.map(|credentials| &credentials.user);
        if !is_let_in(headers.authorization, user, moving, now) {
            return Err(ConnectionStatusFault::Unauthorized);
        }
        let client_id = credentials.and_then(|credentials| credentials.client_id.as_deref());
        let by_token = moving.bearer_is_good(headers.authorization, now).is_some();
        if by_token || client_id.is_none() || headers.epic_client_id == client_id {
            Ok(())
        } else {
            Err(ConnectionStatusFault::ClientId)
        }
    }
}

/// An access token must be good even where none is asked for; Basic
/// credentials count only where some are configured.
fn is_let_in(
    header: Option<&str>,
    user: Option<&BasicUser>,
    moving: &Moving,
    now: UnixTime,
) -> bool {
    match (moving.bearer_is_good(header, now), user) {
        (Some(is_good), _) => is_good,
        (None, Some(user)) => user.is_in(header),
        (None, None) => true,
    }
}

fn told(query: &[u8]) -> Result<ConnectionStatus, ConnectionStatusFault> {
    let parameters = Parameters::parse(query).map_err(|_| ConnectionStatusFault::TooLong)?;
    ConnectionStatus::from_parameters(&parameters)
}
