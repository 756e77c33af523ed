//! The templates that Pexip Infinity documents, with people of every kind.

use vestibule_template::{Escaping, Template, contexts::*, defaults};

fn integration() -> TelehealthIntegration {
    TelehealthIntegration {
        telehealth_call_domain: "example.com".to_owned(),
        name: "Healthcare Org".to_owned(),
        description: "Example".to_owned(),
        integration_uuid: "12daaebc-ea75-43c1-a6c7-c044be66a36e".to_owned(),
        infinity_webapp_server_base_url: "https://visit.example.com/".to_owned(),
    }
}

fn patient(fname: Option<&str>, mname: Option<&str>, lname: Option<&str>) -> LaunchInformation {
    let owned = |name: Option<&str>| name.map(str::to_owned);
    LaunchInformation {
        fname: owned(fname),
        mname: owned(mname),
        lname: owned(lname),
        encfacnpiname: None,
    }
}

fn patient_name(launch_information: LaunchInformation) -> String {
    let context = DisplayNameContext {
        launch_information,
        telehealth_integration: integration(),
        telehealth_request_id: "r".to_owned(),
        unique_encounter_id: "e".to_owned(),
    };
    Template::parse(defaults::PATIENT_DISPLAY_NAME)
        .expect("the default template renders")
        .render(Escaping::None, &context)
        .expect("the default template renders")
}

fn join_link(template: &str, display_name: &str) -> String {
    let context = JoinLinkContext {
        telehealth_alias: "telehealth.a1b2@example.com".to_owned(),
        pin: Some("12345678".to_owned()),
        display_name: display_name.to_owned(),
        launch_ticket: Some("t1cket".to_owned()),
        telehealth_integration: integration(),
        telehealth_request_id: "r".to_owned(),
        unique_encounter_id: "e".to_owned(),
    };
    Template::parse(template)
        .expect("the template renders")
        .render(Escaping::JoinLink, &context)
        .expect("the template renders")
}

#[test]
fn an_alias_is_the_base_alias_at_the_call_domain() {
    let context = AliasContext {
        base_telehealth_alias: "a1b2".to_owned(),
        telehealth_integration: integration(),
        telehealth_request_id: "r".to_owned(),
        unique_encounter_id: "e".to_owned(),
    };
    let template = Template::parse(defaults::ALIAS).unwrap();
    assert_eq!(
        template.render(Escaping::None, &context).unwrap(),
        "telehealth.a1b2@example.com"
    );
    assert!(template.mentions("base_telehealth_alias"));
    assert!(!template.mentions("pin"));
}

#[test]
fn a_patients_name_has_no_double_space_where_the_middle_name_is_missing() {
    assert_eq!(
        patient_name(patient(Some("Beverley"), Some("P"), Some("Spinder"))),
        "Beverley P Spinder"
    );
    assert_eq!(
        patient_name(patient(Some("Kai"), None, Some("Picardo"))),
        "Kai Picardo"
    );
    assert_eq!(
        patient_name(patient(None, None, Some("Picardo"))),
        " Picardo"
    );
    assert_eq!(patient_name(patient(None, None, None)), " ");
}

#[test]
fn a_provider_is_shown_by_the_name_of_the_profile() {
    let context = DisplayNameContext {
        launch_information: LaunchInformation::default(),
        telehealth_integration: integration(),
        telehealth_request_id: "r".to_owned(),
        unique_encounter_id: "e".to_owned(),
    };
    let template = Template::parse(defaults::PROVIDER_DISPLAY_NAME).unwrap();
    assert_eq!(
        template.render(Escaping::None, &context).unwrap(),
        "Healthcare Org"
    );
}

#[test]
fn a_service_name_ends_with_the_department_where_there_is_one() {
    let template = Template::parse(defaults::SERVICE_NAME).unwrap();
    let mut context = ServiceNameContext {
        launch_information: patient(Some("Ada"), None, Some("Lovelace")),
        telehealth_integration: integration(),
        unique_encounter_id: "4711".to_owned(),
    };
    let name = template.render(Escaping::None, &context).unwrap();
    assert_eq!(name, "Appointment for Ada Lovelace Healthcare Org:4711");
    context.launch_information.encfacnpiname = Some("Cardiology & Co".to_owned());
    let name = template.render(Escaping::None, &context).unwrap();
    assert_eq!(
        name,
        "Appointment for Ada Lovelace Healthcare Org:4711 in Cardiology & Co"
    );
}

