//! What was tried how often, and what came of it.

use std::collections::BTreeMap;

/// One case: where it struck, what did, and what was wrong afterwards.
pub struct Outcome {
    /// The class of the request.
    pub row: String,
    /// The fault.
    pub column: String,
    /// Which case exactly, to find it again.
    pub case: String,
    pub result: Result<(), String>,
}

/// Prints a table of all outcomes, and panics with the problems where there are any.
pub fn settle(title: &str, outcomes: Vec<Outcome>) {
    let mut cells: BTreeMap<&str, BTreeMap<&str, (usize, usize)>> = BTreeMap::new();
    let mut columns: Vec<&str> = Vec::new();
    for outcome in &outcomes {
        if !columns.contains(&outcome.column.as_str()) {
            columns.push(&outcome.column);
        }
        let (good, all) = cells.entry(&outcome.row).or_default().entry(&outcome.column).or_default();
        *good += usize::from(outcome.result.is_ok());
        *all += 1;
    }
    println!("\n{title}: {} cases, good of all", outcomes.len());
    println!("{:32}{}", "", columns.iter().map(|it| format!("{it:>14}")).collect::<String>());
    for (row, cells) in &cells {
        let cell = |column: &&str| cells.get(column).map_or("-".to_owned(), |(good, all)| format!("{good}/{all}"));
        println!("{row:32}{}", columns.iter().map(|it| format!("{:>14}", cell(it))).collect::<String>());
    }
    let problems: Vec<String> = outcomes
        .iter()
        .filter_map(|it| it.result.as_ref().err().map(|why| format!("{}, {}, {}: {why}", it.case, it.row, it.column)))
        .collect();
    assert!(problems.is_empty(), "{} of {} cases:\n{}", problems.len(), outcomes.len(), problems.join("\n"));
}
