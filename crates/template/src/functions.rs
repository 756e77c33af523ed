//! Functions that a template can call by name.

use std::{fmt, sync::Arc};

use minijinja::{
    Environment, Error, State, Value,
    value::{Enumerator, Object, ObjectRepr, Rest, ValueOrKwargs},
};

#[cfg(feature = "full")]
use crate::filters;
use crate::{
    arguments,
    error::Fault,
    limits,
    python::{access::Places, number},
};

/// The most items of a `range`.
const MAX_ITEMS: i128 = 10_000;

pub(crate) fn exists(name: &str) -> bool {
    #[cfg(feature = "full")]
    if filters::pex::FUNCTIONS.contains(&name) {
        return true;
    }
    name == "range"
}

pub(crate) fn register(environment: &mut Environment) {
    environment.add_function(
        "range",
        |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
            range(state, arguments.into_values())
        },
    );
    #[cfg(feature = "full")]
    for (name, filter) in filters::all().filter(|(name, _)| filters::pex::FUNCTIONS.contains(name))
    {
        environment.add_function(
            name,
            move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
                let mut arguments = arguments.into_values();
                let positional = arguments.first().is_some_and(|first| !first.is_kwargs());
                let value = if positional {
                    arguments.remove(0)
                } else {
                    Value::UNDEFINED
                };
                filter(state, &value, arguments)
            },
        );
    }
}

/// Python's `range`: numbers that are written as such.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    start: i128,
    step: i128,
    count: i128,
    stop: i128,
}

impl Range {
    /// The numbers at these places.
    pub(crate) fn part(&self, places: &Places) -> Self {
        let step = self.step * places.step;
        let start = self.at(places.start);
        Self {
            start,
            step,
            count: places.count,
            stop: start + places.count * step,
        }
    }

    fn at(&self, index: i128) -> i128 {
        self.start + index * self.step
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "range({}, {}", self.start, self.stop)?;
        if self.step != 1 {
            write!(f, ", {}", self.step)?;
        }
        f.write_str(")")
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = number::index(key)?;
        (0..self.count)
            .contains(&index)
            .then(|| number::whole(Some(self.at(index))).ok())
            .flatten()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(usize::try_from(self.count).unwrap_or(0))
    }
}

/// `range(stop)`, `range(start, stop)` and `range(start, stop, step)`, as in Python.
pub(crate) fn range(state: &mut State, arguments: Vec<Value>) -> Result<Value, Error> {
    if arguments.iter().any(Value::is_kwargs) {
        return Err(Fault::operation("range takes no named arguments"));
    }
    let mut numbers = Vec::with_capacity(3);
    for argument in arguments {
        numbers.push(i128::from(arguments::integer(argument)?));
    }
    let (start, stop, step) = match numbers[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => return Err(Fault::operation("range takes one to three whole numbers")),
    };
    if step == 0 {
        return Err(Fault::operation("range cannot go in steps of 0"));
    }
    let distance = if step > 0 { stop - start } else { start - stop };
    let count = if distance > 0 {
        (distance - 1) / step.abs() + 1
    } else {
        0
    };
    if count > MAX_ITEMS {
        return Err(Fault::too_much("a range has more than 10000 items"));
    }
    let range = Value::from_object(Range {
        start,
        step,
        count,
        stop,
    });
    limits::work_on(state, &range)?;
    Ok(range)
}
