//! A template, parsed and ready to render.

use std::collections::BTreeMap;
#[cfg(feature = "full")]
use std::collections::BTreeSet;
use std::fmt;

use minijinja::{
    machinery::{self, CodeGenerator, Instructions},
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use self_cell::self_cell;
use serde::Serialize;

#[cfg(feature = "full")]
use crate::Kind;
use crate::{
    Escaping, Surroundings, TemplateError, engine::engine, guard, source, surroundings::Root,
};

/// A template that has been parsed and checked.
pub struct Template {
    code: Code,
    #[cfg(feature = "full")]
    variables: BTreeSet<String>,
}

struct Compiled<'a>(Instructions<'a>);

self_cell!(
    struct Code {
        owner: String,
        #[covariant]
        dependent: Compiled,
    }
);

impl Template {
    /// Parses a template and checks that everything it uses exists.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        Self::parse_checked(source, |_, _| Ok(()))
    }

    /// Parses a template of a kind, and checks also that it names no variable and no field
    /// that its kind has not, and a variable that its kind must have.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`TemplateErrorKind::Variable`](crate::TemplateErrorKind).
    #[cfg(feature = "full")]
    pub fn parse_as(kind: Kind, source: &str) -> Result<Self, TemplateError> {
        Self::parse_checked(source, |source, uses| kind.check(source, uses))
    }

    /// Renders the template with the fields of `context` as its variables.
    ///
    /// # Errors
    /// Where it cannot be rendered with these values.
    pub fn render(
        &self,
        escaping: Escaping,
        context: &impl Serialize,
    ) -> Result<String, TemplateError> {
        self.render_with(escaping, context, &Surroundings::default())
    }

    /// Renders the template, which may also use what surrounds it.
    ///
    /// # Errors
    /// Where it cannot be rendered with these values.
    pub fn render_with(
        &self,
        escaping: Escaping,
        context: &impl Serialize,
        surroundings: &Surroundings,
    ) -> Result<String, TemplateError> {
        let root = Root {
            context: Value::from(Serde(context)),
            surroundings: surroundings.clone(),
        };
        self.render_value(escaping, Value::from_object(root))
    }

    /// Whether the template uses the variable of this name anywhere: for rules such as
    /// that a patient's join link must not contain `pin`. A name that the template has
    /// assigned before is not the variable, and what stands under `if false` does not count.
    #[cfg(feature = "full")]
    pub fn mentions(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// The source, with line ends as Jinja2 reads them.
    pub fn source(&self) -> &str {
        self.code.borrow_owner()
    }

    fn parse_checked(
        source: &str,
        check: impl FnOnce(&str, &[guard::Use]) -> Result<(), TemplateError>,
    ) -> Result<Self, TemplateError> {
        let source = source::normalised(source);
        source::check(&source)?;
        #[cfg(feature = "full")]
        let mut variables = BTreeSet::new();
        let code = Code::try_new(source.into_owned(), |source| {
            let parsed = machinery::parse(source, "template", SyntaxConfig::default())
                .map_err(|error| TemplateError::from_parsing(&error, source))?;
            let guarded = guard::guard(&parsed)?;
            check(source, &guarded.uses)?;
            #[cfg(feature = "full")]
            {
                let reached = guarded.uses.into_iter().filter(|used| used.is_reached);
                variables = reached.map(|used| used.variable).collect();
            }
            let mut generator = CodeGenerator::new("template", source);
            generator.compile_stmt(&guarded.statement);
            let (instructions, _) = generator.finish();
            Ok(Compiled(instructions))
        })?;
        Ok(Self {
            code,
            #[cfg(feature = "full")]
            variables,
        })
    }

    fn render_value(&self, escaping: Escaping, context: Value) -> Result<String, TemplateError> {
        let mut text = String::new();
        let mut output = machinery::make_string_output(&mut text);
        let Compiled(instructions) = self.code.borrow_dependent();
        machinery::eval(
            engine(),
            instructions,
            context,
            &BTreeMap::new(),
            &mut output,
            escaping.to_engine(),
        )
        .map_err(|error| TemplateError::from_rendering(&error, self.source()))?;
        Ok(text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("source", &self.source())
            .finish_non_exhaustive()
    }
}
