//! Between parser and code generator: checks what a template uses, and puts a
//! counting function in the place of every construct that makes values longer.
//!
//! The engine counts steps, but one step can make a value of any size: joining a
//! text with itself 40 times is 40 steps and a terabyte. So `~ + * %`, literals
//! of lists and slices become calls of the functions of [`operators`], whose names no
//! template can write, and raw text becomes a constant, which the formatter
//! counts. Without macros, recursion and assignments that outlive a loop's turn
//! there is no other way to grow.

use std::collections::BTreeSet;

use minijinja::{
    Value,
    machinery::{
        Span,
        ast::{
            self, BinOp, BinOpKind, Call, CallArg, Compare, CompareOp, Const, EmitExpr, Expr,
            Filter, FilterBlock, ForLoop, GetAttr, GetItem, IfCond, IfExpr, Set, SetBlock, Slice,
            Spanned, Stmt, Test, UnaryOp, UnaryOpKind, Var, WithBlock,
        },
    },
};

use crate::{
    TemplateError, TemplateErrorKind, filters, functions, limits::MAX_NESTING, operators,
    predicates,
};

/// The parts of a template that the guard has gone through.
pub(crate) struct Guarded<'a> {
    /// What to generate code from.
    pub(crate) statement: Stmt<'a>,
    /// Names of the variables used.
    pub(crate) variables: BTreeSet<String>,
}

/// Checks a parsed template and puts the counting functions in.
pub(crate) fn guard<'a>(statement: &Stmt<'a>) -> Result<Guarded<'a>, TemplateError> {
    let mut guard = Guard {
        variables: BTreeSet::new(),
        nesting: 0,
    };
    let statement = guard.statement(statement)?;
    Ok(Guarded {
        statement,
        variables: guard.variables,
    })
}

struct Guard {
    variables: BTreeSet<String>,
    nesting: usize,
}

