//! A page with one button, which sends a form; the pages between the EHR's and ours are
//! such ones.

/// The page's styles, which its Content-Security-Policy allows by their hash.
pub const STYLE: &str = include_str!("button_page.css");

/// The picture above the title: a door that stands open.
pub(crate) const PICTURE: &str = r##"<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0b5c6b"/><path d="M8 25V13a8 8 0 0 1 16 0v12" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/><path d="M12.5 25V14a3.5 3.5 0 0 1 7 0v11z" fill="#9fe0d8"/><path d="M6 25h20" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/></svg>"##;

/// The words of a page in one language.
pub(crate) struct Words {
    /// The `lang` of the page.
    pub(crate) language: &'static str,
    pub(crate) title: &'static str,
    pub(crate) what_to_do: &'static str,
    pub(crate) button: &'static str,
}

impl Words {
    /// The words of `all` in a language, given by its primary tag. The first ones are for
    /// everybody whose language is not there.
    pub(crate) fn of(all: &'static [Self], language: Option<&str>) -> &'static Self {
        let language = match language {
            Some("fil") => "tl",
            Some(language) => language,
            None => "en",
        };
        let primary = |words: &&Self| words.language.split('-').next() == Some(language);
        all.iter().find(primary).unwrap_or(&all[0])
    }

    fn direction(&self) -> &'static str {
        match self.language {
            "ar" => "rtl",
            _ => "ltr",
        }
    }
}

/// The page: its button posts `fields` to `action`. A `script` is run when all is there.
pub(crate) fn button_page(
    words: &Words,
    action: &str,
    fields: &[(&str, &str)],
    script: Option<&str>,
) -> String {
    let Words {
        language,
        title,
        what_to_do,
        button,
    } = words;
    let direction = words.direction();
    let action = escape(action);
    let inputs: String = fields
        .iter()
        .map(|(name, value)| {
            let (name, value) = (escape(name), escape(value));
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
        })
        .collect();
    let script = script.map_or_else(String::new, |script| format!("<script>{script}</script>\n"));
    format!(
        r#"<!DOCTYPE html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{PICTURE}
<h1>{title}</h1>
<p>{what_to_do}</p>
<form method="post" action="{action}">
{inputs}<button type="submit">{button}</button>
</form>
</main>
{script}</body>
</html>
"#
    )
}

/// For text and for a double-quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [Words; 3] = [
        words("en"),
        words("zh-Hans"),
        Words {
            title: "عنوان",
            ..words("ar")
        },
    ];

    const fn words(language: &'static str) -> Words {
        Words {
            language,
            title: "Title",
            what_to_do: "Press",
            button: "Go",
        }
    }

    #[test]
    fn the_page_speaks_the_language_of_the_browser_or_the_first() {
        for (language, expected) in [
            (None, r#"lang="en" dir="ltr""#),
            (Some("xx"), r#"lang="en" dir="ltr""#),
            (Some("zh"), r#"lang="zh-Hans" dir="ltr""#),
            (Some("ar"), r#"lang="ar" dir="rtl""#),
        ] {
            let page = button_page(Words::of(&WORDS, language), "?", &[], None);
            assert!(page.contains(expected), "{language:?}");
        }
    }

    #[test]
    fn what_is_sent_stays_a_value_and_goes_where_it_should() {
        let hostile = r#""><script>alert(1)</script>&amp;'"#;
        let page = button_page(
            &WORDS[0],
            "https://ehr.example/authorize?tenant=1&x=%22",
            &[("state", "s"), ("launch", hostile)],
            None,
        );
        assert!(page.contains(
            r#"<form method="post" action="https://ehr.example/authorize?tenant=1&amp;x=%22">"#
        ));
        assert!(page.contains(r#"<input type="hidden" name="state" value="s">"#));
        assert!(
            page.contains(r#"value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;'">"#)
        );
        assert!(!page.contains("<script"));
    }

    #[test]
    fn a_script_stands_at_the_end_as_it_is() {
        let page = button_page(&WORDS[0], "?", &[], Some("go()"));
        assert_eq!(page.matches("<script>go()</script>").count(), 1);
        assert_eq!(page.matches("<button").count(), 1);
    }
}
