//! `logs`: what a flame's containers write, Pod after Pod, or all at once as it comes.
//!
//! What is printed is the user's own data, and nothing is taken out of it; only what the tool itself quotes from logs and
//! events, in verdicts and in `events`, is masked.

mod follow;

use std::collections::{BTreeMap, VecDeque};

use super::Context;
use super::input::exists;
use super::work::View;
use crate::apiserver::logs::{LogEnd, LogNews, LogOptions, channel};
use crate::apiserver::read::{PodList, flame_selector};
use crate::apiserver::{ApiServer, Observer};
use crate::cli::{LogsArgs, PrefixWhen};
use crate::error::{Error, Result};
use crate::flame::logs::{LogLine, LogTarget, chosen, label, not_started};
use crate::flame::names::{self, Component};
use crate::flame::observed::ObservedPod;
use crate::flame::state::ranges;
use crate::output::logs::LogLayout;

/// Lines shown of each of several Pods where nobody says how many, as kubectl does.
const TAIL: u32 = 10;

pub async fn run(context: &Context<'_>, args: &LogsArgs) -> Result<u8> {
    check_target(args)?;
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    let view = View::new(context);
    let listed = api.list_pods(&namespace, &flame_selector(&args.name), &view).await?;
    let pods = chosen(&args.name, args.target.as_ref(), listed.pods.iter().map(|pod| &**pod));
    if pods.is_empty() {
        nothing_to_read(context, &api, &namespace, args, &listed, &view).await?;
    }
    view.finish();
    let logs = Logs { context, api: &api, namespace: &namespace, args, layout: layout(context, args, pods.len()) };
    if args.follow {
        return logs.follow(&listed).await;
    }
    let options = options(args, pods.len());
    logs.read(&pods, &options).await
}

/// Refuses a Pod that can't be the flame's, whatever there is on the server.
fn check_target(args: &LogsArgs) -> Result<()> {
    let (flame, Some(LogTarget::Pod(pod))) = (&args.name, &args.target) else { return Ok(()) };
    if names::PodIndex::of(flame, pod).is_some() {
        return Ok(());
    }
    let what = format!("{pod} is no Pod of {flame}");
    Err(Error::input(what)
        .hint("name session-manager, object-cache, executor-manager, an executor's index or a Pod of the flame"))
}

/// Says why there is nothing to read. Where new Pods are followed there is a reason to wait if only the flame is there.
async fn nothing_to_read(
    context: &Context<'_>,
    api: &ApiServer,
    namespace: &str,
    args: &LogsArgs,
    listed: &PodList,
    observer: &dyn Observer,
) -> Result<()> {
    let name = &args.name;
    if listed.pods.is_empty() {
        exists(api, namespace, name, observer).await?;
    }
    let wanted = match &args.target {
        None => "Pod".to_owned(),
        Some(LogTarget::Component(component)) => format!("{component} Pod"),
        Some(LogTarget::Executor(index)) => format!("Pod {}", names::executor_manager(name, *index)),
        Some(LogTarget::Pod(pod)) => format!("Pod {pod}"),
    };
    let what = format!("{name} has no {wanted} in namespace {namespace}");
    if args.follow {
        context.printer.line(&format!("{what} yet; waiting for it"));
        return Ok(());
    }
    Err(Error::server(what).hint(format!("flamectl status {name} -n {namespace}")))
}

fn layout(context: &Context<'_>, args: &LogsArgs, pods: usize) -> LogLayout {
    let is_one = match args.follow {
        true => args.target.as_ref().is_some_and(LogTarget::is_one_pod),
        false => pods == 1,
    };
    LogLayout {
        prefix: match args.prefix {
            PrefixWhen::Auto => !is_one,
            PrefixWhen::True => true,
            PrefixWhen::False => false,
        },
        timestamps: args.timestamps,
        terminal: context.printer.shows_data(),
        color: context.printer.colors_data(),
    }
}

