//! The filters that need time, randomness or a log, and the others of Pexip that the
//! error page in the browser lacks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use proptest::prelude::*;
use vestibule_template::{Escaping, Surroundings, Template, TemplateError, TemplateErrorKind};

/// 2026-11-21T07:08:09.123456Z
const NOW: Duration = Duration::from_micros(1_795_244_889_123_456);

fn context() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("name", "Zoë O'Brien"), ("mail", "ada@example.com")])
}

fn render_with(source: &str, surroundings: &Surroundings) -> Result<String, TemplateError> {
    Template::parse(source)?.render_with(Escaping::None, &context(), surroundings)
}

fn render(source: &str) -> Result<String, TemplateError> {
    render_with(source, &Surroundings::default())
}

fn check(source: &str, expected: &str) {
    assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
}

fn kind(source: &str) -> TemplateErrorKind {
    render(source).expect_err(source).kind
}

/// Every byte is one more than the one before.
fn counting() -> Surroundings {
    let next = AtomicU8::new(0);
    Surroundings {
        now: Some(NOW),
        random: Some(Arc::new(move |bytes: &mut [u8]| {
            bytes.fill_with(|| next.fetch_add(1, Ordering::Relaxed));
        })),
        ..Surroundings::default()
    }
}

#[test]
fn the_time_is_that_of_the_surroundings_in_any_zone() {
    let source = "{% set now = pex_now() %}{{ now.year }}-{{ now.month }}-{{ now.day }} {{ now.hour }}:{{ now.minute }}:{{ now.second }}.{{ now.microsecond }}";
    for (zone, expected) in [
        ("", "2026-11-21 7:8:9.123456"),
        ("'UTC'", "2026-11-21 7:8:9.123456"),
        ("'Europe/London'", "2026-11-21 7:8:9.123456"),
        ("timezone='Asia/Tokyo'", "2026-11-21 16:8:9.123456"),
        ("'US/Pacific'", "2026-11-20 23:8:9.123456"),
    ] {
        let source = source.replace("pex_now()", &format!("pex_now({zone})"));
        assert_eq!(
            render_with(&source, &counting()).as_deref(),
            Ok(expected),
            "{zone}"
        );
    }
    for zone in [
        "'Europe/Nowhere'",
        "'../../etc/passwd'",
        "''",
        "1",
        "'x' * 99",
    ] {
        let source = format!("{{{{ pex_now({zone}) }}}}");
        let error = render_with(&source, &counting()).expect_err(zone);
        assert_eq!(error.kind, TemplateErrorKind::Operation, "{zone}");
    }
}

#[test]
fn what_the_surroundings_lack_is_an_error_that_says_so() {
    for source in [
        "{{ pex_now() }}",
        "{{ pex_random_pin(4) }}",
        "{{ pex_uuid4() }}",
    ] {
        let error = render(source).expect_err(source);
        assert_eq!(error.kind, TemplateErrorKind::Unavailable, "{source}");
        assert!(error.message.contains("here"), "{error}");
    }
    check("{{ pex_debug_log('a') }}", "");
    check("{{ '~surroundings' }}{{ surroundings }}", "~surroundings");
}

#[test]
fn a_random_pin_has_as_many_digits_as_asked_and_no_likelier_ones() {
    // Bytes 0 to 249 are taken and give each digit equally often; 250 to 255 are not.
    let pin = render_with(
        "{% for i in range(8) %}{{ pex_random_pin(32) }}{% endfor %}",
        &counting(),
    )
    .expect("it renders");
    assert_eq!(pin.len(), 256);
    assert!(pin.bytes().all(|byte| byte.is_ascii_digit()));
    let constant = Surroundings {
        random: Some(Arc::new(|bytes: &mut [u8]| bytes.fill(255))),
        ..Surroundings::default()
    };
    let error = render_with("{{ pex_random_pin(4) }}", &constant).expect_err("it never ends");
    assert_eq!(error.kind, TemplateErrorKind::TooMuch);
    let surroundings = counting();
    let two = render_with(
        "{{ pex_random_pin(6) }} {{ 6|pex_random_pin }}",
        &surroundings,
    );
    assert_eq!(two.as_deref(), Ok("012345 456789"));
    for wrong in ["", "0", "-1", "65", "'x'", "1, 2"] {
        let source = format!("{{{{ pex_random_pin({wrong}) }}}}");
        assert!(render_with(&source, &counting()).is_err(), "{wrong}");
    }
}

#[test]
fn a_random_uuid_is_of_version_4() {
    assert_eq!(
        render_with("{{ pex_uuid4() }}", &counting()).as_deref(),
        Ok("00010203-0405-4607-8809-0a0b0c0d0e0f")
    );
}

