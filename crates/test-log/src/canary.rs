//! What is planted in the data of the tests and must stand in no log.

/// What a canary is. The report names it, and never the canary itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A name of somebody, or one that was typed.
    Name,
    /// A PIN.
    Pin,
    /// A ticket, state, code, cookie or bearer token.
    Token,
    /// A key of launches.
    Key,
    /// A password or client secret.
    Password,
}

impl Class {
    /// All there are.
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::Pin,
        Self::Token,
        Self::Key,
        Self::Password,
    ];

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Pin => "pin",
            Self::Token => "token",
            Self::Key => "key",
            Self::Password => "password",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// The patient's first name in every launch.
pub const FIRST_NAME: &str = "Beverley";

/// The patient's last name in every launch.
pub const LAST_NAME: &str = "Spinder";

/// The provider's last name in every launch.
pub const PROVIDER_LAST_NAME: &str = "Halvorsen";

/// The key of launches of the server's tests: bytes 0 to 31, in base64.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The key of launches of the whole system's tests, in base64.
pub const WHOLE_SYSTEM_KEY: &str = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=";

/// The password from which older EHRs derive their key.
pub const KEY_PASSWORD: &str = "a much longer pass phrase than sixteen bytes";

/// The access token that the scripted EHR gives.
pub const ACCESS_TOKEN: &str = "access-token-of-the-ehr";

/// The refresh token that the scripted EHR gives.
pub const REFRESH_TOKEN: &str = "refresh-token-of-the-ehr";

/// The code with which the scripted EHR sends the browser back.
pub const CODE: &str = "code-of-the-ehr";

/// How the launch tokens of the scripted EHR begin.
pub const LAUNCH_TOKEN: &str = "launch-token-";

/// The client secret at the scripted EHR.
pub const CLIENT_SECRET: &str = "client-secret-of-the-ehr";

/// The client secret that it has replaced.
pub const OLD_CLIENT_SECRET: &str = "old-secret-of-the-ehr";

/// The client secrets at the simulated EHR: of the providers' application, and of the
/// patients'.
pub const SIMULATED_CLIENT_SECRETS: [&str; 2] = ["secret of the providers", "patient secret / 2"];

/// The password of every administrator of the tests.
pub const ADMIN_PASSWORD: &str = "correct horse battery";

/// The password of Pexip Infinity.
pub const PEXIP_PASSWORD: &str = "pexip-password";

/// The passwords of the policy server and of the event sink.
pub const SINK_PASSWORDS: [&str; 2] = [
    "password of the policy server",
    "password of the event sink",
];

/// All that is the same in every run. PINs, tickets, states and cookies are drawn anew;
/// tests give them to [`crate::secret`] as they come by them.
pub const PLANTED: [(Class, &str); 18] = [
    (Class::Name, FIRST_NAME),
    (Class::Name, LAST_NAME),
    (Class::Name, PROVIDER_LAST_NAME),
    (Class::Key, KEY),
    (Class::Key, WHOLE_SYSTEM_KEY),
    (Class::Key, KEY_PASSWORD),
    (Class::Token, ACCESS_TOKEN),
    (Class::Token, REFRESH_TOKEN),
    (Class::Token, CODE),
    (Class::Token, LAUNCH_TOKEN),
    (Class::Password, CLIENT_SECRET),
    (Class::Password, OLD_CLIENT_SECRET),
    (Class::Password, SIMULATED_CLIENT_SECRETS[0]),
    (Class::Password, SIMULATED_CLIENT_SECRETS[1]),
    (Class::Password, ADMIN_PASSWORD),
    (Class::Password, PEXIP_PASSWORD),
    (Class::Password, SINK_PASSWORDS[0]),
    (Class::Password, SINK_PASSWORDS[1]),
];
