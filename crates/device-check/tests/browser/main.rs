//! The device check in a real browser with a made-up camera and microphone.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod scene;

use js_sys::JSON;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use scene::*;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn all_four_parts_pass_and_every_device_is_off_afterwards() {
    let check = start(&section(), &options());
    presses(&["start"]).await;
    done(shown("video")).await;
    done(until("section.querySelector('video')?.videoWidth > 0")).await;
    assert!(holds(
        "section.querySelector('video').matches('.mirrored[playsinline][muted]')"
    ));
    assert_eq!(live(), 1);
    presses(&["continue"]).await;
    step("microphone").await;
    assert_eq!(live(), 0, "the camera is off before the microphone is on");
    presses(&["start"]).await;
    done(until("section.querySelector('meter')?.value > 0")).await;
    done(shown("[data-text='devices.microphone.heard']")).await;
    presses(&["continue", "start", "yes"]).await;
    done(shown("[data-text='devices.connection.good']")).await;
    presses(&["continue"]).await;
    done(shown("[data-text='devices.all_passed']")).await;
    presses(&["done"]).await;
    assert_eq!(
        result(check).await,
        results("passed", "passed", "passed", "passed")
    );
    assert_eq!(live(), 0);
    assert!(holds("section.childElementCount === 0"));
}

