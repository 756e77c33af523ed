//! Zoom's links, against published vectors.

use vestibule_launch::crypto::LONGEST_CIPHERTEXT;

use super::*;
use crate::random;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
const SECRET: &str = "abcdaj333j4j4jkl4k444";
const VISIT: &str = "usertype=2&sessionid=98765&userid=3100312345&firstname=Ed&lastname=Mercer";

fn of(secret: &str) -> Overlap<LaunchCipher> {
    Overlap::only(cipher("zoom.api_secret", &secret.into()).unwrap())
}

fn account(org_id: &str, secret: &str) -> Account {
    Account {
        org_id: org_id.to_owned(),
        ciphers: of(secret),
    }
}

fn zoom() -> Zoom {
    Zoom {
        everybody: account("everybody", SECRET),
        patients: Some(account("patients", "another secret")),
        plus_sign: PlusSign::Literal,
    }
}

fn url(org_id: &str, data: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("org_id", org_id)
        .append_pair("data", data)
        .finish()
}

fn encrypt(secret: &str, plaintext: &str) -> String {
    of(secret)
        .current()
        .encrypt(plaintext, &mut *random::system())
}

fn launch(parameters: &str) -> Result<Opened, DialectError> {
    let zoom = zoom();
    let request = zoom.read(parameters)?;
    assert!(request.sign_in.is_none());
    zoom.open(&request.encrypted.unwrap(), NOW)
}

fn opened(plaintext: &str) -> Option<Opened> {
    launch(&url("everybody", &encrypt(SECRET, plaintext))).ok()
}

#[test]
fn what_zoom_s_own_sample_encrypts_is_opened() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/vectors/epic-crypto.json"
    );
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("the vectors of launch encryption are missing: {error}"));
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut roles = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        if let Some(secret) = vector["secret"].as_str() {
            assert_eq!(secret, SECRET);
            let data = vector["b64"].as_str().unwrap();
            let opened = launch(&url("everybody", data)).unwrap();
            roles.push(opened.role.unwrap());
            assert_eq!(encrypt(SECRET, vector["plaintext"].as_str().unwrap()), data);
        }
    }
    assert_eq!(roles, [EhrRole::Provider, EhrRole::Patient]);
}

#[test]
fn a_visit_has_an_appointment_a_user_and_names() {
    let opened = opened(VISIT).unwrap();
    assert_eq!(opened.role, Some(EhrRole::Patient));
    let context = opened.context;
    assert_eq!(context.unique_encounter_id.as_str(), "98765");
    assert_eq!(context.external_id.as_deref(), Some("3100312345"));
    let information = context.launch_information;
    assert_eq!(information.fname.as_deref(), Some("Ed"));
    assert_eq!(information.lname.as_deref(), Some("Mercer"));
    let least = super::tests::opened("usertype=1&userid=1&sessionid=2&email=&firstname=");
    assert_eq!(least.unwrap().role, Some(EhrRole::Provider));
}

#[test]
fn sample_urls_escape_plus_signs_only_or_everything() {
    // The shape of the published example: 80 bytes, `+` and `/` and `=` in it.
    let data = encrypt(SECRET, VISIT);
    assert!(data.contains('+') && data.contains('/') && data.ends_with('='));
    for written in [
        data.replace('+', "%2B"),
        data.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D"),
    ] {
        assert!(launch(&format!("org_id=everybody&data={written}")).is_ok());
    }
}

#[test]
fn the_text_is_what_is_documented_and_nothing_else() {
    for plaintext in [
        "",
        "usertype=1",
        "usertype=1&userid=1",
        "usertype=1&sessionid=1",
        "usertype=1&sessionid=&userid=1",
        "usertype=1&sessionid=1&userid=",
        "usertype=0&sessionid=1&userid=1",
        "usertype=3&sessionid=1&userid=1",
        "usertype=11&sessionid=1&userid=1",
        "usertype=&sessionid=1&userid=1",
        "usertype=%31&sessionid=1&userid=1",
        "USERTYPE=1&sessionid=1&userid=1",
        "sessionid=1&userid=1&usertype=1",
        "&usertype=1&sessionid=1&userid=1",
        "usertype=1&sessionid=1&userid=1&usertype=1",
        "usertype=2&sessionid=1&userid=1&usertype=1",
        "usertype=2&sessionid=1&userid=1&UserType=1",
        "usertype=2&sessionid=1&sessionid=2&userid=1",
        "usertype=2&SessionId=1&userid=1",
        "usertype=2&sessionid=1&userid=1&role=host",
        "usertype=2&sessionid=1&userid=1&firstname=A\u{1}b",
        "usertype=2&sessionid=1&userid=1&firstname=A%00b",
    ] {
        assert!(opened(plaintext).is_none(), "{plaintext}");
    }
}

#[test]
fn under_the_patients_key_there_are_patients_only() {
    let provider = VISIT.replace("usertype=2", "usertype=1");
    let under = |org_id, secret, text: &str| launch(&url(org_id, &encrypt(secret, text)));
    assert!(under("patients", "another secret", VISIT).is_ok());
    assert!(under("patients", "another secret", &provider).is_err());
    assert!(under("everybody", SECRET, &provider).is_ok());
    // Neither account opens what is the other's.
    assert!(under("patients", SECRET, VISIT).is_err());
    assert!(under("everybody", "another secret", VISIT).is_err());
    assert!(under("nobody", SECRET, VISIT).is_err());
}

#[test]
fn a_secret_that_was_replaced_opens_urls_until_its_time() {
    let soon = NOW + std::time::Duration::from_millis(1);
    let mut zoom = zoom();
    let new = cipher("zoom.api_secret", &"new secret".into()).unwrap();
    let old = cipher("zoom.api_secret", &SECRET.into()).unwrap();
    zoom.everybody.ciphers = Overlap::new(new, Some((old, soon)));
    let opens = |secret, now| {
        let url = url("everybody", &encrypt(secret, VISIT));
        zoom.open(&url.into(), now).is_ok()
    };
    assert!(opens("new secret", NOW) && opens(SECRET, NOW));
    assert!(opens("new secret", soon) && !opens(SECRET, soon));
}

#[test]
fn a_url_that_lacks_something_is_refused_by_name() {
    let refused = |parameters: &str| launch(parameters).err().unwrap();
    assert_eq!(refused("data=x"), DialectError::Parameter("org_id"));
    let data = encrypt(SECRET, VISIT);
    let good = url("everybody", &data);
    let twice = format!("{good}&org_id=patients");
    assert_eq!(refused(&twice), DialectError::Parameter("org_id"));
    for bad in [
        "org_id=everybody".to_owned(),
        "org_id=everybody&data=".to_owned(),
        "org_id=everybody&data=%FF".to_owned(),
        format!("{good}&data=x"),
        url("everybody", &"A".repeat(LONGEST_DATA + 4)),
        url("everybody", &"A".repeat(LONGEST_CIPHERTEXT)),
        url("everybody", &data[1..]),
    ] {
        assert_eq!(refused(&bad), DialectError::ParametersInvalid, "{bad}");
    }
}

#[test]
fn no_altered_block_makes_a_provider_of_a_patient() {
    let data = encrypt(SECRET, VISIT);
    for index in 0..data.len() {
        for other in [b'A', b'b', b'0', b'/'] {
            let mut altered = data.clone().into_bytes();
            altered[index] = other;
            let altered = String::from_utf8(altered).unwrap();
            let role = launch(&url("everybody", &altered)).ok().map(|it| it.role);
            assert_ne!(role, Some(Some(EhrRole::Provider)));
        }
    }
}
