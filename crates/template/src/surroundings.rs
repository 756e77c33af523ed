//! What templates can ask of the world around them. This crate has no clock, no
//! randomness and no log of its own.

use std::{fmt, sync::Arc, time::Duration};

use minijinja::{
    State, Value,
    value::{Object, ObjectRepr},
};

/// Fills bytes with random ones.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Takes a message for the log.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// Makes all letters of a text small ones or large ones, as Unicode's default case
/// conversion does for a text as a whole. The tables for it are large, and a browser has
/// them already. By default those of the standard library; without the feature `full`,
/// ASCII letters only.
#[derive(Clone, Copy)]
pub struct Letters {
    /// To small letters.
    pub lower: fn(&str) -> String,
    /// To large letters.
    pub upper: fn(&str) -> String,
}

impl Letters {
    /// Those of a rendering.
    pub(crate) fn of(state: &State) -> Self {
        Surroundings::of(state).map_or_else(Self::default, |surroundings| surroundings.letters)
    }
}

impl Default for Letters {
    fn default() -> Self {
        #[cfg(feature = "full")]
        return Self {
            lower: str::to_lowercase,
            upper: str::to_uppercase,
        };
        #[cfg(not(feature = "full"))]
        Self {
            lower: str::to_ascii_lowercase,
            upper: str::to_ascii_uppercase,
        }
    }
}

/// What a rendering may use besides its context. By default letters only: a template that
/// asks for the time or for something random then fails with
/// [`TemplateErrorKind::Unavailable`](crate::TemplateErrorKind::Unavailable).
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The time, since 1970-01-01T00:00:00Z: for `pex_now`.
    pub now: Option<Duration>,
    /// Fills bytes with random ones, fit for secrets: for `pex_random_pin` and `pex_uuid4`.
    pub random: Option<Random>,
    /// Takes the messages of `pex_debug_log`; without it they are dropped. A message has
    /// the words that stand in the template; of values, their kind and length only.
    pub log: Option<Log>,
    /// For what changes letters.
    pub letters: Letters,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("now", &self.now.is_some())
            .field("random", &self.random.is_some())
            .field("log", &self.log.is_some())
            .finish_non_exhaustive()
    }
}

impl Surroundings {
    /// Those of a rendering.
    pub(crate) fn of(state: &State) -> Option<Arc<Self>> {
        state.lookup(NAME)?.downcast_object::<Self>()
    }
}

/// No identifier, so that no template can ask for it.
const NAME: &str = "~surroundings";

/// The variables of a rendering, and what surrounds it.
pub(crate) struct Root {
    pub(crate) context: Value,
    pub(crate) surroundings: Surroundings,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root")
    }
}

impl Object for Root {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key.as_str() == Some(NAME) {
            return Some(Value::from_object(self.surroundings.clone()));
        }
        let value = self.context.get_item(key).ok()?;
        (!value.is_undefined()).then_some(value)
    }
}

impl Object for Surroundings {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}
