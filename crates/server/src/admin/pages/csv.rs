//! Tables as CSV (RFC 4180): fields in quotes where they need them, lines ended by CR
//! LF, UTF-8. A text that a spreadsheet would take for a formula gets an apostrophe
//! before it.

use std::fmt::Write as _;

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
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        let number = text.parse::<f64>().is_ok();
        let apostrophe = if formula && !number { "'" } else { "" };
        if apostrophe.is_empty() && !text.contains(['"', ',', '\r', '\n', '\'']) {
            self.text.push_str(text);
            return;
        }
        let text = text.replace('"', "\"\"");
        write!(self.text, "\"{apostrophe}{text}\"").expect("a string takes everything");
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
            "\t=1",
            "\r=1",
        ] {
            let expected = format!("a\r\n\"'{text}\"\r\n");
            assert_eq!(written(&[text]), expected);
        }
        // A number is no formula.
        assert_eq!(written(&["-2", "+3.5"]), "a\r\n-2,+3.5\r\n");
    }
}
