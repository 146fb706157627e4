//! What keeps FlameCluster objects from inside the cluster: two flamectl of which one leads, and what they need there.
//!
//! [`Install`] → its namespace, and the objects in it or for it. All of it is admitted where Pod Security's level is
//! `restricted`, which its namespace enforces.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, Container, ContainerPort, HTTPGetAction, Namespace, PodAffinityTerm, PodAntiAffinity,
    PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecurityContext,
    Service, ServiceAccount, ServicePort, ServiceSpec, WeightedPodAffinityTerm,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;

use super::names::{FIELD_MANAGER, LABEL_COMPONENT, LABEL_NAME};
use super::rbac::{Grant, Grantee, Scope, Task, Wish};

/// The namespace where nobody names another.
pub const NAMESPACE: &str = "flamectl";
/// Everybody's namespace: what it admits is not to be changed.
pub const SHARED_NAMESPACE: &str = "default";
/// The name of every object in the namespace.
const NAME: &str = "flamectl-watch";
/// Where health and metrics are told.
const PORT: u16 = 8080;
/// The port's name.
const PORT_NAME: &str = "http";
/// The user in the image, which is nobody on the nodes: 65532 is what images without a shell commonly use.
const USER: i64 = 65_532;
/// One works, and one takes over.
const REPLICAS: i32 = 2;

/// What is to be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// The namespace that is made for it.
    pub namespace: String,
    /// The image of flamectl.
    pub image: String,
}

/// An object to install, as it is sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "Kubernetes' own words")]
pub enum Installed {
    ServiceAccount(ServiceAccount),
    Grant(Grant),
    Deployment(Box<Deployment>),
    PodDisruptionBudget(Box<PodDisruptionBudget>),
    Service(Box<Service>),
}

impl Install {
    /// Returns the namespace, which admits only Pods that can do no harm.
    pub fn namespace(&self) -> Namespace {
        let mut labels = labels();
        labels.insert("pod-security.kubernetes.io/enforce".to_owned(), "restricted".to_owned());
        let metadata = ObjectMeta { name: Some(self.namespace.clone()), labels: Some(labels), ..Default::default() };
        Namespace { metadata, ..Default::default() }
    }

    /// Returns everything else but the definition of FlameClusters, in the order in which it is to be made.
    pub fn objects(&self) -> Vec<Installed> {
        let account = ServiceAccount { metadata: self.metadata(), ..Default::default() };
        let grants = self.grants().into_iter().map(Installed::Grant);
        let rest = [
            Installed::Service(Box::new(self.service())),
            Installed::PodDisruptionBudget(Box::new(self.disruption_budget())),
            Installed::Deployment(Box::new(self.deployment())),
        ];
        [Installed::ServiceAccount(account)].into_iter().chain(grants).chain(rest).collect()
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(self.namespace.clone()),
            labels: Some(labels()),
            ..Default::default()
        }
    }

    /// The ClusterRole is the same in whichever namespace this is; its binding has the namespace in its name.
    fn grants(&self) -> Vec<Grant> {
        let wish =
            Wish { tasks: [Task::Watch].into(), scope: Scope::All, crd: true, lease: Some(self.namespace.clone()) };
        wish.grants(Some(&Grantee::ServiceAccount(self.namespace.clone(), NAME.to_owned())))
    }

    fn service(&self) -> Service {
        let port = ServicePort {
            name: Some(PORT_NAME.to_owned()),
            port: PORT.into(),
            target_port: Some(IntOrString::String(PORT_NAME.to_owned())),
            ..Default::default()
        };
        // Whoever scrapes wants every replica, not one of them.
        let spec = ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            selector: Some(labels()),
            ports: Some(vec![port]),
            ..Default::default()
        };
        Service { metadata: self.metadata(), spec: Some(spec), ..Default::default() }
    }

    fn disruption_budget(&self) -> PodDisruptionBudget {
        let spec = PodDisruptionBudgetSpec {
            min_available: Some(IntOrString::Int(1)),
            selector: Some(selector()),
            ..Default::default()
        };
        PodDisruptionBudget { metadata: self.metadata(), spec: Some(spec), ..Default::default() }
    }

    fn deployment(&self) -> Deployment {
        let template = PodTemplateSpec {
            metadata: Some(ObjectMeta { labels: Some(labels()), ..Default::default() }),
            spec: Some(self.pod()),
        };
        let spec = DeploymentSpec { replicas: Some(REPLICAS), selector: selector(), template, ..Default::default() };
        Deployment { metadata: self.metadata(), spec: Some(spec), ..Default::default() }
    }

    fn pod(&self) -> PodSpec {
        PodSpec {
            service_account_name: Some(NAME.to_owned()),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(true),
                run_as_user: Some(USER),
                run_as_group: Some(USER),
                seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() }),
                ..Default::default()
            }),
            affinity: Some(apart()),
            containers: vec![self.container()],
            ..Default::default()
        }
    }

    fn container(&self) -> Container {
        let listen = format!("0.0.0.0:{PORT}");
        let args =
            ["watch", "--crd", "-A", "--leader-elect", "--listen", listen.as_str(), "--log-format", "json"].to_vec();
        Container {
            name: FIELD_MANAGER.to_owned(),
            image: Some(self.image.clone()),
            args: Some(args.into_iter().map(str::to_owned).collect()),
            ports: Some(vec![ContainerPort {
                name: Some(PORT_NAME.to_owned()),
                container_port: PORT.into(),
                ..Default::default()
            }]),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Default::default() }),
                ..Default::default()
            }),
            liveness_probe: Some(probe("/healthz")),
            readiness_probe: Some(probe("/readyz")),
            // 10,000 Pods take some 40 MiB; a core's time is never needed for long, and may not be taken away when it is.
            resources: Some(ResourceRequirements {
                requests: Some(amounts(&[("cpu", "50m"), ("memory", "64Mi")])),
                limits: Some(amounts(&[("memory", "256Mi")])),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

fn labels() -> BTreeMap<String, String> {
    [(LABEL_NAME, FIELD_MANAGER), (LABEL_COMPONENT, "watch")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn selector() -> LabelSelector {
    LabelSelector { match_labels: Some(labels()), ..Default::default() }
}

/// A node that dies should not take both replicas along; where there is one node only, both go there.
fn apart() -> Affinity {
    let term = PodAffinityTerm {
        label_selector: Some(selector()),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..Default::default()
    };
    let preferred = WeightedPodAffinityTerm { weight: 100, pod_affinity_term: term };
    let pod_anti_affinity = PodAntiAffinity {
        preferred_during_scheduling_ignored_during_execution: Some(vec![preferred]),
        ..Default::default()
    };
    Affinity { pod_anti_affinity: Some(pod_anti_affinity), ..Default::default() }
}

fn probe(path: &str) -> Probe {
    let http_get = HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::String(PORT_NAME.to_owned()),
        ..Default::default()
    };
    Probe { http_get: Some(http_get), ..Default::default() }
}

fn amounts(amounts: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    amounts.iter().map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned()))).collect()
}
