//! What is encrypted in a launch URL.

use std::{fmt::Write as _, str::FromStr};

use anyhow::{Context as _, bail};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use vestibule_launch::{
    EhrRole, LaunchParameters, PlusSign,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};
use zeroize::Zeroizing;

use crate::{profile::ProfileDocument, random};

/// What has a meaning between values. EHRs put other characters in as they are.
const MEANINGFUL: &AsciiSet = &CONTROLS.add(b'%').add(b'&').add(b'+');

/// What a launch says.
pub(super) struct Contents<'a> {
    pub(super) csn: &'a str,
    pub(super) fname: Option<&'a str>,
    pub(super) mname: Option<&'a str>,
    pub(super) lname: Option<&'a str>,
    pub(super) department: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) conference: Option<&'a str>,
    pub(super) more: &'a [Parameter],
    /// What has to stand before all others: name and value.
    pub(super) first: Option<(&'a str, &'a str)>,
}

/// `NAME=VALUE` on the command line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    name: String,
    value: String,
}

impl FromStr for Parameter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Contents<'_> {
    /// Encrypted as Epic does for this profile.
    pub(super) fn for_epic(&self, document: &ProfileDocument) -> anyhow::Result<String> {
        let map = &document.parameter_map;
        let known = [
            (&map.unique_encounter_id, Some(self.csn)),
            (&map.fname, self.fname),
            (&map.mname, self.mname),
            (&map.lname, self.lname),
            (&map.encfacnpiname, self.department),
            (&map.external_id, self.user),
            (&map.conference_id, self.conference),
        ];
        let known = known
            .into_iter()
            .filter_map(|(name, value)| Some((name.as_str(), value?)));
        let known = self.first.into_iter().chain(known);
        let plaintext = self.plaintext(known, document.plus_sign)?;
        let key = document.epic_encryption_key.as_ref();
        encrypt(
            &plaintext,
            document.epic_encryption_algorithm,
            document.epic_encryption_key_type,
            document.initialization_vector,
            key.context("epic_encryption_key is missing")?,
        )
    }

    /// Encrypted as for Zoom.
    pub(super) fn for_zoom(&self, role: EhrRole, secret: &SecretString) -> anyhow::Result<String> {
        if self.mname.or(self.department).or(self.conference).is_some() {
            bail!("Zoom's URLs hold no middle name, department or conference");
        }
        let user_type = match role {
            EhrRole::Provider => "1",
            EhrRole::Patient => "2",
        };
        let known = [
            ("usertype", Some(user_type)),
            ("userid", Some(self.user.unwrap_or("vestibule-test"))),
            ("sessionid", Some(self.csn)),
            ("firstname", self.fname),
            ("lastname", self.lname),
        ];
        let known = known
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let plaintext = self.plaintext(known, PlusSign::Literal)?;
        encrypt(
            &plaintext,
            Algorithm::Aes128Cbc,
            KeyType::Password,
            InitializationVector::Zero,
            secret,
        )
    }

    fn plaintext<'a>(
        &'a self,
        known: impl Iterator<Item = (&'a str, &'a str)>,
        plus: PlusSign,
    ) -> anyhow::Result<Zeroizing<String>> {
        let more = self.more.iter();
        let more = more.map(|more| (more.name.as_str(), more.value.as_str()));
        let given: Vec<_> = known.chain(more).collect();
        let mut plaintext = Zeroizing::new(String::new());
        for (name, value) in &given {
            if !plaintext.is_empty() {
                plaintext.push('&');
            }
            let value = utf8_percent_encode(value, MEANINGFUL);
            write!(plaintext, "{name}={value}").expect("a string takes everything");
        }
        let parameters = LaunchParameters::parse(&plaintext, plus)?;
        if !parameters.iter().eq(given) {
            bail!("a value has a character that no launch can carry");
        }
        Ok(plaintext)
    }
}

