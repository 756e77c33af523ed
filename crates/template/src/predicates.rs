//! What a template can ask with `is`: Jinja2 calls these tests.

use minijinja::{
    Environment, Error, State, Value,
    value::{Rest, ValueKind, ValueOrKwargs},
};

use crate::{
    arguments::{bind, bind_positional, required},
    error::Fault,
    operators::{holds, remainder},
    python::{self, compare::equal, number::Number},
};

/// The names of Jinja2's tests that are available.
const NAMES: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "string",
    "true",
    "undefined",
    "upper",
];

pub(crate) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(crate) fn register(environment: &mut Environment) {
    for name in NAMES {
        environment.add_test(
            *name,
            move |state: &mut State<'_, '_>, value: &Value, arguments: Rest<ValueOrKwargs>| {
                ask(state, name, value, arguments.into_values())
            },
        );
    }
}

/// The answer of the test `name`.
fn ask(state: &mut State, name: &str, value: &Value, arguments: Vec<Value>) -> Result<bool, Error> {
    let comparison = match name {
        "eq" | "equalto" => "==",
        "ne" => "!=",
        "lt" | "lessthan" => "<",
        "le" => "<=",
        "gt" | "greaterthan" => ">",
        "ge" => ">=",
        "in" => "in",
        "divisibleby" => {
            let [divisor] = bind(arguments, ["num"])?;
            return has_rest(state, value, &required(divisor)?, 0);
        }
        _ => {
            let [] = bind(arguments, [])?;
            return ask_alone(state, name, value);
        }
    };
    let [other] = if name == "in" {
        bind(arguments, ["seq"])?
    } else {
        bind_positional(arguments)?
    };
    holds(state, comparison, value, &required(other)?)
}

fn ask_alone(state: &mut State, name: &str, value: &Value) -> Result<bool, Error> {
    Ok(match name {
        "boolean" => value.kind() == ValueKind::Bool,
        "defined" => !value.is_undefined(),
        "even" => has_rest(state, value, &Value::from(2), 0)?,
        "false" => value.kind() == ValueKind::Bool && !value.is_true(),
        "float" => value.kind() == ValueKind::Number && !value.is_integer(),
        "integer" => value.kind() == ValueKind::Number && value.is_integer(),
        "iterable" => python::items(value).is_ok(),
        "lower" => python::is_lower(&python::text(state, value)?),
        "mapping" => value.kind() == ValueKind::Map,
        "none" => value.is_none(),
        "number" => Number::of(value).is_some(),
        "odd" => has_rest(state, value, &Value::from(2), 1)?,
        "sequence" => matches!(
            value.kind(),
            ValueKind::Undefined | ValueKind::String | ValueKind::Seq | ValueKind::Map
        ),
        "string" => value.kind() == ValueKind::String,
        "true" => value.kind() == ValueKind::Bool && value.is_true(),
        "undefined" => value.is_undefined(),
        "upper" => python::is_upper(&python::text(state, value)?),
        _ => return Err(Fault::operation("there is no such test")),
    })
}

/// `value % divisor == rest`
fn has_rest(state: &mut State, value: &Value, divisor: &Value, rest: i64) -> Result<bool, Error> {
    let is = remainder(state, value, divisor)?;
    equal(state, &is, &Value::from(rest))
}
