//! What the programs' vectors are made with: `tests/vectors/*.json`, read by tests/reference.
//!
//! `UPDATE_VECTORS=1 cargo test -p PACKAGE --test vectors` writes them; without it the committed files
//! must be what the code computes. A result of `None` is `null`.

use {
    serde_json::Value,
    std::{env, fs, path::PathBuf},
};

mod spread;

pub use spread::Spread;

/// Writes or compares a file: an array, one row a line.
pub fn check(name: &str, rows: &[Value]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if env::var("UPDATE_VECTORS").is_ok_and(|set| set == "1") {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "{name} is not what the code computes");
}

/// Bytes as the Python side reads them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
