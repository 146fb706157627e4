//! `install`: everything that keeps FlameCluster objects from inside the cluster, for kubectl to apply.

use super::Context;
use super::render::value;
use crate::cli::InstallArgs;
use crate::error::{Error, Result};
use crate::flame::install::{Install, NAMESPACE, SHARED_NAMESPACE};
use crate::output;

pub fn run(context: &Context<'_>, args: &InstallArgs) -> Result<u8> {
    let namespace = context.global.namespace.clone().unwrap_or_else(|| NAMESPACE.to_owned());
    if namespace == SHARED_NAMESPACE {
        let what = format!("namespace {namespace} is not for flamectl alone, whose Pod Security level it would get");
        return Err(Error::input(what).hint(format!("leave -n out for namespace {NAMESPACE}, or name a new one")));
    }
    let install = Install { namespace, image: args.image.clone() };
    let mut documents = vec![value(&install.namespace())?, definition()];
    for object in install.objects() {
        documents.push(value(&object)?);
    }
    context.printer.data(&output::yaml(&documents)?)?;
    Ok(0)
}

/// The definition of FlameClusters.
fn definition() -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "flameclusters.flame.xflops.io" },
        "spec": {
            "group": "flame.xflops.io",
            "names": { "kind": "FlameCluster", "plural": "flameclusters", "singular": "flamecluster" },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
                "subresources": { "status": {} },
            }],
        },
    })
}
