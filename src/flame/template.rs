//! The text of a new FlameCluster file: answers → YAML with comments that teach.
//!
//! What was not answered is a comment that is valid once its `# ` is taken away; the comments say only what Flame and the
//! reference make of a field (flame-facts 1.4, 1.5, 1.10, 2).

use super::answers::{Amounts, Answers, EXECUTOR_MANAGER, SESSION_MANAGER, SLOT, Usual};
use super::parse::as_yaml;
use super::{API_VERSION, KIND, Resources};

/// Returns the file; it reads as exactly these answers.
pub fn template(answers: &Answers) -> String {
    let name = plain(&answers.name);
    let namespace = option("namespace", answers.namespace.as_deref().map(plain), "default");
    let slot =
        option("slot", Some(&answers.slot).filter(|slot| !slot.is_empty()).map(|slot| quoted(slot)), &quoted(SLOT));
    let session_manager_image = quoted(&answers.session_manager_image);
    let session_manager_resources = resources(&answers.session_manager_resources, &SESSION_MANAGER);
    let executor_manager_image = quoted(&answers.executor_manager_image);
    let executor_manager_resources = resources(&answers.executor_manager_resources, &EXECUTOR_MANAGER);
    let replicas = answers.replicas;
    format!(
        r##"# A FlameCluster, as flamectl runs it. Lines such as "# shim: host" are options: take the "# " away to use one.
#   flamectl validate -f FILE   checks this file, without a server
#   flamectl up -f FILE         creates the flame, or changes it, and waits until it runs
#   flamectl status             shows how it is
apiVersion: {API_VERSION}
kind: {KIND}
metadata:
  # All objects are named after it: at most 47 of a-z, 0-9 and "-", a letter first.
  name: {name}
  # Without it -n decides, then the kubeconfig's context.
  {namespace}
  # Put onto every object, as annotations are.
  # labels: {{team: ml}}
spec:
  sessionManager:
    image: {session_manager_image}
    # Amounts as in any Pod: 500m is half a CPU, 1Gi is 2^30 bytes. Quotes keep them text.
{session_manager_resources}    # What one executor takes. Flame needs cpu and mem, both whole, mem with k, m or g, and divides by zero
    # without one of them. If no node has that much, tasks wait for ever.
    {slot}
    # Or fifo, drf, proportion; Flame reads it and, so far, does nothing with it.
    # policy: priority
    # At the directory of the file a volume is mounted, which is gone with the Pod. Flame's default, sqlite://flame.db,
    # is in the image's directory and gone with the container.
    # storage: sqlite:///var/lib/flame/flame.db
  executorManager:
    # Of the same Flame version as the session manager's: others never work together.
    image: {executor_manager_image}
    # Number of executor manager Pods, 0 to 10000; 1 without it.
    replicas: {replicas}
{executor_manager_resources}    # Or wasm; Flame starts with nothing else.
    # shim: host
    # Executors in one executor manager at most; Flame's default is 128.
    # maxExecutors: 10
  # objectCache:
  #   networkInterface: eth0          # a pattern; Flame exits where no interface matches it
  #   storage: /var/lib/flame/cache   # an absolute path; without it the cache is in memory
"##
    )
}

/// Returns the line of an optional field, a comment with an example where it is not there.
fn option(key: &str, value: Option<String>, example: &str) -> String {
    match value {
        Some(value) => format!("{key}: {value}"),
        None => format!("# {key}: {example}"),
    }
}

/// Returns the lines of `resources`; requests or limits that are not there are comments that fit the others.
fn resources(resources: &Resources, usual: &Usual) -> String {
    let Resources { requests, limits } = resources;
    if requests.is_empty() && limits.is_empty() {
        let requests = usual.requests(limits);
        let limits = usual.limits(&requests);
        let (requests, limits) = (flow(&requests), flow(&limits));
        return format!("    # resources:\n    #   requests: {requests}\n    #   limits: {limits}\n");
    }
    let line = |key: &str, amounts: &Amounts, example: &Amounts| match (amounts.is_empty(), example.is_empty()) {
        (false, _) => format!("      {key}: {}\n", flow(amounts)),
        (true, false) => format!("      # {key}: {}\n", flow(example)),
        (true, true) => String::new(),
    };
    let requests = line("requests", requests, &usual.requests(limits));
    let limits = line("limits", limits, &usual.limits(&resources.requests));
    format!("    resources:\n{requests}{limits}")
}

