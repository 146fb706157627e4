//! `events`: what nodes, scheduler and controllers said of a flame's objects, those of Pods that are gone included.

use serde_json::json;
use tokio::sync::watch;

use super::Context;
use super::input::exists;
use super::work::{View, interrupts};
use crate::apiserver::ApiServer;
use crate::apiserver::events::{EventFilter, EventNews};
use crate::cli::{EventFormat, EventsArgs};
use crate::error::{ErrorKind, Result};
use crate::flame::events::{ObservedEvent, merged};
use crate::output;
use crate::output::events::{EventTable, document};

pub async fn run(context: &Context<'_>, args: &EventsArgs) -> Result<u8> {
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    let event_type = match args.types.as_slice() {
        [one, others @ ..] if others.iter().all(|other| other == one) => Some(*one),
        _ => None,
    };
    let filter = EventFilter { namespace: namespace.clone(), flame: args.name.clone(), event_type };
    let view = View::new(context);
    let interrupted = args.watch.then(|| interrupts(context));
    let list = api.list_events(&filter, &view).await?;
    let events = merged(list.events);
    if events.is_empty() {
        // What is gone has no events after an hour or so; what was never there is a mistake.
        exists(&api, &namespace, &args.name, &view).await?;
        context.printer.line(&format!("no events of {} in namespace {namespace}", args.name));
    }
    view.finish();
    let sheet = Sheet { context, output: args.output, table: EventTable::fitting(&events, now()) };
    match interrupted {
        None => sheet.all(&events).map(|()| 0),
        Some(interrupted) => sheet.follow(&api, &filter, &events, &list.resource_version, interrupted).await,
    }
}

/// Where events are written to.
struct Sheet<'a> {
    context: &'a Context<'a>,
    output: EventFormat,
    table: EventTable,
}

impl Sheet<'_> {
    fn all(&self, events: &[ObservedEvent]) -> Result<()> {
        let documents = || json!({ "items": events.iter().map(document).collect::<Vec<_>>() });
        self.context.printer.data(&match self.output {
            EventFormat::Json => output::json(&documents())?,
            EventFormat::Yaml => output::yaml(&[documents()])?,
            EventFormat::Table if events.is_empty() => String::new(),
            EventFormat::Table => {
                let rows = events.iter().map(|event| self.table.row(event, now()));
                let lines: Vec<String> = std::iter::once(self.table.header()).chain(rows).collect();
                self.context.printer.fit(&lines.join("\n"))
            }
        })
    }

    /// Prints what there is and then what happens, until nobody reads it or somebody interrupts it.
    async fn follow(
        &self,
        api: &ApiServer,
        filter: &EventFilter,
        events: &[ObservedEvent],
        resource_version: &str,
        mut interrupted: watch::Receiver<bool>,
    ) -> Result<u8> {
        let mut news = api.watch_events(filter, resource_version);
        if self.output == EventFormat::Table && !self.print(&self.context.printer.fit(&self.table.header()))? {
            return Ok(0);
        }
        for event in events {
            if !self.one(event)? {
                return Ok(0);
            }
        }
        loop {
            let event = tokio::select! {
                event = news.next() => event,
                _ = interrupted.changed() => return Ok(ErrorKind::Interrupted.exit_code()),
            };
            match event {
                Some(EventNews::Happened(event)) => {
                    for event in merged(vec![*event]) {
                        if !self.one(&event)? {
                            return Ok(0);
                        }
                    }
                }
                Some(EventNews::Trouble(why)) => self.context.printer.detail(&format!("the watch: {why}")),
                None => return Ok(0),
            }
        }
    }

    fn one(&self, event: &ObservedEvent) -> Result<bool> {
        self.print(&match self.output {
            EventFormat::Json => document(event).to_string(),
            EventFormat::Yaml => format!("---\n{}", output::yaml(&[document(event)])?.trim_end()),
            EventFormat::Table => self.context.printer.fit(&self.table.row(event, now())),
        })
    }

    fn print(&self, line: &str) -> Result<bool> {
        self.context.printer.stream(format!("{line}\n").as_bytes())
    }
}

/// Returns the seconds since the epoch, for ages only.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
