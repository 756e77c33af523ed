//! Any text is a join link or an error; what was read can be built and is read as the
//! same again; what is left in the address bar has neither query nor fragment.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_launch::{JoinLink, LinkForm, scrub};

fuzz_target!(|text: &str| {
    let scrubbed = scrub(text);
    assert!(text.starts_with(&scrubbed) && !scrubbed.contains(['?', '#']));
    let Ok((link, _)) = JoinLink::parse_with_remarks(text) else {
        return;
    };
    let built = link.build("https://meet.example.org/webapp", LinkForm::Fragment);
    assert_eq!(JoinLink::parse(&built), Ok(link));
});
