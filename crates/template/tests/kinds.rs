//! What each kind of template may name, by the table in Pexip's documentation.

use serde::Serialize;
use serde_json::{Map, Value};
use vestibule_template::{Kind, Template, TemplateError, TemplateErrorKind, contexts::*, defaults};

const KINDS: [Kind; 5] = [
    Kind::Alias,
    Kind::DisplayName,
    Kind::JoinLink,
    Kind::ServiceName,
    Kind::ErrorPage,
];

fn refused(kind: Kind, source: &str) -> TemplateError {
    let error = Template::parse_as(kind, source).expect_err(source);
    assert_eq!(error.kind, TemplateErrorKind::Variable, "{source}: {error}");
    error
}

/// A template of this kind that has what it must have.
fn with(kind: Kind, text: &str) -> String {
    let must: String = kind
        .mandatory()
        .iter()
        .take(1)
        .map(|name| format!("{{{{{name}}}}}"))
        .collect();
    format!("{text}{must}")
}

/// The variables of a context, all of them given, and the fields of those that have some.
fn serialised(context: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(context).expect("a context serialises") {
        Value::Object(fields) => fields,
        other => panic!("{other}"),
    }
}

fn contexts() -> [(Kind, Map<String, Value>); 5] {
    let text = || "x".to_owned();
    let some = || Some(text());
    let telehealth_integration = TelehealthIntegration::default();
    let launch_information = LaunchInformation {
        fname: some(),
        mname: some(),
        lname: some(),
        encfacnpiname: some(),
    };
    [
        (
            Kind::Alias,
            serialised(&AliasContext {
                base_telehealth_alias: text(),
                telehealth_integration: telehealth_integration.clone(),
                telehealth_request_id: text(),
                unique_encounter_id: text(),
            }),
        ),
        (
            Kind::DisplayName,
            serialised(&DisplayNameContext {
                launch_information: launch_information.clone(),
                telehealth_integration: telehealth_integration.clone(),
                telehealth_request_id: text(),
                unique_encounter_id: text(),
            }),
        ),
        (
            Kind::JoinLink,
            serialised(&JoinLinkContext {
                telehealth_alias: text(),
                pin: some(),
                display_name: text(),
                launch_ticket: some(),
                telehealth_integration: telehealth_integration.clone(),
                telehealth_request_id: text(),
                unique_encounter_id: text(),
            }),
        ),
        (
            Kind::ServiceName,
            serialised(&ServiceNameContext {
                launch_information,
                telehealth_integration,
                unique_encounter_id: text(),
            }),
        ),
        (
            Kind::ErrorPage,
            serialised(&ErrorPageContext {
                error_name: text(),
                telehealth_request_id: text(),
                utc_time: text(),
                language: some(),
                detailed_debug_information: some(),
            }),
        ),
    ]
}

#[test]
fn each_context_has_exactly_the_variables_and_fields_of_its_kind() {
    for (kind, variables) in contexts() {
        let mut names: Vec<&str> = variables.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, kind.variables().collect::<Vec<_>>(), "{kind:?}");
        for (variable, value) in &variables {
            let Value::Object(fields) = value else {
                continue;
            };
            let error = refused(kind, &with(kind, &format!("{{{{{variable}.nothing}}}}")));
            let allowed = error.message.split_once("it has ").expect("it lists").1;
            let mut allowed: Vec<&str> = allowed.split(", ").collect();
            allowed.sort_unstable();
            let mut fields: Vec<&str> = fields.keys().map(String::as_str).collect();
            fields.sort_unstable();
            assert_eq!(fields, allowed, "{variable}");
        }
    }
}

