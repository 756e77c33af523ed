//! Pages without their indentation.

/// Elements in which white space counts.
const KEEPERS: [&str; 3] = ["<pre", "<textarea", "<style"];

/// Where in a page a character is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Tag,
    Value { quote: char },
}

/// Makes every run of white space one line end or one space, which look the
/// same; attribute values stay. A page with a comment, with an inline script or
/// with an element in which white space counts comes back as it is.
pub(crate) fn collapse_white_space(page: &str) -> String {
    if !is_simple(page) {
        return page.to_owned();
    }
    let mut collapsed = String::with_capacity(page.len());
    let mut place = Place::Text;
    let mut rest = page;
    while let Some(character) = rest.chars().next() {
        place = place.after(character, &rest[character.len_utf8()..]);
        let run = rest.len() - rest.trim_start_matches(is_white_space).len();
        if run == 0 || matches!(place, Place::Value { .. }) {
            collapsed.push(character);
            rest = &rest[character.len_utf8()..];
        } else {
            let has_line_end = rest[..run].contains('\n');
            collapsed.push(if has_line_end { '\n' } else { ' ' });
            rest = &rest[run..];
        }
    }
    collapsed
}

impl Place {
    fn after(self, character: char, next: &str) -> Self {
        match (self, character) {
            (Self::Text, '<') if next.starts_with(is_tag_start) => Self::Tag,
            (Self::Tag, '>') => Self::Text,
            (Self::Tag, '"' | '\'') => Self::Value { quote: character },
            (Self::Value { quote }, _) if character == quote => Self::Tag,
            _ => self,
        }
    }
}

fn is_simple(page: &str) -> bool {
    let page = page.to_ascii_lowercase();
    !page.contains("<!--")
        && !KEEPERS.iter().any(|keeper| page.contains(keeper))
        && page.split("<script").skip(1).all(is_script_without_content)
}

fn is_script_without_content(after_name: &str) -> bool {
    let content = after_name.split_once('>').map(|(_, content)| content);
    content.is_some_and(|content| content.starts_with("</script>"))
}

fn is_tag_start(character: char) -> bool {
    character.is_ascii_alphabetic() || "/!".contains(character)
}

/// White space of HTML; a no-break space is none.
fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_and_empty_lines_go_but_words_stay_apart() {
        let page = "<!doctype html>\n<ul>\n\n    <li>one  <b>two</b> it's</li>\n  </ul>\n";
        assert_eq!(
            collapse_white_space(page),
            "<!doctype html>\n<ul>\n<li>one <b>two</b> it's</li>\n</ul>\n"
        );
        assert_eq!(
            collapse_white_space("1 <  2\u{a0}\u{a0}kg"),
            "1 < 2\u{a0}\u{a0}kg"
        );
    }

    #[test]
    fn attribute_values_stay_as_they_are() {
        let page = "<a\n   title=\"two  spaces,\n  two lines\" lang='a  b'>x</a>";
        assert_eq!(
            collapse_white_space(page),
            "<a\ntitle=\"two  spaces,\n  two lines\" lang='a  b'>x</a>"
        );
    }

    #[test]
    fn pages_in_which_white_space_may_count_are_left_alone() {
        for page in [
            "<PRE>a  b</PRE>",
            "<textarea>\n\n</textarea>",
            "<script>x = 'a  b'</script>  <script src=\"b\"></script>",
            "<style>\n  a {}\n</style>",
            "<!-- it's  -->  <b title=\"a  b\">",
        ] {
            assert_eq!(collapse_white_space(page), page);
        }
        let without_content = "<script src=\"b.js\"></script>\n  <p>";
        assert!(collapse_white_space(without_content).ends_with(">\n<p>"));
    }
}
