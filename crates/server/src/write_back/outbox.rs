//! What stands, sealed, in the outbox.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vestibule_launch::UnixTime;
use vestibule_store::{NewWriteBack, WriteBackKind};

use super::Status;
use crate::{profile::Profile, sealing::Purpose, tools::Tools};

/// A status, and which of the profile's write-backs tells it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// The word for [`super::WriteBack::kind`].
    pub(crate) write_back: String,
    pub(crate) status: Status,
}

/// One for each write-back of the profile that tells of the change. `occasion` tells
/// this change from others of the launch: two with the same are one.
pub(crate) fn write_backs(
    tools: &Tools,
    profile: &Profile,
    status: &Status,
    occasion: &[u8],
    due_at: UnixTime,
) -> Vec<NewWriteBack> {
    let Tools { sealer, random, .. } = tools;
    let request_id = status.request_id;
    let telling = profile.write_backs.iter();
    telling
        .filter(|write_back| write_back.tells(status.change))
        .map(|write_back| {
            let kind = write_back.kind();
            let letter = Letter {
                write_back: kind.as_str().to_owned(),
                status: status.clone(),
            };
            let id = request_id.as_bytes();
            let sealed =
                random.with(|rng| sealer.seal(Purpose::WriteBack, profile.uuid, id, &letter, rng));
            NewWriteBack {
                dedupe: dedupe(kind, status, occasion),
                profile: profile.uuid,
                request_id,
                kind,
                sealed,
                due_at,
            }
        })
        .collect()
}

fn dedupe(kind: WriteBackKind, status: &Status, occasion: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(status.request_id.as_bytes());
    for part in [kind.as_str(), status.change.as_str()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(occasion);
    hash.finalize().into()
}
