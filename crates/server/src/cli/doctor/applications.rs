//! Whether the EHR accepts the two applications: it is asked for tokens with a code that
//! it never gave, and which refusal it gives tells.

use vestibule_launch::EhrRole;
use vestibule_smart::{
    Client, ClientCredentials, Metadata, TokenError, TokenRequest, TokenResponse, Verifier,
};

use super::{
    Finding, Outside,
    answer::{advice, what},
};
use crate::profile::{Application, SignIn};

/// A code that no EHR has given.
const NO_CODE: &str = "vestibule-doctor-no-code";

pub(super) async fn examine(
    outside: &Outside,
    sign_in: &SignIn,
    metadata: Option<&Metadata>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for role in [EhrRole::Patient, EhrRole::Provider] {
        let check = match role {
            EhrRole::Patient => "patient client",
            EhrRole::Provider => "provider client",
        };
        let application = sign_in.application(role);
        findings.push(match metadata {
            Some(metadata) => examine_one(outside, check, application, metadata).await,
            None => Finding::warn(
                check,
                "not tried, as the EHR's token endpoint is not known",
                "mend the metadata first",
            ),
        });
    }
    findings
}

async fn examine_one(
    outside: &Outside,
    check: &'static str,
    application: &Application,
    metadata: &Metadata,
) -> Finding {
    let mut valid = application.credentials.valid(outside.now());
    let current = application.credentials.current();
    let first = ask(outside, check, application, metadata, current).await;
    let Verdict::NotAccepted(finding) = first else {
        return first.into_finding();
    };
    if let Some(previous) = valid.nth(1)
        && let Verdict::Accepted(_) = ask(outside, check, application, metadata, previous).await
    {
        return Finding::warn(
            check,
            format!(
                "{} is accepted with its previous secret only",
                current.client_id()
            ),
            "have the EHR take the new secret before the previous one ends",
        );
    }
    finding
}

/// What an answer says.
enum Verdict {
    Accepted(Finding),
    NotAccepted(Finding),
    Unclear(Finding),
}

impl Verdict {
    fn into_finding(self) -> Finding {
        match self {
            Self::Accepted(finding) | Self::NotAccepted(finding) | Self::Unclear(finding) => {
                finding
            }
        }
    }
}

async fn ask(
    outside: &Outside,
    check: &'static str,
    application: &Application,
    metadata: &Metadata,
    credentials: &ClientCredentials,
) -> Verdict {
    let now = outside.now();
    let request = outside.random().with(|rng| {
        let request = TokenRequest::AuthorizationCode {
            code: NO_CODE.into(),
            redirect_uri: application.redirect_uri.clone(),
            verifier: Verifier::generate(rng),
        };
        Client::from(credentials.clone()).request(request, metadata, now, rng)
    });
    match outside.send(request).await {
        Ok(answer) => verdict(check, credentials, TokenResponse::from_response(&answer)),
        Err(error) => Verdict::Unclear(Finding::fail(
            check,
            format!("the token endpoint: {}", what(&error)),
            advice(&error, "the EHR"),
        )),
    }
}

fn verdict(
    check: &'static str,
    credentials: &ClientCredentials,
    answer: Result<TokenResponse, TokenError>,
) -> Verdict {
    let id = credentials.client_id();
    let kind = match credentials {
        ClientCredentials::Public { .. } => "a public client",
        ClientCredentials::Basic { .. } => "with its secret",
    };
    let refused = match answer {
        Ok(_) => {
            return Verdict::Unclear(Finding::fail(
                check,
                "the token endpoint gives tokens for a code that nobody got",
                "do not use this EHR: it would let anybody in",
            ));
        }
        Err(TokenError::Refused(error)) => error.as_str().to_owned(),
        Err(TokenError::Status(401)) => "invalid_client".to_owned(),
        Err(error) => {
            return Verdict::Unclear(Finding::fail(
                check,
                error.to_string(),
                "ask the EHR's administrators whether its token endpoint is up",
            ));
        }
    };
    match refused.as_str() {
        "invalid_grant" => {
            Verdict::Accepted(Finding::ok(check, format!("{id} is accepted, {kind}")))
        }
        "invalid_client" => Verdict::NotAccepted(Finding::fail(
            check,
            format!("{id} is not accepted, {kind}"),
            "compare client id and secret with the EHR's; production and non-production have \
             secrets of their own, and a new one may take hours to be in effect",
        )),
        "unauthorized_client" => Verdict::NotAccepted(Finding::fail(
            check,
            format!("{id} may not sign users in"),
            "have the EHR activate the application in this environment",
        )),
        other => Verdict::Unclear(Finding::warn(
            check,
            format!("{id}: the token endpoint answers {other} to a code that it never gave"),
            "that does not tell whether the client is accepted: try a launch",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::State;

    fn verdict_of(status: u16, body: &str) -> (bool, Finding) {
        let mut answer = http::Response::new(body.as_bytes().to_vec());
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let credentials = ClientCredentials::Public {
            client_id: "app".to_owned(),
        };
        let verdict = verdict(
            "patient client",
            &credentials,
            TokenResponse::from_response(&answer),
        );
        let accepted = matches!(verdict, Verdict::Accepted(_));
        (accepted, verdict.into_finding())
    }

    #[test]
    fn the_kind_of_refusal_tells_whether_the_client_is_accepted() {
        for (status, body, state) in [
            (400, r#"{"error":"invalid_grant"}"#, State::Ok),
            (400, r#"{"error":"invalid_client"}"#, State::Fail),
            (401, "", State::Fail),
            (400, r#"{"error":"unauthorized_client"}"#, State::Fail),
            (400, r#"{"error":"invalid_request"}"#, State::Warn),
            (503, "", State::Fail),
            (
                200,
                r#"{"access_token":"a","token_type":"bearer"}"#,
                State::Fail,
            ),
        ] {
            let (accepted, finding) = verdict_of(status, body);
            assert_eq!(finding.state, state, "{status} {body}");
            assert_eq!(accepted, state == State::Ok, "{status} {body}");
        }
    }
}
