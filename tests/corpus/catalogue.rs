//! The cases of `tests/golden/bad/catalogue.txt`, each with the whole file that it stands for.

/// What text in the catalogue is indented by.
const INDENTATION: &str = "    ";
const HEAD: &str = "apiVersion: flame.xflops.io/v1alpha1\nkind: FlameCluster\n";

/// One case.
pub struct Case {
    /// The place and the text there, as in the catalogue.
    pub lines: String,
    /// The whole file.
    pub input: String,
    /// All that is said about it.
    pub expected: String,
}

/// Returns all cases; a blank line ends one.
pub fn cases() -> Vec<Case> {
    let catalogue = include_str!("../golden/bad/catalogue.txt");
    catalogue.split("\n\n").filter(|case| !case.starts_with('#')).map(read).collect()
}

fn read(case: &str) -> Case {
    let (place, rest) = case.split_once('\n').expect("a case has text");
    let (text, said): (Vec<&str>, Vec<&str>) = rest.lines().partition(|line| line.starts_with(INDENTATION));
    let unindented: Vec<&str> = text.iter().map(|line| &line[INDENTATION.len()..]).collect();
    let said = said.join("\n");
    assert!(!said.is_empty(), "a case says nothing, not even so:\n{case}");
    Case {
        lines: format!("{place}\n{}", text.join("\n")),
        input: file(place, &with_characters(&unindented.join("\n"))),
        expected: if said == "(nothing)" { String::new() } else { said },
    }
}

/// Returns `text` with the characters that `<U+00A0>` stands for, which nobody would see in the catalogue.
fn with_characters(text: &str) -> String {
    let mut parts = text.split("<U+");
    let mut with = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('>').expect("a character ends with >");
        with.extend(u32::from_str_radix(number, 16).ok().and_then(char::from_u32));
        with.push_str(rest);
    }
    with
}

/// Returns the file that has `text` in `place`; all else in it is in order.
fn file(place: &str, text: &str) -> String {
    let file = match place {
        "file" => |text: &str| format!("{text}\n"),
        "metadata" => in_metadata,
        "labels" => in_labels,
        "annotations" => in_annotations,
        "spec" => in_spec,
        "sessionManager" => in_session_manager,
        "sessionManager.image" => image,
        "sessionManager.slot" => slot,
        "sessionManager.storage" => session_storage,
        "executorManager" => in_executor_manager,
        "executorManager.resources" => in_resources,
        "objectCache" => in_cache,
        other => panic!("the catalogue has no place {other}"),
    };
    file(text)
}

fn indented(text: &str, by: usize) -> String {
    text.split_inclusive('\n').map(|line| format!("{}{line}", " ".repeat(by))).collect()
}

pub fn in_metadata(text: &str) -> String {
    let spec = "spec: {sessionManager: {image: a}, executorManager: {image: b}}";
    format!("{HEAD}{spec}\nmetadata:\n{}", indented(text, 2))
}

pub fn in_labels(text: &str) -> String {
    in_metadata(&format!("name: demo\nlabels:\n{}", indented(text, 2)))
}

pub fn in_annotations(text: &str) -> String {
    in_metadata(&format!("name: demo\nannotations:\n{}", indented(text, 2)))
}

pub fn in_spec(text: &str) -> String {
    format!("{HEAD}metadata: {{name: demo}}\nspec:\n{}", indented(text, 2))
}

pub fn in_session_manager(text: &str) -> String {
    in_spec(&format!("executorManager: {{image: b}}\nsessionManager:\n{}", indented(text, 2)))
}

pub fn slot(text: &str) -> String {
    in_session_manager(&format!("image: a\nslot: \"{text}\""))
}

pub fn session_storage(text: &str) -> String {
    in_session_manager(&format!("image: a\nstorage: \"{text}\""))
}

pub fn image(text: &str) -> String {
    in_session_manager(&format!("image: \"{text}\""))
}

pub fn in_executor_manager(text: &str) -> String {
    in_spec(&format!("sessionManager: {{image: a}}\nexecutorManager:\n  image: b\n{}", indented(text, 2)))
}

pub fn in_resources(text: &str) -> String {
    in_executor_manager(&format!("resources:\n{}", indented(text, 2)))
}

pub fn in_cache(text: &str) -> String {
    let managers = "sessionManager: {image: a}\nexecutorManager: {image: b}";
    in_spec(&format!("{managers}\nobjectCache:\n{}", indented(text, 2)))
}
