//! The parts of an address that matter to a join link.

/// Where the parts of an address stand.
pub(super) struct Address<'a> {
    /// Scheme, authority and path.
    pub(super) before_query: &'a str,
    /// Where the path begins in `before_query`.
    pub(super) path_start: usize,
    /// From after the `?` on; empty where there is none.
    pub(super) query: &'a str,
    /// From after the first `#` on, later ones included; empty where there is none.
    pub(super) fragment: &'a str,
}

impl<'a> Address<'a> {
    pub(super) fn split(href: &'a str) -> Self {
        let (before_fragment, fragment) = href.split_once('#').unwrap_or((href, ""));
        let (before_query, query) = before_fragment
            .split_once('?')
            .unwrap_or((before_fragment, ""));
        // A PIN with its terminal `#` written as it is ends the query for a browser, but
        // not for the reader of the link.
        let last = query.rsplit('&').next().unwrap_or("");
        let pin_continues = last
            .strip_prefix("amp;")
            .unwrap_or(last)
            .starts_with("pin=")
            && (fragment.is_empty() || fragment.starts_with('&'));
        let (query, fragment) = if pin_continues {
            (href.get(before_query.len() + 1..).unwrap_or(""), "")
        } else {
            (query, fragment)
        };
        // Slices that cannot panic, here and below: the panic would carry more code
        // into the browser than all of this file.
        let authority = before_query
            .split_once(':')
            .and_then(|(_, rest)| rest.strip_prefix("//"));
        let path_start = authority.map_or(0, |rest| {
            let path = rest.split_once('/').map_or(0, |(_, path)| path.len() + 1);
            before_query.len() - path
        });
        Self {
            before_query,
            path_start,
            query,
            fragment,
        }
    }

    pub(super) fn path(&self) -> &'a str {
        self.before_query.get(self.path_start..).unwrap_or("")
    }
}

/// An alias that stands in the path: `…/<app>/conference/<alias>`, `…/<app>/m/<alias>`,
/// `…/<app>/m/<alias>/express` or `…/<app>/m/<alias>/step-by-step`.
pub(super) struct PathAlias<'a> {
    /// The alias, still percent-encoded.
    pub(super) alias: &'a str,
    /// Where `conference` or `m` begins in the path.
    pub(super) route_start: usize,
}

impl<'a> PathAlias<'a> {
    pub(super) fn find(path: &'a str) -> Option<Self> {
        let mut next = 0;
        let segments: Vec<(usize, &str)> = path
            .split('/')
            .filter_map(|segment| {
                let start = next;
                next += segment.len() + 1;
                (!segment.is_empty()).then_some((start, segment))
            })
            .collect();
        // The app's own path stands before the route: without that, a branding path `m`
        // could be taken for the route.
        let (route_start, alias) = match *segments.as_slice() {
            [
                ..,
                _,
                (start, "m"),
                (_, alias),
                (_, "express" | "step-by-step"),
            ] => (start, alias),
            [.., _, (start, "m" | "conference"), (_, alias)] => (start, alias),
            _ => return None,
        };
        Some(Self { alias, route_start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_at_the_first_question_mark_and_hash() {
        let address = Address::split("https://h.example:8443/webapp/?a=b#/?c=d#e");
        assert_eq!(address.path(), "/webapp/");
        assert_eq!(address.query, "a=b");
        assert_eq!(address.fragment, "/?c=d#e");
        let address = Address::split("https://h.example");
        assert_eq!(
            (address.path(), address.query, address.fragment),
            ("", "", "")
        );
        let address = Address::split("/webapp/#/?a=b://c/d");
        assert_eq!(
            (address.path(), address.fragment),
            ("/webapp/", "/?a=b://c/d")
        );
    }

    #[test]
    fn a_hash_that_ends_a_pin_does_not_end_the_query() {
        let address = Address::split("/bva-app/?conference=c&pin=1111#&role=host");
        assert_eq!(address.query, "conference=c&pin=1111#&role=host");
        assert_eq!(address.fragment, "");
        let address = Address::split("/bva-app/?conference=c&amp;pin=1111#");
        assert_eq!(address.query, "conference=c&amp;pin=1111#");
        let address = Address::split("/bva-app/?pin=1111#/?conference=c");
        assert_eq!(
            (address.query, address.fragment),
            ("pin=1111", "/?conference=c")
        );
    }

    #[test]
    fn an_alias_in_the_path_stands_after_the_app_and_its_route() {
        for (path, alias, before) in [
            ("/webapp/conference/a@b", Some("a@b"), "/webapp/"),
            ("//webapp3/m/a/", Some("a"), "//webapp3/"),
            ("/webapp3/m/a/express", Some("a"), "/webapp3/"),
            (
                "/video/webapp3/m/a/step-by-step",
                Some("a"),
                "/video/webapp3/",
            ),
            ("/webapp3/m/express", Some("express"), "/webapp3/"),
            ("/m/m/express", Some("express"), "/m/"),
            ("/webapp3/m/", None, ""),
            ("/m/", None, ""),
            ("/webapp/home/", None, ""),
            ("/conference/home/", None, ""),
            ("", None, ""),
        ] {
            let found = PathAlias::find(path);
            assert_eq!(found.as_ref().map(|found| found.alias), alias, "{path}");
            let start = found.map_or(0, |found| found.route_start);
            assert_eq!(&path[..start], before);
        }
    }
}
