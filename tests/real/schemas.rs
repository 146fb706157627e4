//! The JSON Schemas that `flamectl schema` prints, and what has to be as they say.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use flamectl::output::schema;
use jsonschema::Validator;
use serde_json::Value;

/// Checks that a document is as the schema of `of` says.
#[track_caller]
pub fn check(of: &str, document: &Value) {
    static SCHEMAS: OnceLock<BTreeMap<&'static str, Validator>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| {
        let schemas =
            [("status", schema::status()), ("progress", schema::progress()), ("validate", schema::validate())];
        schemas.into_iter().map(|(of, schema)| (of, jsonschema::draft7::new(&schema).unwrap())).collect()
    });
    let complaints: Vec<String> = schemas[of].iter_errors(document).map(|it| it.to_string()).collect();
    assert!(complaints.is_empty(), "not as `flamectl schema --of {of}` says: {document:#}\n{}", complaints.join("\n"));
}
