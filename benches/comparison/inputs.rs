//! The same flame for each tool: as a FlameCluster, as the objects that flamectl makes of it, as a chart of those, and as
//! prepared requests.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::tools::{FLAME, SELECTOR};

/// Objects in one file of a chart: Helm takes none that is bigger than 5 MiB.
const OBJECTS_IN_A_TEMPLATE: usize = 500;

/// Stands between requests: those after it are sent when what is waited for has happened.
pub const THEN: &str = "\n\n";

/// Prepared requests of some objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    Apply,
    Create,
    Delete,
    /// Pods, and when they are gone the rest.
    DeleteInOrder,
    Read,
    /// These also write the ConfigMap that says how many executors there are.
    ApplyAndRecord,
    CreateAndRecord,
    DeleteAndRecord,
}

/// A flame, or some of its objects, as files.
#[derive(Clone, Debug)]
pub struct Files {
    dir: PathBuf,
    pub replicas: u32,
    /// Number of Pods.
    pub pods: usize,
    pub flame: PathBuf,
    /// All objects, as YAML.
    pub objects: PathBuf,
    /// The ConfigMap alone.
    pub record: PathBuf,
    pub chart: PathBuf,
    /// The path that lists the Pods.
    pub pods_path: String,
}

impl Files {
    pub fn requests(&self, requests: Requests) -> PathBuf {
        self.dir.join(match requests {
            Requests::Apply => "apply",
            Requests::Create => "create",
            Requests::Delete => "delete",
            Requests::DeleteInOrder => "delete-in-order",
            Requests::Read => "read",
            Requests::ApplyAndRecord => "apply-and-record",
            Requests::CreateAndRecord => "create-and-record",
            Requests::DeleteAndRecord => "delete-and-record",
        })
    }
}

/// Makes files for one namespace, each once.
pub struct Inputs {
    flamectl: PathBuf,
    dir: PathBuf,
    namespace: String,
    made: HashMap<String, Files>,
}

impl Inputs {
    pub fn new(work: &Path, flamectl: &Path, namespace: &str) -> Self {
        let (flamectl, dir) = (flamectl.to_owned(), work.join(namespace));
        Self { flamectl, dir, namespace: namespace.to_owned(), made: HashMap::new() }
    }

    /// Returns the flame with so many executors; with another label where it `is_changed`.
    pub fn flame(&mut self, replicas: u32, is_changed: bool) -> Result<Files> {
        let name = format!("{replicas}{}", if is_changed { "-changed" } else { "" });
        if let Some(files) = self.made.get(&name) {
            return Ok(files.clone());
        }
        let files = self.new_files(&name, replicas, replicas as usize + 1)?;
        fs::write(&files.flame, flame(replicas, is_changed)?)?;
        let yaml = self.render(&files.flame, "yaml")?;
        let documents = documents(&yaml);
        fs::write(&files.objects, &yaml)?;
        fs::write(&files.record, documents.first().ok_or("render printed nothing")?)?;
        write_chart(&files.chart, &documents)?;
        let objects = self.objects(&files)?;
        self.write_requests(&files, &objects, None)?;
        self.made.insert(name, files.clone());
        Ok(files)
    }

    /// Returns the Pods that the bigger one has and the smaller one has not, for a change to `to` executors.
    pub fn surplus(&mut self, smaller: u32, bigger: u32, to: u32) -> Result<Files> {
        let name = format!("surplus-{smaller}-{bigger}-{to}");
        if let Some(files) = self.made.get(&name) {
            return Ok(files.clone());
        }
        let (fewer, more, goal) = (self.flame(smaller, false)?, self.flame(bigger, false)?, self.flame(to, false)?);
        let files = self.new_files(&name, to, (bigger - smaller) as usize)?;
        // Executors are the last ones, in the order of their index.
        let yaml = fs::read_to_string(&more.objects)?;
        let documents = documents(&yaml);
        fs::write(&files.objects, documents[documents.len() - files.pods..].join("---\n"))?;
        fs::copy(&goal.record, &files.record)?;
        let objects = self.objects(&more)?;
        let record = self.objects(&goal)?.into_iter().next();
        self.write_requests(&files, &objects[objects.len() - (more.pods - fewer.pods)..], record)?;
        self.made.insert(name, files.clone());
        Ok(files)
    }