#[test]
fn join_links_have_one_slash_after_the_host_and_encoded_values() {
    assert_eq!(
        join_link(defaults::PROVIDER_JOIN_LINK, "Healthcare Org"),
        "https://visit.example.com/webapp/#/?conference=telehealth.a1b2%40example.com&pin=12345678&name=Healthcare%20Org"
    );
    assert_eq!(
        join_link(defaults::PATIENT_JOIN_LINK, "Zoë O'Brien-李"),
        "https://visit.example.com/webapp/#/?conference=telehealth.a1b2%40example.com&name=Zo%C3%AB%20O'Brien-%E6%9D%8E&role=guest"
    );
}

#[test]
fn a_name_in_a_join_link_stays_a_name() {
    for name in [
        "&pin=1&role=host",
        "<script>alert(1)</script>",
        "#/?pin=1",
        "a\r\nSet-Cookie: b",
        "%26pin=1",
        "\u{202e}a\0",
    ] {
        let link = join_link(defaults::PATIENT_JOIN_LINK, name);
        let fragment = link.split_once("/#/?").unwrap().1;
        let parameters: Vec<&str> = fragment.split('&').collect();
        assert_eq!(parameters.len(), 3, "{link}");
        assert!(parameters[1].starts_with("name="));
        assert_eq!(parameters[2], "role=guest");
        assert!(
            link.bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte)),
            "{link}"
        );
    }
}

#[test]
fn what_a_template_encodes_itself_is_not_encoded_again() {
    assert_eq!(
        join_link("{{ display_name|pex_url_encode }}", "a&b/c"),
        "a%26b%2Fc"
    );
    assert_eq!(
        join_link(
            "{% set name %}n={{ display_name }}{% endset %}{{ name }}",
            "a&b"
        ),
        "n=a%26b"
    );
    assert_eq!(
        join_link("{{ display_name|pex_url_encode ~ display_name }}", "a&b"),
        "a%2526ba%26b"
    );
    assert_eq!(
        join_link("x?ticket={{launch_ticket}}", ""),
        "x?ticket=t1cket"
    );
}

#[test]
fn a_base_url_is_verbatim_only_as_long_as_nothing_is_mixed_into_it() {
    let url = "{{ telehealth_integration.infinity_webapp_server_base_url";
    assert_eq!(
        join_link(&format!("{url} }}}}/x"), ""),
        "https://visit.example.com/x"
    );
    assert_eq!(
        join_link(&format!("{url} ~ display_name }}}}"), "&a"),
        "https%3A%2F%2Fvisit.example.com%26a"
    );
    assert_eq!(
        join_link(&format!("{url}|replace('visit', display_name) }}}}"), "&"),
        "https%3A%2F%2F%26.example.com"
    );
}

#[test]
fn debug_shows_no_name_no_pin_and_no_ticket() {
    let name = patient(Some("Ada"), Some("Ada"), Some("Ada"));
    let context = DisplayNameContext {
        launch_information: name,
        telehealth_integration: integration(),
        telehealth_request_id: "r".to_owned(),
        unique_encounter_id: "e".to_owned(),
    };
    assert!(!format!("{context:?}").contains("Ada"));
    let context = JoinLinkContext {
        telehealth_alias: "a".to_owned(),
        pin: Some("87654321".to_owned()),
        display_name: "Ada".to_owned(),
        launch_ticket: Some("t1cket".to_owned()),
        telehealth_integration: integration(),
        telehealth_request_id: "r".to_owned(),
        unique_encounter_id: "e".to_owned(),
    };
    let shown = format!("{context:?}");
    assert!(!shown.contains("87654321") && !shown.contains("Ada") && !shown.contains("t1cket"));
}
