//! A shop's own texts and what they were written from.

use std::path::Path;

use copywriter::decoder::{Corpus, Example, Fact, Meaning};
use serde_json::{Map, Value};

use crate::error::{EngineError, Result};
use crate::sequences::read_text;

/// Of so many texts one is held out, to stop training by.
const HELD_OUT: usize = 20;

/// What one line holds.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    facts: Map<String, Value>,
    #[serde(default)]
    controls: Vec<String>,
    text: String,
}

/// Reads a corpus of JSON lines, plain or as `.xz`: `{"facts": {"title": "Mug", "colour": ["red", "white"]}, "controls":
/// ["push"], "text": "…"}`. `exact` names the facts whose values a text has to have as they are.
///
/// # Errors
/// [`EngineError::File`] for the first line that cannot be read, or a file without one.
pub fn read_corpus(path: &Path, exact: &[String]) -> Result<Corpus> {
    let content = read_text(path)?;
    let mut corpus = Corpus {
        slots: exact.to_vec(),
        ..Corpus::default()
    };
    let lines = content.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    for (number, (at, line)) in lines.enumerate() {
        let fault = |problem: String| {
            let problem = format!("line {}: {problem}", at + 1);
            let remedy = r#"a line is {"facts": {"title": "Mug"}, "controls": [], "text": "…"}"#;
            EngineError::file(path, problem, remedy)
        };
        let line: Line = serde_json::from_str(line).map_err(|error| fault(error.to_string()))?;
        if line.text.trim().is_empty() {
            return Err(fault("the text is empty".to_owned()));
        }
        let example = Example {
            meaning: Meaning {
                controls: line.controls,
                facts: facts(&line.facts).map_err(fault)?,
                ..Meaning::default()
            },
            text: line.text,
        };
        if number % HELD_OUT == HELD_OUT - 1 {
            corpus.validation.push(example);
        } else {
            corpus.train.push(example);
        }
    }
    if corpus.train.is_empty() {
        let problem = "it has no line".to_owned();
        return Err(EngineError::file(
            path,
            problem,
            "give a line for each text",
        ));
    }
    if let Some(name) = exact.iter().find(|name| !has(&corpus, name)) {
        let problem = format!("no line has the fact `{name}`, which is to be exact");
        return Err(EngineError::file(
            path,
            problem,
            "name facts as the corpus does",
        ));
    }
    Ok(corpus)
}

/// Whether a text of the corpus was written from a fact of a name.
fn has(corpus: &Corpus, name: &str) -> bool {
    let mut facts = corpus
        .train
        .iter()
        .flat_map(|example| &example.meaning.facts);
    facts.any(|fact| fact.name == name)
}

/// The facts of an object, by name; a list is several values.
///
/// # Errors
/// What is no text, number, truth value or list of them, in words.
pub(super) fn facts(object: &Map<String, Value>) -> std::result::Result<Vec<Fact>, String> {
    let mut facts = Vec::new();
    for (name, value) in object {
        let values = match value {
            Value::Array(values) => &values[..],
            one => std::slice::from_ref(one),
        };
        for value in values {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => if *truth { "yes" } else { "no" }.to_owned(),
                other => return Err(format!("the fact `{name}` is {other}, which is no value")),
            };
            facts.push(Fact::new(name, value));
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Corpus> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("corpus.jsonl");
        std::fs::write(&path, content).expect("is written");
        read_corpus(&path, &["title".to_owned()])
    }

    #[test]
    fn a_corpus_is_read_line_by_line() {
        let line =
            r#"{"facts": {"title": "Mug", "size": [1, "2"], "new": true}, "text": "A Mug."}"#;
        let corpus = read(&format!("{line}\n\n").repeat(20)).expect("well formed");
        assert_eq!((corpus.train.len(), corpus.validation.len()), (19, 1));
        let facts = &corpus.train[0].meaning.facts;
        let facts: Vec<String> = facts
            .iter()
            .map(|f| format!("{}={}", f.name, f.value))
            .collect();
        assert_eq!(facts, ["new=yes", "size=1", "size=2", "title=Mug"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        for (content, message) in [
            ("\n", "it has no line"),
            ("{}\n", "line 1: missing field `facts`"),
            (
                r#"{"facts": {"a": null}, "text": "b"}"#,
                "line 1: the fact `a` is null, which is no value",
            ),
            (
                r#"{"facts": {"a": 1}, "text": " "}"#,
                "line 1: the text is empty",
            ),
            (
                r#"{"facts": {"a": 1}, "text": "b"}"#,
                "no line has the fact `title`, which is to be exact",
            ),
            (
                r#"{"facts": {}, "text": "b", "tone": 1}"#,
                "line 1: unknown field `tone`",
            ),
        ] {
            let error = read(content).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
