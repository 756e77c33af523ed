//! Direct join links, which need the backend application.

use super::encryption;
use crate::{
    direct_link::DirectLinks,
    profile::{Faults, ProfileDocument, field::wrong},
};

/// `Some(None)` where the profile has none.
pub(super) fn direct_links(
    document: &ProfileDocument,
    faults: &mut Faults,
) -> Option<Option<DirectLinks>> {
    let table = &document.direct_links;
    if document.epic_backend_oauth2_app_client_id.is_none() {
        return match table {
            None => Some(None),
            Some(_) => faults.keep(wrong(
                "direct_links",
                "needs the fields that begin with epic_backend_oauth2_app_; give them or remove it",
            )),
        };
    }
    if document.zoom.is_some() {
        // That both are there is told with the dialect.
        return Some(None);
    }
    let base = document
        .telehealth_integration_oauth2_base_api_url
        .as_deref();
    let table = table.clone().unwrap_or_default();
    let check = faults.keep(table.check(base));
    let provider = faults.keep(table.check_provider(document.initialization_vector));
    // What is wrong with these is told with the dialect.
    let cipher = encryption::cipher(document, &mut Faults::default());
    let name = encryption::encrypted_parameter_name(document).ok();
    Some(Some(DirectLinks {
        encrypted_parameter_name: name?,
        cipher: cipher?,
        check: check?,
        provider: provider?,
    }))
}