#[test]
fn the_log_has_the_templates_words_and_of_values_their_kind_only() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let surroundings = Surroundings {
        log: Some(Arc::new(move |line: &str| {
            kept.lock().expect("nobody panics").push(line.to_owned());
        })),
        ..Surroundings::default()
    };
    let source = "{{ pex_debug_log('name:', name, 7, missing, none) }}{{ 'b'|pex_debug_log(name ~ 'x', [name]) }}{{ name|pex_debug_log }}{% set x = name %}{{ pex_debug_log(x) }}{{ pex_debug_log(name|upper, {'a': name}, ('Ada' if name)) }}";
    assert_eq!(render_with(source, &surroundings).as_deref(), Ok(""));
    let lines = lines.lock().expect("nobody panics");
    assert_eq!(
        *lines,
        [
            "name: ,[text of 11 characters] ,7 ,[undefined] ,None",
            "b ,[text of 12 characters] ,[list of 1 items]",
            "[text of 11 characters]",
            "[text of 11 characters]",
            "[text of 11 characters] ,[dictionary of 1 entries] ,[text of 3 characters]",
        ]
    );
    for hidden in [
        "{{ pex_debug_log(*[name]) }}",
        "{{ pex_debug_log(x=name) }}",
        "{{ pex_debug_log(**{'x': name}) }}",
    ] {
        let error = Template::parse(hidden).expect_err(hidden);
        assert_eq!(error.kind, TemplateErrorKind::Syntax);
    }
}

#[test]
fn regular_expressions_replace_as_in_python() {
    for (source, expected) in [
        (
            r"{{ mail|pex_regex_replace('@.+', '@other.org') }}",
            "ada@other.org",
        ),
        (
            r"{{ mail|pex_regex_replace('(\\w+)@(.*)', '\\2 at \\1') }}",
            "example.com at ada",
        ),
        (r"{{ 'abxd'|pex_regex_replace('x*', '-') }}", "-a-b--d-"),
        (r"{{ 'aaa'|pex_regex_replace('a', 'b$1') }}", "b$1b$1b$1"),
        (
            r"{{ 'ab'|pex_regex_replace('(?P<x>a)(z)?', '[\\g<x>\\g<1>\\2\\g<0>]') }}",
            "[aaa]b",
        ),
        (
            r"{{ 'ab'|pex_regex_replace('b', '\\\\ \\. \\n') }}",
            "a\\ \\. \n",
        ),
        (r"{{ 'Zoë'|pex_regex_replace('\\w', '.') }}", "..."),
        (r"{{ ''|pex_regex_replace('', 'x') }}", "x"),
        (r"{{ 'ë'|pex_regex_replace('', '-') }}", "-ë-"),
    ] {
        check(source, expected);
    }
    for wrong in [
        r"{{ 'a'|pex_regex_replace('(', '') }}",
        r"{{ 'a'|pex_regex_replace('(?=a)', '') }}",
        r"{{ 'a'|pex_regex_replace('(a)\\1', '') }}",
        r"{{ 'a'|pex_regex_replace('a', '\\1') }}",
        r"{{ 'a'|pex_regex_replace('a', '\\g<x>') }}",
        r"{{ 'a'|pex_regex_replace('a', '\\q') }}",
        r"{{ 'a'|pex_regex_replace('a', '\\') }}",
        r"{{ 'a'|pex_regex_replace('a') }}",
        r"{{ 'a'|pex_regex_replace(1, 'a') }}",
    ] {
        assert_eq!(kind(wrong), TemplateErrorKind::Operation, "{wrong}");
    }
}

#[test]
fn a_search_gives_the_groups_or_nothing() {
    check(
        r"{% set groups = pex_regex_search('([a-z]+)@([a-z.]+)', 'mail ' ~ mail) %}{{ groups[0] }} {{ groups[1] }} {{ groups|length }}",
        "ada example.com 2",
    );
    check(r"{{ 'y' if pex_regex_search('(q)', name) else 'n' }}", "n");
    check(r"{{ pex_regex_search('(a)|(b)', 'b') }}", "[None, 'b']");
    check(r"{{ '(a+)'|pex_regex_search('baa') }}", "['aa']");
    check(
        r"{{ ['sip:a', 'ada@b', 'x@y']|pex_find_first_match('@') }}|{{ ['a']|pex_find_first_match('@') }}|{{ []|pex_find_first_match('@') }}",
        "ada@b||",
    );
}