#[test]
fn a_variable_is_allowed_where_the_table_has_it_and_nowhere_else() {
    // Alias, display name, join link, service name, error page.
    for (variable, allowed) in [
        ("base_telehealth_alias", [true, false, false, false, false]),
        (
            "detailed_debug_information",
            [false, false, false, false, true],
        ),
        ("display_name", [false, false, true, false, false]),
        ("error_name", [false, false, false, false, true]),
        ("launch_information", [false, true, false, true, false]),
        ("pin", [false, false, true, false, false]),
        ("telehealth_alias", [false, false, true, false, false]),
        ("telehealth_integration", [true, true, true, true, false]),
        ("telehealth_request_id", [true, true, true, false, true]),
        ("unique_encounter_id", [true, true, true, true, false]),
        ("utc_time", [false, false, false, false, true]),
        ("launch_ticket", [false, false, true, false, false]),
        ("language", [false, false, false, false, true]),
        ("fname", [false; 5]),
    ] {
        for (kind, allowed) in KINDS.into_iter().zip(allowed) {
            let source = with(kind, &format!("{{% if {variable} %}}x{{% endif %}}"));
            match Template::parse_as(kind, &source) {
                Ok(_) => assert!(allowed, "{kind:?} {variable}"),
                Err(error) => {
                    assert!(!allowed, "{kind:?} {variable}: {error}");
                    for known in kind.variables() {
                        assert!(error.message.contains(known), "{error}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_defaults_and_the_documented_examples_are_allowed() {
    for (kind, source) in [
        (Kind::Alias, defaults::ALIAS),
        (Kind::DisplayName, defaults::PROVIDER_DISPLAY_NAME),
        (Kind::DisplayName, defaults::PATIENT_DISPLAY_NAME),
        (Kind::JoinLink, defaults::PROVIDER_JOIN_LINK),
        (Kind::JoinLink, defaults::PATIENT_JOIN_LINK),
        (Kind::ServiceName, defaults::SERVICE_NAME),
        (Kind::ErrorPage, defaults::ERROR_PAGE),
        (
            Kind::DisplayName,
            "Appointment for {{launch_information.fname}} {{launch_information.lname}} in {{launch_information.encfacnpiname}}",
        ),
    ] {
        if let Err(error) = Template::parse_as(kind, source) {
            panic!("{source}: {error}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let error = refused(Kind::Alias, "a\n  {{ base_telehealth_alias }}{{ pin }}");
    assert_eq!((error.line, error.column), (Some(2), Some(33)));
    assert_eq!(
        error.to_string(),
        "an alias template has no variable pin; it can use base_telehealth_alias, telehealth_integration, telehealth_request_id, unique_encounter_id (line 2, column 33)"
    );
    for source in [
        "{{ launch_information.firstname }}",
        "{{ launch_information['firstname'] }}",
        "{{ launch_information.get('firstname') }}",
        "{% if launch_information.firstname %}{% endif %}",
        "{{ 'x'|replace('x', launch_information.firstname|default('y')) }}",
    ] {
        let error = refused(Kind::DisplayName, source);
        assert!(
            error.message.contains("no field firstname; it has fname"),
            "{error}"
        );
        assert_eq!(error.line, Some(1));
        assert!(error.column.is_some());
    }
}

#[test]
fn what_must_be_there_must_be_used() {
    for (kind, source, wanted) in [
        (
            Kind::Alias,
            "telehealth",
            "an alias template must contain {{base_telehealth_alias}} (line 1, column 11)",
        ),
        (
            Kind::ServiceName,
            "Visit",
            "a service name template must contain {{unique_encounter_id}} (line 1, column 6)",
        ),
        (
            Kind::JoinLink,
            "https://x/?pin={{pin}}",
            "a join link template must contain {{telehealth_alias}} or {{launch_ticket}} (line 1, column 23)",
        ),
        // Naming is not using: here it is the template's own.
        (
            Kind::Alias,
            "{% set base_telehealth_alias = 1 %}{{ base_telehealth_alias }}",
            "an alias template must contain {{base_telehealth_alias}} (line 1, column 63)",
        ),
        (
            Kind::Alias,
            "{# {{base_telehealth_alias}} #}{{ 'base_telehealth_alias' }}",
            "an alias template must contain {{base_telehealth_alias}} (line 1, column 61)",
        ),
        // A place that no rendering comes to.
        (
            Kind::ServiceName,
            "{% if false %}{{unique_encounter_id}}{% endif %}same",
            "a service name template must contain {{unique_encounter_id}} (line 1, column 53)",
        ),
        (
            Kind::ServiceName,
            "{{ 'x' if not false else unique_encounter_id }}\n",
            "a service name template must contain {{unique_encounter_id}} (line 2, column 1)",
        ),
    ] {
        assert_eq!(refused(kind, source).to_string(), wanted);
    }
    assert!(Template::parse_as(Kind::JoinLink, "https://x/#/?ticket={{launch_ticket}}").is_ok());
    assert!(Template::parse_as(Kind::DisplayName, "Patient").is_ok());
}

#[test]
fn what_the_template_assigns_itself_is_its_own() {
    for source in [
        "{% set a = 1 %}{{ a }}",
        "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
        "{% set a %}x{% endset %}{{ a }}",
        "{% for a in 'xy' %}{{ a }}{{ loop.index }}{% endfor %}",
        "{% for a, b in [] if a %}{{ b }}{% endfor %}",
        "{% with a = 1 %}{{ a }}{% endwith %}",
        "{% if 1 %}{% set a = 1 %}{% endif %}{{ a }}",
        "{% if 1 %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}",
        "{% set launch_information = {'x': 1} %}{{ launch_information.x }}",
    ] {
        if let Err(error) = Template::parse_as(Kind::DisplayName, source) {
            panic!("{source}: {error}");
        }
    }
    for source in [
        "{{ a }}{% set a = 1 %}",
        "{% for a in 'xy' %}{% endfor %}{{ a }}",
        "{% for a in a %}{% endfor %}",
        "{% with a = 1 %}{% endwith %}{{ a }}",
        "{% with a = 1, b = a %}{% endwith %}",
        "{% set b %}{% set a = 1 %}{% endset %}{{ a }}",
        "{% for x in 'xy' %}{% set a = 1 %}{% endfor %}{{ a }}",
        "{% for x in 'xy' %}{% else %}{{ x }}{% endfor %}",
        "{{ loop.index }}",
    ] {
        refused(Kind::DisplayName, source);
    }
}

#[test]
fn a_pin_that_may_be_the_variable_is_mentioned() {
    for (source, mentioned) in [
        ("{{ pin }}", true),
        (
            "{% if telehealth_alias %}{% set pin = 1 %}{% endif %}{{ pin }}",
            true,
        ),
        ("{% set pin = 1 %}{{ pin }}", false),
        ("{% set x = pin %}{{ x }}", true),
        ("{% for pin in [1] %}{{ pin }}{% endfor %}", false),
        ("{% for pin in [pin] %}{{ pin }}{% endfor %}", true),
        ("{{ 'x' if pin }}", true),
        ("{{ {'a': pin}.a }}{{ 'pin' }}", true),
        ("{{ 'pin' }}", false),
        ("{% if false %}{{ pin }}{% endif %}", false),
        ("{% if 0 %}{% if 1 %}{{ pin }}{% endif %}{% endif %}", false),
        (
            "{% if not 1 %}{{ pin }}{% else %}{{ pin }}{% endif %}",
            true,
        ),
        ("{% if 1 %}{% elif pin %}{% endif %}", false),
        ("{% if false %}{% endif %}{{ pin }}", true),
        ("{{ pin if false else 'x' }}", false),
        ("{{ 'x' if not '' else pin }}", false),
        ("{{ 'x' if x else pin }}", true),
    ] {
        let template = Template::parse(source).expect(source);
        assert_eq!(template.mentions("pin"), mentioned, "{source}");
    }
}
