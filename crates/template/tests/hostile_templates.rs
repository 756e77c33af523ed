//! Templates that want too much, or what is not theirs.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use vestibule_template::{
    Escaping, Template, TemplateError, TemplateErrorKind,
    limits::{MAX_OUTPUT_BYTES, MAX_SOURCE_CHARS},
};

fn render(source: &str) -> Result<String, TemplateError> {
    Template::parse(source)?.render(
        Escaping::None,
        &BTreeMap::from([("name", "Ada"), ("secret", "s3cret")]),
    )
}

fn kind(source: &str) -> TemplateErrorKind {
    let started = Instant::now();
    let error = render(source).expect_err(source);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{source} took {:?}",
        started.elapsed()
    );
    error.kind
}

#[test]
fn loops_end() {
    for source in [
        "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
        "{% for a in range(10000) %}{% endfor %}{% for a in range(10000) %}{% endfor %}",
        "{{ range(10**9) }}",
        "{{ range(0, 10**18, -1)|length }}{{ range(10**18) }}",
        "{% for a in [1] * 10**9 %}{% endfor %}",
        "{% for a in 'a' * 100000 %}{% endfor %}",
    ] {
        assert_eq!(kind(source), TemplateErrorKind::TooMuch, "{source}");
    }
}

#[test]
fn values_cannot_grow_without_end() {
    let doubled = |start: &str, step: &str| format!("{start}{}", step.repeat(60));
    for source in [
        "{{ 'ab' * 10**9 }}".to_owned(),
        "{{ (1,) * 10**8 }}".to_owned(),
        "{{ [1] * 10**8 }}".to_owned(),
        "{% set a = 'a' * 100000000 %}".to_owned(),
        doubled("{% set a = 'a' %}", "{% set a = a ~ a %}"),
        doubled("{% set a = 'a' %}", "{% set a = a + a %}"),
        doubled("{% set a = [1] %}", "{% set a = a + a %}"),
        doubled("{% set a = [1] %}", "{% set a = [a, a] %}"),
        doubled("{% set a = [1] %}", "{% set a = {'x': a, 'y': a} %}"),
        doubled("{% set a = 'a' %}", "{% set a = '%s%s'|format(a, a) %}"),
        doubled("{% set a = 'a' %}", "{% set a = '%s%s' % (a, a) %}"),
        doubled("{% set a = 'a' %}", "{% set a = a.join([a, a, a]) %}"),
        doubled("{% set a = 'a' %}", "{% set a = [a, a]|join %}"),
        doubled("{% set a = 'a' %}", "{% set a = a|replace('a', 'aa') %}"),
        doubled("{% set a = 'a' %}", "{% set a = a.replace('a', 'aa') %}"),
        doubled("{% set a = 'a' %}", "{% set a %}{{ a }}{{ a }}{% endset %}"),
        doubled(
            "{% set a = '&' %}",
            "{% set a = a|pex_url_encode %}{% set a = a ~ a %}",
        ),
        "{% set a = 'a' * 100000 %}".to_owned() + &"{% set b = a[1:] %}".repeat(100),
        "{{ '%1000000000s'|format('x') }}".to_owned(),
        "{{ '%.100000000f'|format(1.5) }}".to_owned(),
        format!(
            "{{% for a in range(3000) %}}{}{{% endfor %}}",
            "x".repeat(1000)
        ),
        format!(
            "{{% set a %}}{{% for a in range(3000) %}}{}{{% endfor %}}{{% endset %}}",
            "x".repeat(1000)
        ),
    ] {
        assert_eq!(kind(&source), TemplateErrorKind::TooMuch, "{source}");
    }
}

#[test]
fn two_grown_lists_cannot_be_compared_for_ever() {
    let grow = "{% set a = [a, a] %}{% set b = [b, b] %}".repeat(50);
    assert_eq!(
        kind(&format!(
            "{{% set a = [1] %}}{{% set b = [1] %}}{grow}{{{{ a == b }}}}"
        )),
        TemplateErrorKind::TooMuch
    );
}