impl Guard {
    fn statement<'a>(&mut self, statement: &Stmt<'a>) -> Result<Stmt<'a>, TemplateError> {
        self.nest(None)?;
        let guarded = self.statement_here(statement);
        self.nesting -= 1;
        guarded
    }

    fn expression<'a>(&mut self, expression: &Expr<'a>) -> Result<Expr<'a>, TemplateError> {
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
        let line = span.map(|span| usize::from(span.start_line));
        Err(TemplateError {
            line,
            ..TemplateError::new(TemplateErrorKind::TooMuch, message)
        })
    }

    fn statement_here<'a>(&mut self, statement: &Stmt<'a>) -> Result<Stmt<'a>, TemplateError> {
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
                Stmt::ForLoop(Spanned::new(
                    ForLoop {
                        target: self.target(&node.target)?,
                        iter: counted(
                            operators::ITERATED,
                            vec![self.expression(&node.iter)?],
                            node.iter.span(),
                        ),
                        filter_expr: self.optional(node.filter_expr.as_ref())?,
                        recursive: false,
                        body: self.statements(&node.body)?,
                        else_body: self.statements(&node.else_body)?,
                    },
                    node.span(),
                ))
            }
            Stmt::IfCond(node) => Stmt::IfCond(Spanned::new(
                IfCond {
                    expr: self.expression(&node.expr)?,
                    true_body: self.statements(&node.true_body)?,
                    false_body: self.statements(&node.false_body)?,
                },
                node.span(),
            )),
            Stmt::WithBlock(node) => {
                let mut assignments = Vec::with_capacity(node.assignments.len());
                for (target, value) in &node.assignments {
                    assignments.push((self.target(target)?, self.expression(value)?));
                }
                let body = self.statements(&node.body)?;
                Stmt::WithBlock(Spanned::new(WithBlock { assignments, body }, node.span()))
            }
            Stmt::Set(node) => Stmt::Set(Spanned::new(
                Set {
                    target: self.target(&node.target)?,
                    expr: self.expression(&node.expr)?,
                },
                node.span(),
            )),
            Stmt::SetBlock(node) => Stmt::SetBlock(Spanned::new(
                SetBlock {
                    target: self.target(&node.target)?,
                    filter: self.optional(node.filter.as_ref())?,
                    body: self.statements(&node.body)?,
                },
                node.span(),
            )),
            Stmt::FilterBlock(node) => Stmt::FilterBlock(Spanned::new(
                FilterBlock {
                    filter: self.expression(&node.filter)?,
                    body: self.statements(&node.body)?,
                },
                node.span(),
            )),
            // `autoescape` would undo the escaping. Which others exist depends on
            // the features that other packages of a build switch on in the engine.
            _ => {
                let message = "only if, for, set, with, filter and raw are available as statements";
                return Err(TemplateError::new(TemplateErrorKind::Syntax, message));
            }
        })
    }

    fn statements<'a>(&mut self, statements: &[Stmt<'a>]) -> Result<Vec<Stmt<'a>>, TemplateError> {
        statements
            .iter()
            .map(|statement| self.statement(statement))
            .collect()
    }

    fn expression_here<'a>(&mut self, expression: &Expr<'a>) -> Result<Expr<'a>, TemplateError> {
        let span = expression.span();
        Ok(match expression {
            Expr::Var(node) => {
                self.variables.insert(node.id.to_owned());
                variable(node.id, span)
            }
            Expr::Const(node) => Expr::Const(Spanned::new(
                Const {
                    value: node.value.clone(),
                },
                span,
            )),
            Expr::Slice(node) => {
                let slice = Slice {
                    expr: self.expression(&node.expr)?,
                    start: self.optional(node.start.as_ref())?,
                    stop: self.optional(node.stop.as_ref())?,
                    step: self.optional(node.step.as_ref())?,
                };
                counted(
                    operators::MADE,
                    vec![Expr::Slice(Spanned::new(slice, span))],
                    span,
                )
            }
            Expr::UnaryOp(node) => {
                let negates = matches!(node.op, UnaryOpKind::Neg);
                let op = if negates {
                    UnaryOpKind::Neg
                } else {
                    UnaryOpKind::Not
                };
                Expr::UnaryOp(Spanned::new(
                    UnaryOp {
                        op,
                        expr: self.expression(&node.expr)?,
                    },
                    span,
                ))
            }
            Expr::BinOp(node) => self.binary(node)?,
            Expr::Compare(node) => {
                let mut ops = Vec::with_capacity(node.ops.len());
                for op in &node.ops {
                    ops.push(CompareOp {
                        op: op.op,
                        expr: self.expression(&op.expr)?,
                    });
                }
                Expr::Compare(Spanned::new(
                    Compare {
                        expr: self.expression(&node.expr)?,
                        ops,
                    },
                    span,
                ))
            }
            Expr::IfExpr(node) => Expr::IfExpr(Spanned::new(
                IfExpr {
                    test_expr: self.expression(&node.test_expr)?,
                    true_expr: self.expression(&node.true_expr)?,
                    false_expr: self.optional(node.false_expr.as_ref())?,
                },
                span,
            )),
            Expr::Filter(node) => {
                known("filter", node.name, filters::exists(node.name), span)?;
                Expr::Filter(Spanned::new(
                    Filter {
                        name: node.name,
                        expr: self.optional(node.expr.as_ref())?,
                        args: self.arguments(&node.args)?,
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
            Expr::GetAttr(node) => Expr::GetAttr(Spanned::new(
                GetAttr {
                    expr: self.expression(&node.expr)?,
                    name: node.name,
                },
                span,
            )),
            Expr::GetItem(node) => Expr::GetItem(Spanned::new(
                GetItem {
                    expr: self.expression(&node.expr)?,
                    subscript_expr: self.expression(&node.subscript_expr)?,
                },
                span,
            )),
            Expr::Call(node) => {
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
                    callee => self.expression(callee)?,
                };
                Expr::Call(Spanned::new(
                    Call {
                        expr: callee,
                        args: self.arguments(&node.args)?,
                    },
                    span,
                ))
            }
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
                let keys = self.expressions(&node.keys)?;
                let values = self.expressions(&node.values)?;
                counted(
                    operators::MADE,
                    vec![Expr::Map(Spanned::new(ast::Map { keys, values }, span))],
                    span,
                )
            }
        })
    }

    fn binary<'a>(&mut self, node: &Spanned<BinOp<'a>>) -> Result<Expr<'a>, TemplateError> {
        let left = self.expression(&node.left)?;
        let right = self.expression(&node.right)?;
        let function = match node.op {
            BinOpKind::Add => operators::ADD,
            BinOpKind::Mul => operators::MULTIPLY,
            BinOpKind::Rem => operators::REMAINDER,
            BinOpKind::Concat => operators::CONCATENATE,
            op => {
                return Ok(Expr::BinOp(Spanned::new(
                    BinOp { op, left, right },
                    node.span(),
                )));
            }
        };
        Ok(counted(function, vec![left, right], node.span()))
    }

    /// What `set`, `with` and `for` assign to: names, also several at once.
    fn target<'a>(&mut self, target: &Expr<'a>) -> Result<Expr<'a>, TemplateError> {
        match target {
            Expr::Var(node) => Ok(variable(node.id, node.span())),
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

    fn optional<'a>(
        &mut self,
        expression: Option<&Expr<'a>>,
    ) -> Result<Option<Expr<'a>>, TemplateError> {
        expression
            .map(|expression| self.expression(expression))
            .transpose()
    }

    fn expressions<'a>(
        &mut self,
        expressions: &[Expr<'a>],
    ) -> Result<Vec<Expr<'a>>, TemplateError> {
        expressions
            .iter()
            .map(|expression| self.expression(expression))
            .collect()
    }

    fn arguments<'a>(
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

fn variable(id: &str, span: Span) -> Expr<'_> {
    Expr::Var(Spanned::new(Var { id }, span))
}

fn counted<'a>(function: &'static str, operands: Vec<Expr<'a>>, span: Span) -> Expr<'a> {
    let args = operands.into_iter().map(CallArg::Pos).collect();
    Expr::Call(Spanned::new(
        Call {
            expr: variable(function, span),
            args,
        },
        span,
    ))
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
    TemplateError {
        line: Some(usize::from(span.start_line)),
        column: Some(usize::from(span.start_col) + 1),
        ..TemplateError::new(TemplateErrorKind::Syntax, message)
    }
}
