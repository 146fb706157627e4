//! Text → a small tree that knows where everything stands.
//!
//! What is wrong with any YAML is told here: duplicate keys, tags, merge keys, aliases that lead nowhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::characters::{code_point, is_odd_blank};
use super::fields::{Field, path_of};
use super::grammar::Fault;
use super::report::{Place, Report, shown};
use super::text::{REPLACEMENT, Source};
use super::{MAX_FILE_BYTES, template};

/// A FlameCluster has some 40 values; with labels and what `kubectl get` adds, some hundred. Aliases count in full.
const MAX_NODES: usize = 10_000;
/// As much text as a file can hold, and as much again in aliases, which count in full.
const MAX_TEXT_BYTES: usize = 2 * MAX_FILE_BYTES;
/// A FlameCluster is five levels deep, `managedFields` some more.
const MAX_DEPTH: usize = 32;

/// All documents of a file, as far as it could be read.
pub(super) struct Tree<'a> {
    pub documents: Vec<Document<'a>>,
    /// Why the reading stopped before the end.
    pub failure: Option<Failure>,
}

/// What stopped the reading.
pub(super) struct Failure {
    pub cause: Cause,
    /// The last scalar before.
    pub last_scalar: Option<Span>,
    /// Where the innermost `{` or `[` stands that was still open.
    pub open_bracket: Option<Place>,
}

/// Why nothing can be read on.
pub(super) enum Cause {
    /// It is not YAML.
    Scan(ScanError),
    /// In this line a blank that is none to YAML stands where the indentation ends; what follows is misunderstood.
    OddIndentation(usize),
}

/// One YAML document.
pub(super) struct Document<'a> {
    /// Where its content begins.
    pub place: Place,
    pub root: Rc<Node<'a>>,
}

/// One value.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub place: Place,
    pub value: Value<'a>,
    size: Size,
}

/// How much there is, aliases counted in full.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    /// Values, lists and maps.
    nodes: usize,
    /// Bytes of text.
    bytes: usize,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Scalar(Scalar<'a>),
    List,
    Map(Map<'a>),
    /// Something whose mistake was told already.
    Told,
}

/// A value without parts.
#[derive(Debug)]
pub(super) struct Scalar<'a> {
    pub text: Cow<'a, str>,
    pub plain_type: PlainType,
    pub quoted: bool,
    /// How many characters after its place the text begins; None when source and text differ, as with escapes.
    pub offset: Option<usize>,
}

/// Keys and values.
#[derive(Debug)]
pub(super) struct Map<'a> {
    pub entries: Vec<Entry<'a>>,
    /// False when some keys could not be read.
    pub whole: bool,
    /// Written as `{…}`.
    pub flow: bool,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub name: Cow<'a, str>,
    pub plain_type: PlainType,
    pub place: Place,
    pub value: Rc<Node<'a>>,
}

/// What YAML 1.1, which Kubernetes reads, or 1.2 makes of text without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainType {
    Null,
    Boolean,
    Number,
    Text,
}

impl Document<'_> {
    /// Returns whether there is nothing between the markers.
    pub(super) fn is_empty(&self) -> bool {
        self.root.value.is_null()
    }

    /// Returns the field at `path`.
    pub(super) fn field(&self, path: &[&str]) -> Option<Field<'_>> {
        let mut field = Field::root(self);
        for name in path {
            field = field.children().into_iter().find(|child| child.name == *name)?;
        }
        Some(field)
    }
}

impl<'a> Node<'a> {
    /// Returns the entry of that name, if this is a map that has one.
    pub(super) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        match &self.value {
            Value::Map(map) => map.entries.iter().find(|entry| entry.name == name),
            _ => None,
        }
    }
}

impl Value<'_> {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(Scalar { plain_type: PlainType::Null, .. }))
    }

    /// Returns whether a mistake took the value's place.
    pub(super) fn is_told(&self) -> bool {
        matches!(self, Self::Told)
    }

    /// Returns the text of a scalar of any type.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns what the user wrote, for `want …, got …`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Scalar(scalar) if scalar.quoted => format!("\"{}\"", shown(&scalar.text)),
            Self::Scalar(Scalar { plain_type: PlainType::Null, .. }) => "null".to_owned(),
            Self::Scalar(scalar) => shown(&scalar.text),
            Self::List => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Told => "something else".to_owned(),
        }
    }
}

