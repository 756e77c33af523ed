use super::*;

/// A visit in a browser where a tab has said that it has one open.
fn second_tab() -> Visit<Recorded> {
    let browser = Recorded::at(LINK);
    browser
        .lasting
        .borrow_mut()
        .insert("vestibule.open".into(), "1".into());
    begin_with(browser, settings())
}

/// The three numbers of the only message.
fn told(visit: &Visit<Recorded>) -> Value {
    let told = visit.calls_of("tell");
    assert_eq!(told.len(), 1, "{told:?}");
    serde_json::from_str(&told[0]).unwrap()
}

#[test]
fn where_no_tab_is_open_nobody_is_asked() {
    let visit = begin(LINK);
    let calls = visit.calls();
    assert!(calls[1].contains("request_token"));
    assert!(!calls.iter().any(|call| call.starts_with("tell")));
}

#[test]
fn a_tab_that_gets_no_answer_joins() {
    let mut visit = second_tab();
    assert_eq!(told(&visit)[0], 1);
    visit.time_out(timer::TABS);
    assert!(visit.calls_of("post")[0].contains("request_token"));
}

#[test]
fn without_channels_nobody_is_waited_for() {
    let mut browser = Recorded::at(LINK);
    browser.without_channels = true;
    browser
        .lasting
        .borrow_mut()
        .insert("vestibule.open".into(), "1".into());
    let visit = begin_with(browser, settings());
    assert!(visit.calls_of("post")[0].contains("request_token"));
}

#[test]
fn the_same_visit_in_two_tabs_is_said_and_can_be_taken_over() {
    let mut first = joined(LINK);
    let mut second = second_tab();
    first.tell(topic::TAB, 0, told(&second));
    second.tell(topic::TAB, 0, told(&first));
    assert_eq!(second.shown(), "elsewhere");
    assert!(second.calls_of("post").is_empty());
    second.click("take-over");
    let calls = second.calls();
    assert!(calls.iter().any(|call| call.contains("request_token")));
    let mine = calls.iter().find_map(|call| call.strip_prefix("tell "));
    let mine: Value = serde_json::from_str(mine.unwrap()).unwrap();
    first.tell(topic::TAB, 0, mine);
    assert_eq!(first.shown(), "left rejoin");
    assert_eq!(first.calls_of("beacon").len(), 1);
}

#[test]
fn another_visit_in_another_tab_is_nobodys_business() {
    let mut first = joined("https://page.example/webapp/#/?conference=other&name=Ada");
    let second = second_tab();
    let asked = told(&second);
    let numbers = asked.as_array().unwrap();
    assert!(numbers.iter().all(Value::is_u64), "the alias is a secret");
    first.tell(topic::TAB, 0, asked);
    assert!(first.calls().is_empty());
}

#[test]
fn of_two_tabs_that_ask_at_once_one_joins() {
    let mut first = second_tab();
    let mut second = second_tab();
    let (asked_first, asked_second) = (told(&first), told(&second));
    // Both have drawn the same id here; another's is larger.
    let mut later = asked_second.clone();
    later[1] = 1_000.into();
    first.tell(topic::TAB, 0, later);
    assert_eq!(told(&first)[0], 2);
    let mut earlier = asked_first.clone();
    earlier[1] = 1.into();
    second.tell(topic::TAB, 0, earlier);
    assert!(second.calls().is_empty(), "the other one is first");
}

#[test]
fn a_tab_that_stays_open_says_so_when_another_closes() {
    let mut first = joined(LINK);
    let mut second = joined("https://page.example/webapp/#/?conference=other&name=Ada");
    second.tell(topic::CLOSED, 0, Value::Null);
    assert!(second.browser.recall_open().is_none());
    let bye = told(&second);
    first.browser.lasting.borrow_mut().clear();
    first.tell(topic::TAB, 0, bye);
    assert!(first.browser.recall_open().is_some());
}

#[test]
fn what_is_no_message_is_ignored() {
    let mut visit = joined(LINK);
    for message in [
        json!("q"),
        json!([]),
        json!([1]),
        json!([1, "é", {}]),
        json!({"not": 3}),
        Value::Null,
    ] {
        visit.tell(topic::TAB, 0, message);
    }
    assert!(visit.calls().is_empty());
}

impl Recorded {
    fn recall_open(&self) -> Option<std::string::String> {
        self.lasting.borrow().get("vestibule.open").cloned()
    }
}
