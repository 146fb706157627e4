//! What `validate` found, for programs: JSON, SARIF for code hosts, and the workflow commands of GitHub Actions.
//!
//! (problems and failures of files) → text. Pure.

use std::path::{Component, Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use super::{json, text};
use crate::error::{Error, Problem, Result, Severity};

/// The version of the JSON report: within it fields are added at most.
pub const API_VERSION: &str = "flamectl/v1";
/// What stands as it is in a segment of a URI (RFC 3986: "unreserved").
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The rules of a SARIF log, each the field that it is about, parents first, and what a file has there. The first is about
/// no field, the second about those at the top that no other is about.
const RULES: [(&str, &str); 25] = [
    ("file", "The file can be read, is YAML or JSON in UTF-8, and holds one FlameCluster that Kubernetes can store"),
    ("FlameCluster", "A FlameCluster has the fields apiVersion, kind, metadata and spec"),
    ("apiVersion", "apiVersion is the version that flamectl reads"),
    ("kind", "kind is FlameCluster"),
    ("metadata", "metadata has the fields name, namespace, labels and annotations"),
    ("metadata.name", "The name leaves room for the names of the objects that are made from it"),
    ("metadata.namespace", "The namespace is a DNS label"),
    ("metadata.labels", "Labels are those that Kubernetes takes, and none that flamectl sets"),
    ("metadata.annotations", "Annotations are those that Kubernetes takes, and none that flamectl sets"),
    ("spec", "spec has the fields sessionManager, executorManager and objectCache"),
    ("spec.sessionManager", "The session manager has the fields of the reference"),
    ("spec.sessionManager.image", "The session manager has an image that can be pulled by its name"),
    ("spec.sessionManager.resources", "Requests and limits are quantities that Kubernetes takes"),
    ("spec.sessionManager.slot", "A slot says how much CPU and memory it has"),
    ("spec.sessionManager.policy", "The policy is one that Flame has"),
    ("spec.sessionManager.storage", "The storage is one that Flame has"),
    ("spec.executorManager", "The executor manager has the fields of the reference"),
    ("spec.executorManager.image", "The executor manager has an image that can be pulled by its name"),
    ("spec.executorManager.replicas", "The number of executors is one that can work"),
    ("spec.executorManager.resources", "Requests and limits are quantities that Kubernetes takes"),
    ("spec.executorManager.shim", "The shim is one that Flame has"),
    ("spec.executorManager.maxExecutors", "The most executors are a number that Flame takes"),
    ("spec.objectCache", "The object cache has the fields of the reference"),
    ("spec.objectCache.networkInterface", "The network interface has a name that Linux takes"),
    ("spec.objectCache.storage", "The storage is one that Flame has"),
];

/// All that was found in some files.
#[derive(Debug, Default)]
pub struct Report {
    files: usize,
    found: Vec<Finding>,
}

/// One thing that was found. `line`, `column` and `end_column` are null where it is about the file as a whole; columns
/// count characters from 1, and `end_column` is the one behind the last that is marked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    end_column: Option<usize>,
    /// Empty where it is not about a field.
    path: String,
    severity: &'static str,
    message: String,
    hint: Option<String>,
    /// How many problems it is, which the counts of the report say.
    #[serde(skip)]
    count: usize,
}

/// The JSON report. A finding is a problem here, as everywhere on the screen.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'f> {
    api_version: &'static str,
    files: usize,
    errors: usize,
    warnings: usize,
    problems: &'f [Finding],
}

impl Report {
    /// Adds a file with its problems, and what keeps it as a whole from being used.
    pub fn add(&mut self, file: &str, problems: &[Problem], failure: Option<&Error>) {
        self.files += 1;
        self.found.extend(problems.iter().map(Finding::in_file));
        self.found.extend(failure.map(|failure| Finding::of_file(file, failure)));
    }

    /// Returns whether anything was found that stops a command.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Returns the counts for people, as `3 files: 2 errors, 1 warning`.
    pub fn summary(&self) -> String {
        let counts = match (self.count(Severity::Error), self.count(Severity::Warning)) {
            (0, 0) => "no problems".to_owned(),
            (errors, warnings) => format!("{}, {}", text::count(errors, "error"), text::count(warnings, "warning")),
        };
        format!("{}: {counts}", text::count(self.files, "file"))
    }

