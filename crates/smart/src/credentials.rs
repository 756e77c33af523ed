//! How this client proves to the token endpoint who it is.

use base64ct::{Base64, Encoding as _};
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// The client's identity and its proof (RFC 6749 section 2.3).
#[derive(Clone, Debug)]
pub enum ClientCredentials {
    /// A client without a secret: names itself in the body, PKCE protects it.
    Public {
        /// The client id that the EHR gave out.
        client_id: String,
    },
    /// A client with a secret: HTTP Basic, and no client id in the body, where Epic refuses it.
    Basic {
        /// The client id that the EHR gave out.
        client_id: String,
        /// The secret that the EHR gave out.
        client_secret: SecretString,
    },
}

impl ClientCredentials {
    /// The client id.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Public { client_id } | Self::Basic { client_id, .. } => client_id,
        }
    }

    /// The `Authorization` header, for a client with a secret. Id and secret
    /// are form-encoded before they are joined (RFC 6749 section 2.3.1).
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let Self::Basic {
            client_id,
            client_secret,
        } = self
        else {
            return None;
        };
        let mut pair = Zeroizing::new(String::new());
        pair.extend(form_urlencoded::byte_serialize(client_id.as_bytes()));
        pair.push(':');
        pair.extend(form_urlencoded::byte_serialize(
            client_secret.expose_secret().as_bytes(),
        ));
        let value = Zeroizing::new(format!("Basic {}", Base64::encode_string(pair.as_bytes())));
        let mut header = HeaderValue::from_str(&value).expect("base64 is visible ASCII");
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(client_id: &str, client_secret: &str) -> ClientCredentials {
        ClientCredentials::Basic {
            client_id: client_id.to_owned(),
            client_secret: client_secret.into(),
        }
    }

    #[test]
    fn agrees_with_epics_published_basic_example() {
        let header = basic(
            "d45049c3-3441-40ef-ab4d-b9cd86a17225",
            "this-is-the-secret-2/7",
        )
        .authorization()
        .unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            "Basic ZDQ1MDQ5YzMtMzQ0MS00MGVmLWFiNGQtYjljZDg2YTE3MjI1OnRoaXMtaXMtdGhlLXNlY3JldC0yJTJGNw=="
        );
    }

    #[test]
    fn a_colon_in_the_id_cannot_move_the_border_to_the_secret() {
        let header = basic("a:b", "c d").authorization().unwrap();
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(Base64::decode_vec(encoded).unwrap(), b"a%3Ab:c+d");
    }

    #[test]
    fn a_public_client_sends_no_header() {
        let public = ClientCredentials::Public {
            client_id: "c".to_owned(),
        };
        assert!(public.authorization().is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = basic("client", "s3cret");
        assert!(!format!("{credentials:?}").contains("s3cret"));
        assert_eq!(
            format!("{:?}", credentials.authorization().unwrap()),
            "Sensitive"
        );
    }
}
