//! The table itself, section by section in the order of the reference.

use super::{Keys, Literal, Presence, Property, Text, Type};
use crate::flame::names::{DEFAULT_REPLICAS, MAX_DNS_LABEL_LENGTH, MAX_LABEL_LENGTH, MAX_NAME_LENGTH, MAX_REPLICAS};
use crate::flame::{API_VERSION, KIND, user};

/// The scheduling policies that Flame and the reference name.
pub const POLICIES: [&str; 4] = ["priority", "fifo", "drf", "proportion"];
/// The shims that Flame starts with (flame-facts 1.5).
pub const SHIMS: [&str; 2] = ["host", "wasm"];
/// Kubernetes' own resources of a container (Kubernetes: "Resource Management for Pods and Containers").
pub const RESOURCE_NAMES: [&str; 3] = [CPU.name, MEMORY.name, EPHEMERAL_STORAGE.name];
/// Longer than any slot can be.
pub const MAX_SLOT_LENGTH: usize = 128;
/// What the server adds to Kubernetes' ObjectMeta, so that a file may come from `kubectl get`.
pub const SERVER_FIELDS: [&str; 11] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "finalizers",
    "ownerReferences",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "clusterName",
];
/// What `kubectl apply` leaves behind; it describes another object once it is copied.
pub const KUBECTL_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Kubernetes' quantity, where it is text.
pub const QUANTITY: Text = Text {
    pattern: r"^(\+?([0-9]+\.?[0-9]*|\.[0-9]+)|-(0+\.?0*|\.0+))([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]{1,4})?$",
    rule: "a number of 0 or more, perhaps with a unit: m, k, M, G, T, Ki, Mi, Gi or Ti",
    max_length: None,
    known: &[],
};

const OPTIONAL_MAP: Presence = optional(Literal::Map(&[]), "");
/// Text on one line: it ends up in a config file or a manifest.
const LINE: Text =
    Text { pattern: "^[^\\x00-\\x1f\\x7f-\\x9f]*$", rule: "one line of text", max_length: None, known: &[] };

/// The value of an annotation.
const ANY_TEXT: Type = Type::Text(Text { pattern: "", rule: "any text", max_length: None, known: &[] });

const fn optional(default: Literal, means: &'static str) -> Presence {
    Presence::Optional { default, means, nullable: true }
}

const fn section(properties: &'static [Property]) -> Type {
    Type::Object { properties, ignored: &[] }
}

/// A field without anything, to fill in.
const EMPTY: Property = Property {
    name: "",
    value: Type::Text(LINE),
    presence: Presence::Required,
    summary: "",
    meaning: "",
    in_flame: "",
    ends_up: &[],
    example: None,
};

/// The whole file.
pub const ROOT: Property = Property {
    name: KIND,
    value: section(&[API_VERSION_FIELD, KIND_FIELD, METADATA, SPEC, STATUS]),
    summary: "A flame: one session manager, its executor managers and their object cache.",
    meaning: "A flame runs the tasks of its clients. It has three parts, and flamectl makes all of them from this one \
        file:\n\n\
        The session manager is the one Pod that clients talk to. A client opens a session and sends tasks into it; the \
        session manager keeps them and decides which executor works for which session.\n\n\
        The executor managers are the Pods that do the work, as many as replicas says. Each of them registers with the \
        session manager, tells how many CPUs and how much memory its machine has, and starts and ends executors as it \
        is told. An executor is one running copy of an application; it works on the tasks of one session at a time.\n\n\
        The object cache holds data that tasks share, so that it does not travel with every task. Before Flame 0.6 it \
        has no Pod of its own: each executor manager holds a part of it.\n\n\
        slot, replicas and maxExecutors together say how much runs at once. slot is the unit that the session manager \
        counts in: a machine has as many slots as fit into both its CPUs and its memory. With slot cpu=1,mem=4g a \
        machine of 8 CPUs and 16 GiB has 4 slots, because its memory ends first, and 3 replicas on 3 such machines have \
        12. A session says how many slots each of its executors takes, 1 unless the client asks for more; so 12 \
        executors work at the same time, and all further tasks wait. maxExecutors is meant as the bound on \
        executors in one executor manager, whatever the slots allow; flamectl explain maxExecutors tells what Flame makes \
        of it.",
    ends_up: &["ConfigMap <name>-config: the annotation flame.xflops.io/spec, which remembers what was last applied"],
    ..EMPTY
};

