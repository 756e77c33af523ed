//! The OpenAPI document of every route for browsers, EHRs and administrators, and of what
//! Pexip Infinity asks and tells. Its paths come from where the router has them, and a
//! test holds both against each other.

mod admin;
mod launch_api;
mod launches;
mod node;
mod operation;
mod pexip;
mod plain;
mod schemas;

use utoipa::openapi::{
    InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, Server,
    path::HttpMethod,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use operation::Described;

/// The path of this document, on the listener of the admin API.
pub const PATH: &str = "/api/openapi.json";

/// Names of the ways to sign in.
const ADMIN: &str = "admin";
const LAUNCH: &str = "launch";
const PEXIP: &str = "pexip";

const DESCRIPTION: &str = "\
Routes under `/api/admin` and this document are on the listener of the admin API, and nowhere \
else; `[pexip] listen` may move those of Pexip to an address of their own. All others are where \
browsers come in. Each path of a launch is taken with and without a slash at its end, and so is \
each of the admin API. The landing page's own files are not listed: they stand under \
`landing_page.paths` of the configuration.";

/// The document.
pub fn document() -> OpenApi {
    let mut paths = Paths::new();
    let routes = [
        launches::routes(),
        launch_api::routes(),
        plain::routes(),
        node::routes(),
        pexip::routes(),
        admin::routes(),
    ];
    for route in routes.into_iter().flatten() {
        add(&mut paths, route);
    }
    let license = LicenseBuilder::new()
        .name(env!("CARGO_PKG_LICENSE"))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Vestibule")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(license)),
        )
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(
            schemas::components()
                .security_scheme(ADMIN, http(HttpAuthScheme::Basic))
                .security_scheme(PEXIP, http(HttpAuthScheme::Basic))
                .security_scheme(LAUNCH, http(HttpAuthScheme::Bearer))
                .build(),
        ))
        .build()
}

/// The document as JSON, with a line break at its end.
///
/// # Errors
/// None that is known: all of it is texts.
pub fn json() -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&document())?;
    text.push('\n');
    Ok(text)
}

fn http(scheme: HttpAuthScheme) -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build())
}

fn add(paths: &mut Paths, route: Described) {
    let Described {
        path,
        method,
        operation,
    } = route;
    let item = paths.paths.entry(path).or_default();
    let place = match method {
        HttpMethod::Get => &mut item.get,
        HttpMethod::Put => &mut item.put,
        HttpMethod::Post => &mut item.post,
        HttpMethod::Delete => &mut item.delete,
        HttpMethod::Options => &mut item.options,
        HttpMethod::Head => &mut item.head,
        HttpMethod::Patch => &mut item.patch,
        HttpMethod::Trace => &mut item.trace,
    };
    *place = Some(operation.build());
}
