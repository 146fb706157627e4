//! The table against the Rust types, the reader and itself; the JSON Schema against the reader.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::*;
use crate::flame::parse::parse;
use crate::flame::parse::tests::catalogue;
use crate::flame::state::{ClusterState, ExecutorManagerStatus, SessionManagerStatus, Status};
use crate::flame::{
    API_VERSION, ExecutorManager, FlameCluster, KIND, Metadata, ObjectCache, Resources, SessionManager, Spec, names,
};

/// Returns what the reader makes of a document; none where it refuses it.
fn read(document: &Value) -> Option<FlameCluster> {
    parse("f.yaml", document.to_string().as_bytes()).flame
}

/// Returns the smallest file.
fn minimal() -> Value {
    let text = ROOT.shortest();
    serde_saphyr::from_str(text.strip_prefix("FlameCluster: ").expect("the root has its name")).expect("it is YAML")
}

/// Returns a file that has every field.
fn complete() -> Value {
    serde_json::to_value(ROOT.example(false)).expect("the example is JSON")
}

/// Returns every field that a file may have, but for the whole file.
fn written() -> Vec<Located> {
    all().iter().filter(|field| !field.generated && !field.path.is_empty()).cloned().collect()
}

/// Returns the document with this value at `path`, or without any there.
fn with(document: &Value, path: &[&str], value: Option<Value>) -> Value {
    let mut document = document.clone();
    let (name, sections) = path.split_last().expect("the whole file is not replaced");
    let mut section = &mut document;
    for name in sections {
        section = &mut section[*name];
    }
    if section.is_null() {
        *section = json!({});
    }
    let fields = section.as_object_mut().expect("a section is a map");
    match value {
        Some(value) => fields.insert((*name).to_owned(), value),
        None => fields.remove(*name),
    };
    document
}

fn validator() -> Validator {
    jsonschema::draft7::new(&json::file()).expect("the schema is one")
}

/// Returns the paths of all fields in `value`; what is in a map is the user's and has none.
fn paths(value: &Value, path: &str, paths_seen: &mut BTreeSet<String>) {
    let is_map = all().iter().any(|field| field.path() == path && matches!(field.property.value, Type::Map { .. }));
    if let (Value::Object(fields), false) = (value, is_map) {
        for (name, value) in fields {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            paths(value, &path, paths_seen);
            paths_seen.insert(path);
        }
    }
}

/// Returns the table's paths, without the keys of maps.
fn table_paths(generated: bool) -> BTreeSet<String> {
    let fields = all().iter().filter(|field| field.generated == generated && !field.path.is_empty());
    fields.filter(|field| !matches!(field.property.presence, Presence::Key)).map(|field| field.path()).collect()
}

/// No `..Default`: a new field of the types has to be named here, and is then looked for in the table.
#[test]
fn the_types_and_the_table_have_the_same_fields() {
    let map = || BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    let resources = || Resources { requests: map(), limits: map() };
    let flame = FlameCluster {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        metadata: Metadata { name: "a".to_owned(), namespace: Some("a".to_owned()), labels: map(), annotations: map() },
        spec: Spec {
            session_manager: SessionManager {
                image: "a".to_owned(),
                resources: resources(),
                slot: "a".to_owned(),
                policy: "a".to_owned(),
                storage: "a".to_owned(),
            },
            executor_manager: ExecutorManager {
                image: "a".to_owned(),
                replicas: 2,
                resources: resources(),
                shim: "a".to_owned(),
                max_executors: 2,
            },
            object_cache: ObjectCache { network_interface: "a".to_owned(), storage: "a".to_owned() },
        },
    };
    let mut of_types = BTreeSet::new();
    paths(&serde_json::to_value(flame).expect("a flame is JSON"), "", &mut of_types);
    assert_eq!(of_types, table_paths(false));
}

