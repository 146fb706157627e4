//! Measurements as SVG: wall time over the number of executors, a panel for each latency and user, a line for each tool.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::results::{Row, median};
use crate::tools::{Job, Tool};

const PANEL: (f64, f64) = (300.0, 230.0);
/// Room for the numbers left of a panel, and for its title and the numbers below.
const ROOM: (f64, f64) = (60.0, 78.0);
const TOP: f64 = 60.0;
const LEGEND: f64 = 190.0;

/// Colours that people with any kind of colour vision can tell apart (Okabe and Ito).
fn color(tool: Tool) -> &'static str {
    match tool {
        Tool::Flamectl => "#d55e00",
        Tool::Kubectl => "#0072b2",
        Tool::KubectlServerSide => "#56b4e9",
        Tool::Helm => "#009e73",
        Tool::Kapp => "#cc79a7",
        Tool::Roofline => "#000000",
        Tool::RooflinePost => "#888888",
        Tool::RooflineInOrder => "#e69f00",
    }
}

/// From a range of numbers to a range of places, both with the same factor between neighbours.
struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// Covers the numbers and a little more.
    fn around(numbers: impl Iterator<Item = f64> + Clone, to: (f64, f64)) -> Self {
        let least = numbers.clone().fold(f64::INFINITY, f64::min).log10();
        let most = numbers.fold(f64::NEG_INFINITY, f64::max).log10();
        let more = ((most - least) * 0.08).max(0.15);
        Self { from: (least - more, most + more), to }
    }

    fn place(&self, number: f64) -> f64 {
        self.to.0 + (number.log10() - self.from.0) / (self.from.1 - self.from.0) * (self.to.1 - self.to.0)
    }

    /// Returns round numbers in its range: 1, 2 and 5 of each power of ten, or only the powers where those are many.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.from.0.floor() as i32..=self.from.1.ceil() as i32;
        let steps: &[f64] = if self.from.1 - self.from.0 > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        all.filter(|tick| (self.from.0..=self.from.1).contains(&tick.log10())).collect()
    }
}

/// Returns the picture of a job; none where there is nothing to see.
pub fn plot(job: Job, rows: &[Row]) -> Option<String> {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.job == job && row.is_well() && !row.audited).collect();
    // A program's version does not take longer with more executors.
    if rows.is_empty() || job == Job::Version {
        return None;
    }
    let latencies: BTreeSet<u32> = rows.iter().map(|row| row.latency).collect();
    let executors: BTreeSet<u32> = rows.iter().map(|row| row.executors).collect();
    let users: BTreeSet<&str> = rows.iter().map(|row| row.user.as_str()).collect();
    let width = latencies.len() as f64 * (PANEL.0 + ROOM.0) + LEGEND + 20.0;
    let height = TOP + users.len() as f64 * (PANEL.1 + ROOM.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"20\" y=\"28\" font-size=\"18\">{job}: wall time over executors</text>\n"
    );
    // All panels have the same scales, so that they can be compared.
    let sizes = Scale::around(rows.iter().map(|row| f64::from(row.executors)), (0.0, PANEL.0));
    let walls = Scale::around(rows.iter().map(|row| row.wall_seconds.max(1e-4)), (PANEL.1, 0.0));
    for (line, user) in users.iter().enumerate() {
        for (column, latency) in latencies.iter().enumerate() {
            let x = column as f64 * (PANEL.0 + ROOM.0) + ROOM.0;
            let y = TOP + line as f64 * (PANEL.1 + ROOM.1) + 18.0;
            let of_panel: Vec<&Row> =
                rows.iter().filter(|row| row.user == *user && row.latency == *latency).copied().collect();
            add(&mut svg, format_args!("<g transform=\"translate({x} {y})\">\n"));
            axes(&mut svg, &executors, &sizes, &walls);
            add(&mut svg, format_args!("<text x=\"0\" y=\"-8\" font-weight=\"bold\">{latency} ms, {user}</text>\n"));
            Tool::ALL.into_iter().for_each(|tool| line_of(&mut svg, tool, &of_panel, &sizes, &walls));
            svg.push_str("</g>\n");
        }
    }
    let there: BTreeSet<Tool> = rows.iter().map(|row| row.tool).collect();
    for (number, tool) in there.into_iter().enumerate() {
        let (x, y) = (width - LEGEND, TOP + 30.0 + number as f64 * 22.0);
        let color = color(tool);
        add(
            &mut svg,
            format_args!(
                "<path d=\"M{x} {y}h26\" stroke=\"{color}\" stroke-width=\"2\"/><circle cx=\"{}\" cy=\"{y}\" r=\"3.5\" \
                 fill=\"{color}\"/><text x=\"{}\" y=\"{}\">{tool}</text>\n",
                x + 13.0,
                x + 34.0,
                y + 4.0
            ),
        );
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

fn add(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    svg.write_fmt(arguments).expect("a String takes everything");
}

fn axes(svg: &mut String, executors: &BTreeSet<u32>, sizes: &Scale, walls: &Scale) {
    let (width, height) = PANEL;
    for tick in executors {
        let x = sizes.place(f64::from(*tick));
        add(
            svg,
            format_args!(
                "<path d=\"M{x:.1} 0V{height}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>\n",
                height + 16.0
            ),
        );
    }
    for tick in walls.ticks() {
        let y = walls.place(tick);
        // A tick is 1, 2 or 5 times a power of ten: rounding takes away what the power is not exact in.
        let label = (tick * 1e4).round() / 1e4;
        add(
            svg,
            format_args!(
                "<path d=\"M0 {y:.1}H{width}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"-6\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                y + 4.0
            ),
        );
    }
    add(
        svg,
        format_args!(
            "<rect width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#888\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">executors</text>\
             <text transform=\"translate(-42 {}) rotate(-90)\" text-anchor=\"middle\">seconds</text>\n",
            width / 2.0,
            height + 34.0,
            height / 2.0
        ),
    );
}

/// The medians, and from the fastest to the slowest.
fn line_of(svg: &mut String, tool: Tool, rows: &[&Row], sizes: &Scale, walls: &Scale) {
    let color = color(tool);
    let of_tool = || rows.iter().filter(|row| row.tool == tool);
    let executors: BTreeSet<u32> = of_tool().map(|row| row.executors).collect();
    let mut points = String::new();
    for size in executors {
        let at = of_tool().filter(|row| row.executors == size).map(|row| row.wall_seconds.max(1e-4));
        let Some(middle) = median(at.clone()) else { continue };
        let (x, y) = (sizes.place(f64::from(size)), walls.place(middle));
        let (least, most) = (at.clone().fold(f64::INFINITY, f64::min), at.fold(0.0, f64::max));
        add(
            svg,
            format_args!(
                "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"{color}\" stroke-opacity=\"0.5\" stroke-width=\"3\"/>\
                 <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\"/>\n",
                walls.place(least),
                walls.place(most)
            ),
        );
        write!(points, "{x:.1},{y:.1} ").expect("a String takes everything");
    }
    add(svg, format_args!("<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>\n"));
}
