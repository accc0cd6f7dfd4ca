//! `hawker bench import`: the two years of UCI Online Retail, read and cleaned.
//!
//! Ours is a whole process, from its start to its end, that writes the log durably; a peer times itself, without the start
//! of its interpreter, and keeps the result in memory. Both unpack the files.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::process::{self, Finished};
use super::{Report, Row, Skipped, median};
use crate::Outcome;
use crate::cli::{BenchArgs, Shared};
use crate::terminal::Terminal;

const SPEED: (&str, &str) = ("import online-retail", "rows/s");
const MEMORY: (&str, &str) = ("import online-retail, peak memory", "MiB");

/// A tool that does the same work.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The Python package that it is.
    package: &'static str,
    script: &'static str,
}

pub(super) const PEERS: [Peer; 2] = [
    Peer {
        name: "DuckDB",
        package: "duckdb",
        script: "import_duckdb.py",
    },
    Peer {
        name: "pandas",
        package: "pandas",
        script: "import_pandas.py",
    },
];

/// What became of the rows; the same for everybody who follows the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Counts {
    rows_read: u64,
    kept: u64,
    merged: u64,
    quarantined: u64,
}

/// What a peer prints.
#[derive(Debug, Deserialize)]
struct PeerReport {
    peer: String,
    rows_per_s_with_unpacking: f64,
    #[serde(flatten)]
    counts: Counts,
}

/// The figures of one tool over the runs.
#[derive(Default)]
struct Figures {
    name: Option<String>,
    counts: Option<Counts>,
    rows_per_s: Vec<f64>,
    peak_mib: Vec<f64>,
}

impl Figures {
    fn add(&mut self, rows_per_s: f64, counts: Counts, finished: &Finished) {
        self.counts = Some(counts);
        self.rows_per_s.push(rows_per_s);
        self.peak_mib.extend(finished.peak_mib);
    }
}

pub(super) fn run(shared: &Shared, args: &BenchArgs, terminal: Terminal) -> Outcome<Report> {
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    let files = packed_files(path)?;
    let (peers, skipped) = find_peers(args);
    let mut ours = Figures::default();
    let mut theirs: Vec<Figures> = peers.iter().map(|_| Figures::default()).collect();
    let bar = terminal.bar(u64::from(args.runs), "runs");
    for _ in 0..args.runs {
        // In turn, so that whatever else the machine does meets all alike.
        import(&shared.data_dir, &files, &mut ours)?;
        for ((peer, python), figures) in peers.iter().zip(&mut theirs) {
            let script = args.peers.join(peer.script);
            let finished = process::run(Command::new(python).arg(script).arg(path))?;
            let report: PeerReport = read(&finished.last_line, peer.name)?;
            figures.add(report.rows_per_s_with_unpacking, report.counts, &finished);
            figures.name = Some(report.peer);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Report {
        disagreements: disagreements(&ours, &theirs),
        rows: rows(ours, theirs),
        skipped,
        runs: args.runs,
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    })
}

/// The files that the peers read.
fn packed_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let missing = || {
        let folder = folder.display();
        format!("{folder} holds no .csv.xz file; name the folder of UCI Online Retail with --path")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|_| missing())? {
        let file = entry?.path();
        if file.to_string_lossy().ends_with(".csv.xz") {
            files.push(std::path::absolute(file)?);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(missing().into());
    }
    Ok(files)
}

/// The peers that can run, each with its interpreter, and those that cannot.
fn find_peers(args: &BenchArgs) -> (Vec<(&'static Peer, String)>, Vec<Skipped>) {
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for peer in &PEERS {
        match interpreter(args, peer) {
            Ok(python) => found.push((peer, python)),
            Err(why) => skipped.push(Skipped {
                peer: peer.name,
                why: why.to_string(),
            }),
        }
    }
    (found, skipped)
}

/// The interpreter behind the command, which may be a script that starts another process.
fn interpreter(args: &BenchArgs, peer: &Peer) -> Outcome<String> {
    let script = args.peers.join(peer.script);
    if !script.exists() {
        let script = script.display();
        return Err(format!(
            "{script} is not there; run from the repository, or name the folder with --peers"
        )
        .into());
    }
    let program = format!("import sys, {}; print(sys.executable)", peer.package);
    let finished = process::run(Command::new(&args.python).args(["-c", &program]))?;
    Ok(finished.last_line)
}

/// Imports into a data directory of its own, on the disk where the shop's would be.
fn import(data_dir: &Path, files: &[PathBuf], figures: &mut Figures) -> Outcome<()> {
    let scratch = std::path::absolute(data_dir.join("bench"))?;
    let is_new = !data_dir.exists();
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch)?;
    let mut command = Command::new(std::env::current_exe()?);
    // In the folder itself, so that no configuration of the current one changes the work.
    command
        .args(["import", "online-retail", "--json", "--data-dir"])
        .arg(scratch.join("data"))
        .args(files)
        .current_dir(&scratch);
    let finished = process::run(&mut command);
    std::fs::remove_dir_all(&scratch)?;
    if is_new {
        std::fs::remove_dir(data_dir)?;
    }
    let finished = finished?;
    let counts: Counts = read(&finished.last_line, "hawker")?;
    figures.add(
        counts.rows_read as f64 / finished.seconds,
        counts,
        &finished,
    );
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(line: &str, who: &str) -> Outcome<T> {
    let fault = |error| format!("{who} printed no report on its last line: {error}");
    Ok(serde_json::from_str(line).map_err(fault)?)
}

fn disagreements(ours: &Figures, theirs: &[Figures]) -> Vec<String> {
    let differing = theirs.iter().filter(|peer| peer.counts != ours.counts);
    differing
        .filter_map(|peer| {
            let (name, theirs, ours) = (peer.name.as_ref()?, peer.counts?, ours.counts?);
            Some(format!(
                "{name} kept, merged and quarantined {}, {} and {} rows, hawker {}, {} and {}: it is not the same work",
                theirs.kept, theirs.merged, theirs.quarantined, ours.kept, ours.merged, ours.quarantined
            ))
        })
        .collect()
}

fn rows(ours: Figures, theirs: Vec<Figures>) -> Vec<Row> {
    let (speed, memory) = (median(ours.rows_per_s), median(ours.peak_mib));
    if theirs.is_empty() {
        return vec![
            Row::new(SPEED, speed, None, None),
            Row::new(MEMORY, memory, None, None),
        ];
    }
    let pairs = theirs.into_iter().flat_map(|peer| {
        let (name, fast, large) = (peer.name, median(peer.rows_per_s), median(peer.peak_mib));
        [
            Row::new(SPEED, speed, fast, name.clone()),
            Row::new(MEMORY, memory, large, name),
        ]
    });
    pairs.collect()
}