fn options(args: &LogsArgs, pods: usize) -> LogOptions {
    let tail = match args.tail {
        Some(lines) => u32::try_from(lines).ok(),
        None => (pods > 1).then_some(TAIL),
    };
    let since = args.since.filter(|since| !since.is_zero());
    LogOptions { since, tail, previous: args.previous, follow: args.follow }
}

/// One command's logs.
struct Logs<'a> {
    context: &'a Context<'a>,
    api: &'a ApiServer,
    namespace: &'a str,
    args: &'a LogsArgs,
    layout: LogLayout,
}

impl Logs<'_> {
    /// Prints the logs of Pods one after the other: session manager first, then executors by index. The next ones are opened
    /// meanwhile.
    async fn read(&self, pods: &[&ObservedPod], options: &LogOptions) -> Result<u8> {
        let readable = self.started(pods.iter().copied());
        let mut waiting = readable.into_iter();
        let mut open = VecDeque::new();
        let (mut read, mut broken) = (0, Vec::new());
        loop {
            while open.len() < self.args.max_log_requests as usize {
                let Some(pod) = waiting.next() else { break };
                let (sender, news) = channel();
                open.push_back((pod, news, self.api.read_log(self.namespace, pod, options, sender)));
            }
            let Some((pod, mut news, _reading)) = open.pop_front() else { break };
            while let Some((_, news)) = news.recv().await {
                match news {
                    LogNews::Lines(lines) => {
                        if !self.print(label(&self.args.name, &pod.meta.name), &lines)? {
                            return Ok(0);
                        }
                    }
                    LogNews::NotYet(_) => {}
                    LogNews::End(LogEnd::Whole) => read += 1,
                    LogNews::End(LogEnd::None(why)) => self.tell(pod, &why),
                    LogNews::End(LogEnd::Broken(why)) => {
                        self.tell(pod, &why);
                        broken.push(pod.meta.name.as_str());
                    }
                    LogNews::End(LogEnd::Refused(error)) => return Err(error),
                }
            }
        }
        self.result(read, &broken)
    }

    fn result(&self, read: usize, broken: &[&str]) -> Result<u8> {
        let name = &self.args.name;
        let error = match (read, broken) {
            (0, []) => Error::server(format!("no log of {name} could be read")),
            (_, []) => return Ok(0),
            (_, pods) => Error::server(format!("not all could be read of the logs of {}", pods.join(", "))),
        };
        Err(error.hint(format!("flamectl status {name} -n {}", self.namespace)))
    }

    /// Returns the Pods that may have a log, and tells why the others have none yet, alike ones in one line.
    fn started<'p>(&self, pods: impl Iterator<Item = &'p ObservedPod>) -> Vec<&'p ObservedPod> {
        let mut started = Vec::new();
        let mut waiting: BTreeMap<(Option<Component>, String), Vec<&str>> = BTreeMap::new();
        for pod in pods {
            match not_started(pod) {
                // What ended before may have a log all the same.
                Some(why) if !self.args.previous => {
                    let component = names::component_of(&pod.meta.name);
                    waiting.entry((component, why)).or_default().push(&pod.meta.name);
                }
                _ => started.push(pod),
            }
        }
        for ((_, why), pods) in waiting {
            self.context.printer.line(&format!("{}: {why}", self.who(&pods)));
        }
        started
    }

    /// Returns the name of a Pod, or of which executors many are.
    fn who(&self, pods: &[&str]) -> String {
        let indices: Vec<u32> = pods.iter().filter_map(|pod| names::executor_index(&self.args.name, pod)).collect();
        match pods {
            [pod] => (*pod).to_owned(),
            _ => format!("executors {}", ranges(&indices, '-')),
        }
    }

    fn tell(&self, pod: &ObservedPod, why: &str) {
        self.context.printer.line(&format!("{}: {why}", pod.meta.name));
    }

    /// Prints lines of one Pod, and tells whether somebody still reads them.
    fn print(&self, label: &str, lines: &[LogLine]) -> Result<bool> {
        let mut out = Vec::new();
        lines.iter().for_each(|line| self.layout.write(label, line, &mut out));
        self.context.printer.stream(&out)
    }
}
