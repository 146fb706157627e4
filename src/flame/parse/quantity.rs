//! Kubernetes' quantities, `500m`, `1.5Gi`, `1e3`: grammar, exact value and arithmetic (apimachinery `resource.Quantity`).

use std::ops::{Add, Mul, Sub};

use super::grammar::Fault;
use super::report::shown;

/// Quantities are kept in billionths, the finest that Kubernetes tells apart.
const NANOS: i128 = 1_000_000_000;
/// Kubernetes' largest quantity, 2^63-1.
const MAX: i128 = i64::MAX as i128 * NANOS;
/// More digits than any quantity needs; keeps the arithmetic within 128 bits.
const MAX_DIGITS: usize = 30;

/// An exact amount of a resource; ordered by size. Sums saturate, far beyond what any server holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
}

/// What a number is multiplied by.
enum Unit {
    /// A power of 10.
    Decimal(i32),
    /// A power of 2.
    Binary(u32),
}

impl Quantity {
    /// Returns the quantity that `text` stands for; less than a billionth is rounded up, as Kubernetes does.
    ///
    /// # Errors
    /// When `text` is no quantity, or is larger than 2^63-1.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(not_a_quantity(text, number, suffix));
        }
        let unit = unit(suffix).ok_or_else(|| unknown_unit(text, number, suffix))?;
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let too_large = || Fault::new(format!("{} is larger than a quantity can be, 2^63-1", shown(text)));
        if digits.len() > MAX_DIGITS {
            return Err(Fault::new(format!("{} has more than {MAX_DIGITS} digits", shown(text))));
        }
        let mantissa: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| too_large())? };
        let nanos = scaled(mantissa, fraction.len(), &unit).filter(|nanos| *nanos <= MAX).ok_or_else(too_large)?;
        Ok(Self { nanos: if negative { -nanos } else { nanos } })
    }

    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0 };

    /// Makes a quantity of so many pieces.
    pub fn whole(count: u32) -> Self {
        Self { nanos: i128::from(count) * NANOS }
    }

    /// Makes a quantity of thousandths.
    pub fn from_millis(millis: i64) -> Self {
        Self { nanos: i128::from(millis) * (NANOS / 1000) }
    }

    /// Makes a quantity of whole units.
    pub fn from_integer(number: u64) -> Self {
        Self { nanos: i128::from(number) * NANOS }
    }

    /// Returns whether this is less than nothing.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Returns whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Returns whether this is `part` any number of times.
    pub fn is_multiple_of(self, part: Self) -> bool {
        part.nanos != 0 && self.nanos % part.nanos == 0
    }

    /// Returns whether this is an integer.
    pub fn is_whole(self) -> bool {
        self.nanos % NANOS == 0
    }

    /// Returns how often `part` fits into this; for ever, where that is nothing.
    pub fn holds(self, part: Self) -> u32 {
        match part.nanos {
            ..=0 => u32::MAX,
            nanos => u32::try_from(self.nanos.max(0) / nanos).unwrap_or(u32::MAX),
        }
    }

    /// Returns this so many times, which need not be a whole number.
    pub fn scaled(self, factor: Self) -> Self {
        Self { nanos: self.nanos.saturating_mul(factor.nanos) / NANOS }
    }

    /// Writes a number of CPUs or of pieces: `4`, `500m`.
    pub fn in_pieces(self) -> String {
        let units = [(NANOS, ""), (NANOS / 1_000, "m"), (1_000, "u"), (1, "n")];
        let (size, unit) = units.into_iter().find(|(size, _)| self.nanos % size == 0).unwrap_or((1, "n"));
        format!("{}{unit}", self.nanos / size)
    }

    /// Writes a number of bytes, in powers of 2 or of 10, whichever is shorter: `4Gi`, `500M`.
    pub fn in_bytes(self) -> String {
        if !self.is_whole() {
            return self.in_pieces();
        }
        let shortened = |step: i128, units: [&str; 7]| {
            let mut bytes = self.nanos / NANOS;
            let mut power = 0;
            while bytes != 0 && bytes % step == 0 && power + 1 < units.len() {
                bytes /= step;
                power += 1;
            }
            format!("{bytes}{}", units[power])
        };
        let binary = shortened(1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);
        let decimal = shortened(1000, ["", "k", "M", "G", "T", "P", "E"]);
        if decimal.len() < binary.len() { decimal } else { binary }
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { nanos: self.nanos.saturating_add(other.nanos) }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { nanos: self.nanos.saturating_sub(other.nanos) }
    }
}

