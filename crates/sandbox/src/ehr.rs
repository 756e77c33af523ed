//! The simulated EHR: its state, its clock and its journal behind one lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::CryptoRng;
use vestibule_launch::{Clock, EhrRole, UnixTime};

use crate::{
    appointment::Appointment,
    authorization_server::{
        Authorization, AuthorizationRefusal, AuthorizationServer, IssuedFor, PageFault,
        TokenAnswer, TokenFault, TokenRefusal,
    },
    basic::BasicCredentials,
    client::ClientKind,
    config::Config,
    connection_status::{ConnectionStatus, ConnectionStatusFault, StatusCredentials},
    journal::{Entry, Event, Journal},
    launch_link::{LaunchLink, LaunchRecord},
    pages::Pages,
    parameters::Parameters,
};

/// Everything that the routes share.
pub(crate) struct Ehr {
    pub(crate) pages: Pages,
    address: String,
    launch: LaunchRecord,
    status: Option<StatusCredentials>,
    clock: Arc<dyn Clock>,
    moving: Mutex<Moving>,
}

/// What changes from request to request.
struct Moving {
    authorization_server: AuthorizationServer,
    journal: Journal,
    rng: Box<dyn CryptoRng + Send>,
}

/// The kinds of client authentication that the registered applications use.
pub(crate) struct ClientKinds {
    pub(crate) public: bool,
    pub(crate) confidential: bool,
}

impl Ehr {
    /// The EHR at `address`, such as `http://127.0.0.1:7081`.
    pub(crate) fn new(
        config: Config,
        address: String,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Self {
        let authorization_server = AuthorizationServer::new(
            config.clients,
            format!("{address}/api/FHIR/R4"),
            format!("{address}/smart-style.json"),
        );
        Self {
            pages: Pages::new(),
            address,
            launch: config.launch,
            status: config.status,
            clock,
            moving: Mutex::new(Moving {
                authorization_server,
                journal: Journal::default(),
                rng,
            }),
        }
    }

    /// The EHR's own address, without a slash at the end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn client_kinds(&self) -> ClientKinds {
        let moving = self.lock();
        let clients = moving.authorization_server.clients().both();
        let public = |kind: &ClientKind| matches!(kind, ClientKind::Public);
        ClientKinds {
            public: clients.iter().any(|client| public(&client.kind)),
            confidential: clients.iter().any(|client| !public(&client.kind)),
        }
    }

    /// Somebody presses the button of an appointment.
    pub(crate) fn launch(&self, role: EhrRole, appointment: &'static Appointment) -> LaunchLink {
        let now = self.clock.now();
        let mut moving = self.lock();
        let Moving {
            authorization_server,
            rng,
            ..
        } = &mut *moving;
        let token = authorization_server.issue_launch_token(role, appointment, now, rng);
        let issuer = authorization_server.issuer();
        let link = self.launch.link(role, issuer, &token, appointment, rng);
        moving.record(
            Event::LaunchMade {
                role,
                appointment: appointment.id,
                csn: appointment.csn,
            },
            now,
        );
        link
    }

