//! Flames with their status in the format that was asked for.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use crate::cli::{StatusArgs, StatusFormat};
use crate::commands::Context;
use crate::commands::work::moment;
use crate::error::Result;
use crate::flame::FlameCluster;
use crate::flame::events::ObservedEvent;
use crate::flame::observed::Snapshot;
use crate::flame::state::{Cause, Verdict};
use crate::output::describe::Description;
use crate::output::jsonpath::Template;
use crate::output::table::{self, FlameRow, ListOptions};
use crate::output::watching::{Columns, Row, Watching};
use crate::output::{self, one_line, pods};

/// A flame as it was seen.
pub struct Seen<'a> {
    /// What the record says.
    pub flame: FlameCluster,
    /// What is there.
    pub snapshot: Cow<'a, Snapshot>,
    /// How it is.
    pub verdict: Verdict,
    /// What happened, oldest first; none where nobody asked.
    pub events: Option<Vec<ObservedEvent>>,
}

/// Where flames are written to.
pub struct Sheet<'a> {
    context: &'a Context<'a>,
    format: &'a StatusFormat,
    template: Option<Template>,
    options: ListOptions,
    /// The one flame that was asked for.
    name: Option<&'a str>,
}

impl Seen<'_> {
    /// Returns the flame with its status.
    fn document(&self) -> Value {
        output::flame_with_status(&self.flame, &self.verdict.status, None)
    }

    fn row(&self) -> FlameRow {
        let created = self.snapshot.record(&self.flame.metadata.name).and_then(|record| record.meta.creation_timestamp);
        let age = created.and_then(|created| u64::try_from(moment() - created).ok());
        FlameRow::new(&self.flame, &self.verdict, age)
    }
}

impl<'a> Sheet<'a> {
    /// Makes one for these arguments.
    ///
    /// # Errors
    /// Where the template is none.
    pub fn new(context: &'a Context<'a>, args: &'a StatusArgs) -> Result<Self> {
        let template = match &args.output {
            StatusFormat::JsonPath(template) => Some(Template::parse(template)?),
            _ => None,
        };
        let wide = args.output == StatusFormat::Wide;
        let options = ListOptions { namespaces: args.all_namespaces, headers: !args.no_headers, wide };
        Ok(Self { context, format: &args.output, template, options, name: args.name.as_deref() })
    }

    /// Tells whether people read it.
    pub fn is_for_people(&self) -> bool {
        matches!(self.format, StatusFormat::Table | StatusFormat::Wide)
    }

    /// Prints one flame in full.
    ///
    /// # Errors
    /// Where standard output takes nothing.
    pub fn one(&self, seen: &Seen<'_>) -> Result<()> {
        let printer = self.context.printer;
        printer.causes(&seen.verdict.causes);
        match self.is_for_people() {
            true => printer.text(&self.block(seen)),
            false => self.document(seen.document(), || output::resource_name(&seen.flame.metadata.name)),
        }
    }

    /// Tells programs of causes that they were not told of, where one flame was asked for.
    pub fn causes(&self, seen: &[Seen<'_>], told: &mut HashSet<String>) {
        let ([Seen { verdict, .. }], Some(_)) = (seen, self.name) else { return };
        let news: Vec<Cause> =
            verdict.causes.iter().filter(|cause| told.insert(cause.lines().join("\n"))).cloned().collect();
        self.context.printer.causes(&news);
        // What comes back is news again.
        if verdict.causes.is_empty() {
            told.clear();
        }
    }

    /// Prints a list of flames.
    ///
    /// # Errors
    /// Where standard output takes nothing.
    pub fn many(&self, flames: &[Seen<'_>]) -> Result<()> {
        let printer = self.context.printer;
        if self.is_for_people() {
            let rows: Vec<FlameRow> = flames.iter().map(Seen::row).collect();
            return printer.text(&table::list(&rows, self.options));
        }
        let names = flames.iter().map(|seen| output::resource_name(&seen.flame.metadata.name));
        self.document(output::list(flames.iter().map(Seen::document).collect()), || {
            names.collect::<Vec<_>>().join("\n")
        })
    }

    /// Returns what shows one look after the other.
    pub fn watching(&self) -> Watching {
        let header = if self.name.is_some() { &table::STATUS[..] } else { self.options.header() };
        let columns = Columns { header, is_headed: self.options.headers };
        Watching::new(self.context.printer, columns, self.is_for_people())
    }

    /// Returns a flame as a watch shows it.
    ///
    /// # Errors
    /// Where a template selects what it cannot.
    pub fn row(&self, seen: &Seen<'_>) -> Result<Row> {
        let (name, namespace) = (&seen.flame.metadata.name, seen.flame.namespace());
        let key = if self.options.namespaces { format!("{namespace}/{name}") } else { name.clone() };
        let cells = match self.name {
            Some(_) => {
                let message = one_line(&seen.verdict.status.message, usize::MAX);
                table::status_cells(name, namespace, &seen.verdict, &message).to_vec()
            }
            None => self.options.cells(&seen.row()),
        };
        let (mut document, mut change) = (String::new(), String::new());
        if !self.is_for_people() {
            let json = seen.document();
            document = match (self.format, &self.template) {
                (_, Some(template)) => template.render(&json)?,
                (StatusFormat::Yaml, _) => format!("---\n{}\n", output::yaml(&[&json])?.trim_end()),
                (StatusFormat::Name, _) => format!("{}\n", output::resource_name(name)),
                _ => format!("{}\n", output::json_line(&json)),
            };
            change = if *self.format == StatusFormat::Name { json.to_string() } else { document.clone() };
        }
        Ok(Row { key, cells, document, change })
    }

    /// Returns all that people see on a terminal.
    pub fn text(&self, flames: &[Seen<'_>]) -> String {
        match (self.name, flames) {
            (Some(_), [seen]) => self.block(seen),
            (Some(name), _) => format!("{name} is gone"),
            (None, flames) => table::list(&flames.iter().map(Seen::row).collect::<Vec<_>>(), self.options),
        }
    }

    fn document(&self, document: Value, name: impl FnOnce() -> String) -> Result<()> {
        let printer = self.context.printer;
        match (self.format, &self.template) {
            // Nothing is added to what a template makes.
            (_, Some(template)) => printer.stream(template.render(&document)?.as_bytes()).map(drop),
            (StatusFormat::Yaml, _) => printer.data(&output::yaml(&[document])?),
            (StatusFormat::Name, _) => printer.data(&name()),
            _ => printer.data(&output::json(&document)?),
        }
    }

    /// Returns what people see of one flame.
    fn block(&self, seen: &Seen<'_>) -> String {
        let Seen { flame, snapshot, verdict, events } = seen;
        if let Some(events) = events {
            return Description { flame, snapshot, verdict, events, now: moment() }.text();
        }
        let status = table::status(&flame.metadata.name, flame.namespace(), verdict, self.options.headers);
        let pods = match self.options.wide {
            true => pods::table(flame, snapshot, moment()),
            false => String::new(),
        };
        if pods.is_empty() { status } else { format!("{status}\n\n{pods}") }
    }
}
