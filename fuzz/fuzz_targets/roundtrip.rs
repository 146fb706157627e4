//! Flames, read from bytes and made of bytes: what is written of them says the same.

#![no_main]

#[path = "../../tests/corpus/flames.rs"]
mod flames;
#[path = "../../tests/corpus/roundtrip.rs"]
mod roundtrip;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    roundtrip::check(bytes);
    roundtrip::generated(bytes);
});
