//! Why camera or microphone did not open, and which sentence helps with it in
//! this browser.

use crate::{
    agent::{Browser, System, contains},
    browser::BETWEEN,
    outcome::{Kind, Outcome},
};

/// What is known about a `getUserMedia` that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The name of the `DOMException`.
    pub name: &'a str,
    /// Its message, in English in every browser; tells apart what shares a name.
    pub message: &'a str,
    /// Whether the page came over a secure connection.
    pub secure: bool,
    /// Whether the browser has `navigator.mediaDevices` at all.
    pub supported: bool,
    /// Whether the pages around this one allow the device; unknown where the
    /// browser does not tell.
    pub allowed: Option<bool>,
    /// Whether this page is inside another one.
    pub framed: bool,
    /// Whether the browser lists any device of the kind. It lists none where the
    /// pages around do not allow it (Media Capture and Streams 9.2.2).
    pub listed: bool,
}

/// Why a device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The page came over HTTP, where browsers offer no devices.
    Insecure,
    /// The browser has no access to devices.
    Unsupported,
    /// The person refused, now or earlier.
    Denied,
    /// The person closed the question without an answer.
    Dismissed,
    /// The operating system withholds the device from the browser.
    System,
    /// The embedding page withholds the device (`allow`, Permissions-Policy).
    Policy,
    /// There is no such device.
    Missing,
    /// Another program or tab has it.
    InUse,
    /// No device is as it was asked for.
    Unsuited,
    /// It was unplugged or taken away while in use.
    Lost,
    /// It is open and sends no picture.
    NoPicture,
    /// Anything else.
    Unknown,
}

impl<'a> Refusal<'a> {
    /// Reads what `browser.js` tells: name, message, and `1` or `0` for secure,
    /// supported, whether the browser tells of the pages around, whether they allow
    /// it, framed, listed.
    pub(crate) fn read(text: &'a str) -> Self {
        let mut words = text.rsplitn(2, BETWEEN);
        let flags = words.next().unwrap_or_default().as_bytes();
        let mut words = words.next().unwrap_or_default().splitn(2, BETWEEN);
        let flag = |at| flags.get(at) == Some(&b'1');
        Self {
            name: words.next().unwrap_or_default(),
            message: words.next().unwrap_or_default(),
            secure: flag(0),
            supported: flag(1),
            allowed: flag(2).then(|| flag(3)),
            framed: flag(4),
            listed: flag(5),
        }
    }
}

impl Fault {
    /// Names as in Media Capture and Streams 10.2, and the older ones of
    /// browsers before it.
    pub fn of(refusal: &Refusal) -> Self {
        let says = |part: &str| contains(refusal.message, part);
        if !refusal.secure {
            return Self::Insecure;
        }
        if !refusal.supported {
            return Self::Unsupported;
        }
        match refusal.name {
            "NotAllowedError" | "PermissionDeniedError" | "SecurityError" => {
                if refusal.allowed == Some(false) || says("ermissions policy") {
                    Self::Policy
                } else if says("by system") {
                    Self::System
                } else if says("dismissed") {
                    Self::Dismissed
                } else if refusal.framed && refusal.allowed.is_none() && !refusal.listed {
                    Self::Policy
                } else {
                    Self::Denied
                }
            }
            "NotFoundError" | "DevicesNotFoundError" => Self::Missing,
            "NotReadableError" | "TrackStartError" | "AbortError" => Self::InUse,
            "OverconstrainedError" | "ConstraintNotSatisfiedError" => Self::Unsuited,
            _ => Self::Unknown,
        }
    }

    /// What it means for the result, if it stays like this.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Denied | Self::Dismissed | Self::System | Self::Policy => Outcome::Denied,
            Self::Missing => Outcome::Missing,
            _ => Outcome::Failed,
        }
    }

    /// The key of the sentence that helps.
    pub fn advice(self, kind: Kind, browser: Browser, system: System) -> &'static str {
        let camera = kind == Kind::Camera;
        match self {
            Self::Insecure => "devices.fault.insecure",
            Self::Unsupported | Self::Denied if browser == Browser::WebView => {
                "devices.fault.denied.web_view"
            }
            Self::Unsupported => "devices.fault.unsupported",
            Self::Denied => denied_in(browser),
            Self::Dismissed => "devices.fault.dismissed",
            Self::System => withheld_by(system),
            Self::Policy => "devices.fault.policy",
            Self::Missing if camera => "devices.camera.missing",
            Self::Missing => "devices.microphone.missing",
            Self::InUse if camera => "devices.camera.in_use",
            Self::InUse => "devices.microphone.in_use",
            Self::Unsuited => "devices.fault.unsuited",
            Self::Lost => "devices.fault.lost",
            Self::NoPicture => "devices.camera.no_picture",
            Self::Unknown => "devices.fault.unknown",
        }
    }
}

fn denied_in(browser: Browser) -> &'static str {
    match browser {
        Browser::Chrome => "devices.fault.denied.chrome",
        Browser::Edge => "devices.fault.denied.edge",
        Browser::Firefox => "devices.fault.denied.firefox",
        Browser::SafariMac => "devices.fault.denied.safari_mac",
        Browser::SafariIos => "devices.fault.denied.safari_ios",
        Browser::ChromeAndroid => "devices.fault.denied.chrome_android",
        Browser::FirefoxAndroid => "devices.fault.denied.firefox_android",
        Browser::IosOther => "devices.fault.denied.ios_other",
        Browser::WebView => "devices.fault.denied.web_view",
        Browser::Other => "devices.fault.denied.other",
    }
}

