//! Where a template uses a variable.

use minijinja::machinery::Span;

use super::Guard;
use crate::names::Assigned;
#[cfg(feature = "full")]
use crate::{TemplateError, TemplateErrorKind};

/// A place where a template uses a variable that it has not, or may not have, assigned.
#[derive(Debug)]
#[cfg_attr(not(feature = "full"), expect(dead_code, reason = "kinds read it"))]
pub(crate) struct Use {
    /// The variable's name.
    pub(crate) variable: String,
    /// The name of the field that is used of it, where that stands in the template.
    pub(crate) field: Option<String>,
    /// Whether a rendering can come here, as far as that is plain to see.
    pub(crate) is_reached: bool,
    /// Whether the template assigns it in a branch before.
    pub(crate) is_assigned_somewhere: bool,
    span: Span,
}

#[cfg(feature = "full")]
impl Use {
    /// An error at this place.
    pub(crate) fn wrong(&self, message: String) -> TemplateError {
        TemplateError::new(TemplateErrorKind::Variable, message).at(self.span)
    }
}

impl Guard<'_> {
    /// Goes on where a rendering comes only if `is_reached`.
    pub(super) fn where_reached<T>(
        &mut self,
        is_reached: bool,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outside = self.is_reached;
        self.is_reached &= is_reached;
        let result = read(self);
        self.is_reached = outside;
        result
    }

    /// Notes that a variable is used.
    pub(super) fn uses(&mut self, name: &str, field: Option<&str>, span: Span) {
        let assigned = self.names.assigned(name);
        if assigned != Assigned::Always {
            self.uses.push(Use {
                variable: name.to_owned(),
                field: field.map(str::to_owned),
                is_reached: self.is_reached,
                is_assigned_somewhere: assigned == Assigned::Maybe,
                span,
            });
        }
    }
}
