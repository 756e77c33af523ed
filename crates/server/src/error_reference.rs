//! Every error name in one table: with which status it comes, who must act, what the
//! page says, and what to do. `docs/reference/errors.md` is generated from it.

use std::fmt::Write as _;

use axum::http::StatusCode;
use vestibule_launch::ErrorName;

/// What is to be known of an error name.
#[derive(Debug)]
pub struct ErrorEntry {
    /// The statuses with which the server answers; none where only the landing page
    /// shows it.
    pub statuses: &'static [u16],
    /// Who must act.
    pub actor: Actor,
    /// What the built-in page says.
    pub page: PageText,
    /// What has happened, and what to do.
    pub advice: &'static str,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The patient or guest.
    Patient,
    /// The clinician.
    Clinician,
    /// Whoever launches: patient, guest or clinician.
    User,
    /// The analyst who looks after the EHR.
    EhrAnalyst,
    /// The administrator of this server.
    Administrator,
    /// Whoever looks after the network between this server and the EHR.
    Network,
}

/// What the built-in error page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageText {
    /// Something has failed, wait a minute and try again.
    Failed,
    /// The link is old, or the visit is not open yet.
    LinkNotValid,
    /// The link has been used.
    Used,
    /// The sign-in was refused.
    Refused,
    /// Too many wrong PINs.
    Locked,
    /// The connection was lost.
    Lost,
    /// Nobody has joined.
    Alone,
}

/// What is to be known of `name`.
pub fn entry(name: ErrorName) -> ErrorEntry {
    use Actor::{Administrator, Clinician, EhrAnalyst, Network, Patient, User};
    use PageText::{Alone, Failed, LinkNotValid, Locked, Lost, Refused, Used};
    let (statuses, actor, page, advice): (&[u16], _, _, _) = match name {
        ErrorName::LinkNotValid => (
            &[410],
            Patient,
            LinkNotValid,
            "The link belongs to an appointment that is over or not open yet. Open the newest link, shortly before the visit.",
        ),
        ErrorName::ProfileNotFound => (
            &[404],
            EhrAnalyst,
            Failed,
            "The launch URL names a telehealth profile that this server does not have. Compare the uuid in the EHR's launch record with `vestibule profile list`.",
        ),
        ErrorName::MetadataFetch => (
            &[502],
            Network,
            Failed,
            "The EHR's SMART metadata cannot be fetched or read. `vestibule doctor` says why; see allowed_iss, and firewall and proxy on the way to the FHIR base URL.",
        ),
        ErrorName::LaunchParametersInvalid => (
            &[400],
            EhrAnalyst,
            Failed,
            "The encrypted launch parameters cannot be read, or do not name the appointment that the EHR names. `vestibule decode-launch` says which of key, key type, algorithm and encoding is at fault.",
        ),
        ErrorName::LaunchRequestInvalid => (
            &[400, 404, 408, 413, 415, 422],
            EhrAnalyst,
            Failed,
            "The launch URL lacks `iss` or `launch`, has one twice, or comes from an EHR that allowed_iss does not name. From the launch API: the request is malformed, or names no failed launch.",
        ),
        ErrorName::LaunchUsed => (
            &[410],
            User,
            Used,
            "The launch has led into a visit before, or its sign-in was used or has expired. Open the visit from the appointment again.",
        ),
        ErrorName::RateLimited => (
            &[429],
            Administrator,
            Failed,
            "Too many launches came from one address within a minute, or the page of one launch has reported more than 64 events. Where many people share one, raise `[limits] launches_per_minute`; where a proxy stands before this server, name it in trusted_proxies.",
        ),
        ErrorName::StateInvalid => (
            &[400, 408, 413],
            User,
            Failed,
            "The EHR's sign-in came back after more than 15 minutes, to another browser or profile, or was forged. Open the visit from the appointment again. If nobody gets through, see require_launch_cookie.",
        ),
        ErrorName::SignInRefused => (
            &[403],
            User,
            Refused,
            "The sign-in at the EHR was given up or refused. If everybody is refused, the EHR's analyst finds the reason under the code in the log.",
        ),
        ErrorName::TokenExchange => (
            &[502],
            EhrAnalyst,
            Failed,
            "The EHR refused to give tokens, or at the sign-in to take the application or its scope. Compare client id and secret, redirect URL, scope and, for direct join links, the public key; `vestibule doctor` tries them.",
        ),
        ErrorName::TokenResponseMalformed => (
            &[502],
            EhrAnalyst,
            Failed,
            "What the EHR's token endpoint answered is no token response. Often something on the way answers in its place, such as a maintenance page.",
        ),
        ErrorName::EhrTimeout => (
            &[504],
            Network,
            Failed,
            "The EHR did not answer in time. See its load, and firewalls on the way that drop packets.",
        ),
        ErrorName::EhrUnreachable => (
            &[502],
            Network,
            Failed,
            "The EHR cannot be reached, broke off, or says at the sign-in that it is out of order. Open the visit from the appointment again in a minute.",
        ),
        ErrorName::EhrDns => (
            &[502],
            Network,
            Failed,
            "The EHR's host name cannot be resolved. See the name servers of this machine, and the URLs of the profile.",
        ),
        ErrorName::EhrTls => (
            &[502],
            Network,
            Failed,
            "No secure connection to the EHR: its certificate has expired, is of another host or of an unknown authority, or its TLS is older than 1.2. The log has the cause. See trusted_certificates for an authority of your own.",
        ),
        ErrorName::ClockSkew => (
            &[502],
            Administrator,
            Failed,
            "The EHR refused this server's signed proof of itself, and the clocks are more than a minute apart. Set the clocks by NTP.",
        ),
        ErrorName::Template => (
            &[500],
            Administrator,
            Failed,
            "A template of the profile failed with the data of this launch. The log names it.",
        ),
        ErrorName::TicketInvalid => (
            &[400, 408, 410, 413, 415, 422],
            User,
            LinkNotValid,
            "The one-time ticket of a join link is unknown, has expired or was used. Open the visit from the appointment again.",
        ),
        ErrorName::LaunchApiUnavailable => (
            &[],
            Network,
            Failed,
            "The browser could not reach this server.",
        ),
        ErrorName::JoinLinkInvalid => (
            &[],
            User,
            LinkNotValid,
            "The landing page was opened without a join link, or with a damaged one. Open the visit from the appointment again.",
        ),
        ErrorName::ConferenceNotFound => (
            &[],
            User,
            LinkNotValid,
            "The link's one-time alias is not known (any more). Open the visit from the appointment again.",
        ),
        ErrorName::NodeUnavailable => (
            &[503],
            Administrator,
            Failed,
            "The conferencing node could not be reached, or answered with an error.",
        ),
        ErrorName::NodeAnswerInvalid => (
            &[502],
            Administrator,
            Failed,
            "The conferencing node answered something that the landing page does not understand.",
        ),
        ErrorName::NodeRefused => (
            &[403],
            Administrator,
            Failed,
            "The conferencing node refused the participant. Its log says why.",
        ),
        ErrorName::PinLocked => (
            &[429],
            Clinician,
            Locked,
            "A wrong PIN was entered too often. Wait five minutes, and join from the EHR, which needs no PIN.",
        ),
        ErrorName::HostDidNotJoin => (
            &[],
            Clinician,
            Alone,
            "The patient has waited, and nobody has joined.",
        ),
        ErrorName::SessionLost => (
            &[],
            User,
            Lost,
            "The connection was lost and could not be taken up again. Open the visit from the appointment again.",
        ),
        ErrorName::Internal => (
            &[500, 503],
            Administrator,
            Failed,
            "An error in Vestibule itself, or its database is unavailable. The log has more, under the request id.",
        ),
    };
    ErrorEntry {
        statuses,
        actor,
        page,
        advice,
    }
}