/// `apiVersion`.
pub const API_VERSION_FIELD: Property = Property {
    name: "apiVersion",
    value: Type::OneOf(&[API_VERSION]),
    summary: "The version of this format.",
    ends_up: &["ConfigMap <name>-config: the annotation flame.xflops.io/spec"],
    example: Some(Literal::Text(API_VERSION)),
    ..EMPTY
};

/// `kind`.
pub const KIND_FIELD: Property = Property {
    name: "kind",
    value: Type::OneOf(&[KIND]),
    summary: "Says that the file is a FlameCluster.",
    ends_up: &["ConfigMap <name>-config: the annotation flame.xflops.io/spec"],
    example: Some(Literal::Text(KIND)),
    ..EMPTY
};

/// `metadata`.
pub const METADATA: Property = Property {
    name: "metadata",
    value: Type::Object { properties: &[NAME, NAMESPACE, LABELS, ANNOTATIONS], ignored: &SERVER_FIELDS },
    summary: "Which flame this is, and what its objects are marked with.",
    meaning: "What the server adds to an object, as uid and creationTimestamp, is passed over with a warning, so that a \
        file may come from kubectl get.",
    ends_up: &["metadata of every object of the flame"],
    ..EMPTY
};

/// `metadata.name`.
pub const NAME: Property = Property {
    name: "name",
    value: Type::Text(Text {
        pattern: "^[a-z]([-a-z0-9]*[a-z0-9])?$",
        rule: "a-z, 0-9 and \"-\", beginning with a letter and not ending with \"-\"",
        max_length: Some(MAX_NAME_LENGTH),
        known: &[],
    }),
    summary: "Name of the flame, and the beginning of all its objects' names.",
    meaning: "Another name is another flame: the one of the old name stays until flamectl down takes it down. The longest \
        name is what -session-manager leaves of the length of a Service's name.",
    in_flame: "The name of the cluster; without one every part exits.",
    ends_up: &[
        "ConfigMap <name>-config",
        "Service and Pod <name>-session-manager",
        "Service <name>-object-cache, and from Flame 0.6 on the Pod of that name",
        "Pods <name>-executor-manager-<index>",
        "the labels app.kubernetes.io/instance and flame.xflops.io/cluster of every object",
        "flame-cluster.yaml: cluster.name, and in both endpoints",
    ],
    example: Some(Literal::Text("my-flame")),
    ..EMPTY
};

const NAMESPACE: Property = Property {
    name: "namespace",
    value: Type::Text(Text {
        pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        rule: "a-z, 0-9 and \"-\", neither beginning nor ending with \"-\"",
        max_length: Some(MAX_DNS_LABEL_LENGTH),
        known: &[],
    }),
    presence: optional(Literal::Text("default"), ""),
    summary: "Namespace of all objects of the flame.",
    meaning: "Where the file names none it is that of -n, then that of the kubeconfig's context, then default. -n and a \
        file that disagree are an error. flamectl up --create-namespace makes one that is not there.",
    ends_up: &[
        "metadata.namespace of every object",
        "the variables SESSION_MANAGER_ADDR and OBJECT_CACHE_ADDR of every Pod",
    ],
    example: Some(Literal::Text("default")),
    ..EMPTY
};

const LABELS: Property = Property {
    name: "labels",
    value: Type::Map {
        keys: Keys::Labels,
        known: &[],
        values: &Type::Text(Text {
            pattern: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
            rule: "letters, digits, \"-\", \"_\" and \".\", with a letter or digit at both ends",
            max_length: Some(MAX_LABEL_LENGTH),
            known: &[],
        }),
    },
    presence: OPTIONAL_MAP,
    summary: "Labels that every object of the flame gets, besides flamectl's own.",
    ends_up: &["metadata.labels of every object"],
    example: Some(Literal::Map(&[("team", "ml")])),
    ..EMPTY
};

/// `metadata.annotations`.
pub const ANNOTATIONS: Property = Property {
    name: "annotations",
    value: Type::Map {
        keys: Keys::Annotations,
        known: &[FLAME_VERSION, OBJECT_CACHE_IMAGE, RUN_AS_USER],
        values: &ANY_TEXT,
    },
    presence: OPTIONAL_MAP,
    summary: "Annotations that every object of the flame gets, besides flamectl's own.",
    ends_up: &["metadata.annotations of every object"],
    example: Some(Literal::Map(&[("contact", "ml@example.com")])),
    ..EMPTY
};

