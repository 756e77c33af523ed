//! Tables as CSV (RFC 4180): fields in quotes where they need them, lines ended by CR
//! LF, UTF-8. A text that a spreadsheet would take for a formula gets an apostrophe
//! before it, and so does one that would be a formula in a cell of its own where `;` or a
//! tab separates cells.

use std::fmt::Write as _;

/// With which a formula begins.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// With which a text begins that becomes a formula when it is trimmed.
const CONTROL: [char; 3] = ['\t', '\r', '\n'];

/// A table that is being written.
#[derive(Default)]
pub(super) struct Csv {
    text: String,
}

impl Csv {
    /// A table with these names of its columns.
    pub(super) fn new(columns: &[&str]) -> Self {
        let mut csv = Self {
            text: String::new(),
        };
        csv.row(columns);
        csv
    }

    /// One more line.
    pub(super) fn row<T: AsRef<str>>(&mut self, fields: &[T]) {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.field(field.as_ref());
        }
        self.text.push_str("\r\n");
    }

    fn field(&mut self, text: &str) {
        let is_number = text.parse::<f64>().is_ok();
        let is_plain =
            !text.contains(['"', ',', ';', '\t', '\r', '\n', '\'']) && !text.starts_with(FORMULA);
        if is_number || is_plain {
            self.text.push_str(text);
            return;
        }
        let mut quoted = String::with_capacity(text.len() + 2);
        if text.starts_with(FORMULA) || text.starts_with(CONTROL) {
            quoted.push('\'');
        }
        let mut begins = false;
        for character in text.chars() {
            if begins && FORMULA.contains(&character) {
                quoted.push('\'');
            }
            begins = match character {
                ';' | '\t' | '\r' | '\n' => true,
                // With these a cell may begin, and be a formula all the same.
                ' ' | '"' => begins,
                _ => false,
            };
            if character == '"' {
                quoted.push('"');
            }
            quoted.push(character);
        }
        write!(self.text, "\"{quoted}\"").expect("a string takes everything");
    }

    /// What was written.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fields: &[&str]) -> String {
        let mut csv = Csv::new(&["a"]);
        csv.row(fields);
        csv.into_text()
    }

    #[test]
    fn fields_are_quoted_where_they_would_break_a_line_and_quotes_are_doubled() {
        assert_eq!(written(&["x", "y z"]), "a\r\nx,y z\r\n");
        assert_eq!(
            written(&["Spinder, Beverley", "says \"hi\"", "two\r\nlines", ""]),
            "a\r\n\"Spinder, Beverley\",\"says \"\"hi\"\"\",\"two\r\nlines\",\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_calculate_is_text() {
        for text in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\tx",
            "\rx",
        ] {
            let expected = format!("a\r\n\"'{text}\"\r\n");
            assert_eq!(written(&[text]), expected);
        }
        for (text, expected) in [
            ("x;=1+1", "x;'=1+1"),
            ("x; \"=1+1\"", "x; \"\"'=1+1\"\""),
            ("x\t@SUM(A1)", "x\t'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("x\n-2+3;+4", "x\n'-2+3;'+4"),
            ("-2;3", "'-2;3"),
            ("x;y", "x;y"),
            ("x\ty", "x\ty"),
        ] {
            assert_eq!(written(&[text]), format!("a\r\n\"{expected}\"\r\n"));
        }
        // A number is no formula.
        assert_eq!(written(&["-2", "+3.5"]), "a\r\n-2,+3.5\r\n");
    }
}
