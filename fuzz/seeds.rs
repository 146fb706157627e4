//! Writes what the fuzzers start with into `corpus/`: the examples, the cases of the catalogue and all that was found.

#[path = "../tests/corpus/catalogue.rs"]
#[expect(dead_code, reason = "only the files are wanted, not what is said of them")]
mod catalogue;

use std::fs;
use std::io::Result;
use std::path::Path;

fn main() -> Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds: Vec<Vec<u8>> = catalogue::cases().into_iter().map(|case| case.input.into_bytes()).collect();
    for folder in [fuzz.join("found"), fuzz.join("../examples")] {
        for entry in fs::read_dir(folder)? {
            seeds.push(fs::read(entry?.path())?);
        }
    }
    for target in ["reader", "roundtrip"] {
        let corpus = fuzz.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        for (index, seed) in seeds.iter().enumerate() {
            fs::write(corpus.join(format!("seed-{index:03}")), seed)?;
        }
    }
    println!("{} seeds for each fuzzer", seeds.len());
    Ok(())
}