    /// A request at the authorize endpoint, with its query or form.
    pub(crate) fn authorize(&self, encoded: &[u8]) -> Result<Authorization, AuthorizationRefusal> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let Moving {
            authorization_server,
            rng,
            ..
        } = &mut *moving;
        let outcome = match Parameters::parse(encoded) {
            Ok(parameters) => authorization_server.authorize(&parameters, now, rng),
            Err(_) => Err(AuthorizationRefusal::Page(PageFault::TooLong)),
        };
        let event = match &outcome {
            Ok(granted) => Event::AuthorizationGranted {
                role: granted.role,
                appointment: granted.appointment.id,
            },
            Err(AuthorizationRefusal::Page(fault)) => Event::AuthorizationRefused {
                role: None,
                reason: fault.to_string(),
            },
            Err(AuthorizationRefusal::Redirect { role, fault, .. }) => {
                Event::AuthorizationRefused {
                    role: Some(*role),
                    reason: fault.to_string(),
                }
            }
        };
        moving.record(event, now);
        outcome
    }

    /// A request at the token endpoint: its `Authorization` header and its
    /// form, none where the body is something else.
    pub(crate) fn token(
        &self,
        authorization: Option<&str>,
        form: Option<&[u8]>,
    ) -> Result<TokenAnswer, TokenFault> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let Moving {
            authorization_server,
            rng,
            ..
        } = &mut *moving;
        let unread = |fault| TokenRefusal { role: None, fault };
        let outcome = form
            .ok_or(unread(TokenFault::NotAForm))
            .and_then(|form| Parameters::parse(form).map_err(|_| unread(TokenFault::TooLong)))
            .and_then(|form| authorization_server.token(authorization, &form, now, rng));
        match outcome {
            Ok(issue) => {
                let (role, appointment) = (issue.role, issue.appointment.id);
                let event = match issue.issued_for {
                    IssuedFor::Code => Event::TokenIssued { role, appointment },
                    IssuedFor::RefreshToken => Event::TokenRefreshed { role, appointment },
                };
                moving.record(event, now);
                Ok(issue.answer)
            }
            Err(TokenRefusal { role, fault }) => {
                let reason = fault.to_string();
                moving.record(Event::TokenRefused { role, reason }, now);
                Err(fault)
            }
        }
    }

    /// A video system tells who is connected: its `Authorization` header and
    /// its query.
    pub(crate) fn connection_status(
        &self,
        authorization: Option<&str>,
        query: &[u8],
    ) -> Result<(), ConnectionStatusFault> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let outcome = if self.may_tell(authorization, &moving.authorization_server, now) {
            Parameters::parse(query)
                .map_err(|_| ConnectionStatusFault::TooLong)
                .and_then(|parameters| ConnectionStatus::from_parameters(&parameters))
        } else {
            Err(ConnectionStatusFault::Unauthorized)
        };
        let event = match &outcome {
            Ok(told) => Event::ConnectionStatus(told.clone()),
            Err(fault) => Event::ConnectionStatusRefused {
                reason: fault.to_string(),
            },
        };
        moving.record(event, now);
        outcome.map(drop)
    }

    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.lock().journal.entries()
    }

    /// An access token must be good even where none is asked for; Basic
    /// credentials count only where some are configured.
    fn may_tell(
        &self,
        authorization: Option<&str>,
        authorization_server: &AuthorizationServer,
        now: UnixTime,
    ) -> bool {
        let bearer = authorization
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if let Some((_, token)) = bearer {
            return authorization_server.knows_access_token(token.trim(), now);
        }
        let Some(credentials) = &self.status else {
            return true;
        };
        authorization
            .and_then(BasicCredentials::parse)
            .is_some_and(|given| credentials.are(&given))
    }

    fn lock(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moving {
    fn record(&mut self, event: Event, now: UnixTime) {
        match &event {
            Event::AuthorizationRefused { role, reason } | Event::TokenRefused { role, reason } => {
                tracing::warn!(role = role.map(EhrRole::as_str), reason, "refused");
            }
            Event::ConnectionStatusRefused { reason } => tracing::warn!(reason, "refused"),
            Event::LaunchMade { role, .. } => tracing::info!(role = role.as_str(), "launch made"),
            Event::AuthorizationGranted { role, .. } => {
                tracing::info!(role = role.as_str(), "authorization granted");
            }
            Event::TokenIssued { role, .. } => {
                tracing::info!(role = role.as_str(), "tokens issued");
            }
            Event::TokenRefreshed { role, .. } => {
                tracing::info!(role = role.as_str(), "access token refreshed");
            }
            Event::ConnectionStatus(_) => tracing::info!("connection status told"),
        }
        self.journal.record(event, now);
    }
}
