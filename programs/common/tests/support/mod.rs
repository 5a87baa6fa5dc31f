//! What the programs' vectors are made with: `tests/vectors/*.json`, read by tests/reference.
//!
//! `UPDATE_VECTORS=1 cargo test -p PACKAGE --test vectors` writes them; without it the committed files
//! must be what the code computes. A result of `None` is `null`.

use {
    serde_json::Value,
    std::{env, fs, path::PathBuf},
};

/// Splitmix64: the same spread of inputs in every run.
pub struct Spread(pub u64);

impl Spread {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Any number of bits equally likely: small figures are as interesting as large ones.
    pub fn any(&mut self) -> u64 {
        let shift = self.next() % 64;
        self.next() >> shift
    }
}

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
