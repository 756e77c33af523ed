//! Routing rules: judged by Python's `re`, whose meaning they have, and checked before
//! the server starts.

use serde_json::{Value, json};
use vestibule_python_judge::Judge;
use vestibule_server::conferencing::{RoutingRuleDocument, RoutingRules};

use crate::house::{House, Setup, WHOLE};

/// Python's own `re`.
const JUDGE: Judge<'static> = Judge {
    program: concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/conferencing/routing_judge.py"
    ),
    packages: &[],
    environments: env!("CARGO_TARGET_TMPDIR"),
};

#[test]
fn rules_do_what_pythons_regular_expressions_do() {
    let rules = [
        (r"telehealth\.(.*)@(.*)", r"\1"),
        (r"telehealth\.(.*?)@(.*)", r"\2-\1"),
        (r"(.*)@(.*)", r"\1@\2"),
        (r"(.*)@(.*)", r"\g<2>.\g<1>"),
        (r"(?P<user>[^@]+)@.*", r"\g<user>0"),
        (r"(a)|(b).*", r"[\1\2]"),
        (r"(\d{3,4})(.*)", r"meet.\1\\\2"),
        (r"(.+?)(\.example)?(\.org)?", r"\1"),
        (r"^(.*)$", r"\1"),
        (r"([a-z]+)", r"<\1>"),
        (r"\w+", r"x"),
        (r"[^.]*\.([^@]*)@.*", r"\1 \g<0>"),
        (r"é(.*)", r"\1"),
    ];
    let aliases = [
        "telehealth.abc123@visits.example.org",
        "TELEHEALTH.Abc@B@visits.example.org",
        "telehealth.@",
        "12345",
        "a",
        "banana",
        "visit.one@example.org",
        "Élise",
        "x@y@z",
        "naïve@example.org",
        "-",
    ];
    let mut cases = Vec::new();
    for (pattern, replacement) in rules {
        for whole in [true, false] {
            cases.extend(aliases.map(|alias| json!([pattern, replacement, whole, alias])));
        }
    }
    let judged: Vec<Value> = JUDGE.judge(&cases);
    assert_eq!(judged.len(), cases.len());
    for (case, judged) in cases.iter().zip(&judged) {
        let text = |index: usize| case[index].as_str().unwrap().to_owned();
        let rules = RoutingRules::check(&[RoutingRuleDocument {
            name: "Rule".into(),
            priority: 1,
            match_string: text(0),
            match_string_full: true,
            match_whole: case[2].as_bool().unwrap(),
            replace_string: text(1),
            enable: true,
        }]);
        let ours = rules.unwrap().base_alias(&text(3)).ok();
        // An alias of which nothing is left leads nowhere.
        let theirs = judged.as_str().filter(|alias| !alias.is_empty());
        assert_eq!(ours.as_deref(), theirs, "{case}");
    }
    assert!(judged.iter().filter(|alias| alias.is_string()).count() > 100);
}

#[tokio::test]
async fn other_rules_lead_to_the_same_visits() {
    let rules = r#"
[[routing_rules]]
name = "Not for us"
priority = 1
match_string = "meet\\..*"
[[routing_rules]]
name = "Ours"
priority = 2
match_string = "(?:visit|telehealth)\\.(\\w+)@.*"
replace_string = "v-\\1"
"#;
    let house = House::open(Setup {
        config: &format!("{rules}{}", crate::house::PEXIP),
        ..WHOLE
    })
    .await;
    let patient = house.patient().await;
    let answer = house.policy(&patient.alias).await;
    assert!(answer["result"]["name"].is_string());
    let other = patient.alias.replace("telehealth.", "visit.");
    assert_eq!(house.policy(&other).await, answer);
    let response = house.request_token(&patient.alias, None).await;
    assert_eq!(response.status(), 403, "the embedded node knows it too");
}

mod start {
    use std::fs;

    use vestibule_server::{config::Config, server::Server};

    /// What the server says of a profile and rules as it starts.
    async fn refusal(profile: &str, rules: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/profiles");
        let sample = fs::read_to_string(format!("{samples}/healthcare-org.toml")).unwrap();
        fs::create_dir(folder.path().join("profiles")).unwrap();
        let text = format!("{profile}\n{sample}");
        fs::write(folder.path().join("profiles/profile.toml"), text).unwrap();
        fs::create_dir(folder.path().join("www")).unwrap();
        fs::write(folder.path().join("www/index.html"), "<head></head>").unwrap();
        let path = folder.path().join("vestibule.toml");
        let head =
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\nwww = \"www\"\nprofiles = \"profiles\"\n";
        fs::write(&path, format!("{head}{rules}")).unwrap();
        match Config::read(&path) {
            Err(error) => error.to_string(),
            Ok(config) => Server::bind(&config).await.err().unwrap().to_string(),
        }
    }

    #[tokio::test]
    async fn aliases_that_no_rule_matches_are_refused_by_field() {
        let template = "provider_alias_template = \"visit.{{base_telehealth_alias}}@example.org\"";
        let refused = refusal(template, "").await;
        for words in [
            "Healthcare Org",
            "provider_alias_template",
            "no routing rule",
        ] {
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_rule_that_makes_all_aliases_the_same_is_refused_by_name() {
        let rule = "[[routing_rules]]\nname = \"One for all\"\npriority = 1\n\
                    match_string = \"telehealth.*\"\nreplace_string = \"visit\"\n";
        let refused = refusal("", rule).await;
        for words in ["patient_alias_template", "One for all"] {
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_rule_that_is_none_is_refused_by_name_and_field() {
        let rule = "[[routing_rules]]\nname = \"Looks around\"\npriority = 1\n\
                    match_string = \"(?=telehealth).*\"\n";
        let refused = refusal("", rule).await;
        for words in ["Looks around", "match_string", "look-around"] {
            assert!(refused.contains(words), "{refused}");
        }
    }
}
