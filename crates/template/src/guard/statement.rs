//! Statements.

use minijinja::{
    Value,
    machinery::{
        Span,
        ast::{
            self, Const, EmitExpr, Expr, FilterBlock, ForLoop, IfCond, Set, SetBlock, Spanned,
            Stmt, WithBlock,
        },
    },
};

use super::{
    Guard,
    operation::{constant_truth, counted, variable},
    syntax_error,
};
use crate::{TemplateError, operators, source};

impl<'a> Guard<'a> {
    pub(super) fn statement_here(
        &mut self,
        statement: &Stmt<'a>,
    ) -> Result<Stmt<'a>, TemplateError> {
        Ok(match statement {
            Stmt::Template(node) => Stmt::Template(Spanned::new(
                ast::Template {
                    children: self.statements(&node.children)?,
                },
                node.span(),
            )),
            Stmt::EmitExpr(node) => Stmt::EmitExpr(Spanned::new(
                EmitExpr {
                    expr: self.expression(&node.expr)?,
                },
                node.span(),
            )),
            Stmt::EmitRaw(node) => {
                let value = Value::from_safe_string(node.raw.to_owned());
                let expr = Expr::Const(Spanned::new(Const { value }, node.span()));
                Stmt::EmitExpr(Spanned::new(EmitExpr { expr }, node.span()))
            }
            Stmt::ForLoop(node) => {
                if node.recursive {
                    return Err(syntax_error(
                        node.span(),
                        "recursive loops are not available",
                    ));
                }
                let iter = counted(
                    operators::ITERATED,
                    vec![self.expression(&node.iter)?],
                    node.iter.span(),
                );
                self.names.enter();
                let target = self.target(&node.target)?;
                let filter_expr = self.optional(node.filter_expr.as_ref())?;
                self.names.assign("loop");
                let body = self.statements(&node.body)?;
                self.names.leave();
                Stmt::ForLoop(Spanned::new(
                    ForLoop {
                        target,
                        iter,
                        filter_expr,
                        recursive: false,
                        body,
                        else_body: self.scope(&node.else_body, node.span())?,
                    },
                    node.span(),
                ))
            }
            Stmt::IfCond(node) => {
                let truth = constant_truth(&node.expr);
                let expr = self.expression(&node.expr)?;
                self.names.enter();
                let true_body = self.where_reached(truth != Some(false), |guard| {
                    guard.statements(&node.true_body)
                })?;
                let if_true = self.names.leave();
                self.names.enter();
                let false_body = self.where_reached(truth != Some(true), |guard| {
                    guard.statements(&node.false_body)
                })?;
                let if_false = self.names.leave();
                self.names.join(&if_true, &if_false);
                Stmt::IfCond(Spanned::new(
                    IfCond {
                        expr,
                        true_body,
                        false_body,
                    },
                    node.span(),
                ))
            }
            Stmt::WithBlock(node) => {
                let (targets, values): (Vec<_>, Vec<_>) = node
                    .assignments
                    .iter()
                    .map(|(target, value)| (target, value))
                    .unzip();
                let mut items = Vec::with_capacity(values.len());
                for value in values {
                    items.push(self.expression(value)?);
                }
                self.names.enter();
                let mut names = Vec::with_capacity(targets.len());
                for target in targets {
                    names.push(self.target(target)?);
                }
                let body = self.statements(&node.body)?;
                self.names.leave();
                // All at once: no value sees the name before it.
                let assignments = match names.len() {
                    0 | 1 => names.into_iter().zip(items).collect(),
                    _ => vec![(
                        Expr::List(Spanned::new(ast::List { items: names }, node.span())),
                        Expr::Tuple(Spanned::new(ast::Tuple { items }, node.span())),
                    )],
                };
                Stmt::WithBlock(Spanned::new(WithBlock { assignments, body }, node.span()))
            }
            Stmt::Set(node) => {
                let expr = self.expression(&node.expr)?;
                let target = self.target(&node.target)?;
                Stmt::Set(Spanned::new(Set { target, expr }, node.span()))
            }
            Stmt::SetBlock(node) => {
                let body = self.scope(&node.body, node.span())?;
                let filter = self.optional(node.filter.as_ref())?;
                let target = self.target(&node.target)?;
                Stmt::SetBlock(Spanned::new(
                    SetBlock {
                        target,
                        filter,
                        body,
                    },
                    node.span(),
                ))
            }
            Stmt::FilterBlock(node) => {
                let body = self.scope(&node.body, node.span())?;
                Stmt::FilterBlock(Spanned::new(
                    FilterBlock {
                        filter: self.expression(&node.filter)?,
                        body,
                    },
                    node.span(),
                ))
            }
            // Refused before, with their place, when the source was checked.
            _ => return Err(source::unknown_statement()),
        })
    }

    fn statements(&mut self, statements: &[Stmt<'a>]) -> Result<Vec<Stmt<'a>>, TemplateError> {
        statements
            .iter()
            .map(|statement| self.statement(statement))
            .collect()
    }

    /// Statements in a scope of their own, as Jinja2 has it and the engine has not.
    fn scope(
        &mut self,
        statements: &[Stmt<'a>],
        span: Span,
    ) -> Result<Vec<Stmt<'a>>, TemplateError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        self.names.enter();
        let body = self.statements(statements)?;
        self.names.leave();
        let assignments = Vec::new();
        Ok(vec![Stmt::WithBlock(Spanned::new(
            WithBlock { assignments, body },
            span,
        ))])
    }

    /// What `set`, `with` and `for` assign to: names, also several at once.
    fn target(&mut self, target: &Expr<'a>) -> Result<Expr<'a>, TemplateError> {
        match target {
            Expr::Var(node) => {
                self.names.assign(node.id);
                Ok(variable(node.id, node.span()))
            }
            Expr::List(node) => {
                let items = node
                    .items
                    .iter()
                    .map(|item| self.target(item))
                    .collect::<Result<_, _>>()?;
                Ok(Expr::List(Spanned::new(ast::List { items }, node.span())))
            }
            other => Err(syntax_error(other.span(), "only names can be assigned to")),
        }
    }
}

/// Where a statement stands.
pub(super) fn span(statement: &Stmt) -> Option<Span> {
    Some(match statement {
        Stmt::Template(node) => node.span(),
        Stmt::EmitExpr(node) => node.span(),
        Stmt::EmitRaw(node) => node.span(),
        Stmt::ForLoop(node) => node.span(),
        Stmt::IfCond(node) => node.span(),
        Stmt::WithBlock(node) => node.span(),
        Stmt::Set(node) => node.span(),
        Stmt::SetBlock(node) => node.span(),
        Stmt::FilterBlock(node) => node.span(),
        _ => return None,
    })
}