const FLAME_VERSION: Property = Property {
    name: "flame.xflops.io/flame-version",
    value: Type::Text(Text {
        pattern: r"^v?[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?([-+][-+._0-9A-Za-z]*)?$",
        rule: "a version of Flame, as 0.6 or v0.6.1",
        max_length: None,
        known: &[],
    }),
    presence: Presence::Key,
    summary: "Which Flame the images hold, where their tags do not tell or tell something else.",
    meaning: "Without it the version in the images' tags tells, and where they have none it is the Flame of the reference, \
        before 0.6. From 0.6 on the object cache has a Pod of its own, the executor managers hold no part of it and have no \
        probe, and flame-cluster.yaml gets three keys more. Another generation replaces the Pods. --flame-version of up, \
        render, diff and validate is the same.",
    ends_up: &["metadata.annotations of every object"],
    example: Some(Literal::Text("0.6")),
    ..EMPTY
};

const OBJECT_CACHE_IMAGE: Property = Property {
    name: "flame.xflops.io/object-cache-image",
    value: IMAGE.value,
    presence: Presence::Key,
    summary: "Image of an object cache with a Pod of its own, which Flame 0.6 and later needs.",
    meaning: "Without it it is flame-object-cache beside the executor managers' image: of the same registry, path and tag. \
        Flame before 0.6 has no use for it. The Pod asks for no resources, as a FlameCluster has none for it.",
    ends_up: &["Pod <name>-object-cache: spec.containers[0].image", "metadata.annotations of every object"],
    example: Some(Literal::Text("xflops/flame-object-cache:v0.6.0")),
    ..EMPTY
};

const RUN_AS_USER: Property = Property {
    name: user::ANNOTATION,
    value: Type::Text(Text {
        pattern: "^[1-9][0-9]{0,9}(:(0|[1-9][0-9]{0,9}))?$",
        rule: "UID or UID:GID, not root",
        max_length: None,
        known: &[],
    }),
    presence: Presence::Key,
    summary: "User, and group, that all Pods run as instead of that of their image.",
    meaning: "The Pods then do all that the Pod Security level restricted asks for, and every path that Flame writes to \
        in its images is an emptyDir. The session storage needs a directory of its own, as in \
        sqlite:///var/lib/flame/flame.db. --run-as-user sets it.",
    ends_up: &[
        "metadata.annotations of every object",
        "every Pod: spec.securityContext, spec.volumes, spec.containers[0].securityContext and volumeMounts",
    ],
    example: Some(Literal::Text("1000")),
    ..EMPTY
};

/// `spec`.
pub const SPEC: Property = Property {
    name: "spec",
    value: section(&[SESSION_MANAGER, EXECUTOR_MANAGER, OBJECT_CACHE]),
    summary: "What the three parts of the flame run, how much of it, and with which settings.",
    meaning: "flamectl explain, without a field, tells how the parts work together.",
    ends_up: &[
        "the flame's Pods, and flame-cluster.yaml in ConfigMap <name>-config, which all of them mount at /etc/flame",
    ],
    ..EMPTY
};

/// `spec.sessionManager`.
pub const SESSION_MANAGER: Property = Property {
    name: "sessionManager",
    value: section(&[SESSION_IMAGE, RESOURCES, SLOT, POLICY, SESSION_STORAGE, SESSION_MANAGER_ENDPOINT]),
    summary: "The Pod that clients talk to: it keeps sessions and tasks and gives work to executors.",
    meaning: "There is one for each flame. Clients reach it on port 8080 of its Service, executor managers on port 8081. \
        When its Pod is replaced, the executor managers come back to it by themselves.",
    ends_up: &["Pod and Service <name>-session-manager", "flame-cluster.yaml: cluster"],
    ..EMPTY
};

