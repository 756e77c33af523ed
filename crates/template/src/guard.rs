//! Between parser and code generator: checks what a template uses, and puts a
//! counting function in the place of every construct that makes values longer.
//!
//! The engine counts steps, but one step can make a value of any size: joining a
//! text with itself 40 times is 40 steps and a terabyte. So operators, literals of lists
//! and slices become calls of the functions of [`crate::operators`], which do what Python's do and
//! count it, and whose names no template can write. Raw text becomes a constant, which
//! the formatter counts. Without macros, recursion and assignments that outlive a loop's turn
//! there is no other way to grow.

mod call;
mod expression;
mod operation;
mod statement;
mod usage;

use minijinja::machinery::{
    Span,
    ast::{Expr, Stmt},
};

pub(crate) use usage::Use;

use crate::{TemplateError, TemplateErrorKind, limits::MAX_NESTING, names::Names};

/// The parts of a template that the guard has gone through.
pub(crate) struct Guarded<'a> {
    /// What to generate code from.
    pub(crate) statement: Stmt<'a>,
    /// Where variables are used, in the order of the template.
    pub(crate) uses: Vec<Use>,
}

/// Checks a parsed template and puts the counting functions in.
pub(crate) fn guard<'a>(statement: &Stmt<'a>) -> Result<Guarded<'a>, TemplateError> {
    let mut guard = Guard {
        uses: Vec::new(),
        names: Names::new(),
        nesting: 0,
        is_reached: true,
    };
    let statement = guard.statement(statement)?;
    Ok(Guarded {
        statement,
        uses: guard.uses,
    })
}

struct Guard<'a> {
    uses: Vec<Use>,
    names: Names<'a>,
    nesting: usize,
    is_reached: bool,
}

impl<'a> Guard<'a> {
    fn statement(&mut self, statement: &Stmt<'a>) -> Result<Stmt<'a>, TemplateError> {
        self.nest(statement::span(statement))?;
        let guarded = self.statement_here(statement);
        self.nesting -= 1;
        guarded
    }

    fn expression(&mut self, expression: &Expr<'a>) -> Result<Expr<'a>, TemplateError> {
        self.nest(Some(expression.span()))?;
        let guarded = self.expression_here(expression);
        self.nesting -= 1;
        guarded
    }

    fn nest(&mut self, span: Option<Span>) -> Result<(), TemplateError> {
        self.nesting += 1;
        if self.nesting <= MAX_NESTING {
            return Ok(());
        }
        let message = format!("more than {MAX_NESTING} statements and expressions in one another");
        let error = TemplateError::new(TemplateErrorKind::TooMuch, message);
        Err(match span {
            Some(span) => error.at(span),
            None => error,
        })
    }
}

fn known(what: &str, name: &str, exists: bool, span: Span) -> Result<(), TemplateError> {
    if exists {
        Ok(())
    } else {
        Err(syntax_error(
            span,
            format!("there is no {what} named {name}"),
        ))
    }
}

fn syntax_error(span: Span, message: impl Into<String>) -> TemplateError {
    TemplateError::new(TemplateErrorKind::Syntax, message).at(span)
}
