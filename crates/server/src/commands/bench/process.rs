//! A child process with its time and its largest resident memory.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Outcome;

/// How often the memory of a child is read. The kernel keeps the largest value, so that only what is allocated in the last
/// moments before the end can be missed.
const POLL: Duration = Duration::from_millis(5);

/// A child that has ended well.
#[derive(Debug)]
pub(super) struct Finished {
    /// The last line of its standard output.
    pub(super) last_line: String,
    /// From its start to its end.
    pub(super) seconds: f64,
    /// Its largest resident memory (`VmHWM`); none where the system has no `/proc`.
    pub(super) peak_mib: Option<f64>,
}

/// Runs a command to its end.
///
/// # Errors
/// In words, when it cannot be started or ends badly: with the last line that it wrote.
pub(super) fn run(command: &mut Command) -> Outcome<Finished> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let child = command
        .spawn()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    let status = format!("/proc/{}/status", child.id());
    let has_ended = AtomicBool::new(false);
    let (output, seconds, peak_mib) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peak = None;
            while !has_ended.load(Ordering::Relaxed) {
                let now = std::fs::read_to_string(&status).ok();
                peak = now.as_deref().and_then(peak_of).or(peak);
                std::thread::sleep(POLL);
            }
            peak
        });
        let output = child.wait_with_output();
        let seconds = started.elapsed().as_secs_f64();
        has_ended.store(true, Ordering::Relaxed);
        (output, seconds, watcher.join().unwrap_or_default())
    });
    let output = output?;
    let last_line = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().next_back().unwrap_or_default().to_owned()
    };
    if !output.status.success() {
        let said = [&output.stdout, &output.stderr].map(|bytes| last_line(bytes));
        let said = said.into_iter().rfind(|line| !line.is_empty());
        return Err(format!(
            "{program} ended with {}: {}",
            output.status,
            said.unwrap_or_default()
        )
        .into());
    }
    Ok(Finished {
        last_line: last_line(&output.stdout),
        seconds,
        peak_mib,
    })
}

/// The largest resident memory in a process's `status`.
fn peak_of(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_the_status() {
        let status = "Name:\thawker\nVmPeak:\t  9000 kB\nVmHWM:\t  2560 kB\nVmRSS:\t  100 kB\n";
        assert_eq!(peak_of(status), Some(2.5));
        assert_eq!(peak_of("Name:\thawker\n"), None, "a process that has ended");
    }

    #[test]
    fn a_child_is_timed_and_its_fault_is_told() {
        let finished = run(Command::new("sh").args(["-c", "echo one; echo two; sleep 0.05"]));
        let finished = finished.expect("ends well");
        assert_eq!(finished.last_line, "two");
        assert!(finished.seconds >= 0.05, "{}", finished.seconds);
        assert!(!cfg!(target_os = "linux") || finished.peak_mib.is_some_and(|mib| mib > 0.0));
        let fault =
            run(Command::new("sh").args(["-c", "echo out; echo no such thing >&2; exit 3"]));
        let fault = fault.expect_err("ends badly").to_string();
        assert!(fault.ends_with("3: no such thing"), "{fault}");
        let missing = run(&mut Command::new("/no/such/program")).expect_err("is not there");
        assert!(
            missing
                .to_string()
                .starts_with("cannot run /no/such/program: ")
        );
    }
}