#[test]
fn nesting_never_exhausts_the_stack() {
    for source in [
        format!("{{{{ {}1{} }}}}", "(".repeat(6000), ")".repeat(6000)),
        format!("{{{{ {}{} }}}}", "[".repeat(6000), "]".repeat(6000)),
        format!("{{{{ {}1 }}}}", "-".repeat(12_000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(3_000)),
        format!("{{{{ 'a'{} }}}}", "|trim".repeat(2_400)),
        format!("{{{{ a{} }}}}", ".a".repeat(6_000)),
        format!("{{{{ 1{} }}}}", "+1".repeat(6_000)),
        format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(1_000)),
        "{% if a %}".repeat(1_200),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(1_000)),
        "{% for a in [1] %}".repeat(600),
        "{% filter upper %}".repeat(600),
    ] {
        let error = Template::parse(&source).expect_err(&source[..60]);
        assert!(matches!(
            error.kind,
            TemplateErrorKind::TooMuch | TemplateErrorKind::Syntax
        ));
    }
    // As deep as the limits allow: each of these is a template.
    let deepest = format!("{}{}", "[".repeat(30), "]".repeat(30));
    for source in [
        format!("{{{{ {}1{} }}}}", "(".repeat(30), ")".repeat(30)),
        format!("{{{{ {}1 }}}}", "-".repeat(50)),
        format!("{{{{ {}1 }}}}", "not ".repeat(50)),
        format!("{{{{ 'a'{} }}}}", "|trim".repeat(97)),
        format!("{{{{ 1{} }}}}", "+1".repeat(97)),
        format!("{{{{ 1{} }}}}", "~1".repeat(97)),
        format!("{{{{ 'a'{} }}}}", "[0:]".repeat(97)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(80)),
        format!("{}{}", "{% if 1 %}".repeat(97), "{% endif %}".repeat(97)),
        format!(
            "{}{{{{ {deepest} }}}}{}",
            "{% filter upper %}".repeat(60),
            "{% endfilter %}".repeat(60)
        ),
        format!(
            "{{% set a = [] %}}{}{{{{ a }}}}{{{{ a == [a] }}}}",
            "{% set a = [a] %}".repeat(500)
        ),
    ] {
        assert!(
            render(&source).is_ok(),
            "{}: {:?}",
            &source[..40],
            render(&source)
        );
    }
}

#[test]
fn other_templates_and_the_machine_are_out_of_reach() {
    for source in [
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% do x %}",
        "{{ name|safe }}",
        "{{ name|e }}",
        "{{ name|attr('x') }}",
        "{{ name|map('upper') }}",
        "{{ name is filter }}",
        "{{ debug() }}",
        "{{ namespace() }}",
        "{{ self() }}",
        "{{ lipsum() }}",
        "{% set ns.a = 1 %}",
    ] {
        let error = Template::parse(source).expect_err(source);
        assert_eq!(error.kind, TemplateErrorKind::Syntax, "{source}");
        assert_eq!(error.line, Some(1), "{source}: {error:?}");
        assert!(error.column > Some(3), "{source}: {error:?}");
    }
    assert_eq!(
        render("{{ ''.__class__ }}{{ name.__class__ }}").unwrap(),
        ""
    );
    assert_eq!(
        kind("{{ ''.__class__.__mro__ }}"),
        TemplateErrorKind::Undefined
    );
    assert_eq!(kind("{{ name.__class__() }}"), TemplateErrorKind::Syntax);
    for source in [
        "{% for x in [1] %}{{ loop.cycle() }}{% endfor %}",
        "{% for x in [1] %}{{ loop.cycle(*[]) }}{% endfor %}",
    ] {
        assert_eq!(
            kind(source),
            TemplateErrorKind::Syntax,
            "the engine would panic"
        );
    }
    assert_eq!(
        kind("{{ range.__globals__.x }}"),
        TemplateErrorKind::Undefined
    );
}