/// Returns amounts as a YAML map on one line.
fn flow(amounts: &Amounts) -> String {
    let entries: Vec<String> =
        amounts.iter().map(|(name, amount)| format!("{}: {}", plain(name), quoted(amount))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// Returns `text` without quotes where YAML reads it as this very text.
fn plain(text: &str) -> String {
    if as_yaml(text) == text { text.to_owned() } else { quoted(text) }
}

/// Returns `text` in double quotes, as the reference writes what could be taken for something else.
fn quoted(text: &str) -> String {
    // A JSON string is a YAML double-quoted scalar.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::error::Problem;
    use crate::flame::answers;
    use crate::flame::parse::{Parsed, parse};
    use crate::flame::{ExecutorManager, FlameCluster, Metadata, ObjectCache, SessionManager, Spec};

    /// Names that YAML takes for something else, and usual ones.
    const NAMES: [&str; 8] = ["demo", "on", "y", "null", "true", "no", "a-1", "n0-1e3"];
    /// Namespaces may also begin with a digit.
    const NAMESPACES: [&str; 8] = ["ml", "off", "1", "0x1f", "1e3", "2001-01-01", "0", "012"];
    const IMAGES: [&str; 6] = [
        "xflops/flame-session:v0.1.0",
        "1",
        "1.5",
        "localhost:5000/a/b__c",
        "true",
        "a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    const SLOTS: [&str; 4] = ["none", "cpu=1,mem=1g", "mem=512m,cpu=16,gpu=2", "memory=1k, cpu=1"];
    const REQUESTS: [&str; 5] =
        ["none", "cpu=0", "cpu=1,memory=1e9", "ephemeral-storage=1Gi", "nvidia.com/gpu=1,cpu=.5"];
    const LIMITS: [&str; 5] = ["none", "cpu=100m", "cpu=010", "memory=64Gi,cpu=32", "nvidia.com/gpu=1"];

    fn usual() -> Answers {
        let resources = |usual: Usual| {
            let requests = usual.requests(&Amounts::new());
            Resources { limits: usual.limits(&requests), requests }
        };
        Answers {
            name: "demo".to_owned(),
            namespace: None,
            session_manager_image: answers::SESSION_MANAGER_IMAGE.to_owned(),
            session_manager_resources: resources(SESSION_MANAGER),
            slot: SLOT.to_owned(),
            executor_manager_image: "xflops/flame-executor:v0.1.0".to_owned(),
            replicas: 1,
            executor_manager_resources: resources(EXECUTOR_MANAGER),
        }
    }

    fn one(rng: &mut Rng, of: &[&str]) -> String {
        of[rng.usize(..of.len())].to_owned()
    }

    fn random_name(rng: &mut Rng) -> String {
        let letters: String =
            (0..rng.usize(1..41)).map(|_| if rng.u8(..4) == 0 { '-' } else { rng.lowercase() }).collect();
        answers::default_name(&letters)
    }

    /// Returns amounts that fit each other, where the rules of answers let them.
    fn random_resources(rng: &mut Rng, usual: &Usual) -> Resources {
        loop {
            let requests = match rng.bool() {
                true => answers::amounts(&one(rng, &REQUESTS)),
                false => answers::amounts(&format!("cpu={}m,memory={}Mi", rng.u32(..8000), rng.u32(1..8000))),
            };
            let Ok(requests) = requests else { continue };
            let limits =
                if rng.bool() { usual.limits(&requests) } else { answers::amounts(&one(rng, &LIMITS)).unwrap() };
            if let Ok(resources) = answers::resources(requests, limits) {
                return resources;
            }
        }
    }

    fn random_answers(rng: &mut Rng) -> Answers {
        let name = if rng.bool() { one(rng, &NAMES) } else { random_name(rng) };
        let namespace = if rng.bool() { one(rng, &NAMESPACES) } else { random_name(rng) };
        Answers {
            name: answers::name(&name).unwrap(),
            namespace: rng.bool().then(|| answers::namespace(&namespace).unwrap()).flatten(),
            session_manager_image: answers::image(&one(rng, &IMAGES)).unwrap(),
            session_manager_resources: random_resources(rng, &SESSION_MANAGER),
            slot: answers::slot(&one(rng, &SLOTS)).unwrap(),
            executor_manager_image: answers::image(&one(rng, &IMAGES)).unwrap(),
            replicas: answers::replicas(&rng.u32(1..=250).to_string()).unwrap(),
            executor_manager_resources: random_resources(rng, &EXECUTOR_MANAGER),
        }
    }

    fn expected(answers: &Answers) -> FlameCluster {
        let answers = answers.clone();
        FlameCluster {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: Metadata { name: answers.name, namespace: answers.namespace, ..Metadata::default() },
            spec: Spec {
                session_manager: SessionManager {
                    image: answers.session_manager_image,
                    resources: answers.session_manager_resources,
                    slot: answers.slot,
                    ..SessionManager::default()
                },
                executor_manager: ExecutorManager {
                    image: answers.executor_manager_image,
                    replicas: answers.replicas,
                    resources: answers.executor_manager_resources,
                    ..ExecutorManager::default()
                },
                object_cache: ObjectCache::default(),
            },
        }
    }

    /// Runs `check` on many random answers, each with the seed that makes them again.
    fn for_random_answers(check: impl Fn(u64, Answers)) {
        for seed in 0..2_000 {
            check(seed, random_answers(&mut Rng::with_seed(seed)));
        }
    }

    /// Leaves out the warning that random answers may deserve: a slot beyond the random limits.
    fn without_deserved(mut parsed: Parsed) -> Parsed {
        parsed.problems.retain(|problem| !problem.message.starts_with("one slot has more"));
        parsed
    }

    #[test]
    fn a_new_file_reads_as_what_was_answered_without_a_problem() {
        for_random_answers(|seed, answers| {
            let text = template(&answers);
            let read = Parsed { flame: Some(expected(&answers)), problems: Vec::new() };
            assert_eq!(without_deserved(parse("new", text.as_bytes())), read, "seed {seed}:\n{text}");
        });
    }

    #[test]
    fn only_an_answer_that_deserves_one_brings_a_warning() {
        let told = |answers: Answers| {
            let parsed = parse("new", template(&answers).as_bytes());
            assert_eq!(parsed.flame, Some(expected(&answers)));
            parsed.problems.into_iter().map(|Problem { path, message, .. }| format!("{path}: {message}")).collect()
        };
        let with = |change: fn(&mut Answers)| {
            let mut answers = usual();
            change(&mut answers);
            let told: Vec<String> = told(answers);
            told.join("\n")
        };
        assert_eq!(with(|_| {}), "");
        assert_eq!(
            with(|answers| answers.replicas = 0),
            "spec.executorManager.replicas: with 0 executors the flame stays Pending: Running needs one ready executor"
        );
        assert_eq!(
            with(|answers| answers.session_manager_image = "Registry/a:1".to_owned()),
            "spec.sessionManager.image: Registry is taken for a registry host, because it has capitals"
        );
        assert_eq!(
            with(|answers| answers.executor_manager_resources =
                Resources { requests: answers::amounts("memory=512m").unwrap(), limits: Amounts::new() }),
            "spec.executorManager.resources.requests.memory: 512m is a fraction of a byte"
        );
    }

    /// Returns the lines of each option: a comment that begins with a key, and the deeper ones below it.
    fn options(text: &str) -> Vec<Vec<usize>> {
        let mut options: Vec<Vec<usize>> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let Some(comment) = line.trim_start().strip_prefix("# ") else { continue };
            let key = comment.split_once(':').filter(|(_, value)| value.is_empty() || value.starts_with(' '));
            let is_key = key.is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic()));
            match options.last_mut() {
                _ if is_key => options.push(vec![at]),
                Some(option) if comment.starts_with("  ") && option.last() == Some(&(at - 1)) => option.push(at),
                _ => {}
            }
        }
        options
    }

    fn uncommented(text: &str, lines: &[usize]) -> String {
        let uncomment = |(at, line): (usize, &str)| match lines.contains(&at) {
            true => line.replacen("# ", "", 1),
            false => line.to_owned(),
        };
        text.lines().enumerate().map(uncomment).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_option_is_valid_once_its_comment_is_taken_away() {
        for_random_answers(|seed, answers| {
            let text = template(&answers);
            let options = options(&text);
            let flame = expected(&answers);
            for lines in options.iter().cloned().chain([options.concat()]) {
                let text = uncommented(&text, &lines);
                let parsed = without_deserved(parse("new", text.as_bytes()));
                assert_eq!(parsed.problems, [], "seed {seed}:\n{text}");
                assert_ne!(parsed.flame.as_ref(), Some(&flame), "seed {seed}: {lines:?} change nothing:\n{text}");
            }
        });
    }

    #[test]
    fn the_options_are_every_field_that_was_not_answered() {
        let mut answers = usual();
        answers.slot = String::new();
        answers.session_manager_resources = Resources::default();
        answers.executor_manager_resources.limits = Amounts::new();
        let text = template(&answers);
        let all = uncommented(&text, &options(&text).concat());
        let flame = parse("new", all.as_bytes()).flame.unwrap();
        let usual = expected(&usual());
        let mut expected = expected(&answers);
        expected.metadata.namespace = Some("default".to_owned());
        expected.metadata.labels = [("team".to_owned(), "ml".to_owned())].into();
        expected.spec.session_manager = SessionManager {
            policy: "priority".to_owned(),
            storage: "sqlite:///var/lib/flame/flame.db".to_owned(),
            ..usual.spec.session_manager
        };
        expected.spec.executor_manager =
            ExecutorManager { shim: "host".to_owned(), max_executors: 10, ..usual.spec.executor_manager };
        expected.spec.object_cache =
            ObjectCache { network_interface: "eth0".to_owned(), storage: "/var/lib/flame/cache".to_owned() };
        assert_eq!(flame, expected);
    }

    #[test]
    fn whatever_is_in_an_answer_stays_in_it() {
        let pieces = ["\"", "\\", "\n", "\u{1b}", "#", ": ", "{", "'", "a", "é", " ", "\u{2028}", "\t", "*", "&", "%"];
        for seed in 0..2_000 {
            let mut rng = Rng::with_seed(seed);
            let nasty: String = (0..rng.usize(1..6)).map(|_| one(&mut rng, &pieces)).collect();
            let mut answers = usual();
            let field = rng.usize(..3);
            let fields = [&mut answers.name, &mut answers.session_manager_image, &mut answers.slot];
            fields[field].clone_from(&nasty);
            let is_valid =
                [answers::name(&nasty).is_ok(), answers::image(&nasty).is_ok(), answers::slot(&nasty).is_ok()];
            let parsed = parse("new", template(&answers).as_bytes());
            let expected = is_valid[field].then(|| expected(&answers));
            assert_eq!(parsed.flame, expected, "seed {seed}, {nasty:?}: {:?}", parsed.problems);
        }
    }

    #[test]
    fn the_file_fits_a_screen() {
        let text = template(&usual());
        assert!(text.lines().count() <= 50 && text.lines().all(|line| line.len() <= 120), "{text}");
    }
}
