//! `hawker bench retrieval`: the best 100 of many items along a graph (HNSW) and by looking at every item (exact scan).
//!
//! Vectors of 64 numbers around one centre for each hundred of them, of lengths that differ some threefold, as the items of a
//! shop do; queries around the same centres, all at once on all cores, without a mask. The build is on one core, since it
//! must give the same graph every time. Where the graph is built for one run, it pays from as many queries on as the build
//! time divided by what a query saves.

use std::collections::HashSet;
use std::time::Instant;

use engine::{ItemIndex, RetrievalSettings};
use nn::generator;
use rand::RngExt;

use super::{Report, Row, grouped, median};
use crate::Outcome;
use crate::cli::BenchArgs;
use crate::terminal::Terminal;

pub(super) const PEER: &str = "exact scan";

const SIZES: [u32; 3] = [10_000, 100_000, 300_000];
const COLUMNS: usize = 64;
const QUERIES: usize = 512;
const BEST: usize = 100;
/// Items around one centre.
const CLUSTER: usize = 100;

pub(super) fn run(args: &BenchArgs, terminal: Terminal) -> Outcome<Report> {
    let sizes = args.items.map_or(SIZES.to_vec(), |items| vec![items]);
    let bar = terminal.bar(sizes.len() as u64, "sizes");
    let mut rows = Vec::new();
    for items in sizes {
        bar.set_message(format!("{} items", grouped(items.into())));
        rows.extend(measure(items as usize, args.runs)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Report {
        rows,
        skipped: Vec::new(),
        disagreements: Vec::new(),
        runs: args.runs,
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    })
}

fn measure(items: usize, runs: u32) -> Outcome<[Row; 4]> {
    let (vectors, queries) = clustered(items);
    let settings = |exact_up_to| RetrievalSettings {
        exact_up_to,
        ..RetrievalSettings::default()
    };
    let exact = ItemIndex::new(&vectors, COLUMNS, &settings(usize::MAX))?;
    let started = Instant::now();
    let graph = ItemIndex::new(&vectors, COLUMNS, &settings(0))?;
    let build_s = started.elapsed().as_secs_f64();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut recall = 0.0;
    for _ in 0..runs {
        // In turn, so that whatever else the machine does meets both alike.
        let (found, rate) = timed(&graph, &queries)?;
        ours.push(rate);
        let (best, rate) = timed(&exact, &queries)?;
        theirs.push(rate);
        recall = shared(&found, &best);
    }
    let work = |what: &str| format!("{} items, {what}", grouped(items as u64));
    let mib = |index: &ItemIndex| Some(index.bytes() as f64 / f64::from(1 << 20));
    let peer = || Some(PEER.to_owned());
    Ok([
        Row::new(
            (work("best 100"), "queries/s"),
            median(ours),
            median(theirs),
            peer(),
        ),
        Row::new(
            (work("recall of the best 100"), "share"),
            Some(recall),
            Some(1.0),
            peer(),
        ),
        Row::new((work("built in"), "s"), Some(build_s), None, None),
        Row::new((work("memory"), "MiB"), mib(&graph), mib(&exact), peer()),
    ])
}

/// Lists of items with their scores, one a query.
type Lists = Vec<Vec<(u32, f32)>>;

/// What an index finds, and queries a second.
fn timed(index: &ItemIndex, queries: &[f32]) -> Outcome<(Lists, f64)> {
    let started = Instant::now();
    let found = index.search_all(queries, BEST, None)?;
    Ok((found, QUERIES as f64 / started.elapsed().as_secs_f64()))
}

/// The share of the best items that were found.
fn shared(found: &Lists, best: &Lists) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (found, best) in found.iter().zip(best) {
        let found: HashSet<u32> = found.iter().map(|(item, _)| *item).collect();
        hits += best.iter().filter(|(item, _)| found.contains(item)).count();
        all += best.len();
    }
    hits as f64 / all as f64
}

/// Items and queries, each in row-major order.
fn clustered(items: usize) -> (Vec<f32>, Vec<f32>) {
    let mut rng = generator(1, "retrieval", 0);
    let count = items.div_ceil(CLUSTER);
    let centres: Vec<f32> = (0..count * COLUMNS)
        .map(|_| rng.random::<f32>() - 0.5)
        .collect();
    let mut around = |centre: usize, stretch: f32| -> Vec<f32> {
        let centre = &centres[centre * COLUMNS..][..COLUMNS];
        let point = centre
            .iter()
            .map(|x| (x + 0.6 * (rng.random::<f32>() - 0.5)) * stretch);
        point.collect()
    };
    let vectors = (0..items).flat_map(|item| around(item % count, 0.6 + (item % 7) as f32 / 5.0));
    let vectors = vectors.collect();
    let queries = (0..QUERIES).flat_map(|query| around(query * 13 % count, 1.0));
    (vectors, queries.collect())
}
