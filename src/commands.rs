//! The verbs: the only layer that sees the other three. Each reads like a table of contents.

mod input;
mod object;
mod preflight;
mod show;
mod signals;
mod work;

mod completions;
mod connect;
mod diff;
mod down;
mod events;
mod explain;
mod init;
mod install;
mod logs;
mod rbac;
pub mod render;
mod restart;
mod scale;
mod status;
mod up;
mod validate;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::apiserver::{ApiServer, ConnectOptions, Request};
use crate::cli::{Cli, GlobalArgs, Verb};
use crate::error::Result;
use crate::output::Printer;

/// What every verb has at hand.
struct Context<'a> {
    printer: &'a Printer,
    global: &'a GlobalArgs,
    requests: Arc<Requests>,
}

/// How many requests were sent.
#[derive(Default)]
struct Requests {
    all: AtomicUsize,
    writes: AtomicUsize,
}

/// Carries out one command and returns its exit code.
///
/// # Errors
/// What the command failed for; its kind is the exit code.
pub async fn run(cli: &Cli, printer: &Printer) -> Result<u8> {
    let context = Context { printer, global: &cli.global, requests: Arc::default() };
    let result = verb(&context, cli).await;
    context.requests.tell(printer);
    result
}

async fn verb(context: &Context<'_>, cli: &Cli) -> Result<u8> {
    match &cli.verb {
        Verb::Up(args) => up::run(context, args).await,
        Verb::Status(args) => status::run(context, args).await,
        Verb::Logs(args) => logs::run(context, args).await,
        Verb::Events(args) => events::run(context, args).await,
        Verb::Connect(args) => connect::run(context, args).await,
        Verb::Render(args) => render::run(context, args).await,
        Verb::Down(args) => down::run(context, args).await,
        Verb::Watch(args) => watch::run(context, args).await,
        Verb::Diff(args) => diff::run(context, args).await,
        Verb::Scale(args) => scale::run(context, args).await,
        Verb::Restart(args) => restart::run(context, args).await,
        Verb::Validate(args) => validate::run(context, args).await,
        Verb::Init(args) => init::run(context, args).await,
        Verb::Explain(args) => explain::explain(context, args),
        Verb::Schema(args) => explain::schema(context, args),
        Verb::Crd(args) => explain::crd(context, args),
        Verb::Rbac(args) => rbac::run(context, args).await,
        Verb::Install(args) => install::run(context, args),
        Verb::Completions(args) => completions::completions(context, args),
        Verb::Man(args) => completions::man(context, args),
        Verb::Version(args) => completions::version(context, args),
    }
}

impl Requests {
    fn count(&self, request: &Request) {
        self.all.fetch_add(1, Ordering::Relaxed);
        // The one POST that changes nothing asks for the caller's rights.
        let is_question = request.path.ends_with("reviews");
        if request.method != "GET" && !is_question {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tell(&self, printer: &Printer) {
        let (all, writes) = (self.all.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed));
        if all > 0 {
            let requests = if all == 1 { "1 request".to_owned() } else { format!("{all} requests") };
            printer.detail(&format!("{requests}, {writes} of them writes, {:.1}s", printer.elapsed().as_secs_f64()));
        }
    }
}

impl Context<'_> {
    fn connect_options(&self) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: self.global.kubeconfig.clone(),
            context: self.global.context.clone(),
            impersonate: self.global.impersonate_user.clone(),
            impersonate_groups: self.global.impersonate_groups.clone(),
            request_timeout: self.global.request_timeout,
        }
    }

    async fn connect(&self) -> Result<ApiServer> {
        let api = ApiServer::connect(&self.connect_options()).await?;
        if !self.printer.is_verbose() {
            return Ok(api);
        }
        let (printer, requests) = (self.printer.clone(), Arc::clone(&self.requests));
        Ok(api.traced(move |request| {
            requests.count(&request);
            printer.request(&request.method, &request.path, request.status, request.took);
        }))
    }

    /// Returns the namespace for a flame known by name only: flag, then the kubeconfig's context, then `default`.
    fn namespace(&self, api: &ApiServer) -> String {
        self.global.namespace.clone().unwrap_or_else(|| api.default_namespace().to_owned())
    }
}
