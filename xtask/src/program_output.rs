//! Running another program and reading what it printed.

use crate::Outcome;
use serde_json::Value;
use std::process::Command;

/// Runs `command` and returns its standard output; an error quotes what it said on standard error.
pub(crate) fn output_of(command: &mut Command) -> Outcome<String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed ({}):\n{}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Parses the last line of `text` that is not blank.
pub(crate) fn last_line(text: &str) -> Outcome<Value> {
    let line = text.lines().rfind(|line| !line.trim().is_empty());
    let line = line.ok_or("expected one JSON object on the last line, got no output")?;
    serde_json::from_str(line)
        .map_err(|error| format!("last line is not JSON ({error}): {line}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let value = last_line("reading…\n{\"a\":1}\n{\"a\":2}\n\n").expect("it is JSON");
        assert_eq!(value["a"], 2);
        assert!(last_line("\n").is_err());
        assert!(last_line("done").is_err());
    }
}