/// What both images are.
const IMAGE: Property = Property {
    name: "image",
    value: Type::Text(Text {
        pattern: concat!(
            // A registry: a host or an address, perhaps with a port.
            r"^((([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])",
            r"(:[0-9]+)?/)?",
            // The path, the tag and the digest.
            r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
            r"(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?(@[A-Za-z][^:]*:[0-9A-Fa-f]{32,})?$",
        ),
        rule: "[HOST[:PORT]/]PATH[:TAG][@DIGEST]",
        max_length: None,
        known: &[],
    }),
    meaning: "The image's own entrypoint starts, with --config and the path of flame-cluster.yaml behind it. Session \
        manager and executor managers have to be of one generation: Flame before 0.6 and Flame 0.6 or later do not work \
        together, and are refused. The tag's version tells which it is, as does flame.xflops.io/flame-version.",
    ..EMPTY
};

/// `spec.sessionManager.image`.
pub const SESSION_IMAGE: Property = Property {
    summary: "Container image of the session manager.",
    ends_up: &["Pod <name>-session-manager: spec.containers[0].image"],
    example: Some(Literal::Text("xflops/flame-session:v0.1.0")),
    ..IMAGE
};

/// `resources` of both components.
pub const RESOURCES: Property = Property {
    name: "resources",
    value: section(&[REQUESTS, LIMITS]),
    presence: OPTIONAL_MAP,
    summary: "CPU, memory and devices that each Pod of the component asks for and may use.",
    meaning: "They bound the Pod. What tasks may use is counted in slots, see sessionManager.slot.",
    ends_up: &["the component's Pods: spec.containers[0].resources"],
    ..EMPTY
};

const REQUESTS: Property = Property {
    name: "requests",
    value: Type::Map { keys: Keys::Resources, known: &[CPU, MEMORY, EPHEMERAL_STORAGE], values: &Type::Quantity },
    presence: OPTIONAL_MAP,
    summary: "What a node has to have free for the Pod.",
    meaning: "Until a node has it the Pod waits as Unschedulable. A request may not be more than the limit of the same \
        resource; of devices, as nvidia.com/gpu, both have to be the same whole number.",
    ends_up: &["the component's Pods: spec.containers[0].resources.requests"],
    example: Some(Literal::Map(&[("cpu", "500m"), ("memory", "512Mi")])),
    ..EMPTY
};

const LIMITS: Property = Property {
    name: "limits",
    value: Type::Map { keys: Keys::Resources, known: &[CPU, MEMORY, EPHEMERAL_STORAGE], values: &Type::Quantity },
    presence: OPTIONAL_MAP,
    summary: "What the Pod can use at most.",
    meaning: "A container that wants more CPU is slowed down, one that takes more memory is killed.",
    ends_up: &["the component's Pods: spec.containers[0].resources.limits"],
    example: Some(Literal::Map(&[("cpu", "1"), ("memory", "1Gi")])),
    ..EMPTY
};

const RESOURCE: Property = Property {
    value: Type::Quantity,
    presence: Presence::Key,
    ends_up: &["the component's Pods: spec.containers[0].resources"],
    ..EMPTY
};

const CPU: Property = Property {
    name: "cpu",
    summary: "CPUs, or thousandths of one: 2 or 500m.",
    example: Some(Literal::Text("500m")),
    ..RESOURCE
};

const MEMORY: Property = Property {
    name: "memory",
    summary: "Bytes of memory: 512Mi or 2Gi.",
    example: Some(Literal::Text("512Mi")),
    ..RESOURCE
};

const EPHEMERAL_STORAGE: Property = Property {
    name: "ephemeral-storage",
    summary: "Bytes on the node's own disk: 1Gi.",
    example: Some(Literal::Text("1Gi")),
    ..RESOURCE
};

