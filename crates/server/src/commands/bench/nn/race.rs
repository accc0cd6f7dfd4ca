//! One work, by us and by the peers in turn.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;

use super::super::{Row, Skipped, median};
use super::peer::{self, Contender, Peer};
use crate::Outcome;
use crate::cli::BenchArgs;

/// Before each turn, so that threads of the one before have stopped to wait for work.
const PAUSE: Duration = Duration::from_millis(250);

/// A work and all who do it.
pub(super) struct Race<'a> {
    pub(super) work: &'static str,
    /// What is counted, a second: the larger, the faster.
    pub(super) unit: &'static str,
    /// How many of them a turn has.
    pub(super) count: f64,
    /// How many a second the machine could do at most.
    pub(super) floor: f64,
    /// Takes a turn of ours and returns its seconds.
    pub(super) ours: Option<Box<dyn FnMut() -> Outcome<f64> + 'a>>,
    pub(super) peers: Vec<Contender>,
    pub(super) check: Check,
}

/// What shows that a peer does the same work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// The number's name, such as "first loss".
    pub(super) name: &'static str,
    pub(super) ours: f64,
    /// By how much a peer's may differ.
    pub(super) tolerance: f64,
}

/// What races came to.
#[derive(Default)]
pub(super) struct Results {
    pub(super) rows: Vec<Row>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) disagreements: Vec<String>,
}

/// The figures of one peer: seconds of each turn by each of its ways.
struct Figures {
    contender: &'static str,
    peer: Peer,
    seconds: BTreeMap<String, Vec<f64>>,
}

impl Race<'_> {
    /// Runs the rounds and adds a row a peer, or one of ours alone.
    ///
    /// # Errors
    /// Ours alone: a peer's fault is among what was skipped.
    pub(super) fn run(
        mut self,
        args: &BenchArgs,
        cores: usize,
        scratch: &Path,
        bar: &ProgressBar,
        results: &mut Results,
    ) -> Outcome<()> {
        let mut theirs = Vec::new();
        for contender in &self.peers {
            bar.set_message(format!("{}: {} gets ready", self.work, contender.name));
            let mut command = peer::command(&args.python, &args.peers, contender, cores);
            match Peer::start(&mut command, &scratch.join("errors")) {
                Ok(peer) => {
                    results
                        .disagreements
                        .extend(self.check.of(self.work, &peer));
                    theirs.push(Figures {
                        contender: contender.name,
                        peer,
                        seconds: BTreeMap::new(),
                    });
                }
                Err(why) => results.skip(contender.name, why.to_string()),
            }
        }
        bar.set_message(self.work);
        let mut ours = Vec::new();
        for _ in 0..args.runs {
            if let Some(turn) = &mut self.ours {
                std::thread::sleep(PAUSE);
                ours.push(self.count / turn()?);
            }
            theirs.retain_mut(|figures| match figures.turn() {
                Ok(()) => true,
                Err(why) => {
                    results.skip(figures.contender, why.to_string());
                    false
                }
            });
            bar.inc(1);
        }
        let ours = median(ours);
        let row = |peer, name| {
            let row = Row::new((self.work, self.unit), ours, peer, name);
            row.with_floor(self.floor)
        };
        if theirs.is_empty() {
            results.rows.push(row(None, None));
        }
        for figures in theirs {
            let (way, seconds) = figures.best();
            let name = format!("{}, {way}", figures.peer.ready.peer);
            results
                .rows
                .push(row(seconds.map(|s| self.count / s), Some(name)));
        }
        Ok(())
    }
}

impl Check {
    /// In words, how a peer's number differs; nothing where it does not or the peer has none.
    fn of(self, work: &str, peer: &Peer) -> Option<String> {
        let theirs = peer.ready.check?;
        let agrees = (theirs - self.ours).abs() <= self.tolerance;
        (!agrees).then(|| {
            format!(
                "{work}: the {} of {} is {theirs}, hawker's {}: it is not the same work",
                self.name, peer.ready.peer, self.ours
            )
        })
    }
}

