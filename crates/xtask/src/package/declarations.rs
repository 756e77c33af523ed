//! TypeScript declarations: what wasm-bindgen writes, with the error codes by name.

use anyhow::{Result, ensure};
use vestibule_launch::ErrorName;

/// How `LaunchError` declares its code as wasm-bindgen writes it.
const CODE: &str = "code: string;";
/// The server's failures that come to the browser all the same: the launch API answers
/// them to a page that takes a launch up again.
const ANSWERED: [ErrorName; 3] = [
    ErrorName::LaunchRequestInvalid,
    ErrorName::LaunchUsed,
    ErrorName::RateLimited,
];

/// The declarations of a module as the package has them. Refused where the type `any`
/// would let everything through.
pub(super) fn checked(api: &str) -> Result<String> {
    let mut text = api.to_owned();
    if text.contains("interface LaunchError") {
        ensure!(
            text.matches(CODE).count() == 1,
            "the declarations do not have one `{CODE}`"
        );
        let names = ErrorName::ALL
            .iter()
            .filter(|name| name.from_browser() || ANSWERED.contains(name))
            .map(|name| name.as_str());
        text = text.replace(CODE, "code: ErrorCode;");
        text.push_str(&format!(
            "\n/** What can go wrong in the browser: docs/reference/errors.md has a sentence on each. */\n\
             export type ErrorCode = {};\n",
            union(names)
        ));
    }
    ensure!(!has_any_type(&text), "a declaration has the type `any`");
    Ok(text)
}

/// A union of string literals.
pub(super) fn union<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|name| format!("\n  | \"{name}\""))
        .collect::<String>()
}

/// Whether the type `any` stands outside of comments.
fn has_any_type(text: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/']))
        .flat_map(|line| line.split(|character: char| !character.is_alphanumeric()))
        .any(|word| word == "any")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_browser() {
        let text = checked("export interface LaunchError extends Error {\n    code: string;\n}\n")
            .unwrap();
        assert!(text.contains("code: ErrorCode;"));
        for name in ["launch_ticket_invalid", "launch_used", "session_lost"] {
            assert!(text.contains(&format!("| \"{name}\"")), "{text}");
        }
        assert!(!text.contains("ehr_timeout"), "{text}");
        assert!(checked("export interface LaunchError {}\n").is_err());
    }

    #[test]
    fn what_lets_everything_through_is_refused() {
        assert!(checked("export function a(b: any): void;\n").is_err());
        assert!(checked("/** Of any kind. */\nexport function many(): void;\n").is_ok());
    }
}
