//! The page that a direct join link opens. Mail filters and message previews open links
//! too, and some run scripts: so nothing happens before somebody presses the button. It
//! needs no script and says nothing personal.

use crate::button_page::{Words, button_page};

/// The first ones are for everybody whose language is not there.
const WORDS: [Words; 8] = [
    Words {
        language: "en",
        title: "Your video visit",
        what_to_do: "Press the button to join. Your browser may ask to use your camera and microphone.",
        button: "Join the visit",
    },
    Words {
        language: "es",
        title: "Su videoconsulta",
        what_to_do: "Pulse el botón para entrar. Es posible que el navegador le pida permiso para usar la cámara y el micrófono.",
        button: "Entrar en la consulta",
    },
    Words {
        language: "fr",
        title: "Votre téléconsultation",
        what_to_do: "Appuyez sur le bouton pour la rejoindre. Votre navigateur peut vous demander d’utiliser la caméra et le micro.",
        button: "Rejoindre la téléconsultation",
    },
    Words {
        language: "de",
        title: "Ihre Videosprechstunde",
        what_to_do: "Drücken Sie auf die Schaltfläche, um teilzunehmen. Ihr Browser fragt dann vielleicht, ob er Kamera und Mikrofon benutzen darf.",
        button: "Zur Videosprechstunde",
    },
    Words {
        language: "zh-Hans",
        title: "您的视频就诊",
        what_to_do: "请按下面的按钮加入。浏览器可能会请求使用您的摄像头和麦克风。",
        button: "加入视频就诊",
    },
    Words {
        language: "vi",
        title: "Buổi khám qua video của quý vị",
        what_to_do: "Nhấn nút để tham gia. Trình duyệt có thể hỏi xin dùng máy ảnh và micrô của quý vị.",
        button: "Tham gia buổi khám",
    },
    Words {
        language: "tl",
        title: "Ang iyong video visit",
        what_to_do: "Pindutin ang button para sumali. Maaaring humingi ang iyong browser ng pahintulot na gamitin ang camera at mikropono.",
        button: "Sumali sa visit",
    },
    Words {
        language: "ar",
        title: "زيارتك عبر الفيديو",
        what_to_do: "اضغط على الزر للانضمام. قد يطلب المتصفح الإذن باستخدام الكاميرا والميكروفون.",
        button: "الانضمام إلى الزيارة",
    },
];

/// The page: a form that sends `name=value` to the address of the page, without its
/// query. `language` is a primary language tag.
pub(super) fn page(language: Option<&str>, name: &str, value: &str) -> String {
    let words = Words::of(&WORDS, language);
    button_page(words, "?", &[(name, value)], None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_speaks_the_language_of_the_browser_or_english() {
        for (language, tag, button) in [
            (None, r#"lang="en" dir="ltr""#, "Join the visit"),
            (Some("xx"), r#"lang="en" dir="ltr""#, "Join the visit"),
            (
                Some("de"),
                r#"lang="de" dir="ltr""#,
                "Zur Videosprechstunde",
            ),
            (Some("zh"), r#"lang="zh-Hans" dir="ltr""#, "加入视频就诊"),
            (Some("fil"), r#"lang="tl" dir="ltr""#, "Sumali sa visit"),
            (Some("ar"), r#"lang="ar" dir="rtl""#, "الانضمام إلى الزيارة"),
        ] {
            let page = page(language, "data", "x");
            assert!(page.contains(tag) && page.contains(button), "{language:?}");
        }
    }

    #[test]
    fn the_page_runs_and_fetches_nothing() {
        let page = page(None, "data", "x");
        for bad in [
            "<script",
            "http:",
            "https:",
            "url(",
            "@import",
            " on",
            "autofocus",
        ] {
            let markup = page.replace(WORDS[0].what_to_do, "");
            assert!(!markup.contains(bad), "{bad}");
        }
        assert_eq!(page.matches("<form").count(), 1);
        assert_eq!(page.matches("<button").count(), 1);
    }
}
