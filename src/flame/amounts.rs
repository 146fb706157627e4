//! Amounts of resources by name, small enough to be kept for each of ten thousand Pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::parse::quantity::Quantity;

/// Amounts by resource name, as `cpu` or `nvidia.com/gpu`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, String>")]
pub struct Amounts(Arc<Vec<(Box<str>, Quantity)>>);

impl Amounts {
    /// Returns the amount of a resource; none where nobody named one, which is not the same as 0.
    pub fn get(&self, name: &str) -> Option<Quantity> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, amount)| *amount)
    }

    /// Returns all names and amounts in the order in which they came in.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, amount)| (&**name, *amount))
    }

    /// Adds to the amount of a resource.
    pub fn add(&mut self, name: &str, amount: Quantity) {
        let known = Arc::make_mut(&mut self.0);
        match known.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, sum)) => *sum = *sum + amount,
            None => known.push((name.into(), amount)),
        }
    }

    /// Adds all of other amounts.
    pub fn add_all(&mut self, other: &Self) {
        other.iter().for_each(|(name, amount)| self.add(name, amount));
    }

    /// Takes over the amounts of those resources that are not named yet.
    pub fn default_to(&mut self, other: &Self) {
        let missing: Vec<_> = other.0.iter().filter(|(name, _)| self.get(name).is_none()).cloned().collect();
        Arc::make_mut(&mut self.0).extend(missing);
    }
}

impl<N: AsRef<str>, A: AsRef<str>> FromIterator<(N, A)> for Amounts {
    /// Reads quantities as the server writes them. What is none is left out: nothing can be said about it.
    fn from_iter<I: IntoIterator<Item = (N, A)>>(texts: I) -> Self {
        let amount = |(name, text): (N, A)| Some((name.as_ref().into(), Quantity::parse(text.as_ref()).ok()?));
        Self(Arc::new(texts.into_iter().filter_map(amount).collect()))
    }
}

impl From<BTreeMap<String, String>> for Amounts {
    fn from(texts: BTreeMap<String, String>) -> Self {
        texts.into_iter().collect()
    }
}

/// Writes an amount as one writes that resource, also behind a quota's prefix: `requests.memory` in bytes, all else in pieces.
pub fn text(resource: &str, amount: Quantity) -> String {
    let bare = resource.trim_start_matches("requests.").trim_start_matches("limits.");
    let is_size = matches!(bare, "memory" | "ephemeral-storage") || bare.starts_with("hugepages-");
    if is_size { amount.in_bytes() } else { amount.in_pieces() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn an_amount_is_written_as_one_writes_its_resource() {
        for (resource, amount, written) in [
            ("cpu", "0", "0"),
            ("cpu", "1.5", "1500m"),
            ("requests.cpu", "20k", "20000"),
            ("pods", "1024", "1024"),
            ("cpu", "1u", "1u"),
            ("cpu", "-500m", "-500m"),
            ("memory", "0", "0"),
            ("memory", "12800Mi", "12800Mi"),
            ("limits.memory", "1024Mi", "1Gi"),
            ("requests.memory", "1e9", "1G"),
            ("ephemeral-storage", "1536M", "1536M"),
            ("memory", "1000000001", "1000000001"),
            ("hugepages-2Mi", "4096Ki", "4Mi"),
            ("memory", "500m", "500m"),
            ("nvidia.com/memory", "1024", "1024"),
        ] {
            assert_eq!(text(resource, quantity(amount)), written, "{resource} {amount}");
        }
    }

    #[test]
    fn amounts_add_up_by_name() {
        let mut sum: Amounts = [("cpu", "1"), ("memory", "1Gi"), ("broken", "many")].into_iter().collect();
        sum.add_all(&[("cpu", "500m"), ("pods", "1")].into_iter().collect());
        sum.default_to(&[("cpu", "7"), ("gpu", "0")].into_iter().collect());
        let expected = [("cpu", "1500m"), ("memory", "1Gi"), ("pods", "1"), ("gpu", "0")];
        assert_eq!(sum, expected.into_iter().collect());
        assert_eq!((sum.get("gpu"), sum.get("broken")), (Some(Quantity::ZERO), None));
    }

    #[test]
    fn quantities_are_calculated_exactly() {
        for (whole, part, times) in
            [("10", "3", 3), ("10", "2.5", 4), ("1Gi", "1M", 1073), ("0", "1", 0), ("-1", "1", 0)]
        {
            assert_eq!(quantity(whole).holds(quantity(part)), times, "{whole} / {part}");
        }
        assert_eq!(quantity("1").holds(Quantity::ZERO), u32::MAX);
        assert_eq!(quantity("1500m") * 10 - quantity("4"), quantity("11"));
        assert_eq!(quantity("2").scaled(quantity("1.5")), quantity("3"));
        assert_eq!(quantity("100m") + quantity("200m"), quantity("0.3"));
    }
}
