//! A peer that stays alive between its turns, so that its imports and compilation are not counted.
//!
//! It gets one argument, a JSON object of sizes, and prints one line `{"peer": NAME, "check": NUMBER}` when it is ready. It
//! answers each line that it then reads with one line `{"seconds": {VARIANT: SECONDS}}`, the time of one turn by each way that it
//! knows to do the work, and ends where its input ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Outcome;

/// Settings of glibc's allocator under which it keeps what it has, in huge pages, as ours does.
const ALLOCATOR: [(&str, &str); 5] = [
    ("MALLOC_TOP_PAD_", "67108864"),
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "2000000000"),
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
    ("THP_MEM_ALLOC_ENABLE", "1"),
];

/// Whom to start and how.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) script: &'static str,
    /// Sizes of the work.
    pub(super) options: serde_json::Value,
}

/// What a peer says when it is ready.
#[derive(Debug, Deserialize)]
pub(super) struct Ready {
    /// Its name with its version.
    pub(super) peer: String,
    /// A number to which everybody comes who does the same work.
    pub(super) check: Option<f64>,
}

/// What a peer says after a turn.
#[derive(Debug, Deserialize)]
struct Turn {
    seconds: BTreeMap<String, f64>,
}

/// A running peer.
#[derive(Debug)]
pub(super) struct Peer {
    child: Child,
    /// None once the peer has been told to end.
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    /// Where its standard error goes.
    errors: PathBuf,
    pub(super) ready: Ready,
}

/// The command of a contender with as many threads as cores.
pub(super) fn command(
    python: &Path,
    scripts: &Path,
    contender: &Contender,
    cores: usize,
) -> Command {
    let mut options = contender.options.clone();
    options["threads"] = cores.into();
    let mut command = Command::new(python);
    command
        .arg(scripts.join(contender.script))
        .arg(options.to_string())
        .envs(ALLOCATOR)
        .env("OMP_NUM_THREADS", cores.to_string())
        .env("MKL_NUM_THREADS", cores.to_string());
    command
}

impl Peer {
    /// Starts a peer and waits until it is ready; `errors` is a file for what it says of faults.
    ///
    /// # Errors
    /// In words, when it cannot be started or ends first: with the last line that it wrote.
    pub(super) fn start(command: &mut Command, errors: &Path) -> Outcome<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(errors)?)
            .spawn()
            .map_err(|error| format!("cannot run {program}: {error}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or("the peer has no standard output")?;
        let mut peer = Self {
            child,
            input,
            lines: BufReader::new(output).lines(),
            errors: errors.to_owned(),
            ready: Ready {
                peer: String::new(),
                check: None,
            },
        };
        peer.ready = peer.answer()?;
        Ok(peer)
    }

    /// Lets the peer take a turn: seconds by each of its ways.
    ///
    /// # Errors
    /// As [`Peer::start`].
    pub(super) fn turn(&mut self) -> Outcome<BTreeMap<String, f64>> {
        if let Some(input) = &mut self.input {
            // A peer that has ended is told from its missing answer.
            let _ = input.write_all(b"go\n").and_then(|()| input.flush());
        }
        let turn: Turn = self.answer()?;
        Ok(turn.seconds)
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Outcome<T> {
        let Some(line) = self.lines.next() else {
            let status = self.child.wait()?;
            let said = std::fs::read_to_string(&self.errors).unwrap_or_default();
            let said = said.lines().rfind(|line| !line.trim().is_empty());
            return Err(format!("it ended with {status}: {}", said.unwrap_or_default()).into());
        };
        let line = line?;
        let fault = |error| format!("it answered {line:?}, which is no answer: {error}");
        Ok(serde_json::from_str(&line).map_err(fault)?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.input = None;
        // Ended or not, nothing of it may run on beside the next.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Outcome<Peer>) {
        let folder = tempfile::tempdir().expect("writable");
        let errors = folder.path().join("errors");
        let peer = Peer::start(Command::new("sh").args(["-c", script]), &errors);
        (folder, peer)
    }

    #[test]
    fn a_peer_answers_once_a_turn() {
        let (_folder, peer) = shell(
            r#"echo '{"peer": "sh 1", "check": 2.5}'
               turns=0; while read line; do turns=$((turns + 1)); echo "{\"seconds\": {\"$line\": $turns}}"; done"#,
        );
        let mut peer = peer.expect("starts");
        assert_eq!(
            (peer.ready.peer.as_str(), peer.ready.check),
            ("sh 1", Some(2.5))
        );
        for expected in [1.0, 2.0] {
            let seconds = peer.turn().expect("answers");
            assert_eq!(seconds, BTreeMap::from([("go".to_owned(), expected)]));
        }
    }

    #[test]
    fn a_fault_is_told_in_the_peers_words() {
        for (script, expected) in [
            (
                "echo Traceback >&2; echo No module named torch >&2; exit 1",
                "it ended with exit status: 1: No module named torch",
            ),
            (
                "echo hello; read line",
                "it answered \"hello\", which is no answer: ",
            ),
        ] {
            let error = shell(script).1.expect_err("no peer").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let (_folder, peer) = shell(r#"echo '{"peer": "p"}'; read line; echo killed >&2"#);
        let error = peer.expect("starts").turn().expect_err("ends").to_string();
        assert_eq!(error, "it ended with exit status: 0: killed");
        let missing = Peer::start(&mut Command::new("/no/such/python"), Path::new("/dev/null"));
        let missing = missing.expect_err("is not there").to_string();
        assert!(
            missing.starts_with("cannot run /no/such/python: "),
            "{missing}"
        );
    }

    #[test]
    fn a_peer_gets_its_sizes_and_our_threads() {
        let contender = Contender {
            name: "PyTorch",
            script: "nn_training.py",
            options: serde_json::json!({"batch": 4}),
        };
        let command = command(Path::new("python3"), Path::new("peers"), &contender, 2);
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
        assert_eq!(arguments[0], "peers/nn_training.py");
        let options: serde_json::Value = serde_json::from_str(&arguments[1]).expect("JSON");
        assert_eq!(options, serde_json::json!({"batch": 4, "threads": 2}));
        let has = |key: &str, value: &str| {
            command
                .get_envs()
                .any(|(k, v)| k == key && v == Some(value.as_ref()))
        };
        assert!(has("OMP_NUM_THREADS", "2") && has("MKL_NUM_THREADS", "2"));
        assert!(has("MALLOC_MMAP_MAX_", "0"));
    }
}