#[test]
fn the_status_and_the_table_have_the_same_fields() {
    let status = Status {
        session_manager: SessionManagerStatus { ready: 1, endpoint: "a".to_owned() },
        executor_manager: ExecutorManagerStatus { replicas: 1, ready: 1 },
        state: ClusterState::Running,
        config_generation: 1,
        message: "a".to_owned(),
    };
    let mut of_types = BTreeSet::new();
    paths(&json!({ "status": status }), "", &mut of_types);
    // The two endpoints of the spec are in the config only.
    of_types.extend(["spec.sessionManager.endpoint", "spec.objectCache.endpoint"].map(str::to_owned));
    assert_eq!(of_types, table_paths(true));
    let states = [ClusterState::Pending, ClusterState::Running, ClusterState::Failed].map(|state| state.to_string());
    let state = find("status.state").expect("the table has it");
    assert!(matches!(state.property.value, Type::OneOf(words) if words == states), "{state:?}");
}

#[test]
fn the_example_of_every_field_is_read_and_kept() {
    let complete = complete();
    let parsed = parse("f.yaml", complete.to_string().as_bytes());
    assert_eq!(parsed.problems, []);
    assert_eq!(serde_json::to_value(parsed.flame).expect("a flame is JSON"), complete);
    for key in all().iter().filter(|field| matches!(field.property.presence, Presence::Key)) {
        let value = key.property.example.as_ref().map(json::literal);
        let (_, map) = key.path.split_last().expect("a key is in a map");
        let document = with(&complete, map, Some(json!({ key.property.name: value })));
        let read = serde_json::to_value(read(&document)).expect("a flame is JSON");
        assert_eq!(read, document, "{}", key.path());
    }
}

/// Returns the flame with its namespace filled in.
fn settled(document: &Value) -> FlameCluster {
    let mut flame = read(document).unwrap_or_else(|| panic!("{document} is refused"));
    flame.metadata.namespace = Some(flame.namespace().to_owned());
    flame
}

#[test]
fn a_default_is_the_same_as_leaving_the_field_out() {
    let minimal = minimal();
    let mut defaults = 0;
    for field in written() {
        if let Presence::Optional { default, nullable, .. } = field.property.presence {
            let spelled_out = with(&minimal, &field.path, Some(json::literal(&default)));
            assert_eq!(settled(&spelled_out), settled(&minimal), "{}", field.path());
            let null = with(&minimal, &field.path, Some(Value::Null));
            assert_eq!(read(&null), read(&minimal).filter(|_| nullable), "{}", field.path());
            defaults += 1;
        }
    }
    assert_eq!(defaults, 18);
}

#[test]
fn a_field_without_which_the_file_is_refused_is_required() {
    for field in written().iter().filter(|field| !matches!(field.property.presence, Presence::Key)) {
        let is_refused = read(&with(&complete(), &field.path, None)).is_none();
        assert_eq!(is_refused, field.property.is_required(), "{}", field.path());
    }
}

#[test]
fn the_limits_of_the_table_are_those_of_the_reader() {
    let accepts = |field: &Located, value: Value| read(&with(&complete(), &field.path, Some(value))).is_some();
    let mut limits = 0;
    for field in written() {
        let (good, bad) = match field.property.value {
            Type::Integer { max: Some(max) } => (json!(max), json!(u64::from(max) + 1)),
            Type::OneOf(words) => (json!(words[words.len() - 1]), json!(format!("{}s", words[0]))),
            Type::Text(Text { max_length: Some(max), .. }) if field.property.name != "slot" => {
                (json!("a".repeat(max)), json!("a".repeat(max + 1)))
            }
            Type::Text(Text { max_length: Some(max), .. }) => {
                let slot = |length: usize| format!("cpu=1,{}mem=1g", " ".repeat(length - "cpu=1,mem=1g".len()));
                (json!(slot(max)), json!(slot(max + 1)))
            }
            Type::Map { values: Type::Text(Text { max_length: Some(max), .. }), .. } => {
                (json!({ "x": "a".repeat(*max) }), json!({ "x": "a".repeat(max + 1) }))
            }
            _ => continue,
        };
        assert!(accepts(&field, good.clone()), "{} refuses {good}", field.path());
        assert!(!accepts(&field, bad.clone()), "{} takes {bad}", field.path());
        limits += 1;
    }
    assert_eq!(limits, 9);
}