#[wasm_bindgen_test]
async fn nothing_is_asked_for_before_a_click() {
    let check = start(&section(), &options());
    done(shown("[data-check=start]")).await;
    assert!(holds("asked.length === 0"));
    presses(&["skip", "skip", "skip", "skip", "done"]).await;
    assert!(holds("asked.length === 0"));
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn camera_and_microphone_are_asked_for_separately() {
    let check = start(&section(), &options());
    presses(&["start", "continue"]).await;
    step("microphone").await;
    presses(&["start", "continue"]).await;
    step("speaker").await;
    assert!(holds(
        "asked.every((it) => (it.video === undefined) !== (it.audio === undefined)
            || !it.video !== !it.audio) && asked.length === 2"
    ));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_refusal_is_explained_and_counts_as_denied_if_nothing_changes() {
    let section = section();
    refuse("NotAllowedError", "Permission denied");
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown(".fault[data-text^='devices.fault.denied.']")).await;
    assert!(holds("document.activeElement.matches('.fault')"));
    presses(&["continue"]).await;
    step("microphone").await;
    done(shown("[data-step=camera] [data-text='devices.denied']")).await;
    presses(&["leave"]).await;
    assert_eq!(
        result(check).await,
        results("denied", "skipped", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn a_refusal_by_the_system_is_told_from_one_by_the_person() {
    let section = section();
    refuse("NotAllowedError", "Permission denied by system");
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown(".fault[data-text^='devices.fault.system.']")).await;
    presses(&["leave"]).await;
    assert_eq!(
        result(check).await,
        results("denied", "skipped", "skipped", "skipped"),
        "a finding stands although the rest is skipped"
    );
}

#[wasm_bindgen_test]
async fn a_device_in_use_elsewhere_can_be_tried_again() {
    let section = section();
    refuse("NotReadableError", "Could not start video source");
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown(".fault[data-text='devices.camera.in_use']")).await;
    refuse("NotFoundError", "Requested device not found");
    presses(&["retry"]).await;
    done(shown(".fault[data-text='devices.camera.missing']")).await;
    presses(&["continue"]).await;
    step("microphone").await;
    presses(&["start"]).await;
    done(shown(".fault[data-text='devices.microphone.missing']")).await;
    presses(&["continue", "leave"]).await;
    assert_eq!(
        result(check).await,
        results("missing", "missing", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn a_refused_device_that_was_allowed_and_left_counts_as_skipped() {
    let section = section();
    allow_at_second_try();
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown(".fault")).await;
    presses(&["retry"]).await;
    done(shown("[data-check=dark]")).await;
    presses(&["leave"]).await;
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn what_stood_in_the_section_is_there_again_after_the_last_check() {
    let section = section();
    section.set_inner_html("<h1>Loading</h1><p hidden>Not loaded</p>");
    let first = start(&section, &options());
    done(shown("[data-check=skip]")).await;
    assert!(holds("section.querySelector('h1').hidden"));
    let second = start(&section, &options());
    done(first).await;
    done(shown("[data-check=skip]")).await;
    assert!(holds(
        "section.querySelector('h1').hidden && section.querySelectorAll('.device-check').length === 1"
    ));
    presses(&["leave"]).await;
    done(second).await;
    assert!(holds(
        "section.innerHTML === '<h1>Loading</h1><p hidden=\"\">Not loaded</p>'"
    ));
}

#[wasm_bindgen_test]
async fn a_double_click_skips_one_step() {
    let check = start(&section(), &options());
    done(shown("[data-check=skip]")).await;
    double_click("skip");
    step("microphone").await;
    assert!(holds(
        "section.querySelector('[data-step=speaker][aria-current]') === null"
    ));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_remembered_device_is_opened_once() {
    let section = section();
    let check = start(&section, &options());
    presses(&["skip", "start"]).await;
    done(shown("[data-step=microphone] select")).await;
    done(choose_other()).await;
    done(until(
        "streams.length === 2 && section.querySelector('meter') !== null",
    ))
    .await;
    presses(&["leave"]).await;
    done(check).await;

    let check = start(&section, &options());
    presses(&["skip", "start"]).await;
    done(shown("[data-step=microphone] select")).await;
    assert_eq!((opened(), live()), (3, 1));
    assert!(holds("asked.length === 3"));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_choice_is_remembered_and_used_the_next_time() {
    let section = section();
    let check = start(&section, &options());
    presses(&["skip"]).await;
    step("microphone").await;
    presses(&["start"]).await;
    done(shown("[data-step=microphone] select")).await;
    let label = done(choose_other()).await.as_string().unwrap();
    done(until(
        "streams.length === 2 && section.querySelector('meter') !== null",
    ))
    .await;
    assert_eq!((opened(), live()), (2, 1), "the first microphone is off");
    let remembered = "JSON.parse(localStorage.getItem('vestibule.devices')).microphone";
    assert!(holds(&format!("{remembered}.label === '{label}'")));
    presses(&["leave"]).await;
    done(check).await;

    let check = start(&section, &options());
    presses(&["skip"]).await;
    step("microphone").await;
    presses(&["start"]).await;
    done(shown("[data-step=microphone] select")).await;
    assert!(holds(&format!(
        "section.querySelector('select').value === {remembered}.id"
    )));
    assert!(holds(&format!(
        "streams[streams.length - 1].getTracks()[0].getSettings().deviceId === {remembered}.id"
    )));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_remembered_device_that_is_gone_gives_way_to_another() {
    let section = section();
    assert!(holds(
        "(localStorage.setItem('vestibule.devices',
            '{\"camera\":{\"id\":\"gone\",\"label\":\"Old camera\"}}'), true)"
    ));
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown("[data-text='devices.gone']")).await;
    done(shown("[data-check=continue]")).await;
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_memory_that_is_no_memory_does_no_harm() {
    let section = section();
    assert!(holds(
        "(localStorage.setItem('vestibule.devices', '[[\"'), true)"
    ));
    let check = start(&section, &options());
    presses(&["start", "continue"]).await;
    step("microphone").await;
    presses(&["leave"]).await;
    assert_eq!(
        result(check).await,
        results("passed", "skipped", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn a_silent_microphone_is_said_to_be_and_has_failed() {
    let section = section();
    silent();
    let check = start(&section, &options());
    presses(&["skip"]).await;
    step("microphone").await;
    presses(&["start"]).await;
    done(shown("[data-text='devices.microphone.silent']")).await;
    presses(&["continue", "leave"]).await;
    assert_eq!(
        result(check).await,
        results("skipped", "failed", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn where_no_sound_gets_through_a_microphone_is_neither_heard_nor_called_silent() {
    let section = section();
    soundless();
    let check = start(&section, &options());
    presses(&["skip"]).await;
    step("microphone").await;
    presses(&["start"]).await;
    done(shown("meter")).await;
    // The person would be told after 80.
    done(ticked(100)).await;
    assert!(holds(
        "section.querySelector('[data-text=\"devices.microphone.live\"]') !== null"
    ));
    presses(&["continue", "leave"]).await;
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn a_device_that_opens_after_the_step_was_skipped_is_switched_off() {
    let section = section();
    hold();
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown("[data-text='devices.opening']")).await;
    presses(&["skip"]).await;
    step("microphone").await;
    done(let_go()).await;
    assert_eq!((opened(), live()), (1, 0));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_device_that_opens_after_the_end_is_switched_off() {
    let section = section();
    hold();
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown("[data-text='devices.opening']")).await;
    presses(&["leave"]).await;
    done(check).await;
    done(let_go()).await;
    assert_eq!((opened(), live()), (1, 0));
}

#[wasm_bindgen_test]
async fn a_camera_that_is_unplugged_is_missed_at_once() {
    let check = start(&section(), &options());
    presses(&["start"]).await;
    done(shown("[data-check=continue]")).await;
    last_track_ends();
    done(shown("[data-text='devices.fault.lost']")).await;
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn the_camera_pauses_while_the_page_is_out_of_sight() {
    let check = start(&section(), &options());
    presses(&["start"]).await;
    done(shown("[data-check=continue]")).await;
    let enabled = "section.querySelector('video').srcObject.getTracks()[0].enabled";
    look(true);
    done(until(&format!("!{enabled}"))).await;
    look(false);
    done(until(enabled)).await;
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn leaving_the_page_switches_off_and_coming_back_asks_anew() {
    let check = start(&section(), &options());
    presses(&["start"]).await;
    done(shown("[data-check=continue]")).await;
    leave_page();
    done(shown("[data-step=camera] [data-check=start]")).await;
    assert_eq!(live(), 0);
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn hiding_the_section_ends_the_check_and_switches_off() {
    let section = section();
    let check = start(&section, &options());
    presses(&["start"]).await;
    done(shown("[data-check=continue]")).await;
    section.set_attribute("hidden", "").unwrap();
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "skipped", "skipped")
    );
    assert_eq!(live(), 0);
}

#[wasm_bindgen_test]
async fn calling_it_off_by_a_signal_switches_off() {
    let controller = web_sys::AbortController::new().unwrap();
    let signal = controller.signal();
    let check = start(&section(), &option("signal", &signal));
    presses(&["start"]).await;
    done(shown("[data-check=continue]")).await;
    controller.abort();
    done(check).await;
    assert_eq!(live(), 0);
}

#[wasm_bindgen_test]
async fn a_second_check_in_a_section_ends_the_first() {
    let section = section();
    let first = start(&section, &options());
    presses(&["start"]).await;
    done(shown("[data-check=continue]")).await;
    let second = start(&section, &options());
    done(first).await;
    assert_eq!(live(), 0);
    assert!(holds("section.querySelectorAll('h1').length === 1"));
    presses(&["leave"]).await;
    done(second).await;
}

#[wasm_bindgen_test]
async fn a_sound_that_was_not_heard_has_failed_and_can_be_played_again() {
    let check = start(&section(), &options());
    presses(&["skip", "skip"]).await;
    step("speaker").await;
    presses(&["start", "no"]).await;
    done(shown(".fault[data-text^='devices.speaker.silent']")).await;
    presses(&["retry", "no", "continue"]).await;
    step("connection").await;
    presses(&["leave"]).await;
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "failed", "skipped")
    );
}

#[wasm_bindgen_test]
async fn a_node_that_cannot_be_reached_has_failed() {
    let section = section();
    offline();
    let check = start(&section, &options());
    presses(&["skip", "skip", "skip"]).await;
    done(shown(".fault[data-text='devices.connection.unreachable']")).await;
    presses(&["continue"]).await;
    done(shown("[data-text='devices.some_failed']")).await;
    presses(&["done"]).await;
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "skipped", "failed")
    );
}

#[wasm_bindgen_test]
async fn checking_again_forgets_the_first_results() {
    let section = section();
    offline();
    let check = start(&section, &options());
    presses(&["skip", "skip", "skip", "continue", "again"]).await;
    step("camera").await;
    assert!(holds("section.querySelector('[data-result]') === null"));
    presses(&["leave"]).await;
    assert_eq!(
        result(check).await,
        results("skipped", "skipped", "skipped", "skipped")
    );
}

#[wasm_bindgen_test]
async fn translated_texts_are_shown_and_english_fills_the_gaps() {
    let texts = JSON::parse(r#"{"devices.title":"Kamera prüfen"}"#).unwrap();
    let check = start(&section(), &option("texts", &texts));
    done(shown("[data-check=skip]")).await;
    assert!(holds(
        "section.querySelector('h1').textContent === 'Kamera prüfen'
            && section.querySelector('[data-check=skip]').textContent === 'Skip'"
    ));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn another_language_of_the_page_is_spoken_at_once_and_so_is_english_again() {
    let section = section();
    let check = start(&section, &options());
    done(shown("[data-check=skip]")).await;
    let words = |skip: &str| {
        format!(
            "section.querySelector('[data-check=skip]').textContent === '{skip}'
                && section.querySelector('[data-check=leave]').textContent === 'Skip the whole check'"
        )
    };
    speak(r#"{"devices.skip":"Überspringen"}"#);
    assert!(holds(&words("Überspringen")));
    presses(&["skip"]).await;
    step("microphone").await;
    assert!(holds(&words("Überspringen")), "the next step speaks it too");
    speak("null");
    assert!(holds(&words("Skip")));
    presses(&["leave"]).await;
    done(check).await;
}

#[wasm_bindgen_test]
async fn a_check_whose_screen_was_left_before_it_began_ends_at_once() {
    let section = section();
    section.set_attribute("hidden", "").unwrap();
    assert_eq!(
        result(start(&section, &options())).await,
        results("skipped", "skipped", "skipped", "skipped")
    );
    assert!(holds("section.childElementCount === 0"));
}

#[wasm_bindgen_test]
async fn the_style_sheet_is_linked_with_its_integrity() {
    let css = JSON::parse(r#"{"url":"css/none.css","integrity":"sha384-AAAA"}"#).unwrap();
    let check = start(&section(), &option("css", &css));
    done(shown("[data-check=skip]")).await;
    assert!(holds(
        "section.querySelector('link[rel=stylesheet][integrity=sha384-AAAA]') !== null"
    ));
    presses(&["leave"]).await;
    done(check).await;
}
