//! Expressions.

use minijinja::{
    Value,
    machinery::{
        Span,
        ast::{
            self, CompareOpKind, Const, Expr, Filter, IfExpr, Spanned, Test, UnaryOp, UnaryOpKind,
        },
    },
};

use super::{
    Guard, known,
    operation::{compared, constant, constant_text, constant_truth, counted, variable},
    syntax_error,
};
use crate::{TemplateError, filters, functions, names::Assigned, operators, predicates};

impl<'a> Guard<'a> {
    pub(super) fn expression_here(
        &mut self,
        expression: &Expr<'a>,
    ) -> Result<Expr<'a>, TemplateError> {
        let span = expression.span();
        Ok(match expression {
            Expr::Var(node) => {
                let is_taken = node.id == "self" || functions::exists(node.id);
                if is_taken && self.names.assigned(node.id) == Assigned::Never {
                    let message = format!("{} is no variable", node.id);
                    return Err(syntax_error(span, message));
                }
                self.uses(node.id, None, span);
                variable(node.id, span)
            }
            Expr::Const(node) => Expr::Const(Spanned::new(
                Const {
                    value: node.value.clone(),
                },
                span,
            )),
            Expr::Slice(node) => {
                let mut operands = vec![self.expression(&node.expr)?];
                for bound in [&node.start, &node.stop, &node.step] {
                    operands.push(match bound {
                        Some(bound) => self.expression(bound)?,
                        None => constant(Value::from(()), span),
                    });
                }
                counted(operators::SLICE, operands, span)
            }
            Expr::UnaryOp(node) => {
                let expr = self.expression(&node.expr)?;
                match node.op {
                    UnaryOpKind::Neg => counted(operators::NEGATE, vec![expr], span),
                    UnaryOpKind::Not => {
                        let op = UnaryOpKind::Not;
                        Expr::UnaryOp(Spanned::new(UnaryOp { op, expr }, span))
                    }
                }
            }
            Expr::BinOp(node) => self.binary(node)?,
            Expr::Compare(node) => {
                let mut operands = vec![self.expression(&node.expr)?];
                let mut names = Vec::with_capacity(node.ops.len());
                for op in &node.ops {
                    operands.push(self.expression(&op.expr)?);
                    names.push(match op.op {
                        CompareOpKind::Eq => "==",
                        CompareOpKind::Ne => "!=",
                        CompareOpKind::Lt => "<",
                        CompareOpKind::Lte => "<=",
                        CompareOpKind::Gt => ">",
                        CompareOpKind::Gte => ">=",
                        CompareOpKind::In => "in",
                        CompareOpKind::NotIn => "not in",
                    });
                }
                compared(&names, operands, span)
            }
            Expr::IfExpr(node) => {
                let truth = constant_truth(&node.test_expr);
                Expr::IfExpr(Spanned::new(
                    IfExpr {
                        test_expr: self.expression(&node.test_expr)?,
                        true_expr: self.where_reached(truth != Some(false), |guard| {
                            guard.expression(&node.true_expr)
                        })?,
                        false_expr: self.where_reached(truth != Some(true), |guard| {
                            guard.optional(node.false_expr.as_ref())
                        })?,
                    },
                    span,
                ))
            }
            Expr::Filter(node) => {
                known("filter", node.name, filters::exists(node.name), span)?;
                Expr::Filter(Spanned::new(
                    Filter {
                        name: node.name,
                        expr: self.logged(node.name, node.expr.as_ref())?,
                        args: self.arguments_of(node.name, &node.args)?,
                    },
                    span,
                ))
            }
            Expr::Test(node) => {
                known("test", node.name, predicates::exists(node.name), span)?;
                Expr::Test(Spanned::new(
                    Test {
                        name: node.name,
                        expr: self.expression(&node.expr)?,
                        args: self.arguments(&node.args)?,
                    },
                    span,
                ))
            }
            Expr::GetAttr(node) => {
                let owner = self.owner(&node.expr, Some(node.name), span)?;
                let name = constant(Value::from(node.name), span);
                counted(operators::ATTRIBUTE, vec![owner, name], span)
            }
            Expr::GetItem(node) => {
                let field = constant_text(&node.subscript_expr);
                let owner = self.owner(&node.expr, field, span)?;
                let item = self.expression(&node.subscript_expr)?;
                counted(operators::ITEM, vec![owner, item], span)
            }
            Expr::Call(node) => self.call(node)?,
            Expr::List(node) => {
                let items = self.expressions(&node.items)?;
                counted(
                    operators::MADE,
                    vec![Expr::List(Spanned::new(ast::List { items }, span))],
                    span,
                )
            }
            Expr::Tuple(node) => {
                let items = self.expressions(&node.items)?;
                counted(
                    operators::MADE,
                    vec![Expr::Tuple(Spanned::new(ast::Tuple { items }, span))],
                    span,
                )
            }
            Expr::Map(node) => {
                let mut entries = Vec::with_capacity(node.keys.len() * 2);
                for (key, value) in node.keys.iter().zip(&node.values) {
                    entries.push(self.expression(key)?);
                    entries.push(self.expression(value)?);
                }
                counted(operators::DICTIONARY, entries, span)
            }
        })
    }

    /// What a field or an entry is asked of.
    pub(super) fn owner(
        &mut self,
        owner: &Expr<'a>,
        field: Option<&str>,
        span: Span,
    ) -> Result<Expr<'a>, TemplateError> {
        match (owner, field) {
            (Expr::Var(node), Some(field)) => {
                self.uses(node.id, Some(field), span);
                Ok(variable(node.id, node.span()))
            }
            _ => self.expression(owner),
        }
    }

    pub(super) fn optional(
        &mut self,
        expression: Option<&Expr<'a>>,
    ) -> Result<Option<Expr<'a>>, TemplateError> {
        expression
            .map(|expression| self.expression(expression))
            .transpose()
    }

    pub(super) fn expressions(
        &mut self,
        expressions: &[Expr<'a>],
    ) -> Result<Vec<Expr<'a>>, TemplateError> {
        expressions
            .iter()
            .map(|expression| self.expression(expression))
            .collect()
    }
}
