//! Any bytes: whatever the reader says of them holds together.

#![no_main]

#[path = "../../tests/corpus/reader.rs"]
mod reader;

use flamectl::error::Severity;
use flamectl::flame::parse::{Parsed, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    reader::check(bytes);
});
