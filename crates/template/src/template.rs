//! A template, parsed and ready to render.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minijinja::{
    machinery::{self, CodeGenerator, Instructions},
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use self_cell::self_cell;
use serde::Serialize;

use crate::{Escaping, TemplateError, engine::engine, guard, source};

/// A template that has been parsed and checked.
pub struct Template {
    code: Code,
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
        let source = source::normalised(source);
        source::check(&source)?;
        let mut variables = BTreeSet::new();
        let code = Code::try_new(source.into_owned(), |source| {
            let parsed = machinery::parse(source, "template", SyntaxConfig::default())
                .map_err(|error| TemplateError::from_parsing(&error))?;
            let guarded = guard::guard(&parsed)?;
            variables = guarded.variables;
            let mut generator = CodeGenerator::new("template", source);
            generator.compile_stmt(&guarded.statement);
            let (instructions, _) = generator.finish();
            Ok(Compiled(instructions))
        })?;
        Ok(Self { code, variables })
    }

    /// Renders the template with the fields of `context` as its variables.
    pub fn render(
        &self,
        escaping: Escaping,
        context: &impl Serialize,
    ) -> Result<String, TemplateError> {
        self.render_value(escaping, Value::from(Serde(context)))
    }

    /// Whether the template uses a variable of this name anywhere: for rules
    /// such as that an alias template must contain `base_telehealth_alias`.
    pub fn mentions(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// The source, with line ends as Jinja2 reads them.
    pub fn source(&self) -> &str {
        self.code.borrow_owner()
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
        .map_err(|error| TemplateError::from_rendering(&error))?;
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