    /// Returns the JSON report: an object with `apiVersion` (`flamectl/v1`), the numbers of `files`, `errors` and
    /// `warnings`, and `problems`, a list of objects that all have `file` (`-` is standard input), `line`, `column`,
    /// `endColumn`, `path`, `severity` (`error` or `warning`), `message` and `hint`. Of a file with very many problems the
    /// last in the list says how many more there are, which the numbers count too.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn json(&self) -> Result<String> {
        json(&Document {
            api_version: API_VERSION,
            files: self.files,
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
            problems: &self.found,
        })
    }

    /// Returns the SARIF log (OASIS SARIF 2.1.0, with what code hosts need).
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn sarif(&self) -> Result<String> {
        let rules = RULES.map(|(id, description)| {
            let text = json!({ "text": description });
            json!({ "id": id, "shortDescription": text, "fullDescription": text, "help": text })
        });
        json(&json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "flamectl",
                    "version": env!("CARGO_PKG_VERSION"),
                    "informationUri": "https://github.com/xflops/flame",
                    "rules": rules,
                } },
                "columnKind": "unicodeCodePoints",
                "results": self.found.iter().map(Finding::sarif).collect::<Vec<_>>(),
            }],
        }))
    }

    /// Returns a workflow command of GitHub Actions for each finding, one a line.
    pub fn github(&self) -> String {
        self.found.iter().map(Finding::github).collect()
    }

    fn count(&self, of: Severity) -> usize {
        self.found.iter().filter(|finding| finding.severity == severity(of)).map(|finding| finding.count).sum()
    }
}

impl Finding {
    fn in_file(problem: &Problem) -> Self {
        Self {
            file: problem.file.clone(),
            line: Some(problem.line),
            column: Some(problem.column),
            end_column: Some(problem.column + problem.length),
            path: problem.path.clone(),
            severity: severity(problem.severity),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
            count: problem.count,
        }
    }

    fn of_file(file: &str, failure: &Error) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            end_column: None,
            path: String::new(),
            severity: severity(Severity::Error),
            message: failure.what.clone(),
            hint: (!failure.hints.is_empty()).then(|| failure.hints.join("; ")),
            count: 1,
        }
    }

    fn sarif(&self) -> Value {
        let region = match (self.line, self.column, self.end_column) {
            (Some(line), Some(column), Some(end)) => {
                json!({ "startLine": line, "startColumn": column, "endLine": line, "endColumn": end })
            }
            // The standard would leave it out for a whole file, but code hosts ask for a line.
            _ => json!({ "startLine": 1 }),
        };
        let rule = self.rule();
        json!({
            "ruleId": RULES[rule].0,
            "ruleIndex": rule,
            "level": self.severity,
            "message": { "text": self.text() },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": uri(&self.file) },
                "region": region,
            } }],
        })
    }

    /// Returns the index of the rule about the innermost field that has one.
    fn rule(&self) -> usize {
        if self.path.is_empty() {
            return 0;
        }
        let is_about = |id: &str| {
            let below = self.path.strip_prefix(id);
            below.is_some_and(|below| below.is_empty() || below.starts_with(['.', '[']))
        };
        RULES[2..].iter().rposition(|(id, _)| is_about(id)).map_or(1, |index| index + 2)
    }

    fn github(&self) -> String {
        let mut properties = vec![("file", self.file.clone())];
        let numbers = [("line", self.line), ("col", self.column), ("endColumn", self.end_column)];
        properties.extend(numbers.into_iter().filter_map(|(name, number)| Some((name, number?.to_string()))));
        let title = if self.path.is_empty() { "FlameCluster" } else { &self.path };
        properties.push(("title", title.to_owned()));
        let properties: Vec<String> =
            properties.iter().map(|(name, value)| format!("{name}={}", property(&text::clean(value)))).collect();
        format!("::{} {}::{}\n", self.severity, properties.join(","), command_data(&self.text()))
    }

    /// Returns what is wrong, where it does not say so itself, and the hint below.
    fn text(&self) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
        text::clean(&format!("{path}{}{hint}", self.message))
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Returns a file's name as a URI: relative to wherever the command runs, as the name itself.
fn uri(file: &str) -> String {
    let mut segments = Vec::new();
    let mut root = "";
    for component in Path::new(file).components() {
        match component {
            Component::CurDir => {}
            Component::RootDir => root = "file:///",
            part => segments.push(utf8_percent_encode(&part.as_os_str().to_string_lossy(), SEGMENT).to_string()),
        }
    }
    format!("{root}{}", segments.join("/"))
}

