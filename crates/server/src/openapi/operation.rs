//! One operation of one path, in the words that most of them share.

use http::StatusCode;
use utoipa::openapi::{
    Content, ContentBuilder, Header, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
    path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
    schema::{ObjectBuilder, SchemaFormat, Type},
    security::SecurityRequirement,
};

/// An operation and where it is.
pub(super) struct Described {
    pub(super) path: String,
    pub(super) method: HttpMethod,
    pub(super) operation: OperationBuilder,
}

/// How an answer's body is sent.
#[derive(Clone, Copy)]
pub(super) enum Media {
    Html,
    Text,
    Json,
    Problem,
}

impl Media {
    const fn name(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Text => "text/plain",
            Self::Json => "application/json",
            Self::Problem => "application/problem+json",
        }
    }
}

pub(super) fn get(path: impl Into<String>, tag: &str, summary: &str) -> Described {
    Described::new(HttpMethod::Get, path, tag, summary)
}

pub(super) fn post(path: impl Into<String>, tag: &str, summary: &str) -> Described {
    Described::new(HttpMethod::Post, path, tag, summary)
}

impl Described {
    pub(super) fn new(
        method: HttpMethod,
        path: impl Into<String>,
        tag: &str,
        summary: &str,
    ) -> Self {
        Self {
            path: path.into(),
            method,
            operation: OperationBuilder::new().tag(tag).summary(Some(summary)),
        }
    }

    pub(super) fn more(mut self, description: &str) -> Self {
        self.operation = self.operation.description(Some(description));
        self
    }

    /// Who must sign in.
    pub(super) fn by(mut self, scheme: &str) -> Self {
        let none: [&str; 0] = [];
        let requirement = SecurityRequirement::new(scheme, none);
        self.operation = self.operation.security(requirement);
        self
    }

    pub(super) fn segment(self, name: &str, description: &str) -> Self {
        self.parameter(name, description, ParameterIn::Path, true, text())
    }

    pub(super) fn uuid(self, name: &str, description: &str) -> Self {
        self.parameter(name, description, ParameterIn::Path, true, uuid())
    }

    pub(super) fn query(self, name: &str, needed: bool, description: &str) -> Self {
        self.parameter(name, description, ParameterIn::Query, needed, text())
    }

    pub(super) fn parameter(
        mut self,
        name: &str,
        description: &str,
        place: ParameterIn,
        needed: bool,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let required = if needed {
            Required::True
        } else {
            Required::False
        };
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(description))
            .schema(Some(schema));
        self.operation = self.operation.parameter(parameter);
        self
    }

    pub(super) fn json_body(self, schema: &str) -> Self {
        self.body(&[Media::Json.name()], of(schema))
    }

    pub(super) fn form_body(self, schema: impl Into<RefOr<Schema>>) -> Self {
        self.body(&["application/x-www-form-urlencoded"], schema)
    }

    fn body(mut self, media: &[&str], schema: impl Into<RefOr<Schema>>) -> Self {
        let schema = schema.into();
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for name in media {
            body = body.content(*name, content(schema.clone()));
        }
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// An answer without a body.
    pub(super) fn says(self, status: StatusCode, description: &str) -> Self {
        self.response(status, ResponseBuilder::new().description(description))
    }

    /// An answer with a text in it.
    pub(super) fn shows(self, status: StatusCode, media: Media, description: &str) -> Self {
        self.answers(status, media, text(), description)
    }

    pub(super) fn answers(
        self,
        status: StatusCode,
        media: Media,
        schema: impl Into<RefOr<Schema>>,
        description: &str,
    ) -> Self {
        let response = ResponseBuilder::new()
            .description(description)
            .content(media.name(), content(schema));
        self.response(status, response)
    }

    /// A redirect by 303.
    pub(super) fn leads(self, description: &str) -> Self {
        let header = Header::new(text());
        let response = ResponseBuilder::new()
            .description(description)
            .header("Location", header);
        self.response(StatusCode::SEE_OTHER, response)
    }

    /// The error page, with these statuses.
    pub(super) fn fails_with_a_page(self, statuses: &[u16]) -> Self {
        self.fails(statuses, Media::Html, &text().into())
    }

    /// A problem document (RFC 9457), with these statuses.
    pub(super) fn fails_with_a_problem(self, statuses: &[u16]) -> Self {
        self.fails(statuses, Media::Problem, &of("Problem").into())
    }

    pub(super) fn fails(mut self, statuses: &[u16], media: Media, schema: &RefOr<Schema>) -> Self {
        for status in statuses {
            let status = StatusCode::from_u16(*status).expect("the tables here hold statuses");
            let reason = status.canonical_reason().unwrap_or("Failure");
            self = self.answers(status, media, schema.clone(), reason);
        }
        self
    }

    fn response(mut self, status: StatusCode, response: impl Into<Response>) -> Self {
        let status = status.as_u16().to_string();
        self.operation = self.operation.response(status, response.into());
        self
    }
}

fn content(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

/// One of the document's schemas.
pub(super) fn of(schema: &str) -> Ref {
    Ref::from_schema_name(schema)
}

pub(super) fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).into()
}

pub(super) fn uuid() -> Schema {
    let format = SchemaFormat::Custom("uuid".to_owned());
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.format(Some(format)).into()
}

pub(super) fn flag() -> Schema {
    ObjectBuilder::new().schema_type(Type::Boolean).into()
}

pub(super) fn whole_number() -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(0)).into()
}