/// Returns what `text` without quotes is.
pub(super) fn plain_type(text: &str) -> PlainType {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => PlainType::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" | "y" | "Y" | "yes" | "Yes" | "YES" | "n" | "N"
        | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => PlainType::Boolean,
        _ if is_number(text) => PlainType::Number,
        _ => PlainType::Text,
    }
}

/// Returns whether YAML 1.1 or 1.2 takes `text` for a number: `1`, `-1_000`, `0x1F`, `0o17`, `1.5e3`, `.inf`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2), ("0X", 16), ("0O", 8), ("0B", 2)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return !rest.is_empty() && rest.chars().all(|c| c == '_' || c.is_digit(radix));
        }
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        None => (digits, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.chars().all(|c| c == '_' || c.is_ascii_digit());
    mantissa.starts_with(|c: char| c == '.' || c.is_ascii_digit())
        && mantissa.contains(|c: char| c.is_ascii_digit())
        && is_digits(whole)
        && is_digits(fraction)
        && !exponent.is_empty()
        && exponent.chars().all(|c| c.is_ascii_digit())
}

/// Reads all documents; what is wrong with them goes to `report`.
pub(super) fn read<'a>(source: &'a Source<'_>, report: &mut Report) -> Tree<'a> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::new(source, report);
    let mut cause = None;
    for event in Parser::new_from_str_with_options(&source.text, options) {
        match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => cause = Some(Cause::Scan(error)),
        }
        cause = cause.or(builder.odd_indentation.map(Cause::OddIndentation));
        if builder.is_full || cause.is_some() {
            break;
        }
    }
    let open_bracket = builder.open.last().filter(|open| open.flow).map(|open| open.place);
    let failure = cause.map(|cause| Failure { cause, last_scalar: builder.last_scalar, open_bracket });
    builder.close_all();
    Tree { documents: builder.documents, failure }
}

/// A list or map whose end was not seen yet.
struct Open<'a> {
    place: Place,
    flow: bool,
    /// `{{ … }}`, which is a map in a map to YAML.
    template: bool,
    anchor: usize,
    /// What was counted before this one.
    before: Size,
    /// The map; None for a list.
    map: Option<Map<'a>>,
    /// The lines of the map's keys.
    lines: HashMap<Cow<'a, str>, usize>,
    /// What comes next in a map.
    next: Next<'a>,
    /// How many items a list has, for paths.
    items: usize,
}

enum Next<'a> {
    Key,
    Value(Key<'a>),
    /// The value of a key that was refused.
    ValueToSkip,
}

struct Key<'a> {
    name: Cow<'a, str>,
    plain_type: PlainType,
    place: Place,
}

struct Builder<'a, 'r> {
    source: &'a str,
    damaged: bool,
    report: &'r mut Report,
    documents: Vec<Document<'a>>,
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Rc<Node<'a>>>,
    size: Size,
    is_full: bool,
    last_scalar: Option<Span>,
    /// The line of the first key that begins with a blank that is none to YAML.
    odd_indentation: Option<usize>,
}

impl<'a, 'r> Builder<'a, 'r> {
    fn new(source: &'a Source<'_>, report: &'r mut Report) -> Self {
        Self {
            source: &source.text,
            damaged: source.damaged,
            report,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            size: Size::default(),
            is_full: false,
            last_scalar: None,
            odd_indentation: None,
        }
    }

