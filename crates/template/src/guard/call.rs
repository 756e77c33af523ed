//! Calls, and the arguments of calls, filters and tests.

use minijinja::machinery::ast::{Call, CallArg, Expr, GetAttr, Spanned};

#[cfg(feature = "full")]
use super::operation::counted;
use super::{
    Guard, known,
    operation::{constant_text, variable},
    syntax_error,
};
#[cfg(feature = "full")]
use crate::operators;
use crate::{TemplateError, functions, methods};

/// The function that writes to the log.
const DEBUG_LOG: &str = "pex_debug_log";

/// What can be called of `loop`.
const LOOP_METHODS: [&str; 2] = ["changed", "cycle"];

impl<'a> Guard<'a> {
    pub(super) fn call(&mut self, node: &Spanned<Call<'a>>) -> Result<Expr<'a>, TemplateError> {
        let span = node.span();
        let callee = match &node.expr {
            Expr::Var(function) => {
                known(
                    "function",
                    function.id,
                    functions::exists(function.id),
                    span,
                )?;
                variable(function.id, span)
            }
            // A method; of dictionaries, `get` asks for a field.
            Expr::GetAttr(method) => {
                let exists = methods::exists(method.name) || LOOP_METHODS.contains(&method.name);
                known("method", method.name, exists, span)?;
                let is_given = matches!(node.args.first(), Some(CallArg::Pos(_)));
                if method.name == "cycle" && !is_given {
                    return Err(syntax_error(span, "cycle takes the values to choose from"));
                }
                let field = match node.args.first() {
                    Some(CallArg::Pos(key)) if method.name == "get" => constant_text(key),
                    _ => None,
                };
                Expr::GetAttr(Spanned::new(
                    GetAttr {
                        expr: self.owner(&method.expr, field, span)?,
                        name: method.name,
                    },
                    method.span(),
                ))
            }
            callee => self.expression(callee)?,
        };
        let name = match &node.expr {
            Expr::Var(function) => function.id,
            _ => "",
        };
        Ok(Expr::Call(Spanned::new(
            Call {
                expr: callee,
                args: self.arguments_of(name, &node.args)?,
            },
            span,
        )))
    }

    /// The arguments of what has this name. What goes to the log is described there.
    pub(super) fn arguments_of(
        &mut self,
        name: &str,
        arguments: &[CallArg<'a>],
    ) -> Result<Vec<CallArg<'a>>, TemplateError> {
        if name != DEBUG_LOG {
            return self.arguments(arguments);
        }
        let mut logged = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                CallArg::Pos(value) => {
                    logged.extend(self.logged(name, Some(value))?.map(CallArg::Pos));
                }
                CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => {
                    return Err(syntax_error(
                        value.span(),
                        "pex_debug_log takes plain arguments",
                    ));
                }
            }
        }
        Ok(logged)
    }

    /// What is filtered by the filter of this name.
    pub(super) fn logged(
        &mut self,
        #[cfg_attr(
            not(feature = "full"),
            expect(unused_variables, reason = "there is no log")
        )]
        name: &str,
        expression: Option<&Expr<'a>>,
    ) -> Result<Option<Expr<'a>>, TemplateError> {
        let Some(value) = expression else {
            return Ok(None);
        };
        let guarded = self.expression(value)?;
        #[cfg(feature = "full")]
        if name == DEBUG_LOG && !matches!(value, Expr::Const(_)) {
            return Ok(Some(counted(
                operators::DESCRIBED,
                vec![guarded],
                value.span(),
            )));
        }
        Ok(Some(guarded))
    }

    pub(super) fn arguments(
        &mut self,
        arguments: &[CallArg<'a>],
    ) -> Result<Vec<CallArg<'a>>, TemplateError> {
        let mut guarded = Vec::with_capacity(arguments.len());
        for argument in arguments {
            guarded.push(match argument {
                CallArg::Pos(value) => CallArg::Pos(self.expression(value)?),
                CallArg::Kwarg(name, value) => CallArg::Kwarg(name, self.expression(value)?),
                CallArg::PosSplat(value) => CallArg::PosSplat(self.expression(value)?),
                CallArg::KwargSplat(value) => CallArg::KwargSplat(self.expression(value)?),
            });
        }
        Ok(guarded)
    }
}
