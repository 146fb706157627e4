//! The grammar of a slot, `cpu=1,mem=1g`, as strict as Flame is careless: what it cannot read it takes for 0, and then
//! divides by it (flame-facts 1.4, Flame's `to_slots`).

use std::ops::Range;

use super::super::schema::MAX_SLOT_LENGTH;
use super::characters::named;
use super::grammar::Fault;
use super::report::shown;

/// What one slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// CPUs, at least 1.
    pub cpu: u64,
    /// Memory in bytes, at least 1 KiB.
    pub memory_bytes: u64,
    /// GPUs.
    pub gpu: u32,
}

/// Returns the slot that `text` describes: `cpu` and `mem` (or `memory`), both at least 1, and perhaps `gpu`.
///
/// # Errors
/// Every fault; each proposes the same corrected slot.
pub fn slot(text: &str) -> Result<Slot, Vec<Fault>> {
    if text.len() > MAX_SLOT_LENGTH {
        let message = format!("{} characters: want cpu, mem and perhaps gpu", text.chars().count());
        return Err(vec![Fault::new(message).write("cpu=1,mem=1g")]);
    }
    let mut reading = Reading::default();
    let separators = separators(text);
    let mut start = 0;
    for entry in text.split(separators) {
        let length = entry.chars().count();
        // Two blanks have nothing between them.
        if length > 0 || separators != [' '] {
            reading.entry(entry.trim_matches(' '), start..start + length.max(1));
        }
        start += length + 1;
    }
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| *c != ',' && separators.contains(c)) {
        reading.faults.push(Fault::new(format!("{} between entries: want \",\"", named(c))).at(at..at + 1));
    }
    for key in ["cpu", "mem"] {
        // An entry that could not be read may be the one that is missing.
        if !reading.seen.contains(&key) && !reading.has_unread_entries {
            reading
                .faults
                .push(Fault::new(format!("without {key} Flame divides by zero when the first executor registers")));
        }
    }
    reading.finish()
}

/// Returns what separates entries, right or wrong.
fn separators(text: &str) -> &'static [char] {
    let only_blanks = !text.contains([',', ';']) && text.matches('=').count() > 1;
    if only_blanks && text.trim() == text && !text.contains("= ") && !text.contains(" =") {
        &[' ']
    } else {
        &[',', ';']
    }
}

/// What was understood so far; of a broken value, what was probably meant.
#[derive(Default)]
struct Reading {
    cpu: Option<u64>,
    memory: Option<Memory>,
    gpu: Option<u32>,
    seen: Vec<&'static str>,
    has_unread_entries: bool,
    faults: Vec<Fault>,
}

struct Memory {
    text: String,
    bytes: u64,
}

impl Reading {
    fn entry(&mut self, entry: &str, at: Range<usize>) {
        let Some((key, value)) = entry.split_once('=') else {
            let got = if entry.is_empty() { "nothing".to_owned() } else { shown(entry) };
            self.faults.push(Fault::new(format!("want KEY=VALUE, got {got}")).at(at));
            self.has_unread_entries = true;
            return;
        };
        let (key, value) = (key.trim_matches(' '), value.trim_matches(' '));
        let known = match key.to_ascii_lowercase().as_str() {
            "cpu" => "cpu",
            "mem" | "memory" => "mem",
            "gpu" => "gpu",
            _ => {
                let message = format!("{} is no part of a slot: want cpu, mem and perhaps gpu", shown(key));
                self.faults.push(Fault::new(message).at(at));
                return;
            }
        };
        if key.contains(|c: char| c.is_ascii_uppercase()) {
            let message = format!("Flame skips {key}: keys are lower-case, {}", key.to_ascii_lowercase());
            self.faults.push(Fault::new(message).at(at.clone()));
        }
        if self.seen.contains(&known) {
            self.faults.push(Fault::new(format!("{known} is given twice")).at(at));
            return;
        }
        self.seen.push(known);
        let fault = match known {
            "cpu" => self.cpu(value),
            "mem" => self.memory(key, value),
            _ => self.gpu(value),
        };
        self.faults.extend(fault.map(|message| Fault::new(message).at(at)));
    }

    fn cpu(&mut self, value: &str) -> Option<String> {
        let (number, rest) = number(value);
        let whole = number.filter(|_| rest.is_empty());
        // 500m is less than one CPU, 1500m is not.
        self.cpu = whole.filter(|cpu| *cpu > 0);
        match whole {
            Some(0) => Some("cpu=0: Flame divides by zero when the first executor registers".to_owned()),
            Some(_) => None,
            None => {
                Some(format!("cpu={}: Flame reads whole CPUs only, takes this for 0 and divides by zero", shown(value)))
            }
        }
    }

    fn memory(&mut self, key: &str, value: &str) -> Option<String> {
        let (number, unit) = number(value);
        let Some(number) = number else {
            return Some(match value {
                "" => format!("{key}= without a value: Flame panics"),
                _ => format!("{key}={}: want a whole number and a unit, k, m or g", shown(value)),
            });
        };
        let lower = unit.to_ascii_lowercase();
        let scale = match lower.chars().next() {
            Some('k') => 1 << 10,
            Some('g') => 1 << 30,
            _ => 1 << 20,
        };
        let letter =
            lower.chars().find(|c| c.is_ascii_alphabetic()).filter(|c| matches!(c, 'k' | 'm' | 'g')).unwrap_or('m');
        let Some(bytes) = number.checked_mul(scale) else {
            return Some(format!("{key}={}: more than 64 bits of bytes; Flame counts from 0 again", shown(value)));
        };
        self.memory = (number > 0).then(|| Memory { text: format!("{number}{letter}"), bytes });
        match unit {
            _ if number == 0 => {
                Some(format!("{key}={}: Flame divides by zero when the first executor registers", shown(value)))
            }
            "k" | "m" | "g" => None,
            "" => Some(format!("{key}={number} has no unit: Flame reads bytes; want k, m or g")),
            "K" | "M" | "G" => Some(format!("{key}={value}: the unit is lower-case, {letter}")),
            _ => Some(format!(
                "{key}={}: Flame's units are k, m and g; it takes this for 0 and divides by zero",
                shown(value)
            )),
        }
    }

    fn gpu(&mut self, value: &str) -> Option<String> {
        let (number, rest) = number(value);
        // Flame keeps it in an i32.
        let fits = |gpu: &i32| rest.is_empty() && *gpu >= 0;
        self.gpu = number.and_then(|gpu| i32::try_from(gpu).ok()).filter(fits).map(i32::unsigned_abs);
        self.gpu.is_none().then(|| format!("gpu={}: want an integer, 0 to {}", shown(value), i32::MAX))
    }

    fn finish(self) -> Result<Slot, Vec<Fault>> {
        match (self.cpu, &self.memory) {
            (Some(cpu), Some(memory)) if self.faults.is_empty() => {
                Ok(Slot { cpu, memory_bytes: memory.bytes, gpu: self.gpu.unwrap_or(0) })
            }
            _ => {
                let memory = self.memory.map_or_else(|| "1g".to_owned(), |memory| memory.text);
                let gpu = self.gpu.map(|gpu| format!(",gpu={gpu}")).unwrap_or_default();
                let better = format!("cpu={},mem={memory}{gpu}", self.cpu.unwrap_or(1));
                Err(self.faults.into_iter().map(|fault| fault.write(better.clone())).collect())
            }
        }
    }
}

/// Returns the number that `text` begins with, and what follows.
fn number(text: &str) -> (Option<u64>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest)
}
