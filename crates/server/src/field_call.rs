//! A call whose fields a profile names, because nobody has published what the EHR
//! calls them: a GET, or a POST of JSON or of a form.

use http::{HeaderValue, Method, Request, header};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

/// How the fields of a call are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldForm {
    /// A GET with the fields in its query.
    Get,
    /// A POST of a JSON object of strings.
    #[default]
    PostJson,
    /// A POST of an HTML form.
    PostForm,
}

/// The request, without credentials.
///
/// # Errors
/// Where the fields make the URL too long for a request.
pub fn field_call(
    url: &Url,
    form: FieldForm,
    fields: &[(&str, &str)],
) -> Result<Request<Vec<u8>>, http::Error> {
    let mut url = url.clone();
    let (content_type, body) = match form {
        FieldForm::Get => {
            url.query_pairs_mut().extend_pairs(fields);
            (None, String::new())
        }
        FieldForm::PostJson => {
            let object: serde_json::Map<_, _> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                .collect();
            let body = serde_json::Value::Object(object).to_string();
            (Some("application/json"), body)
        }
        FieldForm::PostForm => {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            (Some("application/x-www-form-urlencoded"), body)
        }
    };
    let method = match form {
        FieldForm::Get => Method::GET,
        FieldForm::PostJson | FieldForm::PostForm => Method::POST,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT, HeaderValue::from_static("application/json"))
        .body(body.into_bytes())?;
    if let Some(content_type) = content_type {
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&str, &str); 2] = [("link", "a+b/c=&d"), ("Role", "patient")];

    fn call(form: FieldForm) -> Request<Vec<u8>> {
        let url = "https://ehr.example.org/check?tenant=1".parse().unwrap();
        field_call(&url, form, &FIELDS).unwrap()
    }

    #[test]
    fn the_fields_of_a_get_join_the_query() {
        let request = call(FieldForm::Get);
        assert_eq!(request.method(), Method::GET);
        assert_eq!(
            request.uri(),
            "https://ehr.example.org/check?tenant=1&link=a%2Bb%2Fc%3D%26d&Role=patient"
        );
        assert!(request.body().is_empty());
        assert!(!request.headers().contains_key("content-type"));
    }

    #[test]
    fn the_fields_of_a_post_stand_in_its_body() {
        let json = call(FieldForm::PostJson);
        assert_eq!(json.method(), Method::POST);
        assert_eq!(json.headers()["content-type"], "application/json");
        assert_eq!(json.uri(), "https://ehr.example.org/check?tenant=1");
        let body: serde_json::Value = serde_json::from_slice(json.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"link": "a+b/c=&d", "Role": "patient"})
        );
        let form = call(FieldForm::PostForm);
        let read: Vec<_> = form_urlencoded::parse(form.body()).into_owned().collect();
        assert_eq!(
            read,
            FIELDS.map(|(name, value)| (name.into(), value.into()))
        );
    }

    #[test]
    fn what_makes_no_url_is_an_error() {
        let url = "https://ehr.example.org/".parse().unwrap();
        let long = "x".repeat(70_000);
        assert!(field_call(&url, FieldForm::Get, &[("link", &long)]).is_err());
        assert!(field_call(&url, FieldForm::PostJson, &[("link", &long)]).is_ok());
    }
}
