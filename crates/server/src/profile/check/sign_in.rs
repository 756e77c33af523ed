//! How the EHR signs users in: its URLs, the two applications, what is asked for.

use url::Url;
use vestibule_launch::EhrRole;
use vestibule_smart::{ClientCredentials, Scope};

use super::previous;
use crate::profile::{
    AllowedIssuers, Application, Faults, Overlap, ProfileDocument, SignIn,
    field::{FieldError, base_url, client_id, redirect_url, required, secret, url, wrong},
};

pub(super) fn sign_in(document: &ProfileDocument, faults: &mut Faults) -> Option<SignIn> {
    let field = "telehealth_integration_base_url";
    let base = required(field, &document.telehealth_integration_base_url);
    faults.keep(base.and_then(|base| base_url(field, base)));
    let field = "telehealth_integration_oauth2_base_api_url";
    let base = required(field, &document.telehealth_integration_oauth2_base_api_url);
    let oauth2_base = faults.keep(base.and_then(|base| base_url(field, base)));
    let scope = faults.keep(scope(document.scope.as_deref()));
    let listed = faults.keep(listed_issuers(document.allowed_iss.as_deref()));
    let patient = application(document, EhrRole::Patient, faults);
    let provider = application(document, EhrRole::Provider, faults);
    let oauth2_base = oauth2_base?;
    Some(SignIn {
        scope: scope?,
        allowed_iss: match listed? {
            Some(listed) => AllowedIssuers::These(listed),
            None => AllowedIssuers::Under(oauth2_base.clone()),
        },
        oauth2_base,
        authorize_by_post: document.authorize_by_post,
        patient: patient?,
        provider: provider?,
    })
}

fn application(
    document: &ProfileDocument,
    role: EhrRole,
    faults: &mut Faults,
) -> Option<Application> {
    let previous = previous(document);
    let (id_field, id, redirect_field, redirect_uri) = match role {
        EhrRole::Patient => (
            "epic_patient_app_client_id",
            &document.epic_patient_app_client_id,
            "patient_oauth2_redirect_url",
            &document.patient_oauth2_redirect_url,
        ),
        EhrRole::Provider => (
            "epic_provider_app_client_id",
            &document.epic_provider_app_client_id,
            "provider_oauth2_redirect_url",
            &document.provider_oauth2_redirect_url,
        ),
    };
    let (secret_field, client_secret, old_field, old_secret) = match role {
        EhrRole::Patient => (
            "epic_patient_app_client_secret",
            document.epic_patient_app_client_secret.as_ref(),
            "previous.epic_patient_app_client_secret",
            previous.and_then(|previous| previous.epic_patient_app_client_secret.as_ref()),
        ),
        EhrRole::Provider => (
            "epic_provider_app_client_secret",
            document.epic_provider_app_client_secret.as_ref(),
            "previous.epic_provider_app_client_secret",
            previous.and_then(|previous| previous.epic_provider_app_client_secret.as_ref()),
        ),
    };
    let id = required(id_field, id).and_then(|id| client_id(id_field, id).map(|()| id.clone()));
    let id = faults.keep(id);
    let redirect_uri = required(redirect_field, redirect_uri).and_then(|text| {
        redirect_url(redirect_field, text, role, document.uuid).map(|()| text.clone())
    });
    let redirect_uri = faults.keep(redirect_uri);
    for (field, given) in [(secret_field, client_secret), (old_field, old_secret)] {
        faults.keep(given.map_or(Ok(()), |given| secret(field, given)));
    }
    let client_id = id?;
    let basic = |client_secret: &secrecy::SecretString| ClientCredentials::Basic {
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
    };
    let current = match client_secret {
        Some(client_secret) => basic(client_secret),
        None => ClientCredentials::Public {
            client_id: client_id.clone(),
        },
    };
    let old = old_secret.map(basic).zip(previous);
    Some(Application {
        credentials: Overlap::new(
            current,
            old.map(|(old, table)| (old, table.valid_until(secret_field))),
        ),
        redirect_uri: redirect_uri?,
    })
}

fn scope(scope: Option<&str>) -> Result<Scope, FieldError> {
    scope.map_or_else(
        || Ok(Scope::default()),
        |scope| scope.parse().map_err(|error| ("scope", format!("{error}"))),
    )
}

fn listed_issuers(allowed: Option<&[String]>) -> Result<Option<Vec<Url>>, FieldError> {
    match allowed {
        None => Ok(None),
        Some([]) => wrong(
            "allowed_iss",
            "is empty, so no EHR could launch; name one or remove the field",
        ),
        Some(allowed) => allowed
            .iter()
            .map(|text| url("allowed_iss", text))
            .collect::<Result<_, _>>()
            .map(Some),
    }
}
