//! Operators, which become calls of counting functions.

use minijinja::{
    Value,
    machinery::{
        Span,
        ast::{BinOp, BinOpKind, Call, CallArg, Const, Expr, Spanned, UnaryOpKind, Var},
    },
};

use super::Guard;
use crate::{TemplateError, operators};

impl<'a> Guard<'a> {
    pub(super) fn binary(&mut self, node: &Spanned<BinOp<'a>>) -> Result<Expr<'a>, TemplateError> {
        let left = self.expression(&node.left)?;
        let right = self.expression(&node.right)?;
        let function = match node.op {
            BinOpKind::Add => operators::ADD,
            BinOpKind::Sub => operators::SUBTRACT,
            BinOpKind::Mul => operators::MULTIPLY,
            BinOpKind::Div => operators::DIVIDE,
            BinOpKind::FloorDiv => operators::FLOOR_DIVIDE,
            BinOpKind::Rem => operators::REMAINDER,
            BinOpKind::Pow => operators::POWER,
            BinOpKind::Concat => operators::CONCATENATE,
            op @ (BinOpKind::ScAnd | BinOpKind::ScOr) => {
                return Ok(Expr::BinOp(Spanned::new(
                    BinOp { op, left, right },
                    node.span(),
                )));
            }
            BinOpKind::Eq => return Ok(compared(&["=="], vec![left, right], node.span())),
            BinOpKind::Ne => return Ok(compared(&["!="], vec![left, right], node.span())),
            BinOpKind::Lt => return Ok(compared(&["<"], vec![left, right], node.span())),
            BinOpKind::Lte => return Ok(compared(&["<="], vec![left, right], node.span())),
            BinOpKind::Gt => return Ok(compared(&[">"], vec![left, right], node.span())),
            BinOpKind::Gte => return Ok(compared(&[">="], vec![left, right], node.span())),
            BinOpKind::In => return Ok(compared(&["in"], vec![left, right], node.span())),
        };
        Ok(counted(function, vec![left, right], node.span()))
    }
}

pub(super) fn constant_text<'e>(expression: &'e Expr<'_>) -> Option<&'e str> {
    match expression {
        Expr::Const(node) => node.value.as_str(),
        _ => None,
    }
}

/// Whether an expression is true, where that does not depend on any value.
pub(super) fn constant_truth(expression: &Expr<'_>) -> Option<bool> {
    match expression {
        Expr::Const(node) => Some(node.value.is_true()),
        Expr::UnaryOp(node) if matches!(node.op, UnaryOpKind::Not) => {
            constant_truth(&node.expr).map(|truth| !truth)
        }
        _ => None,
    }
}

pub(super) fn constant<'a>(value: Value, span: Span) -> Expr<'a> {
    Expr::Const(Spanned::new(Const { value }, span))
}

/// Each operator stands between an operand and the next.
pub(super) fn compared<'a>(names: &[&str], mut operands: Vec<Expr<'a>>, span: Span) -> Expr<'a> {
    let names: Value = names.iter().copied().collect();
    operands.insert(0, constant(names, span));
    counted(operators::COMPARE, operands, span)
}

pub(super) fn variable(id: &str, span: Span) -> Expr<'_> {
    Expr::Var(Spanned::new(Var { id }, span))
}

pub(super) fn counted<'a>(function: &'static str, operands: Vec<Expr<'a>>, span: Span) -> Expr<'a> {
    let args = operands.into_iter().map(CallArg::Pos).collect();
    Expr::Call(Spanned::new(
        Call {
            expr: variable(function, span),
            args,
        },
        span,
    ))
}