const SLOT: Property = Property {
    name: "slot",
    value: Type::Text(Text {
        pattern: concat!(
            r"^ *(cpu *= *0*[1-9][0-9]*|(mem|memory) *= *0*[1-9][0-9]*[kmg]|gpu *= *[0-9]+) *",
            r"(, *(cpu *= *0*[1-9][0-9]*|(mem|memory) *= *0*[1-9][0-9]*[kmg]|gpu *= *[0-9]+) *){1,2}$",
        ),
        rule: "cpu=N,mem=N and k, m or g, and perhaps gpu=N; cpu and mem at least 1",
        max_length: Some(MAX_SLOT_LENGTH),
        known: &[],
    }),
    presence: optional(Literal::Text(""), "leave the slot to Flame"),
    summary: "The unit that the session manager counts machines in: so many CPUs and so much memory.",
    meaning: "CPUs are whole, the units of memory are lower-case and powers of 1024, and memory= is the same as mem=.\n\n\
        A machine has as many slots as fit into both its CPUs and its memory: with cpu=1,mem=4g a machine of 8 CPUs and \
        16 GiB has 4. Each executor takes as many slots as its session asks for, 1 unless the client says otherwise. So \
        a small slot means many executors on one machine, a large one few.",
    in_flame: "Without one, Flame before 0.6 takes cpu=1,mem=2g. A slot that Flame cannot read makes the session \
        manager exit when the first executor manager registers, which is why flamectl reads it strictly. A slot that is \
        larger than every machine is no error; tasks then wait for ever. From 0.6 on it is what a session asks for that \
        does not say how much it needs.",
    ends_up: &["flame-cluster.yaml: cluster.slot", "from Flame 0.6 on also flame-cluster.yaml: cluster.resreq"],
    example: Some(Literal::Text("cpu=1,mem=1g")),
};

const POLICY: Property = Property {
    name: "policy",
    value: Type::Text(Text { known: &POLICIES, ..LINE }),
    presence: optional(Literal::Text(""), "leave the policy to Flame"),
    summary: "How executors are shared out among sessions.",
    meaning: "Any text is taken; one that Flame does not know is warned of.",
    in_flame: "Before Flame 0.6 it is read and not used; Flame 0.6 and later ignores it.",
    ends_up: &["flame-cluster.yaml: cluster.policy"],
    example: Some(Literal::Text("priority")),
};

const SESSION_STORAGE: Property = Property {
    name: "storage",
    value: Type::Text(Text {
        pattern: r"^(none|sqlite://[^?]*[^?/](\?.*)?|(fs|file|filesystem)://.*)$",
        rule: "sqlite://FILE; Flame 0.6 and later also none, fs://, file:// and filesystem://",
        max_length: None,
        known: &[],
    }),
    presence: optional(Literal::Text(""), "leave the storage to Flame"),
    summary: "Where the session manager keeps sessions and tasks.",
    meaning: "For a file with an absolute path, sqlite:///DIRECTORY/FILE, flamectl mounts an emptyDir at DIRECTORY: it \
        outlives the container, but not the Pod. The file of sqlite://flame.db is in the working directory of the image \
        and gone with the container, and with it all sessions.",
    in_flame: "Without one it is sqlite://flame.db. A database that another version of Flame wrote is refused. With \
        a backend that Flame does not have, as postgres://, the session manager exits.",
    ends_up: &[
        "flame-cluster.yaml: cluster.storage",
        "Pod <name>-session-manager: the volume storage, where the path is absolute",
    ],
    example: Some(Literal::Text("sqlite:///var/lib/flame/flame.db")),
};

const SESSION_MANAGER_ENDPOINT: Property = Property {
    name: "endpoint",
    presence: Presence::Generated,
    summary: "Address of the session manager, made from the name of its Service.",
    meaning: "Always http://<name>-session-manager:8080.",
    in_flame: "Clients dial it as it is, executor managers dial the port above it, 8081.",
    ends_up: &["flame-cluster.yaml: cluster.endpoint", "status.sessionManager.endpoint"],
    example: Some(Literal::Text("http://my-flame-session-manager:8080")),
    ..EMPTY
};

/// `spec.executorManager`.
pub const EXECUTOR_MANAGER: Property = Property {
    name: "executorManager",
    value: section(&[EXECUTOR_IMAGE, REPLICAS, RESOURCES, SHIM, MAX_EXECUTORS]),
    summary: "The Pods that do the work: each runs executors for the session manager.",
    meaning: "They are created once the session manager is ready, or after a short head start for it, because they exit \
        when it is not there. A change replaces them in waves, see --max-unavailable of flamectl up.",
    ends_up: &["Pods <name>-executor-manager-<index>", "flame-cluster.yaml: executors"],
    ..EMPTY
};

/// `spec.executorManager.image`.
pub const EXECUTOR_IMAGE: Property = Property {
    summary: "Container image of the executor managers.",
    ends_up: &["Pods <name>-executor-manager-<index>: spec.containers[0].image"],
    example: Some(Literal::Text("xflops/flame-executor:v0.1.0")),
    ..IMAGE
};