#[test]
fn addresses_are_found_in_subnets_of_their_family() {
    for (arguments, expected) in [
        ("'10.47.0.1', ['10.47.0.0/16', '10.147.0.0/16']", "True"),
        ("'10.48.0.1', ['10.47.0.0/16', '10.147.0.0/16']", "False"),
        ("'10.47.0.1', '10.47.0.1'", "True"),
        ("'10.47.0.1', ['0.0.0.0/0']", "True"),
        ("'10.47.3.1', ['10.47.2.7/23']", "True"),
        ("'2001:db8::1', ['2001:db8::/32']", "True"),
        ("'2001:db9::1', ['2001:db8::/32', '::1/128']", "False"),
        ("'2001:db9::1', ['::/0']", "True"),
        ("'10.0.0.1', ['::/0']", "False"),
        ("'10.0.0.1', []", "False"),
    ] {
        check(&format!("{{{{ pex_in_subnet({arguments}) }}}}"), expected);
    }
    check("{{ '10.0.0.1'|pex_in_subnet(['10.0.0.0/8']) }}", "True");
    for wrong in [
        "'x', ['10.0.0.0/8']",
        "'10.0.0.1', ['10.0.0.0/33']",
        "'10.0.0.1', ['10.0.0.0/+8']",
        "'10.0.0.1', ['10.0.0.0/']",
        "'10.0.0.1'",
        "1, ['10.0.0.0/8']",
        "'10.0.0.1', none",
    ] {
        let source = format!("{{{{ pex_in_subnet({wrong}) }}}}");
        assert_eq!(kind(&source), TemplateErrorKind::Operation, "{wrong}");
    }
}

#[test]
fn hashes_are_the_same_for_the_same_text() {
    // RFC 1321 section A.5.
    check("{{ ''|pex_md5 }}", "d41d8cd98f00b204e9800998ecf8427e");
    check(
        "{{ 'message digest'|pex_md5 }}",
        "f96b697d7cb7938d525a2f31aaf161d0",
    );
    // FIPS 180-2 appendix B.1: ba7816bf 8f01cfea.
    check(
        "{{ 'abc'|pex_hash }}",
        &0xba78_16bf_8f01_cfea_u64.to_string(),
    );
    check(
        "{{ name|pex_hash == name|pex_hash }}{{ 'a'|pex_hash == 'b'|pex_hash }}",
        "TrueFalse",
    );
}

