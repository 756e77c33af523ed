//! What a deserialiser says of a document, in words for administrators and without
//! the values, which may be secrets.

/// Words a message of serde's anew. Names of fields stay; values go.
pub(crate) fn reworded(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let name = rest.split_once(", ").map_or(rest, |(name, _)| name);
        return format!("unknown field {name}");
    }
    let holds_value = ["invalid type: ", "invalid value: ", "unknown variant "];
    if !holds_value.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("must be {}", kind(expected)),
        None => "has a value that cannot be here".to_owned(),
    }
}

fn kind(expected: &str) -> &str {
    match expected {
        "u16" | "u32" | "u64" => "a whole number, not negative",
        "i32" | "i64" => "a whole number",
        "a boolean" => "true or false",
        "a map" => "a table",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_the_names_and_lose_the_values() {
        for (message, words) in [
            (
                "invalid type: integer `7316`, expected a string",
                "must be a string",
            ),
            (
                "invalid type: string \"a, expected S3CRET\", expected u64",
                "must be a whole number, not negative",
            ),
            (
                "unknown variant `S3CRET`, expected `password` or `base64key`",
                "must be `password` or `base64key`",
            ),
            (
                "unknown field `epic_kye`, expected one of `name`, `uuid`",
                "unknown field `epic_kye`",
            ),
            (
                "unknown field `x`, there are no fields",
                "unknown field `x`",
            ),
            (
                "invalid type: sequence, expected struct ZoomDocument",
                "must be a table",
            ),
            ("invalid value: S3CRET", "has a value that cannot be here"),
            ("missing field `org_id`", "missing field `org_id`"),
        ] {
            assert_eq!(reworded(message), words);
        }
    }
}