#[test]
fn every_field_says_what_it_is_and_where_it_ends_up() {
    for field in all() {
        let (path, property) = (field.path(), field.property);
        assert!(property.summary.ends_with('.') && !property.summary.contains("\n"), "{path}: {}", property.summary);
        assert!(property.summary.len() <= 90, "{path}: {} characters", property.summary.len());
        assert!(!property.ends_up.is_empty(), "{path}");
        for text in [property.summary, property.meaning, property.in_flame].iter().chain(property.ends_up) {
            assert!(!text.contains("  "), "{path}: {text}");
        }
        let is_section = matches!(property.value, Type::Object { .. });
        assert_eq!(property.example.is_none(), is_section, "{path}");
    }
}

#[test]
fn names_and_addresses_in_the_texts_are_those_of_the_objects() {
    let flame = "<name>";
    let executor = names::executor_manager(flame, 7).replace('7', "<index>");
    let objects = [names::config_map(flame), names::session_manager(flame), names::object_cache(flame), executor];
    let addresses = [names::session_manager_endpoint(flame), names::object_cache_endpoint(flame)];
    let mut found = BTreeSet::new();
    for field in all() {
        let property = field.property;
        for text in [property.meaning, property.in_flame].iter().chain(property.ends_up) {
            for word in text.split_whitespace().filter(|word| word.contains(flame)) {
                let word = word.trim_end_matches(['.', ',', ':', ';']);
                assert!(objects.iter().chain(&addresses).any(|known| known == word), "{}: {word}", field.path());
                found.insert(word);
            }
            for word in text.split_whitespace().filter(|word| word.starts_with(names::RESERVED_PREFIX)) {
                let set = [names::ANNOTATION_SPEC, names::ANNOTATION_CONFIG_GENERATION, names::LABEL_CLUSTER];
                let read = [names::ANNOTATION_FLAME_VERSION, names::ANNOTATION_OBJECT_CACHE_IMAGE];
                let is_known = set.iter().chain(&read).any(|known| *known == word.trim_end_matches(['.', ',']));
                assert!(is_known, "{}: {word}", field.path());
            }
        }
        let is_address = |text: &str| text.contains("://my-flame");
        if let Some(Literal::Text(example)) = property.example.filter(|_| is_address(&property.example_text())) {
            assert!(addresses.iter().any(|address| address.replace(flame, "my-flame") == example), "{example}");
        }
    }
    assert_eq!(found.len(), objects.len() + addresses.len(), "{found:?}");
    let ports = [names::SESSION_MANAGER_PORT, names::SESSION_MANAGER_BACKEND_PORT].map(|port| port.to_string());
    assert!(ports.iter().all(|port| SESSION_MANAGER.meaning.contains(port)), "{}", SESSION_MANAGER.meaning);
}

