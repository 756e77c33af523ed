//! One participant of a conference.

use std::time::Duration;

use rand::CryptoRng;
use uuid::Uuid;
use vestibule_launch::{DisplayName, Role, UnixTime};

use crate::{
    ParticipantData, ServiceType,
    alias::Alias,
    token::{Token, TokenHash},
};

/// How many tokens of one participant work at a time. A client that refreshes
/// every third of the lifetime has three.
const TOKENS: usize = 8;

/// Who wants to come in, before it is known whether they may.
pub(crate) struct Newcomer {
    pub(crate) alias: Alias,
    pub(crate) display_name: DisplayName,
    pub(crate) call_tag: String,
}

pub(crate) struct Participant {
    pub(crate) uuid: Uuid,
    pub(crate) alias: Alias,
    pub(crate) display_name: DisplayName,
    pub(crate) call_tag: String,
    pub(crate) standing: Standing,
    pub(crate) connected_at: UnixTime,
    /// In the order of their expiry, and never empty.
    tokens: Vec<IssuedToken>,
}

/// What somebody is in the conference. There is no host who waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Host,
    WaitingGuest,
    AdmittedGuest,
}

/// A token as it was given out, and the one whose place it took, if any.
pub(crate) struct Issued {
    pub(crate) token: Token,
    pub(crate) displaced: Option<TokenHash>,
}

impl Participant {
    pub(crate) fn new(
        newcomer: Newcomer,
        standing: Standing,
        now: UnixTime,
        token_lifetime: Duration,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Self, Token) {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let mut participant = Self {
            uuid: uuid::Builder::from_random_bytes(bytes).into_uuid(),
            alias: newcomer.alias,
            display_name: newcomer.display_name,
            call_tag: newcomer.call_tag,
            standing,
            connected_at: now,
            tokens: Vec::new(),
        };
        let Issued { token, .. } = participant.issue_token(now, token_lifetime, rng);
        (participant, token)
    }

    /// One token more. Those before it work until their own expiry, because the
    /// address of an open event stream holds one of them.
    pub(crate) fn issue_token(
        &mut self,
        now: UnixTime,
        lifetime: Duration,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Issued {
        let token = Token::generate(rng);
        let displaced = (self.tokens.len() == TOKENS).then(|| self.tokens.remove(0).hash);
        self.tokens.push(IssuedToken {
            hash: token.hash(),
            expires_at: now + lifetime,
        });
        Issued { token, displaced }
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = TokenHash> {
        self.tokens.iter().map(|token| token.hash)
    }

    pub(crate) fn has_token(&self, hash: TokenHash, now: UnixTime) -> bool {
        self.tokens
            .iter()
            .any(|token| token.hash == hash && now < token.expires_at)
    }

    /// Whether no token works any more.
    pub(crate) fn has_expired(&self, now: UnixTime) -> bool {
        self.tokens.iter().all(|token| token.expires_at <= now)
    }

    pub(crate) fn role(&self) -> Role {
        match self.standing {
            Standing::Host => Role::Host,
            Standing::WaitingGuest | Standing::AdmittedGuest => Role::Guest,
        }
    }

    pub(crate) fn service_type(&self) -> ServiceType {
        match self.standing {
            Standing::WaitingGuest => ServiceType::WaitingRoom,
            Standing::Host | Standing::AdmittedGuest => ServiceType::Conference,
        }
    }

    /// Whether this participant may know of `other`. Who waits knows of nobody:
    /// a host has not yet let them in, and names are patients' names.
    pub(crate) fn sees(&self, other: &Self) -> bool {
        self.uuid == other.uuid || self.standing != Standing::WaitingGuest
    }

    pub(crate) fn data(&self, conference: &str, service_tag: &str) -> ParticipantData {
        ParticipantData {
            uuid: self.uuid,
            conference: conference.to_owned(),
            service_tag: service_tag.to_owned(),
            destination_alias: self.alias.as_str().to_owned(),
            display_name: self.display_name.clone(),
            role: self.role(),
            service_type: self.service_type(),
            call_tag: self.call_tag.clone(),
            connect_time: self.connected_at,
        }
    }
}

struct IssuedToken {
    hash: TokenHash,
    expires_at: UnixTime,
}