    fn new_files(&self, name: &str, replicas: u32, pods: usize) -> Result<Files> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir)?;
        Ok(Files {
            replicas,
            pods,
            flame: dir.join("flame.yaml"),
            objects: dir.join("objects.yaml"),
            record: dir.join("record.yaml"),
            chart: dir.join("chart"),
            pods_path: format!("/api/v1/namespaces/{}/pods?labelSelector={SELECTOR}", self.namespace),
            dir,
        })
    }

    fn render(&self, flame: &Path, format: &str) -> Result<String> {
        let output = Command::new(&self.flamectl)
            .args(["render", "-n", &self.namespace, "-o", format, "-f"])
            .arg(flame)
            .output()
            .map_err(|error| format!("{}: {error}", self.flamectl.display()))?;
        if !output.status.success() {
            return Err(format!("flamectl render: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn objects(&self, files: &Files) -> Result<Vec<Value>> {
        let list: Value = serde_json::from_str(&self.render(&files.flame, "json")?)?;
        Ok(list["items"].as_array().ok_or("render printed no list")?.clone())
    }

    fn write_requests(&self, files: &Files, objects: &[Value], record: Option<Value>) -> Result<()> {
        let base = format!("/api/v1/namespaces/{}", self.namespace);
        let apply = |object: &Value| -> Result<String> {
            let path = path(&base, object)?;
            Ok(format!("PATCH\t{path}?fieldManager=roofline&force=true\t{object}\n"))
        };
        let delete = |object: &Value| Ok(format!("DELETE\t{}\t\n", path(&base, object)?));
        let all = |request: &dyn Fn(&Value) -> Result<String>| objects.iter().map(request).collect::<Result<String>>();
        let (applies, creates, deletes) = (
            all(&apply)?,
            all(&|object| Ok(format!("POST\t{base}/{}\t{object}\n", collection(object)?)))?,
            all(&delete)?,
        );
        if let Some(record) = record {
            let record = apply(&record)?;
            fs::write(files.requests(Requests::ApplyAndRecord), applies + &record)?;
            fs::write(files.requests(Requests::CreateAndRecord), creates + &record)?;
            fs::write(files.requests(Requests::DeleteAndRecord), deletes + &record)?;
            return Ok(());
        }
        fs::write(files.requests(Requests::Apply), applies)?;
        fs::write(files.requests(Requests::Create), creates)?;
        fs::write(files.requests(Requests::Delete), deletes)?;
        let (pods, others): (Vec<_>, Vec<_>) = objects.iter().partition(|object| object["kind"] == "Pod");
        let [pods, others] = [pods, others].map(|some| some.into_iter().map(delete).collect::<Result<String>>());
        fs::write(files.requests(Requests::DeleteInOrder), pods?.trim_end_matches('\n').to_owned() + THEN + &others?)?;
        let reads = ["configmaps", "services", "pods"];
        let reads: String = reads.map(|kind| format!("GET\t{base}/{kind}?labelSelector={SELECTOR}\t\n")).concat();
        fs::write(files.requests(Requests::Read), reads)?;
        Ok(())
    }
}

/// Returns the smallest example with another name and so many executors.
fn flame(replicas: u32, is_changed: bool) -> Result<String> {
    let example = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/basic.yaml"))?;
    let color = if is_changed { "green" } else { "blue" };
    let flame = example
        .replace("  name: basic\n", &format!("  name: {FLAME}\n  labels:\n    color: {color}\n"))
        .replace("  executorManager:\n", &format!("  executorManager:\n    replicas: {replicas}\n"));
    if flame.contains(color) && flame.contains("replicas:") {
        Ok(flame)
    } else {
        Err("examples/basic.yaml does not look as it did: no name, or no executorManager".into())
    }
}

fn documents(yaml: &str) -> Vec<&str> {
    yaml.split("---\n").filter(|document| !document.trim().is_empty()).collect()
}

fn write_chart(dir: &Path, documents: &[&str]) -> Result<()> {
    fs::create_dir_all(dir.join("templates"))?;
    fs::write(dir.join("Chart.yaml"), format!("apiVersion: v2\nname: {FLAME}\nversion: 1.0.0\n"))?;
    for (number, some) in documents.chunks(OBJECTS_IN_A_TEMPLATE).enumerate() {
        let template = some.join("---\n");
        if template.contains("{{") {
            return Err("an object has what Helm takes for a template's directive".into());
        }
        fs::write(dir.join(format!("templates/objects-{number}.yaml")), template)?;
    }
    Ok(())
}

fn collection(object: &Value) -> Result<&'static str> {
    match object["kind"].as_str() {
        Some("ConfigMap") => Ok("configmaps"),
        Some("Service") => Ok("services"),
        Some("Pod") => Ok("pods"),
        kind => Err(format!("an object of the unknown kind {kind:?}").into()),
    }
}

fn path(base: &str, object: &Value) -> Result<String> {
    let mut path = base.to_owned();
    let name = object["metadata"]["name"].as_str().ok_or("an object without a name")?;
    write!(path, "/{}/{name}", collection(object)?)?;
    Ok(path)
}
