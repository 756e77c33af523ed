//! Which names a template assigns itself, where it is being read.

use std::collections::BTreeMap;

/// Whether a name has a value from the template itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assigned {
    /// Not at all: it is a variable.
    Never,
    /// Only if a branch was taken that assigns it.
    Maybe,
    /// Whatever happens.
    Always,
}

/// What one scope assigns.
pub(crate) type Scope<'a> = BTreeMap<&'a str, Assigned>;

#[cfg(feature = "full")]
/// The names assigned so far, innermost scope last.
#[derive(Debug)]
pub(crate) struct Names<'a>(Vec<Scope<'a>>);

#[cfg(feature = "full")]
impl<'a> Names<'a> {
    pub(crate) fn new() -> Self {
        Self(vec![Scope::new()])
    }

    /// Begins a scope; what is assigned in it is gone at its end.
    pub(crate) fn enter(&mut self) {
        self.0.push(Scope::new());
    }

    /// Ends a scope.
    pub(crate) fn leave(&mut self) -> Scope<'a> {
        self.0.pop().unwrap_or_default()
    }

    pub(crate) fn assign(&mut self, name: &'a str) {
        self.set(name, Assigned::Always);
    }

    /// After an `if`: what both of its branches assign is assigned.
    pub(crate) fn join(&mut self, one: &Scope<'a>, other: &Scope<'a>) {
        for name in one.keys().chain(other.keys()) {
            let both = [one, other]
                .iter()
                .all(|scope| scope.get(name) == Some(&Assigned::Always));
            if both {
                self.set(name, Assigned::Always);
            } else if self.assigned(name) != Assigned::Always {
                self.set(name, Assigned::Maybe);
            }
        }
    }

    pub(crate) fn assigned(&self, name: &str) -> Assigned {
        self.0
            .iter()
            .rev()
            .find_map(|scope| scope.get(name))
            .copied()
            .unwrap_or(Assigned::Never)
    }

    fn set(&mut self, name: &'a str, assigned: Assigned) {
        if let Some(scope) = self.0.last_mut() {
            scope.insert(name, assigned);
        }
    }
}

/// Only the server asks which variables a template uses.
#[cfg(not(feature = "full"))]
pub(crate) struct Names<'a>(std::marker::PhantomData<&'a str>);

#[cfg(not(feature = "full"))]
impl<'a> Names<'a> {
    pub(crate) fn new() -> Self {
        Self(std::marker::PhantomData)
    }

    pub(crate) fn enter(&mut self) {}

    pub(crate) fn leave(&mut self) -> Scope<'a> {
        Scope::new()
    }

    pub(crate) fn assign(&mut self, _: &'a str) {}

    pub(crate) fn join(&mut self, _: &Scope<'a>, _: &Scope<'a>) {}

    pub(crate) fn assigned(&self, _: &str) -> Assigned {
        Assigned::Always
    }
}
