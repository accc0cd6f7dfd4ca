//! A shop's own texts and what they were written from.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;

use copywriter::decoder::{Corpus, Example, Fact, Meaning};
use serde_json::{Map, Value};

use super::shopper_states::ShopperStates;
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::sequences::read_text;
use crate::store::Store;

/// Of so many texts one is held out, to stop training by.
const HELD_OUT: usize = 20;

/// What one line holds.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    facts: Map<String, Value>,
    #[serde(default)]
    controls: Vec<String>,
    /// The shopper whom the text was for.
    shopper: Option<String>,
    text: String,
}

/// A shop's own texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShopCorpus {
    /// The texts and what they were written from.
    pub texts: Corpus,
    /// The version of the user model that made the shoppers' states; none where the texts are for nobody.
    pub states_of: Option<String>,
}

/// Where a shop's own texts are, and how they are to be read.
#[derive(Debug, Clone, Copy)]
pub struct CorpusRequest<'a> {
    /// The file of JSON lines, plain or as `.xz`.
    pub path: &'a Path,
    /// The facts whose values a text has to have as they are; the model never reads or writes them.
    pub exact: &'a [String],
    /// The facts whose values the model reads and writes whole, where a text has them word for word.
    pub copied: &'a [String],
    /// Where the shoppers are known.
    pub data_dir: &'a Path,
    /// How the shop is looked at.
    pub config: &'a Config,
}

/// Reads a corpus of JSON lines: `{"facts": {"title": "Mug", "colour": ["red", "white"]}, "controls": ["push"], "shopper":
/// "17850", "text": "…"}`. What is known of a shopper is the state at the end of the log.
///
/// # Errors
/// [`EngineError::File`] for the first line that cannot be read, or a file without one; [`EngineError::NotReady`] where it
/// names shoppers and no user model is trained.
pub fn read_corpus(request: &CorpusRequest<'_>) -> Result<ShopCorpus> {
    let CorpusRequest {
        path,
        exact,
        copied,
        ..
    } = *request;
    let content = read_text(path)?;
    let mut corpus = Corpus {
        slots: exact.to_vec(),
        copied: copied.to_vec(),
        ..Corpus::default()
    };
    let store: OnceCell<Store> = OnceCell::new();
    let mut shoppers: Option<ShopperStates<'_>> = None;
    let mut states: HashMap<String, Vec<f32>> = HashMap::new();
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
        let user_state = match line.shopper {
            None => None,
            Some(shopper) => {
                if !states.contains_key(&shopper) {
                    let known = match &mut shoppers {
                        Some(known) => known,
                        none => {
                            let opened = Store::open_existing(request.data_dir)?;
                            let store = store.get_or_init(|| opened);
                            none.insert(ShopperStates::open(store, request.config)?)
                        }
                    };
                    let state = known
                        .of(&shopper)
                        .map_err(|error| fault(error.to_string()))?;
                    states.insert(shopper.clone(), state);
                }
                states.get(&shopper).cloned()
            }
        };
        let example = Example {
            meaning: Meaning {
                controls: line.controls,
                facts: facts(&line.facts).map_err(fault)?,
                user_state,
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
    let named = exact.iter().map(|name| (name, "exact"));
    let mut named = named.chain(copied.iter().map(|name| (name, "copied")));
    if let Some((name, how)) = named.find(|(name, _)| !has(&corpus, name)) {
        let problem = format!("no line has the fact `{name}`, which is to be {how}");
        return Err(EngineError::file(
            path,
            problem,
            "name facts as the corpus does",
        ));
    }
    Ok(ShopCorpus {
        texts: corpus,
        states_of: shoppers.map(|known| known.version().to_owned()),
    })
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
        let request = CorpusRequest {
            path: &path,
            exact: &["title".to_owned()],
            copied: &[],
            data_dir: folder.path(),
            config: &Config::default(),
        };
        Ok(read_corpus(&request)?.texts)
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