#[test]
fn a_source_is_counted_in_characters() {
    assert!(render(&"ä".repeat(MAX_SOURCE_CHARS)).is_ok());
    let error = Template::parse(&"a".repeat(MAX_SOURCE_CHARS + 1)).unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::TooMuch);
}

#[test]
fn output_may_be_as_long_as_the_limit_and_no_longer() {
    let value = "x".repeat(MAX_OUTPUT_BYTES);
    let template = Template::parse("{{ a }}{{ b }}").unwrap();
    let context = BTreeMap::from([("a", value.as_str())]);
    assert_eq!(
        template.render(Escaping::None, &context).unwrap().len(),
        MAX_OUTPUT_BYTES
    );
    for b in ["y", "&"] {
        let context = BTreeMap::from([("a", value.as_str()), ("b", b)]);
        assert_eq!(
            template.render(Escaping::Html, &context).unwrap_err().kind,
            TemplateErrorKind::TooMuch
        );
    }
    let escaped = "&".repeat(MAX_OUTPUT_BYTES / 2);
    let context = BTreeMap::from([("a", escaped.as_str())]);
    assert!(template.render(Escaping::None, &context).is_ok());
    assert_eq!(
        template.render(Escaping::Html, &context).unwrap_err().kind,
        TemplateErrorKind::TooMuch
    );
    assert_eq!(
        template
            .render(Escaping::JoinLink, &context)
            .unwrap_err()
            .kind,
        TemplateErrorKind::TooMuch
    );
}

#[test]
fn errors_say_where_and_hold_no_value() {
    for source in [
        "\n{{ secret + 1 }}",
        "\n{{ secret|abs }}",
        "\n{{ secret|truncate(1) }}",
        "\n{{ 10 ** secret }}",
        "\n{{ secret / 2 }}",
        "\n{{ secret.nothing() }}",
        "\n{{ secret.nothing.nothing }}",
        "\n{{ secret|join(attribute='x')|int / 0 }}",
        "\n{{ '%d'|format(secret) }}",
        "\n{{ {secret: secret}[secret]() }}",
        "\n{{ secret|pex_require_min_length(100) }}",
        "\n{% for a, b in [secret] %}{% endfor %}",
    ] {
        let error = render(source).expect_err(source);
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );
        assert_eq!(error.line, Some(2), "{source}: {error:?}");
    }
    let error = Template::parse("a\n  {{ name|nothing }}").unwrap_err();
    assert_eq!((error.line, error.column), (Some(2), Some(11)));
    assert_eq!(
        error.to_string(),
        "there is no filter named nothing (line 2, column 11)"
    );
}

#[test]
fn what_is_refused_when_it_is_parsed_is_said_with_its_line_and_column() {
    let deep = format!("ä\n {{{{ 1{} }}}}", "|int".repeat(110));
    let statements = format!(
        "{{% if 1 %}}{}",
        "{% with %}".repeat(110) + &"{% endwith %}".repeat(110) + "{% endif %}"
    );
    for (source, line, column) in [
        ("ä\n ä {% include 'x' %}", 2, 7),
        ("ä {%- import 'x' as x %}", 1, 7),
        ("{% if 1 %}{% macro m() %}{% endmacro %}{% endif %}", 1, 14),
        ("{% autoescape false %}x{% endautoescape %}", 1, 4),
        ("a {% raw %}{% do %}{% endraw %}{% do x %}", 1, 35),
        ("{% endraw %}", 1, 4),
        ("{% 1 %}", 1, 4),
        ("ä {{", 1, 3),
        ("{{ a }} ä {{ name", 1, 14),
        ("{{ a }} ä {{ name b }}", 1, 19),
        ("a\n{{ name }} {{ name ! }}", 2, 20),
        ("ä {{ 'a' ~ 'b }}", 1, 17),
        ("ä\nä {{ a ~\t '\\x' }}", 2, 11),
        ("{{ '\\a' }}", 1, 4),
        ("a\n{# ä", 2, 5),
        ("a\n{% raw %}ä", 2, 11),
        ("{% if 1 %}\nä{% else %}", 2, 10),
        ("{% endif %}", 1, 4),
        ("ä{% set a.b = 1 %}", 1, 11),
        ("\r\n\r{{ a|nothing }}", 3, 6),
        (&"ä\n".repeat(MAX_SOURCE_CHARS), MAX_SOURCE_CHARS / 2 + 1, 1),
        (&format!("\n{{{{ {} }}}}", "(".repeat(31)), 2, 34),
        (&format!("{{{{ {}1 }}}}", "-".repeat(51)), 1, 54),
        (&deep, 2, 51),
        (&statements, 1, 994),
    ] {
        let error = Template::parse(source).expect_err(source);
        let place = (error.line, error.column);
        assert_eq!(place, (Some(line), Some(column)), "{source}: {error:?}");
    }
}