#[test]
fn json_is_spelt_as_by_python() {
    check(
        r#"{{ {'a': [1, 2.5, true, none], 'b"': "ë\n\"\\/", 2: {}, none: [], true: 1e20}|pex_to_json }}"#,
        r#"{"a": [1, 2.5, true, null], "b\"": "\u00eb\n\"\\/", "2": {}, "null": [], "true": 1e+20}"#,
    );
    check("{{ '😀'|pex_to_json }}", r#""\ud83d\ude00""#);
    assert_eq!(
        kind("{{ missing|pex_to_json }}"),
        TemplateErrorKind::Undefined
    );
}

#[test]
fn an_update_leaves_the_dictionary_as_it_was() {
    check(
        "{% set a = {'x': 1, 'y': 2} %}{{ a|pex_update({'y': 3, 'z': 4}) }}{{ a }}",
        "{'x': 1, 'y': 3, 'z': 4}{'x': 1, 'y': 2}",
    );
    for wrong in [
        "{{ {}|pex_update }}",
        "{{ {}|pex_update([]) }}",
        "{{ 'a'|pex_update({}) }}",
    ] {
        assert_eq!(kind(wrong), TemplateErrorKind::Operation, "{wrong}");
    }
}

#[test]
fn base64_becomes_a_uuid() {
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    check("{{ 'ABEiM0RVZneImaq7zN3u/w=='|pex_to_uuid }}", uuid);
    check("{{ 'ABEiM0RVZneImaq7zN3u_w'|pex_to_uuid }}", uuid);
    for wrong in [
        "''",
        "'ABEi'",
        "'ABEiM0RVZneImaq7zN3u/wAA'",
        "'*' * 22",
        "1",
    ] {
        let source = format!("{{{{ ({wrong})|pex_to_uuid }}}}");
        assert_eq!(kind(&source), TemplateErrorKind::Operation, "{wrong}");
    }
}

#[test]
fn rewritten_links_are_what_they_were() {
    for (filter, link, expected) in [
        (
            "pex_safelinks_decode",
            "see https://nam01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc&data=05%7C01 <https://eur02.safelinks.protection.outlook.com/?data=x&amp;url=https%3A%2F%2Fb.example%2F&amp;z=1>!",
            "see https://example.com/a?b=c <https://b.example/>!",
        ),
        (
            "pex_safelinks_decode",
            "https://safelinks.example.com/?url=https%3A%2F%2Fevil.example",
            "https://safelinks.example.com/?url=https%3A%2F%2Fevil.example",
        ),
        (
            "pex_urldefense_decode",
            "https://urldefense.proofpoint.com/v1/url?u=http://www.example.com/%3Fa&k=oIvRg1%2BdGAgOoM1BIlLLqw%3D%3D",
            "http://www.example.com/?a",
        ),
        (
            "pex_urldefense_decode",
            "a https://urldefense.proofpoint.com/v2/url?u=https-3A__example.com_a-5Fb_-3Fc-3Dd&d=DwMFaQ&c=x b",
            "a https://example.com/a_b/?c=d b",
        ),
        (
            "pex_urldefense_decode",
            "https://urldefense.com/v3/__https://example.com/a*b?c=**Ad__;I8OkJg!!abc!xyz$",
            "https://example.com/a#b?c=ä&d",
        ),
        (
            "pex_urldefense_decode",
            "https://urldefense.com/v3/__https:/example.com/__;!!abc!xyz$",
            "https://example.com/",
        ),
        (
            "pex_urldefense_decode",
            "https://urldefense.com/v3/__https://example.com/*__;!!abc!xyz$ https://urldefense.com/v3/__x",
            "https://urldefense.com/v3/__https://example.com/*__;!!abc!xyz$ https://urldefense.com/v3/__x",
        ),
    ] {
        let source = format!("{{{{ '{link}'|{filter} }}}}");
        check(&source, expected);
    }
}

#[test]
fn the_filters_cannot_be_made_to_work_for_long() {
    let start = Instant::now();
    for source in [
        // A pattern that backtracking engines never finish.
        "{{ ('a' * 20000)|pex_regex_replace('(a+)+b', '') }}",
        "{{ ('a' * 200000)|pex_regex_replace('(a*)*c|(a|a)+b', '') }}",
        "{{ ('a' * 200000)|pex_regex_replace('(a?){60}a{60}', '') }}",
        "{{ ('aäb ' * 60000)|pex_regex_replace('([\\\\w ]?){9}[ab]{50}c', '') }}",
        "{{ ('a' * 200000)|pex_regex_replace('', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb') }}",
        "{{ 'a'|pex_regex_replace('((\\\\w{100}){100}){100}', '') }}",
        "{{ 'a'|pex_regex_replace('(' * 500, '') }}",
        "{{ 'a'|pex_regex_replace('x' * 600, '') }}",
        "{% for i in range(9999) %}{{ 'a'|pex_regex_replace('\\\\w+', 'b') }}{% endfor %}",
        "{% for i in range(9999) %}{{ pex_uuid4() }}{% endfor %}",
        "{{ range(9999)|join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')|pex_to_json|pex_to_json|pex_to_json|length * 'abc' * 99 }}",
        "{% set a = {'a': 'x' * 9999} %}{% for i in range(9999) %}{% set b = a|pex_update({i: a}) %}{% endfor %}",
    ] {
        match render_with(source, &counting()) {
            Ok(text) => assert!(text.len() <= vestibule_template::limits::MAX_OUTPUT_BYTES),
            Err(error) => assert!(
                matches!(
                    error.kind,
                    TemplateErrorKind::TooMuch | TemplateErrorKind::Operation
                ),
                "{source}: {error}"
            ),
        }
    }
    // Without optimisation and beside other tests; one of them alone would take hours.
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

proptest! {
    #[test]
    fn no_text_makes_a_filter_panic(value in "\\PC{0,20}|https://(urldefense.com/v[123]/|x.safelinks.protection.outlook.com/)[a-z_*?=&;!%:/AB-]{0,30}", argument in "\\PC{0,12}|[(\\[\\]a|)*+?{}0-9\\\\g<>]{0,12}") {
        let context = BTreeMap::from([("a", value.as_str()), ("b", argument.as_str())]);
        for source in [
            "{{ a|pex_safelinks_decode }}{{ a|pex_urldefense_decode }}",
            "{{ a|pex_regex_replace(b, a) }}",
            "{{ a|pex_regex_replace('a|', b) }}",
            "{{ pex_regex_search(b, a) }}{{ [a, b]|pex_find_first_match(b) }}",
            "{{ pex_in_subnet(a, [b]) }}",
            "{{ a|pex_to_uuid }}",
            "{{ pex_now(a) }}",
            "{{ a|pex_md5 }}{{ a|pex_hash }}{{ [a, {b: a}]|pex_to_json }}{{ {a: b}|pex_update({b: a}) }}",
            "{{ b % a }}{{ b.format(a, a=1) }}",
            "{{ b.format(1.5) }}",
            "{{ b|format(7) }}",
            "{{ a|int(0, 36) }}{{ a|float }}{{ a.title() }}{{ a.swapcase() }}{{ a|striptags }}{{ a.splitlines() }}{{ [a] }}",
        ] {
            let template = Template::parse(source).expect("it is a template");
            let rendered = template.render_with(Escaping::Html, &context, &counting());
            if let Ok(text) = rendered {
                prop_assert!(text.len() <= vestibule_template::limits::MAX_OUTPUT_BYTES);
            }
        }
    }
}