impl Mul<u32> for Quantity {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self { nanos: self.nanos.saturating_mul(times.into()) }
    }
}

/// Returns `mantissa` / 10^`decimals` × `unit` in billionths, rounded up; None when that is too large.
fn scaled(mantissa: i128, decimals: usize, unit: &Unit) -> Option<i128> {
    let (multiplied, power) = match unit {
        Unit::Decimal(power) => (mantissa, *power),
        Unit::Binary(power) => (mantissa.checked_mul(1 << power)?, 0),
    };
    let power = i64::from(power) + 9 - i64::try_from(decimals).ok()?;
    let factor = 10_i128.checked_pow(u32::try_from(power.unsigned_abs()).ok()?);
    match (multiplied, factor) {
        (0, _) => Some(0),
        (_, Some(factor)) if power >= 0 => multiplied.checked_mul(factor),
        (_, Some(factor)) => Some(multiplied.checked_add(factor - 1)? / factor),
        // Divided by more than 10^38, anything is less than a billionth.
        (_, None) if power < 0 => Some(1),
        (_, None) => None,
    }
}

fn unit(suffix: &str) -> Option<Unit> {
    Some(match suffix {
        "" => Unit::Decimal(0),
        "n" => Unit::Decimal(-9),
        "u" => Unit::Decimal(-6),
        "m" => Unit::Decimal(-3),
        "k" => Unit::Decimal(3),
        "M" => Unit::Decimal(6),
        "G" => Unit::Decimal(9),
        "T" => Unit::Decimal(12),
        "P" => Unit::Decimal(15),
        "E" => Unit::Decimal(18),
        "Ki" => Unit::Binary(10),
        "Mi" => Unit::Binary(20),
        "Gi" => Unit::Binary(30),
        "Ti" => Unit::Binary(40),
        "Pi" => Unit::Binary(50),
        "Ei" => Unit::Binary(60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            let fits = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            Unit::Decimal(exponent.parse().ok().filter(|_| fits)?)
        }
    })
}

fn not_a_quantity(text: &str, number: &str, suffix: &str) -> Fault {
    let fault = Fault::new(format!(
        "{} is not a quantity: want a number, perhaps with a unit (m, k, M, G, T, Ki, Mi, Gi, Ti)",
        if text.is_empty() { "\"\"".to_owned() } else { shown(text) }
    ));
    let is_cpus =
        matches!(suffix.trim().to_ascii_lowercase().as_str(), "core" | "cores" | "cpu" | "cpus" | "vcpu" | "vcpus");
    let meant = if is_cpus { number.to_owned() } else { without_separators(text) };
    let is_better = meant != text && meant.len() <= MAX_DIGITS && Quantity::parse(&meant).is_ok();
    if is_better { fault.write(meant) } else { fault }
}

/// Returns `1_000`, `1,000` and `1,5Gi` as Kubernetes writes them, and a unit without the blank before it.
fn without_separators(text: &str) -> String {
    let text = text.replace(['_', ' '], "");
    match text.split_once(',') {
        Some((whole, rest)) if rest.len() == 3 && rest.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{whole}{rest}")
        }
        Some((whole, rest)) => format!("{whole}.{rest}"),
        None => text,
    }
}

/// Returns the fault of a unit that Kubernetes does not have, with those that were probably meant.
fn unknown_unit(text: &str, number: &str, suffix: &str) -> Fault {
    let number = if number.len() > MAX_DIGITS { "1" } else { number };
    let bare = suffix.trim();
    let mut letters = bare.chars();
    let letter = letters.next().unwrap_or(' ').to_ascii_lowercase();
    let rest = letters.as_str().to_ascii_lowercase();
    let is_size = "kmgtpe".contains(letter) && matches!(rest.as_str(), "" | "b" | "i" | "ib");
    if !is_size || unit(bare).is_some() {
        return not_a_quantity(text, number, suffix);
    }
    let upper = letter.to_ascii_uppercase();
    let decimal = if upper == 'K' { 'k' } else { upper };
    Fault::new(format!("{bare} is not a unit: {number}{decimal} or {number}{upper}i"))
        .write(format!("{number}{upper}i"))
}
