use super::*;

fn document(match_string: &str, replace_string: &str) -> RoutingRuleDocument {
    RoutingRuleDocument {
        name: "Rule".into(),
        priority: 1,
        match_string: match_string.into(),
        match_string_full: false,
        match_whole: true,
        replace_string: replace_string.into(),
        enable: true,
    }
}

fn rules(documents: &[RoutingRuleDocument]) -> RoutingRules {
    RoutingRules::check(documents).unwrap()
}

#[test]
fn the_default_rule_takes_the_base_alias_out() {
    let rules = RoutingRules::default();
    for dialled in [
        "telehealth.abc123@visits.example.org",
        "sip:telehealth.abc123@visits.example.org",
        "PEXIP:telehealth.abc123@visits.example.org;transport=tls?x=y",
        " TELEHEALTH.abc123@visits.example.org ",
    ] {
        assert_eq!(rules.base_alias(dialled).unwrap(), "abc123", "{dialled}");
    }
    // Greedy: at the last @.
    assert_eq!(rules.base_alias("telehealth.a@b@c").unwrap(), "a@b");
    for dialled in [
        "abc123",
        "abc123@visits.example.org",
        "xtelehealth.abc123@visits.example.org",
        "telehealthXabc123@visits.example.org",
        "telehealth.@visits.example.org",
        &format!("telehealth.{}@visits.example.org", "a".repeat(1000)),
    ] {
        assert_eq!(rules.base_alias(dialled), Err(NoRoute), "{dialled}");
    }
}

#[test]
fn an_alias_is_parsed_as_pexip_does() {
    for (alias, expected) in [
        ("visit", "visit"),
        ("sip:visit@example.org;user=phone", "visit@example.org"),
        ("h323:visit@10.1.2.3", "visit"),
        ("visit@10.1.2.3:5060", "visit"),
        ("visit@[2001:db8::1]:5061", "visit"),
        ("visit@2001:db8::1", "visit"),
        ("visit@example.org:5061", "visit@example.org:5061"),
        ("visit:1@example.org", "visit:1@example.org"),
        ("a@b@10.1.2.3", "a@b"),
    ] {
        assert_eq!(parsed(alias), expected, "{alias}");
    }
}

#[test]
fn a_full_match_string_sees_the_alias_as_it_came() {
    let mut full = document(r"sip:(.*)@10\.1\.2\.3", r"\1");
    full.match_string_full = true;
    assert_eq!(
        rules(&[full]).base_alias("sip:abc@10.1.2.3").unwrap(),
        "abc"
    );
    let parsed = document(r"sip:(.*)@10\.1\.2\.3", r"\1");
    assert!(rules(&[parsed]).base_alias("sip:abc@10.1.2.3").is_err());
}

#[test]
fn the_first_rule_by_priority_counts() {
    let with = |name: &str, priority, replace: &str| RoutingRuleDocument {
        name: name.into(),
        priority,
        ..document("(.*)", replace)
    };
    let second = with("second", 7, r"second-\1");
    let first = with("first", 3, r"first-\1");
    let both = rules(&[second.clone(), first.clone()]);
    assert_eq!(both.base_alias("a").unwrap(), "first-a");
    let disabled = RoutingRuleDocument {
        enable: false,
        ..first
    };
    assert_eq!(
        rules(&[second, disabled]).base_alias("a").unwrap(),
        "second-a"
    );
}

#[test]
fn an_empty_replacement_leaves_the_alias_alone() {
    let rules = rules(&[document("visit-.*", "")]);
    assert_eq!(rules.base_alias("sip:visit-7").unwrap(), "visit-7");
}

#[test]
fn what_cannot_be_used_is_refused_with_rule_and_field() {
    for (rule, field, words) in [
        (document("(?=a)a", ""), "match_string", "look-around"),
        (document(r"(a)\1", ""), "match_string", "back-references"),
        (document("(a", ""), "match_string", "unclosed group"),
        (document("a)(b", ""), "match_string", "unopened group"),
        (document("", ""), "match_string", "empty"),
        (document(&"a".repeat(251), ""), "match_string", "250"),
        (document(r"(\w{1000}){1000}", ""), "match_string", "large"),
        (document("a", r"\1"), "replace_string", "group 1"),
        (document("(a)", r"\g<b>"), "replace_string", "group b"),
        (document("(a)", r"\g<1"), "replace_string", ">"),
        (document("(a)", r"\0"), "replace_string", "backslash"),
        (document("(a)", r"\101"), "replace_string", "backslash"),
        (document("(a)", r"\n"), "replace_string", "backslash"),
        (document("(a)", r"\"), "replace_string", "backslash"),
    ] {
        let error = RoutingRules::check(std::slice::from_ref(&rule)).unwrap_err();
        assert_eq!(
            (error.rule.as_str(), error.field),
            ("Rule", field),
            "{rule:?}"
        );
        assert!(error.to_string().contains(words), "{error}");
    }
    for priority in [0, 201] {
        let rule = RoutingRuleDocument {
            priority,
            ..document("a", "")
        };
        assert_eq!(RoutingRules::check(&[rule]).unwrap_err().field, "priority");
    }
    let nameless = RoutingRuleDocument {
        name: " ".into(),
        ..document("a", "")
    };
    let error = RoutingRules::check(&[document("a", ""), nameless]).unwrap_err();
    assert_eq!(error.to_string(), "routing_rules: rule 2: name is empty");
}

#[test]
fn an_alias_that_was_routed_before_is_known_as_itself() {
    let rules = RoutingRules::default();
    assert_eq!(rules.known_as("sip:telehealth.abc@example.org"), "abc");
    assert_eq!(rules.known_as("pexip:abc"), "abc");
}

#[test]
fn a_rule_is_read_with_its_defaults() {
    let rule: RoutingRuleDocument =
        toml::from_str("name = 'A'\npriority = 5\nmatch_string = 'a'").unwrap();
    assert_eq!(
        rule,
        RoutingRuleDocument {
            name: "A".into(),
            priority: 5,
            ..document("a", "")
        }
    );
    assert!(toml::from_str::<RoutingRuleDocument>("name = 'A'\nmatch = 'a'").is_err());
}
