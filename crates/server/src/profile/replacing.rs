//! From one state of a profile to the next: which secrets stay, and which stay valid
//! for a while though they were replaced.

use std::{collections::BTreeSet, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use vestibule_launch::UnixTime;

use super::{PreviousSecrets, ProfileDocument, SecretName};

/// `secret_overlap_minutes` of a profile that does not say it.
pub(super) const OVERLAP_MINUTES: u64 = 60;

const KEY: SecretName = "epic_encryption_key";

/// The secrets whose old value stays valid for a while: each has a field of the same
/// name in [`PreviousSecrets`].
const REPLACEABLE: [SecretName; 6] = [
    KEY,
    "epic_patient_app_client_secret",
    "epic_provider_app_client_secret",
    "epic_backend_oauth2_app_private_key",
    "zoom.api_secret",
    "zoom.patient_api_secret",
];

/// Completes a new state of a profile from the old one. Secrets that it does not give
/// stay, unless `removed` names them. Those that it replaces stay valid for its
/// `secret_overlap_minutes`, unless it says itself what `previous` holds; none that was
/// replaced earlier is prolonged by that.
pub fn complete(
    new: &mut ProfileDocument,
    old: &ProfileDocument,
    removed: &BTreeSet<String>,
    now: UnixTime,
) {
    let given_previous: BTreeSet<SecretName> = new
        .secrets()
        .into_keys()
        .filter_map(|name| name.strip_prefix("previous."))
        .collect();
    if new.previous.is_none() && !removed.contains("previous") {
        new.previous = old.previous.clone();
    }
    let old_secrets = old.secrets();
    for (name, secret) in new.secrets_mut() {
        if secret.is_none() && !removed.contains(name) {
            *secret = old_secrets.get(name).cloned();
        }
    }
    if new
        .previous
        .as_ref()
        .is_some_and(|previous| previous.valid_until <= now)
    {
        new.previous = None;
    }
    if let Some(previous) = &mut new.previous {
        forget_ended(previous, now);
    }
    let new_secrets = new.secrets();
    for name in REPLACEABLE {
        let (Some(old_secret), Some(new_secret)) = (old_secrets.get(name), new_secrets.get(name))
        else {
            continue;
        };
        let same = old_secret.expose_secret() == new_secret.expose_secret()
            && (name != KEY || same_cipher(new, old));
        if !same && !given_previous.contains(name) {
            keep(new, old, name, old_secret, now);
        }
    }
    if !new
        .secrets()
        .keys()
        .any(|name| name.starts_with("previous."))
    {
        new.previous = None;
    }
}

/// Takes out what ended before the rest does.
fn forget_ended(previous: &mut PreviousSecrets, now: UnixTime) {
    let ends = previous.ends.clone();
    let has_ended = |name: &str| ends.get(name).is_some_and(|end| end.0 <= now);
    for (name, secret) in previous.secrets_mut() {
        if name.strip_prefix("previous.").is_some_and(has_ended) {
            *secret = None;
        }
    }
    if has_ended(KEY) {
        previous.epic_encryption_key_type = None;
        previous.epic_encryption_algorithm = None;
        previous.initialization_vector = None;
    }
    previous.ends.retain(|_, end| end.0 > now);
}

/// Puts what was replaced into `previous`; takes it out where there is no overlap.
fn keep(
    new: &mut ProfileDocument,
    old: &ProfileDocument,
    name: SecretName,
    secret: &SecretString,
    now: UnixTime,
) {
    let minutes = new.secret_overlap_minutes.unwrap_or(OVERLAP_MINUTES);
    let until = now + Duration::from_secs(minutes.saturating_mul(60));
    let stays = minutes > 0;
    let previous = new
        .previous
        .get_or_insert_with(|| PreviousSecrets::until(until));
    if stays {
        previous.add_until(name, until);
    } else {
        previous.ends.remove(name);
    }
    let kept = stays.then(|| secret.clone());
    match name {
        KEY => {
            previous.epic_encryption_key = kept;
            previous.epic_encryption_key_type = stays.then_some(old.epic_encryption_key_type);
            previous.epic_encryption_algorithm = stays.then_some(old.epic_encryption_algorithm);
            previous.initialization_vector = stays.then_some(old.initialization_vector);
        }
        "epic_patient_app_client_secret" => previous.epic_patient_app_client_secret = kept,
        "epic_provider_app_client_secret" => previous.epic_provider_app_client_secret = kept,
        "zoom.api_secret" => previous.zoom.get_or_insert_default().api_secret = kept,
        "zoom.patient_api_secret" => {
            previous.zoom.get_or_insert_default().patient_api_secret = kept;
        }
        _ => previous.epic_backend_oauth2_app_private_key = kept,
    }
}

fn same_cipher(new: &ProfileDocument, old: &ProfileDocument) -> bool {
    new.epic_encryption_key_type == old.epic_encryption_key_type
        && new.epic_encryption_algorithm == old.epic_encryption_algorithm
        && new.initialization_vector == old.initialization_vector
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn minutes(count: u64) -> UnixTime {
        NOW + Duration::from_secs(count * 60)
    }

    fn old() -> ProfileDocument {
        ProfileDocument {
            epic_encryption_key: Some("old key".into()),
            epic_provider_app_client_secret: Some("old secret".into()),
            ..ProfileDocument::default()
        }
    }

    /// `old` after a change at a time.
    fn after(
        old: &ProfileDocument,
        now: UnixTime,
        change: impl FnOnce(&mut ProfileDocument),
    ) -> ProfileDocument {
        let mut new = old.clone();
        for (_, secret) in new.secrets_mut() {
            *secret = None;
        }
        new.previous = None;
        change(&mut new);
        complete(&mut new, old, &BTreeSet::new(), now);
        new
    }

    fn shown(document: &ProfileDocument) -> Vec<(SecretName, String)> {
        let secrets = document.secrets().into_iter();
        secrets
            .map(|(name, secret)| (name, secret.expose_secret().to_owned()))
            .collect()
    }

    #[test]
    fn secrets_that_are_not_given_stay_and_those_removed_go() {
        let new = after(&old(), NOW, |new| new.name = "Other".into());
        assert_eq!(shown(&new), shown(&old()));
        assert!(new.previous.is_none());

        let mut new = ProfileDocument::default();
        let removed = BTreeSet::from(["epic_provider_app_client_secret".to_owned()]);
        complete(&mut new, &old(), &removed, NOW);
        assert_eq!(shown(&new), [(KEY, "old key".to_owned())]);
    }

    #[test]
    fn a_replaced_secret_stays_for_the_overlap_of_the_new_profile() {
        for (given, until) in [(None, 60), (Some(5), 5)] {
            let new = after(&old(), NOW, |new| {
                new.secret_overlap_minutes = given;
                new.epic_encryption_key = Some("new key".into());
            });
            let previous = new.previous.as_ref().unwrap();
            assert_eq!(previous.valid_until, minutes(until));
            assert!(previous.epic_encryption_key_type.is_some());
            assert!(shown(&new).contains(&("previous.epic_encryption_key", "old key".into())));
            assert!(previous.epic_provider_app_client_secret.is_none());
        }
        let new = after(&old(), NOW, |new| {
            new.secret_overlap_minutes = Some(0);
            new.epic_encryption_key = Some("new key".into());
        });
        assert!(new.previous.is_none());
    }

    #[test]
    fn a_key_that_means_something_else_now_is_replaced() {
        let new = after(&old(), NOW, |new| {
            new.initialization_vector =
                vestibule_launch::crypto::InitializationVector::PrefixBinary;
        });
        let previous = new.previous.unwrap();
        assert_eq!(
            previous.initialization_vector,
            Some(vestibule_launch::crypto::InitializationVector::Zero)
        );
        assert!(previous.epic_encryption_key.is_some());
    }

    #[test]
    fn a_second_change_keeps_the_first_and_a_third_forgets_what_has_expired() {
        let first = after(&old(), NOW, |new| {
            new.epic_encryption_key = Some("new key".into());
        });
        let second = after(&first, minutes(30), |new| {
            new.epic_provider_app_client_secret = Some("new secret".into());
        });
        let names: Vec<_> = second.secrets().into_keys().collect();
        assert_eq!(
            names,
            [
                KEY,
                "epic_provider_app_client_secret",
                "previous.epic_encryption_key",
                "previous.epic_provider_app_client_secret",
            ]
        );
        let previous = second.previous.as_ref().unwrap();
        assert_eq!(previous.valid_until, minutes(90));
        assert_eq!(previous.valid_until(KEY), minutes(60), "not prolonged");
        let secret = "epic_provider_app_client_secret";
        assert_eq!(previous.valid_until(secret), minutes(90));
        let between = after(&second, minutes(60), |new| new.name = "Other".into());
        let previous = between.previous.as_ref().unwrap();
        assert!(previous.epic_encryption_key.is_none());
        assert!(previous.epic_encryption_key_type.is_none());
        assert!(previous.epic_provider_app_client_secret.is_some());
        assert!(previous.ends.is_empty());
        let third = after(&second, minutes(90), |new| new.name = "Other".into());
        assert!(third.previous.is_none());
    }

    #[test]
    fn a_shorter_overlap_counts_for_what_is_replaced_with_it() {
        let first = after(&old(), NOW, |new| {
            new.epic_encryption_key = Some("new key".into());
        });
        let second = after(&first, NOW, |new| {
            new.secret_overlap_minutes = Some(5);
            new.epic_provider_app_client_secret = Some("new secret".into());
        });
        let previous = second.previous.as_ref().unwrap();
        let secret = "epic_provider_app_client_secret";
        assert_eq!(previous.valid_until(secret), minutes(5));
        assert_eq!(previous.valid_until(KEY), minutes(60));
        let third = after(&second, minutes(1), |new| {
            new.epic_encryption_key = Some("newest key".into());
        });
        let previous = third.previous.as_ref().unwrap();
        assert_eq!(previous.valid_until(KEY), minutes(6));
        assert_eq!(previous.valid_until(secret), minutes(5));
        let written = toml::to_string(&third.previous).unwrap();
        let read: PreviousSecrets = toml::from_str(&written).unwrap();
        assert_eq!(read.valid_until(secret), minutes(5), "{written}");
    }

    #[test]
    fn previous_goes_at_once_where_the_change_says_so() {
        let replaced = after(&old(), NOW, |new| {
            new.epic_encryption_key = Some("new key".into());
        });
        let mut new = replaced.clone();
        new.previous = None;
        let removed = BTreeSet::from(["previous".to_owned()]);
        complete(&mut new, &replaced, &removed, NOW);
        assert!(new.previous.is_none());
        let without = after(&replaced, NOW, |new| {
            new.secret_overlap_minutes = Some(0);
            new.epic_encryption_key = Some("newest key".into());
        });
        assert!(without.previous.is_none());
    }

    #[test]
    fn previous_that_is_given_counts() {
        let new = after(&old(), NOW, |new| {
            new.epic_encryption_key = Some("new key".into());
            new.previous = Some(PreviousSecrets {
                epic_encryption_key: Some("another".into()),
                ..PreviousSecrets::until(minutes(7))
            });
        });
        let previous = new.previous.unwrap();
        assert_eq!(previous.valid_until, minutes(7));
        let key = previous.epic_encryption_key.unwrap();
        assert_eq!(key.expose_secret(), "another");
    }
}
