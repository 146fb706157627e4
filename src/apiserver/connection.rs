//! The connections that requests are sent on, and their credentials, which may be others tomorrow.
//!
//! kube reads a token file again within a minute and runs a credential plugin again when its token expires. Everything else,
//! a kubeconfig that was written anew, a certificate that was renewed or a token that was replaced before its time, shows in
//! a 401: then all is read again, and where something changed the request is sent once more, as the server did nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use http::StatusCode;
use hyper::body::Incoming;
use kube::Config;
use kube::config::AuthInfo;
use prost::bytes::Bytes;
use tokio::sync::Mutex;

use super::transport::Transport;
use super::{ConnectOptions, client_error, clock, config};
use crate::error::{Error, Result};

/// Pause between two looks at credentials that the server does not take.
const LOOK: Duration = Duration::from_secs(5);

/// Connections, and how they were made.
pub(super) struct Connection {
    options: ConnectOptions,
    current: Mutex<Current>,
}

struct Current {
    transport: Transport,
    /// Which one this is, counted from the first.
    number: u64,
    credentials: u64,
    looked: Option<Instant>,
}

impl Connection {
    /// Makes them; also returns what it goes by. Sends nothing.
    ///
    /// # Errors
    /// Where there are no credentials, or they cannot be read.
    pub async fn open(options: &ConnectOptions) -> Result<(Self, Config)> {
        let config = complete(options).await?;
        let (transport, credentials) = (transport(&config)?, fingerprint(&config.auth_info));
        let current = Mutex::new(Current { transport, number: 0, credentials, looked: None });
        Ok((Self { options: options.clone(), current }, config))
    }

    /// Sends a request, and again where the server did not know the credentials and there are others by now.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> kube::Result<http::Response<Incoming>> {
        let request = request.map(Bytes::from);
        let (transport, number) = {
            let current = self.current.lock().await;
            (current.transport.clone(), current.number)
        };
        let response = transport.send(request.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.newer(number).await {
            Some(transport) => transport.send(request).await,
            None => Ok(response),
        }
    }

    /// Begins to open connections until there have been `count`, see [`Transport::open_ahead`].
    pub async fn open_ahead(&self, count: usize) {
        self.current.lock().await.transport.open_ahead(count);
    }

    /// Returns kube's client on the connections that are used now, for what is no plain request.
    pub async fn client(&self) -> kube::Client {
        self.current.lock().await.transport.client()
    }

    /// Returns newer connections than those of this number, where the credentials changed.
    async fn newer(&self, number: u64) -> Option<Transport> {
        let mut current = self.current.lock().await;
        if current.number > number {
            return Some(current.transport.clone());
        }
        if current.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return None;
        }
        current.looked = Some(clock());
        // What is just being replaced may be half there: the next 401 looks again.
        let config = complete(&self.options).await.ok()?;
        let credentials = fingerprint(&config.auth_info);
        let comes_from_program = config.auth_info.exec.is_some() || config.auth_info.auth_provider.is_some();
        if credentials == current.credentials && !comes_from_program {
            return None;
        }
        current.transport = transport(&config).ok()?;
        (current.credentials, current.number) = (credentials, number + 1);
        Some(current.transport.clone())
    }
}

async fn complete(options: &ConnectOptions) -> Result<Config> {
    let mut config = config(options).await?;
    trim_token_file(&mut config.auth_info);
    if options.impersonate.is_some() {
        config.auth_info.impersonate = options.impersonate.clone();
    }
    if !options.impersonate_groups.is_empty() {
        config.auth_info.impersonate_groups = Some(options.impersonate_groups.clone());
    }
    Ok(config)
}

fn transport(config: &Config) -> Result<Transport> {
    Transport::new(config).map_err(|error| Error::server(client_error(&error)))
}

/// Takes the token out of a token file with a line break, as an editor leaves it: kube would send that along, and no header
/// takes it. Such a file is read again when the server takes its token no longer.
fn trim_token_file(auth: &mut AuthInfo) {
    let text = auth.token_file.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    if let Some(text) = text.filter(|text| text.trim() != text.as_str() && auth.token.is_none()) {
        auth.token = Some(text.trim().to_owned().into());
        auth.token_file = None;
    }
}

