//! `hawker bench`: our work beside that of the tools that people use for it, on the same machine, in turn.
//!
//! Nothing here is part of what a shop runs. The peers are scripts outside the workspace (`bench/peers`); where Python or a
//! package is missing, a peer is skipped and named.

mod import;
mod nn;
mod process;
mod retrieval;

use serde::Serialize;

use super::grouped;
use crate::Outcome;
use crate::cli::{BenchArgs, BenchName, Shared};
use crate::terminal::Terminal;

/// One figure of ours beside a peer's; medians over the runs.
#[derive(Debug, Serialize)]
struct Row {
    work: String,
    unit: &'static str,
    ours: Option<f64>,
    peer: Option<f64>,
    peer_name: Option<String>,
    /// Ours over the peer's.
    ratio: Option<f64>,
    /// The figure that the machine's measured rates allow at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<f64>,
    /// Ours over that.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor_share: Option<f64>,
}

/// A peer that did not run.
#[derive(Debug, Serialize)]
struct Skipped {
    peer: &'static str,
    why: String,
}

/// What a bench came to: the last line of `--json`.
#[derive(Debug, Serialize)]
struct Report {
    rows: Vec<Row>,
    skipped: Vec<Skipped>,
    /// Peers that did not come to the same result, in words; their figures are of other work than ours.
    disagreements: Vec<String>,
    runs: u32,
    cores: usize,
}

impl Row {
    fn new(
        (work, unit): (impl Into<String>, &'static str),
        ours: Option<f64>,
        peer: Option<f64>,
        peer_name: Option<String>,
    ) -> Self {
        let ratio = ours.zip(peer).map(|(ours, peer)| ours / peer);
        Self {
            work: work.into(),
            unit,
            ours,
            peer,
            peer_name,
            ratio: ratio.filter(|ratio| ratio.is_finite()),
            floor: None,
            floor_share: None,
        }
    }

    /// The same beside what the machine allows at most.
    fn with_floor(self, floor: f64) -> Self {
        Self {
            floor_share: self.ours.map(|ours| ours / floor),
            floor: Some(floor),
            ..self
        }
    }
}

pub(crate) fn run(shared: &Shared, args: &BenchArgs, terminal: Terminal) -> Outcome<()> {
    let Some(name) = args.name.filter(|_| !args.list) else {
        return list(terminal);
    };
    let report = match name {
        BenchName::Import => import::run(shared, args, terminal)?,
        BenchName::Nn => nn::run(shared, args, terminal)?,
        BenchName::Retrieval => retrieval::run(args, terminal)?,
    };
    tell(&report, terminal);
    terminal.result(&report)
}

/// Names what there is to measure.
fn list(terminal: Terminal) -> Outcome<()> {
    let benches = BenchName::ALL.map(|name| {
        let (measures, peers) = match name {
            BenchName::Import => (
                "`hawker import online-retail` into a fresh data directory: rows a second, peak memory",
                import::PEERS.map(|peer| peer.name).join(", "),
            ),
            BenchName::Nn => (
                "training steps, decoding and the state of one shopper: each a second",
                nn::PEERS.to_owned(),
            ),
            BenchName::Retrieval => (
                "searching the best 100 of many items along a graph: queries a second, recall, build time, memory",
                retrieval::PEER.to_owned(),
            ),
        };
        terminal.say(format!("{name:<9} {measures}; beside {peers}"));
        serde_json::json!({ "name": name.to_string(), "measures": measures, "peers": peers })
    });
    terminal.result(&serde_json::json!({ "benches": benches }))
}

fn tell(report: &Report, terminal: Terminal) {
    terminal.say(format!(
        "medians of {} runs on {} cores",
        report.runs, report.cores
    ));
    for row in &report.rows {
        let mut ours = format!("{}: {} {}", row.work, figure(row.ours), row.unit);
        if let Some((floor, share)) = row.floor.zip(row.floor_share) {
            let floor = figure(Some(floor));
            ours = format!("{ours}, {:.0} % of at most {floor}", 100.0 * share);
        }
        let Some(peer) = &row.peer_name else {
            terminal.say(ours);
            continue;
        };
        let ratio = row
            .ratio
            .map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let theirs = figure(row.peer);
        terminal.say(format!("{ours}; {peer} {theirs}; ratio {ratio}"));
    }
    for skipped in &report.skipped {
        terminal.say(format!("skipped {}: {}", skipped.peer, skipped.why));
    }
    for disagreement in &report.disagreements {
        terminal.say(disagreement);
    }
}

/// A figure as it is told: a small one with its decimals.
fn figure(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value < 100.0 => format!("{value:.2}"),
        Some(value) => grouped(value.round() as u64),
    }
}

/// The middle value, or the mean of the two in the middle; none of no values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        even if even.is_multiple_of(2) => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_value_in_the_middle() {
        for (values, expected) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![9.0, 1.0], Some(5.0)),
            (vec![9.0, 1.0, 2.0], Some(2.0)),
        ] {
            assert_eq!(median(values), expected);
        }
    }

    #[test]
    fn a_small_figure_keeps_its_decimals() {
        let told = [None, Some(2.345), Some(99.0), Some(5_432.1)].map(figure);
        assert_eq!(told, ["–", "2.35", "99.00", "5,432"]);
    }

    #[test]
    fn a_ratio_needs_both_figures() {
        let ratio = |ours, peer| Row::new(("w", "u"), ours, peer, None).ratio;
        assert_eq!(ratio(Some(3.0), Some(2.0)), Some(1.5));
        assert_eq!(ratio(Some(3.0), Some(0.0)), None);
        assert_eq!(ratio(Some(3.0), None), None);
    }
}
