//! Which browser and which system this is, as far as advice differs by it. From
//! the user agent string: its parts are stable for this purpose, and advice that
//! is wrong does no more harm than the general one.

/// What a browser says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a> {
    /// `navigator.userAgent`.
    pub user_agent: &'a str,
    /// `navigator.maxTouchPoints`; tells an iPad from a Mac, whose name it uses.
    pub touch_points: u32,
}

/// The browsers in which a permission is given in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chrome on a computer, and what is built from it.
    Chrome,
    /// Edge on a computer.
    Edge,
    /// Firefox on a computer.
    Firefox,
    /// Safari on a Mac.
    SafariMac,
    /// Safari on an iPhone or iPad.
    SafariIos,
    /// Chrome on Android, and what is built from it.
    ChromeAndroid,
    /// Firefox on Android.
    FirefoxAndroid,
    /// Another browser on an iPhone or iPad; the system gives its permissions.
    IosOther,
    /// A page inside an app, such as a mail or social media app.
    WebView,
    /// None of these.
    Other,
}

/// The operating systems that withhold camera and microphone in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Windows.
    Windows,
    /// macOS.
    Mac,
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// Another one.
    Other,
}

/// What apps add to the user agent string of the pages that they show.
const APPS: [&str; 8] = [
    "; wv)",
    "FBAN/",
    "FBAV/",
    "Instagram",
    "Line/",
    "MicroMessenger",
    "GSA/",
    "Snapchat",
];

impl Agent<'_> {
    /// The system.
    pub fn system(&self) -> System {
        if self.has("iPhone") || self.has("iPad") || self.has("iPod") {
            System::Ios
        } else if self.has("Macintosh") {
            if self.touch_points > 1 {
                System::Ios
            } else {
                System::Mac
            }
        } else if self.has("Android") {
            System::Android
        } else if self.has("Windows") {
            System::Windows
        } else {
            System::Other
        }
    }

    /// The browser.
    pub fn browser(&self) -> Browser {
        if APPS.iter().any(|mark| self.has(mark)) {
            return Browser::WebView;
        }
        match self.system() {
            System::Ios => self.on_ios(),
            System::Android if self.has("Firefox/") => Browser::FirefoxAndroid,
            System::Android if self.has("Chrome/") => Browser::ChromeAndroid,
            System::Android => Browser::Other,
            _ if self.has("Edg/") => Browser::Edge,
            _ if self.has("Firefox/") => Browser::Firefox,
            _ if self.has("Chrome/") => Browser::Chrome,
            System::Mac if self.has("Safari/") => Browser::SafariMac,
            _ => Browser::Other,
        }
    }

    /// Only browsers, and no app's own views, name Safari.
    fn on_ios(&self) -> Browser {
        const OTHERS: [&str; 5] = ["CriOS/", "FxiOS/", "EdgiOS/", "OPT/", "DuckDuckGo/"];
        if OTHERS.iter().any(|mark| self.has(mark)) {
            Browser::IosOther
        } else if self.has("Safari/") {
            Browser::SafariIos
        } else {
            Browser::WebView
        }
    }

    fn has(&self, mark: &str) -> bool {
        contains(self.user_agent, mark)
    }
}

/// Whether a part stands in a text. `str::contains` is 2 KB of code.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    let mut windows = text.as_bytes().windows(part.len());
    windows.any(|window| window == part.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(user_agent: &str, touch_points: u32) -> (Browser, System) {
        let agent = Agent {
            user_agent,
            touch_points,
        };
        (agent.browser(), agent.system())
    }

    #[test]
    fn browsers_are_told_apart_by_the_strings_they_send() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                (Browser::Chrome, System::Windows),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                (Browser::Edge, System::Windows),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                (Browser::Firefox, System::Other),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                (Browser::SafariMac, System::Mac),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                (Browser::SafariIos, System::Ios),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1",
                (Browser::IosOther, System::Ios),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                (Browser::ChromeAndroid, System::Android),
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
                (Browser::FirefoxAndroid, System::Android),
            ),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(told(user_agent, 0), expected, "{user_agent}");
        }
    }

    #[test]
    fn an_ipad_that_calls_itself_a_mac_is_known_by_its_touch_screen() {
        let user_agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
        assert_eq!(told(user_agent, 5), (Browser::SafariIos, System::Ios));
    }

    #[test]
    fn a_page_inside_an_app_is_known_on_both_kinds_of_phone() {
        for user_agent in [
            "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/520.0]",
        ] {
            assert_eq!(told(user_agent, 5).0, Browser::WebView, "{user_agent}");
        }
    }

    #[test]
    fn what_is_unknown_gets_the_general_advice() {
        assert_eq!(told("", 0), (Browser::Other, System::Other));
    }
}