    fn event(&mut self, event: Event<'a>, span: Span) {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.last_scalar = Some(span);
                let told = self.refuse_tag(span, tag.is_some());
                let size = Size { nodes: 1, bytes: text.len() };
                let value = if told { Value::Told } else { self.scalar(text, style, span, place) };
                let node = Rc::new(Node { place, value, size });
                self.remember(anchor, &node);
                self.add(node);
            }
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::UnresolvedAlias(name) => {
                let fault = Fault::new(format!("no anchor &{} above", shown(&name)));
                self.told(place, fault.say(format!("quote it if it is text: \"*{}\"", shown(&name))));
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_tag(span, tag.is_some());
                self.start(place, style, anchor, None);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_tag(span, tag.is_some());
                let flow = style == StructureStyle::Flow;
                self.start(place, style, anchor, Some(Map { entries: Vec::new(), whole: true, flow }));
                self.refuse_template(span, place);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => {}
        }
    }

    /// Returns where `span` stands; of several lines, the first.
    fn place(&self, span: Span) -> Place {
        let length = if span.start.line() == span.end.line() {
            span.end.index().saturating_sub(span.start.index())
        } else {
            let rest = span.start.byte_offset().and_then(|start| self.source.get(start..)).unwrap_or("");
            rest.chars().take_while(|c| !matches!(c, '\n' | '\r')).count()
        };
        Place { line: span.start.line(), column: span.start.col() + 1, length: length.max(1) }
    }

    /// Tells of `{{ … }}` where the map begins that was started last.
    fn refuse_template(&mut self, span: Span, place: Place) {
        let is_inside = self.is_in_template();
        let rest = span.start.byte_offset().and_then(|start| self.source.get(start..)).unwrap_or_default();
        let Some(open) = self.open.last_mut().filter(|open| open.flow && rest.starts_with("{{")) else { return };
        open.template = true;
        if !is_inside {
            let line = rest.lines().next().unwrap_or_default();
            let fault = template::on_line(line);
            let length = line.find("}}").map_or(1, |at| line[..at + 2].chars().count());
            self.report.add(Place { length, ..place }, &self.path(), fault);
        }
    }

    fn is_in_template(&self) -> bool {
        self.open.iter().any(|open| open.template)
    }

    /// Tells of a tag; true when there was one.
    fn refuse_tag(&mut self, span: Span, tagged: bool) -> bool {
        if tagged {
            let tag = span.tag_span().unwrap_or(span);
            let name = shown(tag.slice(self.source).unwrap_or("!"));
            let fault = Fault::new(format!("tags are not read, got {name}"));
            self.report.add(self.place(tag), &self.path(), fault.say(format!("remove {name}; quotes make text")));
        }
        tagged
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, span: Span, place: Place) -> Value<'a> {
        let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        if let Some(c) = text.chars().find(|c| is_control(*c)) {
            let fault = Fault::new(format!("control character {}", code_point(c)));
            self.report.add(place, &self.path(), fault.say("remove it"));
            return Value::Told;
        }
        if self.damaged && text.contains(REPLACEMENT) {
            return Value::Told;
        }
        let plain = style == ScalarStyle::Plain;
        // The parser writes `~` where the file has nothing.
        let text = if plain && span.start.index() == span.end.index() { Cow::Borrowed("") } else { text };
        let plain_type = if plain { plain_type(&text) } else { PlainType::Text };
        let quotes = usize::from(!plain);
        let same = span.start.line() == span.end.line() && place.length == text.chars().count() + 2 * quotes;
        Value::Scalar(Scalar { text, plain_type, quoted: !plain, offset: same.then_some(quotes) })
    }

    /// Keeps what an alias may stand for; the parser numbers anchors from 1.
    fn remember(&mut self, anchor: usize, node: &Rc<Node<'a>>) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(node));
        }
    }

    fn alias(&mut self, anchor: usize, place: Place) {
        match self.anchors.get(&anchor) {
            Some(node) => {
                let node = Rc::clone(node);
                self.add(node);
            }
            None => self.told(place, Fault::new("an alias inside its own anchor").say("write the value out")),
        }
    }

    /// Tells `fault` and puts a gap in the place of the value.
    fn told(&mut self, place: Place, fault: Fault) {
        self.report.add(place, &self.path(), fault);
        self.add(Rc::new(Node { place, value: Value::Told, size: Size { nodes: 1, bytes: 0 } }));
    }

    fn start(&mut self, place: Place, style: StructureStyle, anchor: usize, map: Option<Map<'a>>) {
        let flow = style == StructureStyle::Flow;
        self.open.push(Open {
            place,
            flow,
            template: false,
            anchor,
            before: self.size,
            map,
            lines: HashMap::new(),
            next: Next::Key,
            items: 0,
        });
        self.count(Size { nodes: 1, bytes: 0 }, place);
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let before = open.before;
        let size = Size { nodes: self.size.nodes - before.nodes, bytes: self.size.bytes - before.bytes };
        let value = match open.map {
            _ if open.template => Value::Told,
            Some(map) => Value::Map(map),
            None => Value::List,
        };
        let node = Rc::new(Node { place: open.place, value, size });
        self.remember(open.anchor, &node);
        self.size = before;
        self.add(node);
    }

    /// Closes what an error left open, marked as such.
    fn close_all(&mut self) {
        while let Some(open) = self.open.last_mut() {
            if let Some(map) = &mut open.map {
                map.whole = false;
            }
            self.close();
        }
    }

    fn count(&mut self, size: Size, place: Place) {
        self.size = Size { nodes: self.size.nodes + size.nodes, bytes: self.size.bytes + size.bytes };
        let too_much = if self.size.nodes > MAX_NODES {
            format!("more than {MAX_NODES} values, counting aliases in full")
        } else if self.size.bytes > MAX_TEXT_BYTES {
            format!("more than {MAX_TEXT_BYTES} bytes of text, counting aliases in full")
        } else {
            return;
        };
        if !self.is_full {
            self.is_full = true;
            self.report.add(place, "", Fault::new(too_much).say("name a file that holds one FlameCluster"));
        }
    }

    /// Puts a complete value where it belongs: as a key, as the value of one, as an item or as a document.
    fn add(&mut self, node: Rc<Node<'a>>) {
        self.count(node.size, node.place);
        let Some(open) = self.open.last_mut() else {
            self.documents.push(Document { place: node.place, root: node });
            return;
        };
        let Some(map) = &mut open.map else {
            open.items += 1;
            return;
        };
        match std::mem::replace(&mut open.next, Next::Key) {
            Next::Value(Key { name, plain_type, place }) => {
                map.entries.push(Entry { name, plain_type, place, value: node });
            }
            Next::ValueToSkip => {}
            Next::Key => {
                let next = self.key(&node).map_or(Next::ValueToSkip, Next::Value);
                if let Some(open) = self.open.last_mut() {
                    open.next = next;
                }
            }
        }
    }

    /// Returns `node` as a key of the innermost map, unless it may not be one.
    fn key(&mut self, node: &Node<'a>) -> Option<Key<'a>> {
        let key = match &node.value {
            Value::Scalar(scalar) if !scalar.quoted && ["//", "/*"].iter().any(|it| scalar.text.starts_with(it)) => {
                let fault = Fault::new("a comment begins with \"#\" in YAML");
                self.report.add(node.place, &self.path(), fault.say("write # instead"));
                None
            }
            Value::Scalar(scalar) if scalar.text != "<<" || scalar.quoted => {
                let is_block = self.open.last().is_some_and(|open| !open.flow);
                if is_block && !scalar.quoted && scalar.text.starts_with(is_odd_blank) {
                    self.odd_indentation = Some(node.place.line);
                }
                self.refuse_duplicate(scalar.text.clone(), node.place);
                Some(Key { name: scalar.text.clone(), plain_type: scalar.plain_type, place: node.place })
            }
            Value::Scalar(_) => {
                let fault = Fault::new("merge keys (<<) are not read");
                self.report.add(node.place, &self.path(), fault.say("write the fields out"));
                None
            }
            Value::Told => None,
            Value::Map(_) if self.open.last().is_some_and(|open| open.template) => None,
            Value::List | Value::Map(_) => {
                let fault = Fault::new(format!("a key has to be text, got {}", node.value.describe()));
                self.report.add(node.place, &self.path(), fault.say("write KEY: VALUE"));
                None
            }
        };
        if let (None, Some(map)) = (&key, self.open.last_mut().and_then(|open| open.map.as_mut())) {
            map.whole = false;
        }
        key
    }

    fn refuse_duplicate(&mut self, name: Cow<'a, str>, place: Place) {
        if self.is_in_template() {
            return;
        }
        let Some(open) = self.open.last_mut() else { return };
        // A key given three times is told twice, each time with the first line.
        if let Some(first) = open.lines.get(&name).copied() {
            let fault = Fault::new(format!("{} is given twice: in line {first} and here", shown(&name)));
            self.report.add(place, &path_of(&self.path(), &name), fault.say("remove one of the two"));
        } else {
            open.lines.insert(name, place.line);
        }
    }

    /// Returns the path of the value that is being read.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match (&open.map, &open.next) {
                (Some(_), Next::Value(key)) => path = path_of(&path, &key.name),
                (None, _) => path = format!("{path}[{}]", open.items),
                _ => {}
            }
        }
        path
    }
}