/// The name that the landing page's error page is given. Aliases and tickets are good
/// for one launch and for a time: one that is not known is for the user a link that is
/// old or not open yet, which is what the documented name says. The log keeps the exact
/// one.
pub fn shown(name: ErrorName) -> ErrorName {
    match name {
        // A page that is reloaded has no link any more.
        ErrorName::ConferenceNotFound | ErrorName::TicketInvalid | ErrorName::JoinLinkInvalid => {
            ErrorName::LinkNotValid
        }
        other => other,
    }
}

impl ErrorEntry {
    /// Whether the name may come with this status.
    pub fn comes_with(&self, status: StatusCode) -> bool {
        self.statuses.contains(&status.as_u16())
    }
}

impl Actor {
    /// As it stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Clinician => "clinician",
            Self::User => "whoever launches",
            Self::EhrAnalyst => "Epic analyst",
            Self::Administrator => "Vestibule administrator",
            Self::Network => "network",
        }
    }
}

impl PageText {
    /// The sentence of the built-in page, in English.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Failed => "Something failed on our side or on the network.",
            Self::LinkNotValid => {
                "It may belong to a visit that is already over, or your visit is not open yet."
            }
            Self::Used => "This link has been used already.",
            Self::Refused => "The sign-in was refused or stopped.",
            Self::Locked => "A wrong PIN was entered too many times.",
            Self::Lost => "The connection to your visit was lost.",
            Self::Alone => "Nobody from your clinic has joined the visit yet.",
        }
    }
}

/// `docs/reference/errors.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Error names\n\n\
         The name stands on the error page and in the log, under the request id that the page \
         shows; a profile's error page template has it as `error_name`. Pages come with the \
         status given here; a dash says that only the landing page shows the name.\n\n\
         | name | status | who must act | the page says | what to do |\n\
         |---|---|---|---|---|\n",
    );
    for name in ErrorName::ALL {
        let ErrorEntry {
            statuses,
            actor,
            page,
            advice,
        } = entry(*name);
        let statuses: Vec<_> = statuses.iter().map(ToString::to_string).collect();
        let statuses = if statuses.is_empty() {
            "–".to_owned()
        } else {
            statuses.join(", ")
        };
        let (actor, page) = (actor.as_str(), page.sentence());
        writeln!(
            text,
            "| `{name}` | {statuses} | {actor} | {page} | {advice} |"
        )
        .expect("a string takes everything");
    }
    text
}