#[test]
fn what_fails_when_it_is_rendered_is_said_with_its_line_and_column() {
    for (source, line, column) in [
        ("ä\nä {{ name.nothing.nothing }}", 2, 10),
        ("ä {{ name|abs }}", 1, 11),
        ("ä {{ 1 + (1 / 0) }}", 1, 11),
        (
            "{% for x in range(9999) %}\nä{{ x }}{% for x in range(9999) %}{% endfor %}{% endfor %}",
            2,
            2,
        ),
    ] {
        let error = render(source).expect_err(source);
        let place = (error.line, error.column);
        assert_eq!(place, (Some(line), Some(column)), "{source}: {error:?}");
    }
}

proptest! {
    #[test]
    fn no_template_panics(
        source in "(\\{\\{|\\}\\}|\\{%|%\\}|[ a-f0-9'\"|.()\\[\\]{},:~+*/%<=-]|for |in |if |set |endfor|endif|endset|trim|join|format|range|\\PC){0,60}",
    ) {
        if let Ok(text) = render(&source) {
            prop_assert!(text.len() <= MAX_OUTPUT_BYTES);
        }
    }

    #[test]
    fn no_expression_panics(
        expression in "(name|1|2\\.5|'%s'|''|\\[1, 'a'\\]|\\(1,\\)|\\{'a': 1\\}|none|true|missing)( ?(\\+|-|\\*|/|//|%|\\*\\*|~|==|<|in|and|or|if|is|\\|) ?(name|1|2|-7|'%d'|'a'|\\[1\\]|none|trim|int|float|round|abs|first|last|length|upper|striptags|format\\(1\\)|truncate\\(3\\)|join\\('x'\\)|replace\\('a', 'b'\\)|pex_tail\\(1\\)|string|defined|odd)(\\[[0-9:-]{1,4}\\])?){0,6}",
    ) {
        if let Ok(text) = render(&format!("{{{{ {expression} }}}}")) {
            prop_assert!(text.len() <= MAX_OUTPUT_BYTES);
        }
    }

    #[test]
    fn any_name_is_one_value_in_a_join_link_and_text_in_html(name in any::<String>()) {
        let context = BTreeMap::from([("name", name.as_str())]);
        let template = Template::parse("{{ name }}").unwrap();
        let link = template.render(Escaping::JoinLink, &context).unwrap();
        prop_assert!(!link.contains(['&', '=', '#', '?', '/', '+', ' ', '<', '"', '%']) || link.contains('%'));
        let decoded = percent_encoding::percent_decode_str(&link).decode_utf8().unwrap().into_owned();
        prop_assert_eq!(&decoded, &name);
        prop_assert!(link.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!~*'()%".contains(&b)));
        let html = template.render(Escaping::Html, &context).unwrap();
        prop_assert!(!html.contains(['<', '>', '"', '\'']));
    }
}