fn encrypt(
    plaintext: &str,
    algorithm: Algorithm,
    key_type: KeyType,
    layout: InitializationVector,
    key: &SecretString,
) -> anyhow::Result<String> {
    let key = LaunchKey::new(algorithm, key_type, key.expose_secret())?;
    Ok(LaunchCipher::new(key, layout).encrypt(plaintext, &mut *random::system()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Contents<'static> = Contents {
        csn: "1853",
        fname: None,
        mname: None,
        lname: None,
        department: None,
        user: None,
        conference: None,
        more: &[],
        first: None,
    };

    fn document() -> ProfileDocument {
        ProfileDocument {
            epic_encryption_key: Some("password".into()),
            ..ProfileDocument::default()
        }
    }

    #[test]
    fn what_other_implementations_encrypt_is_encrypted_the_same() {
        // Microsoft's CryptoAPI gives this for the password `password`.
        let mut document = document();
        document.parameter_map.unique_encounter_id = "CSN".to_owned();
        document.parameter_map.fname = "FNAME".to_owned();
        document.parameter_map.lname = "LNAME".to_owned();
        let contents = Contents {
            csn: "12345",
            fname: Some("Ada"),
            lname: Some("Lovelace"),
            ..EMPTY
        };
        assert_eq!(
            contents.for_epic(&document).unwrap(),
            "5W1TzaFQtbAPt97fFLoNk2lNTqI/+Dzal8lMo+hm+n7UE9807rmXBEiilFIB+bTR"
        );
        let contents = Contents {
            csn: "Z1904",
            user: Some("4777"),
            ..EMPTY
        };
        // And Zoom's own sample this.
        let secret = SecretString::from("abcdaj333j4j4jkl4k444");
        assert_eq!(
            contents.for_zoom(EhrRole::Provider, &secret).unwrap(),
            "RoIXJ3y+hMtFLZn2GYmbL/uonhRUC84VPBmBW3dAtHDWbMpT+QULjX/+LMzi1R4J"
        );
    }

    #[test]
    fn what_has_to_be_first_is_first() {
        let contents = Contents {
            first: Some(("role", "provider")),
            ..EMPTY
        };
        let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, "password").unwrap();
        let cipher = LaunchCipher::new(key, InitializationVector::Zero);
        let encrypted = contents.for_epic(&document()).unwrap();
        let plaintext = cipher.decrypt(&encrypted).unwrap();
        assert_eq!(*plaintext, "role=provider&csn=1853");
    }

    #[test]
    fn values_stay_values() {
        let more = ["a=1&b=2".parse().unwrap()];
        let contents = Contents {
            fname: Some("&pin=1%41+ é"),
            more: &more,
            ..EMPTY
        };
        let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, "password").unwrap();
        let cipher = LaunchCipher::new(key, InitializationVector::Zero);
        for plus in [PlusSign::Literal, PlusSign::Space] {
            let mut document = document();
            document.plus_sign = plus;
            let encrypted = contents.for_epic(&document).unwrap();
            let plaintext = cipher.decrypt(&encrypted).unwrap();
            let parameters = LaunchParameters::parse(&plaintext, plus).unwrap();
            assert_eq!(parameters.get("fname"), Some("&pin=1%41+ é"));
            assert_eq!(parameters.get("a"), Some("1&b=2"));
        }
    }

    #[test]
    fn what_no_launch_can_carry_is_refused() {
        let twice = ["csn=1".parse().unwrap()];
        for contents in [
            Contents {
                fname: Some("a\nb"),
                ..EMPTY
            },
            Contents {
                more: &twice,
                ..EMPTY
            },
        ] {
            assert!(contents.for_epic(&document()).is_err());
        }
        let contents = Contents {
            mname: Some("P"),
            ..EMPTY
        };
        let zoom = contents.for_zoom(EhrRole::Patient, &"secret".into());
        assert!(zoom.unwrap_err().to_string().contains("middle name"));
        assert!("a".parse::<Parameter>().is_err());
    }
}
