//! A connection to a port of a Pod, through the API server and the kubelet (the Pod's `portforward` subresource).

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use tokio::io::DuplexStream;

use super::{ApiServer, client_error};

/// How long the way to a Pod may take to open.
const OPENS: Duration = Duration::from_secs(15);

/// A way to one port of a Pod, which ends when this is dropped.
pub struct Forward {
    forwarder: Portforwarder,
    port: u16,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl Forward {
    /// Takes what is written to the port and read from it; none when it was taken before.
    pub fn stream(&mut self) -> Option<DuplexStream> {
        self.forwarder.take_stream(self.port)
    }

    /// Takes what resolves to the reason for which the kubelet ends the way, if it names one.
    pub fn trouble(&mut self) -> Option<impl Future<Output = Option<String>> + use<>> {
        self.forwarder.take_error(self.port)
    }
}

impl ApiServer {
    /// Opens a way to a port of a Pod.
    ///
    /// # Errors
    /// What the server or the kubelet said, in one line.
    pub async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forward, String> {
        let api: Api<Pod> = Api::namespaced(self.connection.client().await, namespace);
        let opened = tokio::time::timeout(OPENS, api.portforward(pod, &[port])).await;
        let opened = opened.map_err(|_| format!("Pod {pod} could not be reached within {} s", OPENS.as_secs()))?;
        let forwarder = opened.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 403 => {
                // The kube-apiserver does not say which right it is where it is the one to create.
                let what = status.message.trim().trim_end_matches(':');
                format!("{what} (flamectl rbac --check --for connect tells which right is missing)")
            }
            kube::Error::Api(status) => status.message.clone(),
            other => client_error(&other),
        })?;
        Ok(Forward { forwarder, port })
    }
}