/// `spec.executorManager.replicas`.
pub const REPLICAS: Property = Property {
    name: "replicas",
    value: Type::Integer { max: Some(MAX_REPLICAS) },
    // `replicas:` with nothing behind it looks like a number that was forgotten.
    presence: Presence::Optional { default: Literal::Number(DEFAULT_REPLICAS), means: "", nullable: false },
    summary: "Number of executor manager Pods.",
    meaning: "With 0 the flame stays Pending: Running needs one that is ready. flamectl scale changes the number without \
        the file; fewer replicas delete the Pods of the highest indices.",
    ends_up: &["Pods <name>-executor-manager-<index>, index 0 to replicas - 1", "status.executorManager.replicas"],
    example: Some(Literal::Number(5)),
    ..EMPTY
};

const SHIM: Property = Property {
    name: "shim",
    value: Type::OneOf(&SHIMS),
    presence: optional(Literal::Text(""), "leave the shim to Flame"),
    summary: "How executors run applications: host as processes, wasm as WebAssembly.",
    in_flame: "Before Flame 0.6 it is checked, by every part at its start, and not used. From 0.6 on it decides: with wasm no \
        application runs as a process.",
    ends_up: &[
        "flame-cluster.yaml: executors.shim",
        "from Flame 0.6 on also flame-cluster.yaml: cluster.executors.shim",
    ],
    example: Some(Literal::Text("host")),
    ..EMPTY
};

/// `spec.executorManager.maxExecutors`.
pub const MAX_EXECUTORS: Property = Property {
    name: "maxExecutors",
    // Flame keeps it in a u32.
    value: Type::Integer { max: Some(u32::MAX) },
    presence: optional(Literal::Number(0), "leave the number to Flame"),
    summary: "Most executors in one executor manager.",
    meaning: "The reference means a bound: a flame has at most replicas times maxExecutors executors, and never more than \
        its slots allow.",
    in_flame: "Before Flame 0.6 it is the number of threads that an executor manager works with, 128 without one. Flame \
        0.6 and later reads it and bounds nothing by it.",
    ends_up: &[
        "flame-cluster.yaml: executors.limits.max_executors",
        "from Flame 0.6 on also flame-cluster.yaml: cluster.limits.max_executors",
    ],
    example: Some(Literal::Number(10)),
};

/// `spec.objectCache`.
pub const OBJECT_CACHE: Property = Property {
    name: "objectCache",
    value: section(&[NETWORK_INTERFACE, CACHE_STORAGE, OBJECT_CACHE_ENDPOINT]),
    presence: OPTIONAL_MAP,
    summary: "The cache of data that tasks share.",
    meaning: "It is there without this section too. Before Flame 0.6 it is a part of the executor managers: each holds \
        what was put into it, in memory or in its own storage, and hands out the address of its own Pod. From 0.6 on it is \
        one Pod for the whole flame, with an image of its own: flame.xflops.io/object-cache-image.",
    ends_up: &["Service <name>-object-cache, and from Flame 0.6 on the Pod of that name", "flame-cluster.yaml: cache"],
    ..EMPTY
};

const NETWORK_INTERFACE: Property = Property {
    name: "networkInterface",
    value: Type::Text(Text {
        // A name, which Linux ends at 15 characters; a pattern without blank and comma; or one with brackets for them.
        pattern: concat!(
            r"^([A-Za-z0-9._:-]{0,15}|",
            r"[^\x00-\x20,\x7f-\x9f]*[^\x00-\x20,\x7f-\x9fA-Za-z0-9._:-][^\x00-\x20,\x7f-\x9f]*|",
            r"[^\x00-\x1f\x7f-\x9f]*[{\[][^\x00-\x1f\x7f-\x9f]*)$",
        ),
        rule: "a regular expression on one line",
        max_length: None,
        known: &[],
    }),
    presence: optional(Literal::Text(""), "leave the interface to Flame"),
    summary: "Network interface whose address the cache listens on and hands out.",
    meaning: "A pattern that need not match the whole name.",
    in_flame: "Without one it is eth0. Where no interface matches, or the pattern is broken, the executor manager \
        exits; from 0.6 on the object cache does.",
    ends_up: &["flame-cluster.yaml: cache.network_interface"],
    example: Some(Literal::Text("eth0")),
};

