//! Arguments of filters and functions, by position or by name, as in Python.

use minijinja::{Error, Value, value::Kwargs};

use crate::error::Fault;

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

/// An argument that must be a whole number.
pub(crate) fn integer(argument: Value) -> Result<i64, Error> {
    i64::try_from(argument).map_err(|_| Fault::operation("an argument must be a whole number"))
}

/// An argument that must be a text.
pub(crate) fn text(argument: &Value) -> Result<&str, Error> {
    argument
        .as_str()
        .ok_or_else(|| Fault::operation("an argument must be a text"))
}
