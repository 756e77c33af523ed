//! The filter `format`, and the operator `%` of texts.

use minijinja::{
    Error, State, Value,
    formatting::{self, FormatStyle},
    value::ValueKind,
};

use crate::{error::Fault, limits};

/// The widest field and the most decimal places.
const MAX_WIDTH: usize = 4_096;

/// `format(...)`: the text is a pattern such as `%s: %05.2f`.
pub(super) fn format(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let pattern = value
        .as_str()
        .ok_or_else(|| Fault::operation("format takes a text"))?;
    if arguments.len() > 1 && arguments.iter().any(Value::is_kwargs) {
        return Err(Fault::operation(
            "format takes arguments by position or by name, not both",
        ));
    }
    printf(state, pattern, arguments)
}

/// Formats `arguments` after `pattern`, as Python's `%` does.
pub(crate) fn printf(
    state: &mut State,
    pattern: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    limits::work(state, pattern.len())?;
    for argument in &arguments {
        limits::work_on(state, argument)?;
    }
    let names = match &arguments[..] {
        [names] if names.kind() == ValueKind::Map => Some(names.clone()),
        _ => None,
    };
    let mut positions = arguments.into_iter();
    let mut formatted = String::new();
    let mut rest = pattern;
    while let Some((before, field)) = rest.split_once('%') {
        formatted.push_str(before);
        let field = Field::parse(field)?;
        rest = field.after;
        if field.conversion == '%' {
            formatted.push('%');
            continue;
        }
        let argument = match (field.name, &names) {
            (Some(name), Some(names)) => {
                Some(names.get_item(&Value::from(name))?).filter(|value| !value.is_undefined())
            }
            (Some(_), None) => None,
            (None, _) => positions.next(),
        };
        let argument =
            argument.ok_or_else(|| Fault::operation("a format has more fields than arguments"))?;
        let text = field.format(&argument)?;
        limits::work(state, text.len())?;
        formatted.push_str(&text);
    }
    formatted.push_str(rest);
    if names.is_none() && positions.next().is_some() {
        return Err(Fault::operation("a format has fewer fields than arguments"));
    }
    Ok(Value::from(formatted))
}

/// One field of a pattern, such as `%(name)-5.2s`.
struct Field<'a> {
    name: Option<&'a str>,
    /// Flags, width and precision.
    specification: &'a str,
    conversion: char,
    /// The pattern after the field.
    after: &'a str,
}

impl<'a> Field<'a> {
    /// Reads what stands after a `%`.
    fn parse(field: &'a str) -> Result<Self, Error> {
        let broken = || Fault::operation("a format ends in the middle");
        let (name, field) = match field.strip_prefix('(') {
            Some(named) => {
                let (name, field) = named.split_once(')').ok_or_else(broken)?;
                (Some(name), field)
            }
            None => (None, field),
        };
        let end = field
            .find(|c: char| !(c.is_ascii_digit() || "#- +.*".contains(c)))
            .ok_or_else(broken)?;
        let (specification, after) = field.split_at(end);
        let mut after = after.chars();
        let conversion = after.next().ok_or_else(broken)?;
        Ok(Self {
            name,
            specification,
            conversion,
            after: after.as_str(),
        })
    }

    fn format(&self, argument: &Value) -> Result<String, Error> {
        check_width(self.specification)?;
        let (conversion, argument) = match self.conversion {
            's' => return self.padded(&argument.to_string()),
            'r' => return self.padded(&format!("{argument:?}")),
            'd' | 'i' | 'u' if argument.is_number() && !argument.is_integer() => {
                ('d', truncated(argument)?)
            }
            'd' | 'i' | 'u' => ('d', argument.clone()),
            other => (other, argument.clone()),
        };
        formatting::format(
            FormatStyle::Printf,
            &format!("%{}{conversion}", self.specification),
            &[argument],
        )
        .map_err(|_| Fault::operation("the format does not fit its arguments"))
    }

    /// A text, cut to the precision and filled up to the width, in characters.
    fn padded(&self, text: &str) -> Result<String, Error> {
        let left = self.specification.contains('-');
        let numbers = self
            .specification
            .trim_start_matches(['#', '0', '-', ' ', '+']);
        let (width, precision) = numbers
            .split_once('.')
            .map_or((numbers, None), |(width, p)| (width, Some(p)));
        let number = |digits: &str| match digits {
            "" => Ok(0),
            digits => digits
                .parse::<usize>()
                .map_err(|_| Fault::operation("a format has a broken width")),
        };
        let (width, precision) = (number(width)?, precision.map(number).transpose()?);
        let text: String = text.chars().take(precision.unwrap_or(usize::MAX)).collect();
        let fill = " ".repeat(width.saturating_sub(text.chars().count()));
        Ok(if left { text + &fill } else { fill + &text })
    }
}

/// Refuses too large numbers for width and precision.
fn check_width(specification: &str) -> Result<(), Error> {
    if specification.contains('*') {
        return Err(Fault::operation(
            "a format cannot take its width from an argument",
        ));
    }
    for number in specification
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| !number.is_empty())
    {
        if !number
            .parse::<usize>()
            .is_ok_and(|number| number <= MAX_WIDTH)
        {
            return Err(Fault::too_much("a format asks for too wide a field"));
        }
    }
    Ok(())
}

fn truncated(number: &Value) -> Result<Value, Error> {
    let number = f64::try_from(number.clone())?;
    if number.abs() < 1e38 {
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        return Ok(Value::from(number.trunc() as i128));
    }
    Err(Fault::operation("a number is too large"))
}