/// Escapes the data of a workflow command (actions/toolkit: `command.ts`).
fn command_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::parse::{parse, tests::catalogue};

    /// A report with an error, a warning and a file that can't be read.
    fn report() -> Report {
        let problem = Problem {
            file: "a b/demo.yaml".to_owned(),
            line: 14,
            column: 15,
            length: 2,
            path: "spec.executorManager.replicas".to_owned(),
            severity: Severity::Error,
            message: "100% wrong".to_owned(),
            hint: Some("replicas: 5".to_owned()),
            count: 1,
        };
        let warning = Problem {
            path: "metadata.labels[\"x/y,z\"]".to_owned(),
            severity: Severity::Warning,
            hint: None,
            message: "a \u{9b}31m".to_owned(),
            ..problem.clone()
        };
        let mut report = Report::default();
        report.add("a b/demo.yaml", &[problem, warning], None);
        report.add("-", &[], Some(&Error::input("it cannot be read").hint("look").hint("or leave it")));
        report.add("fine.yaml", &[], None);
        report
    }

    #[test]
    fn problems_that_are_not_told_one_by_one_count_too() {
        let labels: String = (0..1000).map(|index| format!("    x{index}: '!'\n")).collect();
        let file = format!("apiVersion: flame.xflops.io/v1alpha1\nkind: FlameCluster\nmetadata:\n  labels:\n{labels}");
        let problems = parse("f.yaml", file.as_bytes()).problems;
        let mut report = Report::default();
        report.add("f.yaml", &problems, None);
        assert_eq!(report.summary(), "1 file: 1002 errors, 0 warnings");
        let json: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!((&json["errors"], json["problems"].as_array().map(Vec::len)), (&json!(1002), Some(501)));
    }

    #[test]
    fn json_has_every_key_of_every_problem() {
        assert_eq!(
            report().json().unwrap(),
            r#"{
  "apiVersion": "flamectl/v1",
  "files": 3,
  "errors": 2,
  "warnings": 1,
  "problems": [
    {
      "file": "a b/demo.yaml",
      "line": 14,
      "column": 15,
      "endColumn": 17,
      "path": "spec.executorManager.replicas",
      "severity": "error",
      "message": "100% wrong",
      "hint": "replicas: 5"
    },
    {
      "file": "a b/demo.yaml",
      "line": 14,
      "column": 15,
      "endColumn": 17,
      "path": "metadata.labels[\"x/y,z\"]",
      "severity": "warning",
      "message": "a \u009b31m",
      "hint": null
    },
    {
      "file": "-",
      "line": null,
      "column": null,
      "endColumn": null,
      "path": "",
      "severity": "error",
      "message": "it cannot be read",
      "hint": "look; or leave it"
    }
  ]
}"#
        );
        let nothing = r#"{"apiVersion":"flamectl/v1","files":0,"errors":0,"warnings":0,"problems":[]}"#;
        assert_eq!(Report::default().json().unwrap().replace([' ', '\n'], ""), nothing);
    }

    #[test]
    fn sarif_places_every_problem_under_its_rule() {
        let log: Value = serde_json::from_str(&report().sarif().unwrap()).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let result = |rule: (&str, usize), level: &str, text: &str, uri: &str, region: Value| {
            json!({
                "ruleId": rule.0,
                "ruleIndex": rule.1,
                "level": level,
                "message": { "text": text },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri }, "region": region } }],
            })
        };
        let region = json!({ "startLine": 14, "startColumn": 15, "endLine": 14, "endColumn": 17 });
        let replicas = "spec.executorManager.replicas: 100% wrong\nhint: replicas: 5";
        let labels = "metadata.labels[\"x/y,z\"]: a 31m";
        let file = "it cannot be read\nhint: look; or leave it";
        assert_eq!(
            log["runs"][0]["results"],
            json!([
                result(("spec.executorManager.replicas", 18), "error", replicas, "a%20b/demo.yaml", region.clone()),
                result(("metadata.labels", 7), "warning", labels, "a%20b/demo.yaml", region),
                result(("file", 0), "error", file, "-", json!({ "startLine": 1 })),
            ])
        );
        let run = &log["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(run["tool"]["driver"]["name"], "flamectl");
        let rule = &run["tool"]["driver"]["rules"][3];
        assert_eq!((&rule["id"], &rule["shortDescription"]["text"]), (&json!("kind"), &json!("kind is FlameCluster")));
    }

    #[test]
    fn a_workflow_command_is_one_line_that_nothing_breaks_out_of() {
        assert_eq!(
            report().github(),
            "\
::error file=a b/demo.yaml,line=14,col=15,endColumn=17,title=spec.executorManager.replicas::\
spec.executorManager.replicas: 100%25 wrong%0Ahint: replicas: 5
::warning file=a b/demo.yaml,line=14,col=15,endColumn=17,title=metadata.labels[\"x/y%2Cz\"]::\
metadata.labels[\"x/y,z\"]: a 31m
::error file=-,title=FlameCluster::it cannot be read%0Ahint: look; or leave it
"
        );
        let mut report = Report::default();
        report.add("a:b,c%\n::d\u{1b}", &[], Some(&Error::input("x\r\n::y")));
        assert_eq!(report.github(), "::error file=a%3Ab%2Cc%25%0A%3A%3Ad,title=FlameCluster::x%0A::y\n");
    }

    #[test]
    fn the_summary_counts() {
        assert_eq!(report().summary(), "3 files: 2 errors, 1 warning");
        assert!(report().has_errors());
        let mut fine = Report::default();
        fine.add("a", &[], None);
        assert_eq!((fine.summary().as_str(), fine.has_errors()), ("1 file: no problems", false));
    }

    #[test]
    fn a_file_is_a_relative_uri() {
        for (file, expected) in [
            ("demo.yaml", "demo.yaml"),
            ("./a/../b.yaml", "a/../b.yaml"),
            ("a b/100%#?.yaml", "a%20b/100%25%23%3F.yaml"),
            ("c:d.yaml", "c%3Ad.yaml"),
            ("\u{e9}.yaml", "%C3%A9.yaml"),
            ("/etc/x.yaml", "file:///etc/x.yaml"),
            ("-", "-"),
        ] {
            assert_eq!(uri(file), expected, "{file}");
        }
    }

    #[test]
    fn a_rule_is_about_the_innermost_field_that_it_knows() {
        let rule = |path: &str| {
            let failure = Error::input("");
            RULES[Finding { path: path.to_owned(), ..Finding::of_file("a", &failure) }.rule()].0
        };
        for (path, expected) in [
            ("", "file"),
            ("file", "FlameCluster"),
            ("spce", "FlameCluster"),
            ("metadata.name", "metadata.name"),
            ("metadata.nam", "metadata"),
            ("metadata.labels[\"a/b\"]", "metadata.labels"),
            ("spec.executorManager.resources.limits.cpu", "spec.executorManager.resources"),
            ("spec.executorManagers", "spec"),
        ] {
            assert_eq!(rule(path), expected, "{path}");
        }
    }

    /// A field that the reader learns needs a rule of its own: `sarif` groups by it.
    #[test]
    fn every_field_that_the_reader_knows_has_a_rule() {
        let bytes = include_bytes!("../../examples/production.yaml");
        let flame = parse("production.yaml", bytes).flame.unwrap();
        let spec = serde_json::to_value(&flame.spec).unwrap();
        let ids = RULES.map(|(id, _)| id);
        for (section, fields) in spec.as_object().unwrap() {
            for field in fields.as_object().unwrap().keys() {
                assert!(ids.contains(&format!("spec.{section}.{field}").as_str()), "{section}.{field}");
            }
        }
        for path in ids.iter().skip(2) {
            // The reader knows it, or it would be told to be unknown.
            let nested = path.split('.').rev().fold("x".to_owned(), |value, name| format!("{{{name}: {value}}}"));
            let problems = parse("a", nested.as_bytes()).problems;
            let unknown = problems.iter().find(|it| it.path == *path && it.message.starts_with("unknown field"));
            assert_eq!(unknown, None, "{nested}");
        }
    }

    #[test]
    fn every_problem_of_the_catalogue_is_the_same_in_every_format() {
        for (file, said) in catalogue() {
            let problems = parse("f.yaml", file.as_bytes()).problems;
            let mut report = Report::default();
            report.add("f.yaml", &problems, None);
            let json: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
            let log: Value = serde_json::from_str(&report.sarif().unwrap()).unwrap();
            let (listed, results) = (&json["problems"], &log["runs"][0]["results"]);
            let github = report.github();
            assert_eq!(
                [listed.as_array().unwrap().len(), results.as_array().unwrap().len(), github.lines().count()],
                [problems.len(); 3],
                "{said}"
            );
            assert_eq!(json["errors"].as_u64().unwrap() + json["warnings"].as_u64().unwrap(), problems.len() as u64);
            for (index, problem) in problems.iter().enumerate() {
                let (listed, result) = (&listed[index], &results[index]);
                let region = &result["locations"][0]["physicalLocation"]["region"];
                let place = [&listed["line"], &listed["column"], &listed["endColumn"]];
                assert_eq!(
                    place,
                    [problem.line, problem.column, problem.column + problem.length].map(|it| json!(it)).each_ref()
                );
                assert_eq!(place, [&region["startLine"], &region["startColumn"], &region["endColumn"]]);
                assert_eq!(listed["severity"], result["level"]);
                let rules = &log["runs"][0]["tool"]["driver"]["rules"];
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(result["ruleId"], rules[index]["id"]);
            }
        }
    }
}
