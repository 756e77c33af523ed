//! Functions that a template can call by name.

use minijinja::{
    Environment, Error, State, Value,
    value::{Rest, ValueOrKwargs},
};

use crate::{arguments, error::Fault, limits};

/// The most items of a `range`.
const MAX_ITEMS: i64 = 10_000;

pub(crate) fn exists(name: &str) -> bool {
    name == "range"
}

pub(crate) fn register(environment: &mut Environment) {
    environment.add_function(
        "range",
        |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
            range(state, arguments.into_values())
        },
    );
}

/// `range(stop)`, `range(start, stop)` and `range(start, stop, step)`, as in Python.
pub(crate) fn range(state: &mut State, arguments: Vec<Value>) -> Result<Value, Error> {
    let bound = arguments::bind(arguments, ["start", "stop", "step"])?;
    let mut numbers = [None; 3];
    for (number, argument) in numbers.iter_mut().zip(bound) {
        *number = argument.map(arguments::integer).transpose()?;
    }
    let (start, stop, step) = match numbers {
        [Some(stop), None, None] => (0, stop, 1),
        [Some(start), Some(stop), step] => (start, stop, step.unwrap_or(1)),
        _ => return Err(Fault::operation("range takes one to three whole numbers")),
    };
    let span = stop.saturating_sub(start).saturating_add(if step > 0 {
        step - 1
    } else {
        step.saturating_add(1)
    });
    let count = span
        .checked_div(step)
        .ok_or_else(|| Fault::operation("range cannot go in steps of 0"))?
        .max(0);
    if count > MAX_ITEMS {
        return Err(Fault::too_much("a range has more than 10000 items"));
    }
    let range = Value::from_iter((0..count).map(|index| start + index * step));
    limits::work_on(state, &range)?;
    Ok(range)
}
