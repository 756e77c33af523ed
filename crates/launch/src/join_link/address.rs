//! The parts of an address that matter to a join link.

use super::bytes::cut;

/// Where the parts of an address stand.
pub(super) struct Address<'a> {
    /// Where the address of the web app ends: before the route of an alias in the path,
    /// else before query and fragment.
    pub(super) app_end: usize,
    /// An alias that stands in the path, still percent-encoded: `…/<app>/conference/<alias>`,
    /// `…/<app>/m/<alias>`, `…/<app>/m/<alias>/express` or `…/<app>/m/<alias>/step-by-step`.
    /// Empty where there is none.
    pub(super) alias: &'a [u8],
    /// From after the `?` on; empty where there is none.
    pub(super) query: &'a [u8],
    /// From after the first `#` on, later ones included; empty where there is none.
    pub(super) fragment: &'a [u8],
}

impl<'a> Address<'a> {
    pub(super) fn split(href: &'a [u8]) -> Self {
        let (before_fragment, mut fragment) = cut(href, b'#');
        let (before_query, mut query) = cut(before_fragment, b'?');
        // A PIN with its terminal `#` written as it is ends the query for a browser, but
        // not for the reader of the link.
        if let [] | [b'&', ..] = fragment
            && last_is_pin(query)
        {
            query = href.get(before_query.len() + 1..).unwrap_or(&[]);
            fragment = &[];
        }
        let path = match cut(before_query, b':').1 {
            [b'/', b'/', rest @ ..] => rest.get(cut(rest, b'/').0.len()..).unwrap_or(&[]),
            _ => before_query,
        };
        let mut address = Self {
            app_end: before_query.len(),
            alias: &[],
            query,
            fragment,
        };
        address.find_alias(path);
        address
    }

    fn find_alias(&mut self, path: &'a [u8]) {
        let mut before = path;
        let mut alias = last_segment(&mut before);
        let mut route = last_segment(&mut before);
        // Compared, not matched: slices of bytes are matched byte by byte.
        if alias == b"express" || alias == b"step-by-step" {
            let mut before_view = before;
            if last_segment(&mut before_view) == b"m" && has_segment(before_view) {
                (alias, route, before) = (route, b"m", before_view);
            }
        }
        // The app's own path stands before the route: without that, a branding path `m`
        // could be taken for the route.
        if (route == b"m" || route == b"conference") && has_segment(before) {
            self.app_end -= path.len() - before.len();
            self.alias = alias;
        }
    }
}

fn last_is_pin(query: &[u8]) -> bool {
    let last = query.rsplit(|byte| *byte == b'&').next().unwrap_or(&[]);
    without_amp(last).starts_with(b"pin=")
}

/// A link copied out of HTML source separates with `&amp;`.
pub(super) fn without_amp(pair: &[u8]) -> &[u8] {
    pair.strip_prefix(b"amp;").unwrap_or(pair)
}

/// Takes off the last segment that is not empty; nothing where there is none.
fn last_segment<'a>(path: &mut &'a [u8]) -> &'a [u8] {
    while let [before @ .., b'/'] = path {
        *path = before;
    }
    let slash = path.iter().rposition(|byte| *byte == b'/');
    let (before, segment) = path
        .split_at_checked(slash.map_or(0, |place| place + 1))
        .unwrap_or_default();
    *path = before;
    segment
}

fn has_segment(path: &[u8]) -> bool {
    path.iter().any(|byte| *byte != b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address of the app, the alias in the path, query and fragment.
    fn parts(href: &str) -> [&str; 4] {
        let address = Address::split(href.as_bytes());
        let [alias, query, fragment] = [address.alias, address.query, address.fragment]
            .map(|part| str::from_utf8(part).unwrap());
        [&href[..address.app_end], alias, query, fragment]
    }

    #[test]
    fn an_address_is_split_at_the_first_question_mark_and_hash() {
        for (href, app, query, fragment) in [
            (
                "https://h.example:8443/webapp/?a=b#/?c=d#e",
                "https://h.example:8443/webapp/",
                "a=b",
                "/?c=d#e",
            ),
            ("https://h.example", "https://h.example", "", ""),
            ("/webapp/#/?a=b://c/d", "/webapp/", "", "/?a=b://c/d"),
            ("h:/webapp/?#", "h:/webapp/", "", ""),
        ] {
            assert_eq!(parts(href), [app, "", query, fragment], "{href}");
        }
    }

    #[test]
    fn a_hash_that_ends_a_pin_does_not_end_the_query() {
        for (href, query, fragment) in [
            (
                "/bva-app/?conference=c&pin=1111#&role=host",
                "conference=c&pin=1111#&role=host",
                "",
            ),
            (
                "/bva-app/?conference=c&amp;pin=1111#",
                "conference=c&amp;pin=1111#",
                "",
            ),
            (
                "/bva-app/?pin=1111#/?conference=c",
                "pin=1111",
                "/?conference=c",
            ),
            ("/bva-app/?pin=1111&#&role=host", "pin=1111&", "&role=host"),
        ] {
            assert_eq!(parts(href), ["/bva-app/", "", query, fragment], "{href}");
        }
    }

    #[test]
    fn an_alias_in_the_path_stands_after_the_app_and_its_route() {
        for (path, app, alias) in [
            ("/webapp/conference/a@b", "/webapp/", "a@b"),
            ("//webapp3/m/a/", "//webapp3/", "a"),
            ("/webapp3/m/a/express", "/webapp3/", "a"),
            ("/video/webapp3/m/a/step-by-step", "/video/webapp3/", "a"),
            ("/webapp3//m//a", "/webapp3//", "a"),
            ("/webapp3/m/express", "/webapp3/", "express"),
            ("/m/m/express", "/m/", "express"),
            ("/webapp3/m/", "/webapp3/m/", ""),
            ("/m/", "/m/", ""),
            ("/webapp/home/", "/webapp/home/", ""),
            ("/conference/home/", "/conference/home/", ""),
            ("", "", ""),
        ] {
            assert_eq!(parts(path), [app, alias, "", ""], "{path}");
            // The host is no part of the path, even where it has the name of a route.
            for host in ["https://h.example", "https://m", "https://h:8443"] {
                if path.starts_with('/') {
                    let href = [host, path].concat();
                    let app = [host, app].concat();
                    assert_eq!(parts(&href), [&*app, alias, "", ""], "{href}");
                }
            }
        }
        assert_eq!(parts("https://app/m/a"), ["https://app/m/a", "", "", ""]);
    }
}
