//! The page from which the browser posts the authorization request to the EHR, where it
//! is too long for a URL. It sends itself; without script its button does.

use url::Url;

use crate::button_page::{Words, button_page};

/// The page's script, which its Content-Security-Policy allows by its hash.
pub const SCRIPT: &str = "document.forms[0].submit()";

/// The first ones are for everybody whose language is not there.
const WORDS: [Words; 8] = [
    Words {
        language: "en",
        title: "Taking you to your sign-in",
        what_to_do: "If nothing happens, press the button.",
        button: "Continue",
    },
    Words {
        language: "es",
        title: "Le llevamos al inicio de sesión",
        what_to_do: "Si no ocurre nada, pulse el botón.",
        button: "Continuar",
    },
    Words {
        language: "fr",
        title: "Nous vous dirigeons vers la connexion",
        what_to_do: "Si rien ne se passe, appuyez sur le bouton.",
        button: "Continuer",
    },
    Words {
        language: "de",
        title: "Sie werden zur Anmeldung gebracht",
        what_to_do: "Wenn nichts geschieht, drücken Sie auf die Schaltfläche.",
        button: "Weiter",
    },
    Words {
        language: "zh-Hans",
        title: "正在转到登录页面",
        what_to_do: "如果没有反应，请按下面的按钮。",
        button: "继续",
    },
    Words {
        language: "vi",
        title: "Đang chuyển quý vị đến trang đăng nhập",
        what_to_do: "Nếu không có gì xảy ra, hãy nhấn nút.",
        button: "Tiếp tục",
    },
    Words {
        language: "tl",
        title: "Dinadala kayo sa pag-sign in",
        what_to_do: "Kung walang mangyari, pindutin ang button.",
        button: "Magpatuloy",
    },
    Words {
        language: "ar",
        title: "جارٍ نقلك إلى تسجيل الدخول",
        what_to_do: "إذا لم يحدث شيء، اضغط على الزر.",
        button: "متابعة",
    },
];

/// The page: a form that posts `fields` to `action`. `language` is a primary language
/// tag.
pub fn page(language: Option<&str>, action: &Url, fields: &[(&str, String)]) -> String {
    let words = Words::of(&WORDS, language);
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    button_page(words, action.as_str(), &fields, Some(SCRIPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(language: Option<&str>) -> String {
        let action = "https://ehr.example/authorize?tenant=1&x=%22"
            .parse()
            .unwrap();
        let hostile = "\"><script>alert(1)</script>&amp;".to_owned();
        page(
            language,
            &action,
            &[("state", "s".to_owned()), ("launch", hostile)],
        )
    }

    #[test]
    fn the_page_posts_the_fields_as_they_are() {
        let page = of(None);
        assert!(page.contains(
            r#"<form method="post" action="https://ehr.example/authorize?tenant=1&amp;x=%22">"#
        ));
        assert!(page.contains(r#"<input type="hidden" name="state" value="s">"#));
        assert!(
            page.contains(r#"value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;">"#)
        );
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("<button").count(), 1);
    }

    #[test]
    fn the_page_speaks_the_language_of_the_browser_or_english() {
        for (language, tag, button) in [
            (None, "lang=\"en\" dir=\"ltr\"", "Continue"),
            (Some("xx"), "lang=\"en\" dir=\"ltr\"", "Continue"),
            (Some("zh"), "lang=\"zh-Hans\" dir=\"ltr\"", "继续"),
            (Some("ar"), "lang=\"ar\" dir=\"rtl\"", "متابعة"),
        ] {
            let page = of(language);
            assert!(page.contains(tag) && page.contains(button), "{language:?}");
        }
    }
}