impl Figures {
    fn turn(&mut self) -> Outcome<()> {
        std::thread::sleep(PAUSE);
        for (way, seconds) in self.peer.turn()? {
            self.seconds.entry(way).or_default().push(seconds);
        }
        Ok(())
    }

    /// The way whose median is the smallest.
    fn best(&self) -> (&str, Option<f64>) {
        let medians = self
            .seconds
            .iter()
            .filter_map(|(way, seconds)| Some((way.as_str(), median(seconds.clone())?)));
        let best = medians.min_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or(("no turn", None), |(way, seconds)| (way, Some(seconds)))
    }
}

impl Results {
    /// Names a peer that did not run; once, however many works it was to do.
    fn skip(&mut self, peer: &'static str, why: String) {
        let known = |skipped: &Skipped| skipped.peer == peer && skipped.why == why;
        if !self.skipped.iter().any(known) {
            self.skipped.push(Skipped { peer, why });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const READY: &str = r#"echo '{"peer": "sh 1", "check": 1.0}'; "#;

    /// The race of a script in place of Python against ten units in two seconds of ours.
    fn race(script: &str, ours: f64, peers: &[&'static str]) -> Results {
        let folder = tempfile::tempdir().expect("writable");
        std::fs::write(folder.path().join("peer.sh"), script).expect("writable");
        let folder_name = folder.path().to_str().expect("text");
        let cli = crate::cli::Cli::parse_from([
            "hawker",
            "bench",
            "nn",
            "--runs",
            "3",
            "--python",
            "sh",
            "--peers",
            folder_name,
        ]);
        let crate::cli::Command::Bench(args) = cli.command else {
            panic!("bench was asked");
        };
        let contender = |name: &&'static str| Contender {
            name,
            script: "peer.sh",
            options: serde_json::json!({}),
        };
        let race = Race {
            work: "w",
            unit: "steps/s",
            count: 10.0,
            floor: 20.0,
            ours: Some(Box::new(|| Ok(2.0))),
            peers: peers.iter().map(contender).collect(),
            check: Check {
                name: "first loss",
                ours,
                tolerance: 1e-3,
            },
        };
        let mut results = Results::default();
        race.run(
            &args,
            2,
            folder.path(),
            &ProgressBar::hidden(),
            &mut results,
        )
        .expect("ours runs");
        results
    }

    #[test]
    fn more_than_one_says_that_ours_is_faster_than_the_peers_best_way() {
        let turns = r#"while read line; do echo '{"seconds": {"slow": 9, "fast": 4}}'; done"#;
        let results = race(&format!("{READY}{turns}"), 1.0005, &["p"]);
        let row = &results.rows[0];
        // Ours 10 in 2 s, theirs 10 in 4 s, at best 20 a second.
        assert_eq!(
            (row.ours, row.peer, row.ratio),
            (Some(5.0), Some(2.5), Some(2.0))
        );
        assert_eq!((row.floor, row.floor_share), (Some(20.0), Some(0.25)));
        assert_eq!(row.peer_name.as_deref(), Some("sh 1, fast"));
        assert!(results.disagreements.is_empty() && results.skipped.is_empty());
    }

    #[test]
    fn a_peer_with_another_check_disagrees() {
        let turns = r#"while read line; do echo '{"seconds": {"a": 1}}'; done"#;
        let results = race(&format!("{READY}{turns}"), 1.01, &["p"]);
        assert_eq!(
            results.disagreements,
            ["w: the first loss of sh 1 is 1, hawker's 1.01: it is not the same work"]
        );
    }

    #[test]
    fn a_peer_that_fails_leaves_ours_alone() {
        for script in [
            "echo no package >&2; exit 1",
            &format!("{READY} read line; exit 1"),
        ] {
            let results = race(script, 1.0, &["p", "p"]);
            assert_eq!(results.rows.len(), 1);
            assert_eq!(
                (results.rows[0].ours, results.rows[0].peer),
                (Some(5.0), None)
            );
            assert_eq!(results.skipped.len(), 1, "the same is said once");
        }
    }
}