#[test]
fn users_annotations_are_under_the_reserved_prefix() {
    let others: Vec<_> = ANNOTATIONS.names().into_iter().filter(|it| !it.starts_with(names::RESERVED_PREFIX)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_field_is_found_by_its_path_or_by_a_name_that_only_it_has() {
    for (path, found) in [
        ("", ""),
        ("FlameCluster", ""),
        ("flameclusters", ""),
        ("FlameCluster.spec.executorManager.replicas", "spec.executorManager.replicas"),
        ("flamecluster.spec.sessionManager", "spec.sessionManager"),
        (".spec.objectCache", "spec.objectCache"),
        ("replicas", "spec.executorManager.replicas"),
        ("slot", "spec.sessionManager.slot"),
        ("executorManager", "spec.executorManager"),
        ("objectCache.storage", "spec.objectCache.storage"),
        ("status.executorManager.replicas", "status.executorManager.replicas"),
        ("configGeneration", "status.configGeneration"),
        ("metadata.labels.team", "metadata.labels"),
        ("metadata.labels[\"example.com/team\"]", "metadata.labels"),
        ("spec.executorManager.resources.limits.cpu", "spec.executorManager.resources.limits.cpu"),
        (
            "metadata.annotations[\"flame.xflops.io/run-as-user\"]",
            "metadata.annotations[\"flame.xflops.io/run-as-user\"]",
        ),
    ] {
        assert_eq!(find(path).map(|field| field.path()).as_deref(), Ok(found), "{path}");
    }
    for field in all() {
        assert_eq!(find(&field.path()).map(|found| found.path), Ok(field.path.clone()));
    }
}

#[test]
fn a_field_that_is_not_there_is_told_with_what_was_meant() {
    for (path, what, hint) in [
        (
            "spec.executorManager.replica",
            "FlameCluster has no field spec.executorManager.replica; did you mean spec.executorManager.replicas?",
            "flamectl explain spec.executorManager.replicas",
        ),
        (
            "spec.executorManger.replicas",
            "FlameCluster has no field spec.executorManger.replicas; did you mean spec.executorManager?",
            "flamectl explain spec.executorManager",
        ),
        (
            "max_executors",
            "FlameCluster has no field max_executors; did you mean spec.executorManager.maxExecutors?",
            "flamectl explain spec.executorManager.maxExecutors",
        ),
        ("gpus", "FlameCluster has no field gpus", "flamectl explain --recursive lists all fields"),
        (
            "image",
            "image may be spec.sessionManager.image or spec.executorManager.image",
            "flamectl explain spec.sessionManager.image",
        ),
    ] {
        let error = find(path).expect_err("there is no such field");
        assert_eq!((error.what.as_str(), error.hints.as_slice()), (what, &[hint.to_owned()][..]));
    }
}

/// Checks that reader and schema are of one mind about `document`.
#[track_caller]
fn agree(validator: &Validator, document: &Value, about: &str) {
    let problems = parse("f.yaml", document.to_string().as_bytes()).problems;
    let complaints: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    let (is_read, is_valid) = (read(document).is_some(), complaints.is_empty());
    assert_eq!(is_read, is_valid, "{about}\nreader: {problems:?}\nschema: {complaints:?}");
}

#[test]
fn reader_and_schema_agree_on_every_type_everywhere() {
    let validator = validator();
    let complete = complete();
    agree(&validator, &complete, "the complete example");
    agree(&validator, &minimal(), "the smallest file");
    // That a request is below its limit no schema can say.
    let amounts = ["sessionManager", "executorManager"].map(|manager| ["spec", manager, "resources"]);
    let complete = amounts.iter().fold(complete, |document, path| with(&document, path, Some(json!({}))));
    // Not a hexadecimal digit: 64 of those are no image.
    let long = [47, 48, 63, 64, 200].map(|length| json!("g".repeat(length)));
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(5),
        json!(-1),
        json!(10_001),
        json!(4_294_967_296_u64),
        json!(""),
        json!("a"),
        json!("x y"),
        json!("x\ty"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({ "zzz": "a" }),
        json!({ "zzz": 1 }),
        json!({ "zzz": null }),
    ];
    for field in written() {
        agree(&validator, &with(&complete, &field.path, None), &format!("without {}", field.path()));
        for value in values.iter().chain(&long) {
            let document = with(&complete, &field.path, Some(value.clone()));
            agree(&validator, &document, &format!("{} = {value}", field.path()));
        }
        if let Type::Object { .. } = field.property.value {
            let path = [&field.path[..], &["zzz"]].concat();
            agree(&validator, &with(&complete, &path, Some(json!(1))), &format!("{} = 1", path.join(".")));
        }
    }
}

#[test]
fn reader_and_schema_agree_on_fields_that_are_not_the_users() {
    let validator = validator();
    let generated = all().iter().filter(|field| field.property.is_generated());
    // Inside of status nothing is read.
    for field in generated.filter(|field| field.path.len() == 1 || field.path[0] != "status") {
        let document = with(&complete(), &field.path, Some(json!({})));
        agree(&validator, &document, &field.path());
        assert!(!validator.is_valid(&document), "{}", field.path());
    }
    for name in SERVER_FIELDS {
        let document = with(&complete(), &["metadata", name], Some(json!(["x"])));
        agree(&validator, &document, name);
        assert!(validator.is_valid(&document), "{name}");
    }
    for (path, value) in [
        (vec!["metadata", "generateName"], json!("a")),
        (vec!["spec", "status"], json!({})),
        (vec!["spec", "sessionManager", "resources", "claims"], json!([])),
        (vec!["metadata", "annotations", KUBECTL_ANNOTATION], json!(1)),
        (vec!["metadata", "annotations", names::ANNOTATION_SPEC], json!("{}")),
        (vec!["metadata", "annotations", "a/b/c"], json!("a")),
        (vec!["metadata", "labels", "flame.xflops.io/mine"], json!("a")),
        (vec!["metadata", "labels", "flame-xflops-io/mine"], json!("a")),
        (vec!["metadata", "labels", "app"], json!("a")),
        (vec!["metadata", "labels", "Example.com/a"], json!("a")),
        (vec!["metadata", "labels", "example.com/A"], json!("A")),
        (vec!["metadata", "labels", &"k".repeat(63)], json!("a")),
        (vec!["metadata", "labels", &"k".repeat(64)], json!("a")),
        (vec!["spec", "executorManager", "resources", "limits", "nvidia.com/gpu"], json!(1)),
        (vec!["spec", "executorManager", "resources", "limits", "hugepages-2Mi"], json!("4Mi")),
        (vec!["spec", "executorManager", "resources", "limits", "gpu"], json!(1)),
    ] {
        agree(&validator, &with(&complete(), &path, Some(value)), &path.join("."));
    }
}

#[test]
fn reader_and_schema_agree_on_quantities_and_grammars() {
    let validator = validator();
    // Without a limit.
    let resource = ["spec", "executorManager", "resources", "requests", "ephemeral-storage"];
    let slot = ["spec", "sessionManager", "slot"];
    let storage = ["spec", "sessionManager", "storage"];
    let image = ["spec", "sessionManager", "image"];
    for (path, texts) in [
        (
            &resource[..],
            &["1", "1.5Gi", ".5", "2.", "+2", "-0", "-0.0Ki", "-1", "1e3", "1E-3", "1E", "1e", "1KB", "1ki"][..],
        ),
        (&resource, &["", ".", "m", "1mm", "1.2.3", "0x1", "1 ", " 1", "1e12345"]),
        (&slot, &["cpu=1,mem=1g", "memory=512m,cpu=2", "cpu = 4 , mem=16k, gpu=2", "cpu=01,mem=1g", "cpu=1", "gpu=1"]),
        (&slot, &["cpu=0,mem=1g", "cpu=1,mem=1Gi", "CPU=1,mem=1g", "cpu=1;mem=1g", "cpu=1,mem=1g,", "cpu=1,mem=1024"]),
        (&storage, &["none", "sqlite://flame.db", "sqlite:///var/lib/flame/x.db?mode=rwc", "fs:///x", "sqlite://"]),
        (&storage, &["sqlite://x/", "postgres://x/y", "flame.db", "SQLITE://x", "sqlite://?x"]),
        (
            &image,
            &["a", "a/b:1", "localhost:5000/a/b:1", "[::1]:5000/a", "A/b", "a.b-c/d_e__f--g:h.I-j", "a/B", "a//b"],
        ),
        (&image, &["a:", ":1", "a:1:2", "https://a/b", "a..b", "-a", "a:-x", "reg.io:x/a", "a@sha256:12", "a@b"]),
    ] {
        for text in texts {
            agree(&validator, &with(&complete(), path, Some(json!(text))), &format!("{} = {text:?}", path.join(".")));
        }
    }
}

/// What is said of a mistake that a schema can see.
const VISIBLE: [&str; 44] = [
    "unknown field",
    " is required",
    "want a map",
    "want a name, got",
    "want text, got the number",
    "want text, got a ",
    "want text, got null",
    "want text, got the boolean true",
    "want one line, got a line break (U+000A)",
    "reserved, set by flamectl",
    "set by flamectl, remove it",
    "generated by flamectl",
    "so it has to be the whole name",
    "is not a FlameCluster",
    "want FlameCluster, got",
    "want flame.xflops.io/",
    "this flamectl reads only",
    "not allowed: only a-z",
    "a letter or digit has to stand there",
    "starts with a digit",
    "characters, at most 47",
    "characters, at most 63",
    "a label value ",
    "has to be a lower-case DNS name",
    "only one \"/\" may stand in a key",
    "is not a resource of a container",
    "claim needs a ResourceClaim",
    "want a quantity, got",
    "is not a unit",
    "is negative",
    "divides by zero when",
    "want KEY=VALUE",
    "is no part of a slot",
    "want host or wasm",
    "is not allowed in an image",
    "an image has no scheme",
    "does not fit an image's name",
    "a part of the image's name is empty",
    "Flame has no backend",
    "want a URI",
    "names no file",
    "want an absolute path",
    "want the number of a user",
    "user 0 is root",
];

/// Returns what a file is as JSON; none where it is not YAML, or not one document.
fn as_json(file: &str) -> Option<Value> {
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(file).ok()?;
    documents.retain(|document| !document.is_null());
    documents.pop().filter(|_| documents.is_empty())
}

#[test]
fn the_schema_takes_what_the_reader_takes_and_sees_what_a_schema_can() {
    let validator = validator();
    let (mut taken, mut refused) = (0, 0);
    for (file, said) in catalogue() {
        let is_read = parse("f.yaml", file.as_bytes()).flame.is_some();
        let is_visible =
            said.lines().any(|line| !line.contains(": warning: ") && VISIBLE.iter().any(|it| line.contains(it)));
        let Some(document) = as_json(&file) else {
            assert!(!is_read, "no JSON of:\n{file}");
            continue;
        };
        let complaints: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        if is_read {
            assert!(complaints.is_empty(), "{complaints:?} of:\n{file}");
            taken += 1;
        } else if is_visible {
            assert!(!complaints.is_empty(), "{said}\nof:\n{file}");
            refused += 1;
        }
    }
    assert!(taken > 30 && refused > 100, "{taken} taken, {refused} refused");
}

#[test]
fn the_examples_are_valid() {
    let validator = validator();
    let examples = [
        include_str!("../../../examples/basic.yaml"),
        include_str!("../../../examples/production.yaml"),
        include_str!("../../../examples/restricted.yaml"),
    ];
    for example in examples {
        let document = as_json(example).expect("an example is YAML");
        let complaints: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(complaints, [""; 0], "of {example}");
    }
}

/// Returns every schema in a schema.
fn schemas<'s>(schema: &'s Map<String, Value>, seen: &mut Vec<&'s Map<String, Value>>) {
    seen.push(schema);
    let below = ["properties", "additionalProperties"].into_iter().filter_map(|keyword| schema.get(keyword));
    for below in below.filter_map(Value::as_object) {
        if below.contains_key("type") {
            schemas(below, seen);
        }
        below.values().filter_map(Value::as_object).for_each(|below| schemas(below, seen));
    }
}

#[test]
fn the_schema_is_of_draft_7_and_its_defaults_and_examples_are_valid() {
    let file = json::file();
    assert!(jsonschema::draft7::meta::is_valid(&file));
    assert_eq!(file["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(file["$id"], "https://flame.xflops.io/v1alpha1/flamecluster.schema.json");
    let mut seen = Vec::new();
    schemas(file.as_object().expect("a schema is an object"), &mut seen);
    let mut checked = 0;
    for schema in seen {
        let validator = jsonschema::draft7::new(&Value::Object(schema.clone())).expect("it is a schema");
        let examples = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
        for value in examples.chain(schema.get("default")) {
            assert!(validator.is_valid(value), "{value} in {schema:?}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} values");
}
