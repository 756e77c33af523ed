//! The table `[tokens]`.

use serde::Deserialize;

use super::{ConfigError, invalid};
use crate::token_policy::{ExtraFields, TokenPolicy};

/// What Epic announces.
const ACCESS_TOKEN_SECONDS: u32 = 3600;
/// A day.
const ACCESS_TOKEN_SECONDS_MAX: u32 = 24 * 3600;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokensTable {
    access_token_seconds: Option<u32>,
    #[serde(default)]
    rolling_refresh: bool,
}

impl TokensTable {
    pub(super) fn into_policy(self, extra: ExtraFields) -> Result<TokenPolicy, ConfigError> {
        let seconds = self.access_token_seconds.unwrap_or(ACCESS_TOKEN_SECONDS);
        if !(1..=ACCESS_TOKEN_SECONDS_MAX).contains(&seconds) {
            return Err(invalid(
                "tokens.access_token_seconds",
                "must be 1 to 86400, a day",
            ));
        }
        Ok(TokenPolicy {
            access_token_seconds: seconds,
            rolling_refresh: self.rolling_refresh,
            extra,
        })
    }
}
