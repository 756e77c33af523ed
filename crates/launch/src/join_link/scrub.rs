//! What may stay of a join link in address bar and history.

use alloc::{borrow::ToOwned, string::String};

use super::address::Address;

/// The address to leave in the address bar once a join link is read: the address
/// of the web app. PIN, name and ticket go, and so does all the rest of query and
/// fragment; the alias goes as well, from the path too, because it opens the
/// conference once more to whoever reads the history.
pub fn scrub(href: &str) -> String {
    let end = Address::split(href.as_bytes()).app_end;
    href.get(..end).unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_of_the_web_app_is_left() {
        for href in [
            "https://h/webapp/",
            "https://h/webapp/#/?conference=a&pin=1234&name=Ada",
            "https://h/webapp/?conference=a&pin=1234#&name=Ada",
            "https://h/webapp/?x=1#/?ticket=0123456789abcdefghjkmnpqrstvwxyz",
            "https://h/webapp/conference/a@b?name=Ada",
            "https://h/webapp/m/a@b/express?name=Ada#x",
        ] {
            assert_eq!(scrub(href), "https://h/webapp/", "{href}");
        }
        assert_eq!(scrub("https://h"), "https://h");
        assert_eq!(scrub("#/?pin=1234"), "");
    }
}