/// Returns a number that is another one when the credentials or the files that they are in are.
fn fingerprint(auth: &AuthInfo) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(auth).unwrap_or_default().hash(&mut hasher);
    for file in [&auth.token_file, &auth.client_certificate, &auth.client_key].into_iter().flatten() {
        std::fs::read(file).ok().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use super::super::{ApiServer, Failure};
    use super::*;

    /// A server that takes one token, and notes which came.
    #[derive(Clone, Default)]
    struct Server {
        takes: Arc<Mutex<String>>,
        seen: Arc<Mutex<Vec<String>>>,
    }

    impl Server {
        /// Starts it and returns its URL.
        fn start(&self) -> String {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = self.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let server = server.clone();
                    std::thread::spawn(move || server.converse(stream.unwrap()));
                }
            });
            url
        }

        fn converse(&self, mut stream: TcpStream) {
            let reader = BufReader::new(stream.try_clone().unwrap());
            let mut token = String::new();
            for line in reader.lines().map_while(Result::ok) {
                if let Some(bearer) = line.to_lowercase().strip_prefix("authorization: bearer ") {
                    token = bearer.to_owned();
                }
                if line.is_empty() {
                    let knows = token == *self.takes.lock().unwrap();
                    self.seen.lock().unwrap().push(std::mem::take(&mut token));
                    let status = if knows { "200 OK" } else { "401 Unauthorized" };
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            }
        }

        fn takes(&self, token: &str) {
            token.clone_into(&mut self.takes.lock().unwrap());
        }

        fn seen(&self) -> Vec<String> {
            std::mem::take(&mut self.seen.lock().unwrap())
        }
    }

    /// Connects with what a kubeconfig's user says.
    async fn connect(url: &str, directory: &Path, user: &str) -> ApiServer {
        let kubeconfig = directory.join("kubeconfig");
        let text = format!(
            "current-context: c\nclusters: [{{name: c, cluster: {{server: '{url}'}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
        );
        std::fs::write(&kubeconfig, text).unwrap();
        let options = ConnectOptions { kubeconfig: Some(kubeconfig), ..Default::default() };
        ApiServer::connect(&options).await.unwrap()
    }

    fn request(query: &str) -> http::Request<Vec<u8>> {
        http::Request::get(format!("/api/v1/pods?{query}")).body(Vec::new()).unwrap()
    }

    /// Sends one request and opens one watch; returns their statuses.
    async fn both(api: &ApiServer) -> Result<(), Failure> {
        api.send::<serde_json::Value>(request("")).await?;
        api.stream(request("watch=true"), Duration::from_secs(60)).await.map(|_| ())
    }

    #[tokio::test]
    async fn a_token_that_was_replaced_in_its_file_is_used_for_requests_and_watches() {
        for end in ["", "\n"] {
            let (server, directory) = (Server::default(), tempfile::tempdir().unwrap());
            let token = directory.path().join("token");
            std::fs::write(&token, format!("old{end}")).unwrap();
            server.takes("old");
            let user = format!("tokenFile: '{}'", token.display());
            let api = connect(&server.start(), directory.path(), &user).await;
            both(&api).await.unwrap();
            assert_eq!(server.seen(), ["old", "old"]);
            std::fs::write(&token, format!("new{end}")).unwrap();
            server.takes("new");
            both(&api).await.unwrap();
            assert_eq!(server.seen(), ["old", "new", "new"], "{end:?}");
        }
    }

    #[tokio::test]
    async fn a_watch_that_is_opened_first_finds_the_new_token_as_well() {
        let (server, directory) = (Server::default(), tempfile::tempdir().unwrap());
        server.takes("old");
        let url = server.start();
        let api = connect(&url, directory.path(), "token: old").await;
        both(&api).await.unwrap();
        // Another kubeconfig in the old one's place.
        let _ = connect(&url, directory.path(), "token: new").await;
        server.takes("new");
        server.seen();
        api.stream(request("watch=true"), Duration::from_secs(60)).await.map(|_| ()).unwrap();
        assert_eq!(server.seen(), ["old", "new"]);
    }

    #[tokio::test]
    async fn credentials_that_are_the_same_are_not_tried_again() {
        let (server, directory) = (Server::default(), tempfile::tempdir().unwrap());
        server.takes("another");
        let api = connect(&server.start(), directory.path(), "token: old").await;
        let failure = both(&api).await.unwrap_err();
        assert_eq!((failure.code(), server.seen()), (401, vec!["old".to_owned()]));
    }
}