fn withheld_by(system: System) -> &'static str {
    match system {
        System::Windows => "devices.fault.system.windows",
        System::Mac => "devices.fault.system.mac",
        System::Android => "devices.fault.system.android",
        System::Ios => "devices.fault.system.ios",
        System::Other => "devices.fault.system.other",
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, string::String, vec::Vec};

    use super::*;

    const REFUSAL: Refusal = Refusal {
        name: "NotAllowedError",
        message: "",
        secure: true,
        supported: true,
        allowed: Some(true),
        framed: false,
        listed: true,
    };

    const FAULTS: [Fault; 12] = [
        Fault::Insecure,
        Fault::Unsupported,
        Fault::Denied,
        Fault::Dismissed,
        Fault::System,
        Fault::Policy,
        Fault::Missing,
        Fault::InUse,
        Fault::Unsuited,
        Fault::Lost,
        Fault::NoPicture,
        Fault::Unknown,
    ];

    const BROWSERS: [Browser; 10] = [
        Browser::Chrome,
        Browser::Edge,
        Browser::Firefox,
        Browser::SafariMac,
        Browser::SafariIos,
        Browser::ChromeAndroid,
        Browser::FirefoxAndroid,
        Browser::IosOther,
        Browser::WebView,
        Browser::Other,
    ];

    fn fault(message: &str) -> Fault {
        Fault::of(&Refusal { message, ..REFUSAL })
    }

    #[test]
    fn who_refused_is_read_from_the_message_where_the_name_is_the_same() {
        assert_eq!(fault("Permission denied"), Fault::Denied);
        assert_eq!(fault("Permission denied by system"), Fault::System);
        assert_eq!(fault("Permission dismissed"), Fault::Dismissed);
    }

    #[test]
    fn the_page_around_is_named_when_it_is_the_one_that_refuses() {
        let known = Refusal {
            allowed: Some(false),
            ..REFUSAL
        };
        assert_eq!(Fault::of(&known), Fault::Policy);
        let untold = Refusal {
            allowed: None,
            framed: true,
            listed: false,
            ..REFUSAL
        };
        assert_eq!(Fault::of(&untold), Fault::Policy);
        let in_a_window_of_its_own = Refusal {
            allowed: None,
            listed: false,
            ..REFUSAL
        };
        assert_eq!(Fault::of(&in_a_window_of_its_own), Fault::Denied);
    }

    #[test]
    fn a_person_who_refuses_in_a_frame_is_told_so_also_by_a_browser_that_says_little() {
        let refused = Refusal {
            allowed: None,
            framed: true,
            ..REFUSAL
        };
        assert_eq!(Fault::of(&refused), Fault::Denied);
    }

    #[test]
    fn a_refusal_is_read_as_the_browser_tells_it() {
        let refusal = Refusal::read("NotAllowedError\0Permission denied\x00111001");
        assert_eq!(refusal.name, "NotAllowedError");
        assert_eq!(refusal.message, "Permission denied");
        assert!(refusal.secure && refusal.supported && refusal.listed && !refusal.framed);
        assert_eq!(refusal.allowed, Some(false));
        assert_eq!(Refusal::read("A\0b\x00110000").allowed, None);
    }

    #[test]
    fn the_names_of_the_specification_and_the_older_ones_are_known() {
        for (name, expected) in [
            ("NotFoundError", Fault::Missing),
            ("DevicesNotFoundError", Fault::Missing),
            ("NotReadableError", Fault::InUse),
            ("TrackStartError", Fault::InUse),
            ("AbortError", Fault::InUse),
            ("OverconstrainedError", Fault::Unsuited),
            ("PermissionDeniedError", Fault::Denied),
            ("InvalidStateError", Fault::Unknown),
        ] {
            assert_eq!(Fault::of(&Refusal { name, ..REFUSAL }), expected, "{name}");
        }
    }

    #[test]
    fn an_insecure_page_is_told_from_a_browser_without_devices() {
        let mut refusal = Refusal {
            name: "TypeError",
            supported: false,
            ..REFUSAL
        };
        assert_eq!(Fault::of(&refusal), Fault::Unsupported);
        refusal.secure = false;
        assert_eq!(Fault::of(&refusal), Fault::Insecure);
    }

    #[test]
    fn only_a_refusal_counts_as_denied_and_only_an_absence_as_missing() {
        let of = |outcome| FAULTS.into_iter().filter(move |it| it.outcome() == outcome);
        assert_eq!(
            of(Outcome::Denied).collect::<Vec<_>>(),
            [
                Fault::Denied,
                Fault::Dismissed,
                Fault::System,
                Fault::Policy
            ]
        );
        assert_eq!(of(Outcome::Missing).collect::<Vec<_>>(), [Fault::Missing]);
        assert_eq!(of(Outcome::Passed).count(), 0);
    }

    #[test]
    fn every_fault_has_a_sentence_in_every_browser_and_system() {
        let texts: BTreeMap<String, String> =
            serde_json::from_str(include_str!("../texts.json")).unwrap();
        let systems = [
            System::Windows,
            System::Mac,
            System::Android,
            System::Ios,
            System::Other,
        ];
        for fault in FAULTS {
            for browser in BROWSERS {
                for system in systems {
                    for kind in [Kind::Camera, Kind::Microphone] {
                        let key = fault.advice(kind, browser, system);
                        assert!(texts.contains_key(key), "{key} has no text");
                    }
                }
            }
        }
    }

    #[test]
    fn each_browser_has_advice_of_its_own_on_a_refusal() {
        let mut keys: Vec<_> = BROWSERS
            .into_iter()
            .map(|it| Fault::Denied.advice(Kind::Camera, it, System::Other))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), BROWSERS.len());
    }

    #[test]
    fn an_app_without_devices_is_left_for_a_browser() {
        assert_eq!(
            Fault::Unsupported.advice(Kind::Camera, Browser::WebView, System::Ios),
            "devices.fault.denied.web_view"
        );
    }
}
