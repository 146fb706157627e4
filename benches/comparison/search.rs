//! Finds with how many requests in flight the roofline is fastest.

use crate::Result;
use crate::inputs::{Files, Inputs, Requests};

/// Requests in flight, for each kind.
#[derive(Clone, Copy, Debug)]
pub struct InFlight {
    pub apply: usize,
    pub create: usize,
    pub delete: usize,
    /// There are three in all.
    pub read: usize,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { apply: 16, create: 16, delete: 16, read: 3 }
    }
}

const TRIED: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// Most Pods of a try, and most for each request in flight: few in flight are measured well with few.
const PODS: u32 = 500;
const PODS_EACH: usize = 40;

/// Returns the fastest for flames of `size` executors. `seconds` sends requests of some files, waits until all Pods run or are gone,
/// and tells how long sending took.
pub fn best(
    inputs: &mut Inputs,
    size: u32,
    mut seconds: impl FnMut(&Files, Requests, usize) -> Result<f64>,
) -> Result<InFlight> {
    let mut best = [(0.0, 1); 3];
    for in_flight in TRIED {
        let pods = size.min(PODS).min(u32::try_from(in_flight * PODS_EACH)?);
        let files = inputs.flame(pods, false)?;
        let mut note = |which: usize, seconds: f64| {
            let rate = files.pods as f64 / seconds;
            if rate > best[which].0 {
                best[which] = (rate, in_flight);
            }
        };
        note(0, seconds(&files, Requests::Apply, in_flight)?);
        note(2, seconds(&files, Requests::Delete, in_flight)?);
        note(1, seconds(&files, Requests::Create, in_flight)?);
        seconds(&files, Requests::Delete, in_flight)?;
    }
    let [apply, create, delete] = best.map(|(_, in_flight)| in_flight);
    Ok(InFlight { apply, create, delete, ..InFlight::default() })
}
