//! The engine as it is set up for every template.

use std::sync::OnceLock;

use minijinja::Environment;

use crate::{escaping, filters, functions, limits, methods, operators, predicates};

/// The engine: filters, tests, functions and limits, no templates.
pub(crate) fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut environment = Environment::empty();
        filters::register(&mut environment);
        functions::register(&mut environment);
        operators::register(&mut environment);
        predicates::register(&mut environment);
        environment.set_unknown_method_callback(methods::call);
        environment.set_formatter(escaping::write_value);
        // Else it would keep variables with an error, in a development build.
        #[cfg(feature = "full")]
        environment.set_debug(false);
        environment.set_fuel(Some(limits::MAX_STEPS));
        environment
    })
}
