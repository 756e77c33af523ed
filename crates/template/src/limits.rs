//! What a template may cost. Together these bound time and memory: every step
//! costs fuel, and everything that makes a value longer is counted.

use minijinja::{Error, State, Value, value::ValueKind};

use crate::error::Fault;

/// The longest template, in characters: what a Pexip telehealth profile takes.
pub const MAX_SOURCE_CHARS: usize = 12_288;
/// The most tokens between one pair of `{{ }}` or `{% %}`.
pub const MAX_TAG_TOKENS: usize = 1_000;
/// The most brackets in one another in an expression.
pub const MAX_BRACKETS: usize = 30;
/// The most `-` and `not` in one tag.
pub const MAX_PREFIXES: usize = 50;
/// The most `elif` in a template.
pub const MAX_BRANCHES: usize = 80;
/// The most statements and expressions in one another; a chain of filters or
/// operators counts one for each. Keeps a template on a small stack.
pub const MAX_NESTING: usize = 100;
/// The most steps of a rendering.
pub const MAX_STEPS: u64 = 20_000;
/// The most bytes that a rendering writes; text captured on the way counts too.
pub const MAX_OUTPUT_BYTES: usize = 256 * 1024;
/// The most bytes that operators, filters and methods read and make in a rendering.
pub const MAX_WORK_BYTES: usize = 4 * 1024 * 1024;

/// What the value itself costs, besides its text.
const VALUE_BYTES: usize = 16;

/// What a rendering has used so far.
#[derive(Default)]
struct Used {
    output: usize,
    work: usize,
}

/// Counts `bytes` of work; to be called before they are spent where possible.
pub(crate) fn work(state: &mut State, bytes: usize) -> Result<(), Error> {
    let used = state.get_or_insert_extension(Used::default());
    used.work = used.work.saturating_add(bytes);
    if used.work > MAX_WORK_BYTES {
        return Err(Fault::too_much("the template works on too much text"));
    }
    Ok(())
}

/// Counts the work of going through `value` with all that is in it.
pub(crate) fn work_on(state: &mut State, value: &Value) -> Result<(), Error> {
    work(state, VALUE_BYTES)?;
    match value.kind() {
        ValueKind::String => work(state, value.as_str().map_or(0, str::len)),
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()?.checked() {
                work_on(state, &item?)?;
            }
            Ok(())
        }
        ValueKind::Map => {
            for key in value.try_iter()?.checked() {
                let key = key?;
                work_on(state, &key)?;
                work_on(state, &value.get_item(&key)?)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// How many bytes may still be written.
pub(crate) fn output_left(state: &mut State) -> usize {
    MAX_OUTPUT_BYTES - state.get_or_insert_extension(Used::default()).output
}

/// Counts `bytes` of output.
pub(crate) fn output(state: &mut State, bytes: usize) -> Result<(), Error> {
    let left = output_left(state);
    if bytes > left {
        return Err(output_spent());
    }
    state.get_or_insert_extension(Used::default()).output += bytes;
    Ok(())
}

/// The error of a rendering that writes too much.
pub(crate) fn output_spent() -> Error {
    Fault::too_much("the template writes more than 256 KiB")
}
