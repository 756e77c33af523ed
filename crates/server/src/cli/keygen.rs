//! `vestibule keygen`.

use std::io::Write as _;

use vestibule_launch::crypto::{self, KeyLength};

pub(super) fn keygen(length: KeyLength) -> anyhow::Result<()> {
    let key = crypto::keygen(length, &mut *crate::random::system());
    writeln!(std::io::stdout(), "{}", *key)?;
    Ok(())
}
