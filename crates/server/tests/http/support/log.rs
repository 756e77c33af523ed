//! The log of one test.

pub(crate) use vestibule_test_log::text;

/// Begins to keep logs.
pub(crate) fn keep() {
    vestibule_test_log::keep(&[
        "vestibule_server",
        "vestibule_node",
        "vestibule_store",
        "vestibule_smart",
        "vestibule_template",
        "vestibule_sandbox",
    ]);
}
