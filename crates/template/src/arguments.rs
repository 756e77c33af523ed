//! Arguments of filters and functions, by position or by name, as in Python.

use minijinja::{Error, Value, value::Kwargs};

use crate::{error::Fault, python::number};

/// Puts the arguments of a call in the order of `names`.
pub(crate) fn bind<const N: usize>(
    arguments: Vec<Value>,
    names: [&str; N],
) -> Result<[Option<Value>; N], Error> {
    let mut bound = [const { None }; N];
    let mut position = 0;
    for argument in arguments {
        if argument.is_kwargs() {
            let named = Kwargs::try_from(argument)?;
            for name in named.args() {
                let index = names
                    .iter()
                    .position(|known| *known == name)
                    .filter(|index| bound[*index].is_none())
                    .ok_or_else(|| {
                        Fault::operation("an argument is named that there is not, or given twice")
                    })?;
                bound[index] = Some(named.peek(name)?);
            }
        } else {
            *bound
                .get_mut(position)
                .ok_or_else(|| Fault::operation("too many arguments"))? = Some(argument);
            position += 1;
        }
    }
    Ok(bound)
}

/// Puts the arguments of a call in order, of which none can be named.
pub(crate) fn bind_positional<const N: usize>(
    arguments: Vec<Value>,
) -> Result<[Option<Value>; N], Error> {
    if arguments.iter().any(Value::is_kwargs) {
        return Err(Fault::operation("it takes no arguments by name"));
    }
    bind(arguments, [""; N])
}

/// An argument that must be there.
pub(crate) fn required(argument: Option<Value>) -> Result<Value, Error> {
    argument.ok_or_else(|| Fault::operation("an argument is missing"))
}

/// An argument that may be missing or `none`.
pub(crate) fn given(argument: Option<Value>) -> Option<Value> {
    argument.filter(|argument| !argument.is_none())
}

/// An argument that must be a whole number. One beyond 64 bits is taken as the largest
/// there is.
#[expect(
    clippy::needless_pass_by_value,
    reason = "used to map optional arguments"
)]
pub(crate) fn integer(argument: Value) -> Result<i64, Error> {
    if argument.is_undefined() {
        return Err(Fault::undefined());
    }
    let number = number::index(&argument)
        .ok_or_else(|| Fault::operation("an argument must be a whole number"))?;
    Ok(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
}

/// An argument that must be a text.
pub(crate) fn text(argument: &Value) -> Result<&str, Error> {
    argument
        .as_str()
        .ok_or_else(|| Fault::operation("an argument must be a text"))
}
