//! What administrators may do.

use std::fmt;

use serde::Deserialize;

/// A role. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks at launches, appointments, write-backs and profiles, and downloads them.
    View,
    /// Has profiles checked, and sends again what was given up.
    Operate,
    /// Changes profiles, and reads the audit log.
    Configure,
}

impl Role {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::View, Self::Operate, Self::Configure];

    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Configure => "configure",
        }
    }

    /// The role with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        assert!(Role::View < Role::Operate && Role::Operate < Role::Configure);
        for role in Role::ALL {
            assert_eq!(Role::of_word(role.as_str()), Some(role));
        }
        assert_eq!(Role::of_word("admin"), None);
    }
}