const CACHE_STORAGE: Property = Property {
    name: "storage",
    value: Type::Text(Text {
        pattern: "^/[^:]*[^/:][^:]*$",
        rule: "an absolute path that a volume can be mounted at",
        max_length: None,
        known: &[],
    }),
    presence: optional(Literal::Text(""), "keep objects in memory only"),
    summary: "Directory that the cache keeps objects in.",
    meaning: "flamectl mounts an emptyDir there in every executor manager's Pod, from Flame 0.6 on in the object cache's: it \
        outlives the container, but not the Pod.",
    in_flame: "It is made where it is missing. Without one, objects are in memory only.",
    ends_up: &[
        "flame-cluster.yaml: cache.storage",
        "Pods <name>-executor-manager-<index>, from Flame 0.6 on Pod <name>-object-cache: the volume cache",
    ],
    example: Some(Literal::Text("/var/lib/flame/cache")),
};

const OBJECT_CACHE_ENDPOINT: Property = Property {
    name: "endpoint",
    presence: Presence::Generated,
    summary: "Address of the object cache, made from the name of its Service.",
    meaning: "Always grpc://<name>-object-cache:9090.",
    in_flame: "Of it only the port is used, to listen on.",
    ends_up: &["flame-cluster.yaml: cache.endpoint"],
    example: Some(Literal::Text("grpc://my-flame-object-cache:9090")),
    ..EMPTY
};

/// `status`.
pub const STATUS: Property = Property {
    name: "status",
    value: section(&[SESSION_MANAGER_STATUS, EXECUTOR_MANAGER_STATUS, STATE, CONFIG_GENERATION, MESSAGE]),
    summary: "How the flame is; flamectl works it out of what the server shows.",
    ends_up: SHOWN,
    ..GENERATED
};

const SHOWN: &[&str] = &["flamectl status, and up and status with -o yaml or -o json"];

const GENERATED: Property = Property { presence: Presence::Generated, ends_up: SHOWN, ..EMPTY };

const SESSION_MANAGER_STATUS: Property = Property {
    name: "sessionManager",
    value: section(&[
        Property {
            name: "ready",
            value: Type::Integer { max: None },
            summary: "Number of ready session managers, 0 or 1.",
            example: Some(Literal::Number(1)),
            ..GENERATED
        },
        Property {
            name: "endpoint",
            summary: "Address of the session manager inside the Kubernetes cluster.",
            meaning: "Always http://<name>-session-manager:8080.",
            example: Some(Literal::Text("http://my-flame-session-manager:8080")),
            ..GENERATED
        },
    ]),
    summary: "How the session manager is.",
    ..GENERATED
};

const EXECUTOR_MANAGER_STATUS: Property = Property {
    name: "executorManager",
    value: section(&[
        Property {
            name: "replicas",
            value: Type::Integer { max: None },
            summary: "Number of executor managers that should be there, spec.executorManager.replicas.",
            example: Some(Literal::Number(5)),
            ..GENERATED
        },
        Property {
            name: "ready",
            value: Type::Integer { max: None },
            summary: "Number of ready executor manager Pods.",
            meaning: "Pods that are being deleted, Pods beyond replicas and Pods of others do not count.",
            example: Some(Literal::Number(5)),
            ..GENERATED
        },
    ]),
    summary: "How the executor managers are.",
    ..GENERATED
};

const STATE: Property = Property {
    name: "state",
    value: Type::OneOf(&["Pending", "Running", "Failed"]),
    summary: "How the flame is, in one word.",
    meaning: "Running: the session manager and at least one executor manager are ready. Failed: the session manager's Pod \
        failed, or all executor managers' did. Pending: neither. The exit code of flamectl status tells it too.",
    example: Some(Literal::Text("Running")),
    ..GENERATED
};

const CONFIG_GENERATION: Property = Property {
    name: "configGeneration",
    value: Type::Integer { max: None },
    summary: "Counts the changes of flame-cluster.yaml, from 1.",
    ends_up: &[
        "ConfigMap <name>-config: the annotation flame.xflops.io/config-generation",
        "flamectl status, and up and status with -o yaml or -o json",
    ],
    example: Some(Literal::Number(1)),
    ..GENERATED
};

const MESSAGE: Property = Property {
    name: "message",
    summary: "What is not ready and why, in one line.",
    example: Some(Literal::Text("All components healthy")),
    ..GENERATED
};
