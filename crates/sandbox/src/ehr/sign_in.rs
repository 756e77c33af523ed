//! Launches, and the sign-in that follows them.

use rand::CryptoRng;
use vestibule_launch::UnixTime;

use super::{Ehr, Moving};
use crate::{
    authorization_server::{
        Authorization, AuthorizationRefusal, AuthorizationServer, FetchedKeys, IssuedFor,
        PageFault, TokenAnswer, TokenFault, TokenRefusal,
    },
    client::Authentication,
    journal::Event,
    launch_link::LaunchLink,
    parameters::Parameters,
    visit::Visit,
};

/// The kinds of client authentication that the registered applications use.
pub(crate) struct ClientKinds {
    pub(crate) public: bool,
    pub(crate) secret: bool,
    pub(crate) keys: bool,
    pub(crate) backend: bool,
}

impl Ehr {
    pub(crate) fn client_kinds(&self) -> ClientKinds {
        let moving = self.lock();
        let clients = moving.authorization_server.clients();
        let any = |kind: fn(&Authentication) -> bool| {
            clients.apps().iter().any(|app| kind(&app.authentication))
        };
        let backend = clients.backend().is_some();
        ClientKinds {
            public: any(|kind| matches!(kind, Authentication::Public)),
            secret: any(|kind| matches!(kind, Authentication::Secrets(_))),
            keys: backend || any(|kind| matches!(kind, Authentication::Keys(_))),
            backend,
        }
    }

    /// Somebody presses the button of an appointment.
    pub(crate) fn launch(&self, visit: Visit) -> LaunchLink {
        let now = self.clock.now();
        let mut moving = self.lock();
        let (server, rng) = moving.parts();
        let token = server.issue_launch_token(visit, now, rng);
        let link = self.launch.link(visit, server.issuer(), &token, rng);
        moving.record(
            Event::LaunchMade {
                role: visit.role(),
                appointment: visit.appointment.id,
                csn: visit.appointment.csn,
            },
            now,
        );
        link
    }

    /// A request at the authorize endpoint, with its query or form.
    pub(crate) fn authorize(&self, encoded: &[u8]) -> Result<Authorization, AuthorizationRefusal> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let (server, rng) = moving.parts();
        let outcome = match Parameters::parse(encoded) {
            Ok(parameters) => server.authorize(&parameters, now, rng),
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
    pub(crate) async fn token(
        &self,
        authorization: Option<&str>,
        form: Option<&[u8]>,
    ) -> Result<TokenAnswer, TokenFault> {
        let parameters = form
            .ok_or(TokenFault::NotAForm)
            .and_then(|form| Parameters::parse(form).map_err(|_| TokenFault::TooLong));
        let fetched = match &parameters {
            Ok(parameters) => self.fetched_keys(parameters).await,
            Err(_) => None,
        };

        let now = self.clock.now();
        let mut moving = self.lock();
        let (server, rng) = moving.parts();
        let outcome = parameters
            .map_err(|fault| TokenRefusal { role: None, fault })
            .and_then(|form| server.token(authorization, &form, fetched, now, rng));
        match outcome {
            Ok(issue) => {
                moving.record(Event::issued(issue.issued_for), now);
                Ok(issue.answer)
            }
            Err(TokenRefusal { role, fault }) => {
                let reason = fault.to_string();
                moving.record(Event::TokenRefused { role, reason }, now);
                Err(fault)
            }
        }
    }

    /// The keys at the JWKS URL of the client that signs its request.
    async fn fetched_keys(&self, parameters: &Parameters) -> FetchedKeys {
        let url = self.lock().authorization_server.keys_needed(parameters)?;
        Some(self.key_fetch.fetch(url).await)
    }
}

impl Event {
    fn issued(issued_for: IssuedFor) -> Self {
        let of = |visit: Visit| (visit.role(), visit.appointment.id);
        match issued_for {
            IssuedFor::Code(visit) => {
                let (role, appointment) = of(visit);
                Self::TokenIssued { role, appointment }
            }
            IssuedFor::RefreshToken(visit) => {
                let (role, appointment) = of(visit);
                Self::TokenRefreshed { role, appointment }
            }
            IssuedFor::Backend => Self::BackendTokenIssued,
        }
    }
}

impl Moving {
    pub(super) fn parts(&mut self) -> (&mut AuthorizationServer, &mut (dyn CryptoRng + Send)) {
        (&mut self.authorization_server, &mut *self.rng)
    }

    /// Whether the header carries an access token, and if so whether it is good.
    pub(super) fn bearer_is_good(&self, header: Option<&str>, now: UnixTime) -> Option<bool> {
        bearer(header).map(|token| self.authorization_server.knows_access_token(token, now))
    }
}

/// The access token of an `Authorization` header.
pub(super) fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, token) = header?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
