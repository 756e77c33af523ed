//! The schemas: of the launch API, whose fields are those of the wire types, and of what
//! others have documented, which is described as far as this server looks at it.

use serde_json::Value;
use utoipa::openapi::{
    ComponentsBuilder, RefOr, Schema,
    schema::{
        AdditionalProperties, AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat,
        SchemaType, Type,
    },
};
use vestibule_launch::{ErrorName, LaunchEvent, Role, TestResult};

use super::operation::{flag, of, text, uuid, whole_number};

pub(super) fn components() -> ComponentsBuilder {
    let mut components = ComponentsBuilder::new();
    for (name, schema) in launch_api().into_iter().chain(node()).chain(others()) {
        components = components.schema(name, schema);
    }
    components
}

type Named = (&'static str, Schema);

fn launch_api() -> Vec<Named> {
    let browser_failures = ErrorName::ALL.iter().filter(|name| name.from_browser());
    let names = ErrorName::ALL.iter().map(|name| name.as_str());
    vec![
        ("ErrorName", one_of(names)),
        (
            "BrowserErrorName",
            one_of(browser_failures.map(|name| name.as_str())),
        ),
        (
            "RedeemRequest",
            object()
                .needs("ticket", text())
                .needs("browser", browser())
                .build(),
        ),
        (
            "ResumeRequest",
            object().needs("browser", browser()).build(),
        ),
        (
            "RedeemedLaunch",
            object()
                .needs("telehealth_request_id", uuid())
                .needs("conference", text())
                .needs("display_name", text())
                .needs("role", one_of([Role::Host, Role::Guest].map(Role::as_str)))
                .may("pin", text())
                .needs("node", text())
                .needs("token", text())
                .needs("expires_at", time())
                .may("language", text())
                .build(),
        ),
        ("TestResult", one_of(test_results())),
        (
            "DeviceTest",
            object()
                .needs("camera", of("TestResult"))
                .needs("microphone", of("TestResult"))
                .needs("speaker", of("TestResult"))
                .needs("connection", of("TestResult"))
                .closed()
                .build(),
        ),
        (
            "EventReport",
            object()
                .needs("event", one_of(LaunchEvent::ALL.map(LaunchEvent::as_str)))
                .may("utc_time", time())
                .may("error_name", of("BrowserErrorName"))
                .may("device_test", of("DeviceTest"))
                .closed()
                .build(),
        ),
        (
            "ErrorReport",
            object()
                .needs("error_name", of("BrowserErrorName"))
                .may("telehealth_request_id", uuid())
                .may("conference", text())
                .build(),
        ),
        (
            "ErrorPage",
            object()
                .needs("error_name", of("ErrorName"))
                .needs("telehealth_request_id", uuid())
                .needs("utc_time", time())
                .may("detailed_debug_information", text())
                .needs("template", text())
                .build(),
        ),
        (
            "Problem",
            object()
                .needs("status", whole_number())
                .needs("title", text())
                .needs("error_name", of("ErrorName"))
                .needs("telehealth_request_id", uuid())
                .needs("utc_time", time())
                .build(),
        ),
    ]
}

fn node() -> Vec<Named> {
    let success = || object().needs("status", one_of(["success"]));
    vec![
        (
            "RequestTokenBody",
            object()
                .needs("display_name", text())
                .may("chosen_idp", text())
                .may("direct_media", flag())
                .may("sso_token", text())
                .may("node", text())
                .may("conference_extension", text())
                .may("call_tag", text())
                .build(),
        ),
        ("NodeSuccess", success().needs("result", anything()).build()),
        (
            "NodeFailure",
            object()
                .needs("status", one_of(["failed"]))
                .needs("result", text())
                .build(),
        ),
        // What asks for a PIN is a success with status 403.
        (
            "NodeAnswer",
            AnyOfBuilder::new()
                .item(of("NodeSuccess"))
                .item(of("NodeFailure"))
                .into(),
        ),
    ]
}

fn others() -> Vec<Named> {
    let list_of = |schema: RefOr<Schema>| Schema::Array(ArrayBuilder::new().items(schema).build());
    vec![
        (
            "Jwks",
            object()
                .needs(
                    "keys",
                    list_of(object().needs("kty", text()).build().into()),
                )
                .build(),
        ),
        (
            "PolicyAnswer",
            object()
                .needs("status", one_of(["success"]))
                .needs("action", one_of(["continue", "reject"]))
                .may("result", object().build())
                .build(),
        ),
        (
            "Readiness",
            object()
                .needs("ready", flag())
                .needs("problems", list_of(text().into()))
                .build(),
        ),
        ("SinkMessage", object().needs("event", text()).build()),
        (
            "Profile",
            object()
                .needs("id", whole_number())
                .needs("resource_uri", text())
                .needs("kept_in", text())
                .needs("secrets", list_of(text().into()))
                .needs("warnings", list_of(text().into()))
                .needs("name", text())
                .needs("uuid", uuid())
                .build(),
        ),
        (
            "ProfileWritten",
            object().may("name", text()).may("uuid", uuid()).build(),
        ),
        (
            "ProfileList",
            object()
                .needs(
                    "meta",
                    object()
                        .needs("limit", whole_number())
                        .needs("offset", whole_number())
                        .needs("total_count", whole_number())
                        .build(),
                )
                .needs("objects", list_of(of("Profile").into()))
                .build(),
        ),
        (
            "ProfileSchema",
            object().needs("fields", object().build()).build(),
        ),
        // In words, or by field.
        (
            "AdminFailure",
            AnyOfBuilder::new()
                .item(object().needs("error", text()).build())
                .item(
                    object()
                        .needs("telehealth_profile", object().build())
                        .build(),
                )
                .into(),
        ),
        (
            "OpenApi",
            object()
                .needs("openapi", text())
                .needs("paths", object().build())
                .build(),
        ),
    ]
}

/// An object whose other fields may be anything.
struct Object(ObjectBuilder);

fn object() -> Object {
    Object(ObjectBuilder::new().schema_type(Type::Object))
}

impl Object {
    fn needs(self, name: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self(self.0.property(name, schema).required(name))
    }

    fn may(self, name: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self(self.0.property(name, schema))
    }

    fn closed(self) -> Self {
        let none = AdditionalProperties::<Schema>::FreeForm(false);
        Self(self.0.additional_properties(Some(none)))
    }

    fn build(self) -> Schema {
        Schema::Object(self.0.build())
    }
}

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    let words = words.into_iter().map(Value::from);
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.enum_values(Some(words)).into()
}

fn anything() -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .into()
}

/// RFC 3339.
fn time() -> Schema {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.format(Some(format)).into()
}

/// 128 bits in hexadecimal.
fn browser() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.pattern(Some("^[0-9a-f]{32}$")).into()
}

fn test_results() -> [&'static str; 5] {
    use TestResult::{Denied, Failed, Missing, Passed, Skipped};
    [Passed, Failed, Denied, Missing, Skipped].map(TestResult::as_str)
}
