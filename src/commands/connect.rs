//! `connect`: the session manager on a local port, and what Flame's clients need to find it there.
//!
//! Each connection of a client gets a way of its own to the Pod that is there at that time; when the Pod is replaced, the ways
//! to the old one end, so that clients come again.

mod program;
mod session;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use self::program::{Home, Program};
use self::session::{SessionManager, Standing};
use super::Context;
use super::work::{View, interrupts};
use crate::cli::ConnectArgs;
use crate::error::{Error, ErrorKind, Result};
use crate::flame::{client, names};

/// How often a wait says that it goes on.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub async fn run(context: &Context<'_>, args: &ConnectArgs) -> Result<u8> {
    if args.print_config {
        return print_config(context, args);
    }
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    let view = View::without_display(context);
    let mut session_manager = SessionManager::find(&api, &namespace, &args.name, &view).await?;
    view.finish();
    let listener = listen(args.port).await?;
    let port = listener.local_addr().map_err(|error| not_listening(args.port, &error))?.port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let home = Home::new(&args.name, &endpoint)?;
    let connection = Connection { context, args, namespace: &namespace, endpoint: &endpoint, home: &home };
    let mut interrupted = if args.command.is_empty() { interrupts(context) } else { never() };
    tokio::select! {
        ready = connection.wait_until_ready(&mut session_manager, &view) => ready?,
        _ = interrupted.changed() => return Ok(ErrorKind::Interrupted.exit_code()),
    }
    let serving = session_manager.serve(context.printer, listener);
    if args.command.is_empty() {
        connection.tell_how_to_use()?;
        tokio::select! {
            never = serving => match never {},
            _ = interrupted.changed() => return Ok(ErrorKind::Interrupted.exit_code()),
        }
    }
    let program = Program::start(&args.command, &endpoint, &home)?;
    tokio::select! {
        never = serving => match never {},
        code = program.wait() => code,
    }
}

/// Where a program of its own gets Ctrl-C, this command goes on until that one ends.
fn never() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move { sender.closed().await });
    receiver
}

fn print_config(context: &Context<'_>, args: &ConnectArgs) -> Result<u8> {
    let endpoint = match (&args.endpoint, args.port) {
        (Some(endpoint), _) => endpoint.clone(),
        (None, 0) => {
            let of_context = || super::input::context_namespace(context);
            let namespace = context.global.namespace.clone().or_else(of_context);
            let namespace = namespace.unwrap_or_else(|| "default".to_owned());
            let service = names::session_manager(&args.name);
            format!("http://{service}.{namespace}.svc.cluster.local:{}", names::SESSION_MANAGER_PORT)
        }
        (None, port) => format!("http://127.0.0.1:{port}"),
    };
    context.printer.data(&client::config(&args.name, &endpoint)?)?;
    Ok(0)
}

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| not_listening(port, &error))
}

fn not_listening(port: u16, error: &std::io::Error) -> Error {
    Error::server(format!("127.0.0.1:{port} cannot be listened on: {error}")).hint("without --port a free one is taken")
}

/// One command's connection.
struct Connection<'a> {
    context: &'a Context<'a>,
    args: &'a ConnectArgs,
    namespace: &'a str,
    endpoint: &'a str,
    home: &'a Home,
}

impl Connection<'_> {
    async fn wait_until_ready(&self, session_manager: &mut SessionManager, view: &View) -> Result<()> {
        let printer = self.context.printer;
        let name = &self.args.name;
        let mut told = String::new();
        let mut told_at = Duration::ZERO;
        loop {
            let why = match session_manager.standing() {
                Standing::Ready(_) => return Ok(()),
                Standing::Away(why) => why,
            };
            let waited = view.elapsed();
            if told != why || waited >= told_at + HEARTBEAT {
                printer.line(&format!("waiting for the session manager of {name}: {why} ({} s)", waited.as_secs()));
                (told, told_at) = (why.clone(), waited);
            }
            let left = match self.args.timeout {
                timeout if timeout.is_zero() => HEARTBEAT,
                timeout if waited >= timeout => {
                    let what = format!("the session manager of {name} is not ready: {why}");
                    let hint = format!("flamectl status {name} -n {}", self.namespace);
                    return Err(Error::new(ErrorKind::Timeout, what).hint(hint));
                }
                timeout => HEARTBEAT.min(timeout - waited),
            };
            // What comes of it is looked at above: news, or the time.
            let _ = tokio::time::timeout(left, session_manager.news()).await;
        }
    }

    /// The endpoint is the data; how to use it is told beside it.
    fn tell_how_to_use(&self) -> Result<()> {
        let Self { args, namespace, endpoint, home, .. } = self;
        let printer = self.context.printer;
        printer.line(&format!(
            "the session manager of {} in namespace {namespace} is at {endpoint} until Ctrl-C",
            args.name
        ));
        let (directory, file) = (home.directory().display(), home.file().display().to_string());
        printer.line(&format!("  Flame 0.6 and later:  HOME={directory} flmctl list"));
        printer.line(&format!("  before:               flmctl --config {file} list"));
        printer.line(&format!("  Flame's SDKs:         export FLAME_ENDPOINT={endpoint}"));
        self.context.printer.data(&format!("{endpoint}\n"))
    }
}
