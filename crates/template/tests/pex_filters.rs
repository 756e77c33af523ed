//! Pexip's own filters, for which there is no other implementation to compare with.

use std::collections::BTreeMap;

use vestibule_template::{Escaping, Template, TemplateErrorKind};

fn check(source: &str, expected: &str) {
    let context = BTreeMap::from([
        ("name", "Zoë O'Brien & Söhne"),
        ("phone", "Tel. +47 (0)22-33 44"),
    ]);
    let rendered =
        Template::parse(source).and_then(|template| template.render(Escaping::None, &context));
    assert_eq!(rendered.as_deref(), Ok(expected), "{source}");
}

#[test]
fn texts_are_cut_turned_and_counted_in_characters() {
    check(
        "{{ name|pex_head(3) }}|{{ name|pex_head(0) }}|{{ name|pex_head(100) }}",
        "Zoë||Zoë O'Brien & Söhne",
    );
    check(
        "{{ name|pex_tail(4) }}|{{ name|pex_tail(0) }}|{{ name|pex_tail(100) }}",
        "öhne||Zoë O'Brien & Söhne",
    );
    check(
        "{{ 'Zoë'|pex_reverse }}{{ 'Example'|pex_strlen }}{{ 'Zoë'|pex_strlen }}",
        "ëoZ73",
    );
    check("{{ phone|pex_clean_phone_number }}", "+470223344");
    check("{{ 'ab'|pex_require_min_length(2) }}", "ab");
}

#[test]
fn url_encoding_leaves_unreserved_characters_only_and_can_be_undone() {
    check(
        "{{ name|pex_url_encode }}",
        "Zo%C3%AB%20O%27Brien%20%26%20S%C3%B6hne",
    );
    check(
        "{{ 'aZ0-._~!*()/'|pex_url_encode }}",
        "aZ0-._~%21%2A%28%29%2F",
    );
    check("{{ name|pex_url_encode|pex_url_decode == name }}", "True");
    check("{{ 'a%2Fb%20+%zz%ff'|pex_url_decode }}", "a/b +%zz\u{fffd}");
}

#[test]
fn base64_is_that_of_the_utf_8_bytes() {
    check(
        "{{ ''|pex_base64 }}|{{ 'foob'|pex_base64 }}|{{ 'ë'|pex_base64 }}",
        "|Zm9vYg==|w6s=",
    );
}

#[test]
fn what_is_decoded_is_not_trusted_again() {
    let context = BTreeMap::from([("name", "%26pin=1%3Cb%3E")]);
    let template = Template::parse("{{ name|pex_url_decode }}").expect("the template parses");
    assert_eq!(
        template.render(Escaping::JoinLink, &context).as_deref(),
        Ok("%26pin%3D1%3Cb%3E")
    );
    assert_eq!(
        template.render(Escaping::Html, &context).as_deref(),
        Ok("&amp;pin=1&lt;b&gt;")
    );
}

#[test]
fn a_wrong_use_is_an_error() {
    for source in [
        "{{ 'a'|pex_require_min_length(2) }}",
        "{{ 'a'|pex_head }}",
        "{{ 'a'|pex_head(-1) }}",
        "{{ 'a'|pex_tail('x') }}",
        "{{ 'a'|pex_reverse(1) }}",
        "{{ 'a'|pex_head(1, length=2) }}",
        "{{ 'a'|pex_head(nothing=2) }}",
    ] {
        let template = Template::parse(source).expect("the template parses");
        let error = template
            .render(Escaping::None, &BTreeMap::<&str, &str>::new())
            .expect_err(source);
        assert_eq!(error.kind, TemplateErrorKind::Operation, "{source}");
    }
}
