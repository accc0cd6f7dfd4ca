use std::collections::BTreeSet;

use serde::Deserialize;

use super::{FactText, FactTextSet};
use crate::DatasetError;

/// Every so manieth training row is held out for validation.
const HELD_OUT: usize = 20;
/// Stands where the publishers took a rare word out.
const UNKNOWN: &str = "<UNK>";
/// What ends a clause.
const ENDS: [char; 9] = ['，', '。', '！', '？', '；', '、', ',', '!', '?'];

#[derive(Deserialize)]
struct Row {
    content: String,
    summary: String,
}

impl FactTextSet {
    /// Reads `AdvertiseGen`'s JSON lines: Chinese copy for clothes, facts as `类型#裙*版型#显瘦`. The published figures are
    /// those of its development file, so that is the test here, and a twentieth of the training rows the validation. The
    /// texts that are learnt lose their clauses with a word that the publishers took out (`<UNK>`), three texts in ten have
    /// one; those that are compared with stay as they are.
    ///
    /// Source: Shao et al., "Long and Diverse Text Generation with Planning-based Hierarchical Variational Model", 2019.
    ///
    /// # Errors
    /// [`DatasetError::Line`] for the first row that cannot be read.
    pub fn advertisegen(train: &str, test: &str) -> Result<Self, DatasetError> {
        let rows = read("training file", train)?;
        let held_out = |at: &usize| at % HELD_OUT == HELD_OUT - 1;
        let part = |keep: bool| -> Vec<FactText> {
            let rows = rows.iter().enumerate();
            let rows = rows.filter(|(at, _)| held_out(at) == keep);
            rows.map(|(_, row)| row.clone()).collect()
        };
        let mut train = part(false);
        for row in &mut train {
            row.texts = row.texts.iter().map(|text| whole_clauses(text)).collect();
        }
        train.retain(|row| !row.texts[0].is_empty());
        let names = rows.iter().flat_map(|row| &row.facts).map(|fact| &fact.0);
        let names: BTreeSet<&String> = names.collect();
        Ok(Self {
            copied: names.into_iter().cloned().collect(),
            train,
            validation: part(true),
            test: read("development file", test)?,
            exact: Vec::new(),
        })
    }
}

/// A text without the clauses that have lost a word; a sentence that loses its last one ends all the same.
fn whole_clauses(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for clause in text.split_inclusive(ENDS) {
        if !clause.contains(UNKNOWN) {
            whole.push_str(clause);
            continue;
        }
        let end = clause.chars().next_back().filter(|c| ENDS.contains(c));
        let last = whole.chars().next_back();
        // The end of the clause before gives way to a stronger one.
        if let (Some(end), Some('，' | '、' | ',')) = (end, last)
            && !matches!(end, '，' | '、' | ',')
        {
            whole.pop();
            whole.push(end);
        }
    }
    whole
}

fn read(file: &'static str, content: &str) -> Result<Vec<FactText>, DatasetError> {
    let mut all = Vec::new();
    let lines = (1..).zip(content.lines());
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let fault = |what: String| DatasetError::Line { file, line, what };
        let row: Row = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        let facts = row.content.split('*').map(|fact| {
            let pair = fact.split_once('#');
            let (name, value) =
                pair.ok_or_else(|| fault(format!("`{fact}` is not of the form name#value")))?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        all.push(FactText {
            facts: facts.collect::<Result<_, _>>()?,
            texts: vec![row.summary.trim().to_owned()],
        });
    }
    if all.is_empty() {
        let what = "there is no row".to_owned();
        return Err(DatasetError::Line {
            file,
            line: 1,
            what,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_cut_and_a_twentieth_is_held_out() {
        let line = r#"{"content": "类型#裙*图案#格子*图案#复古", "summary": "一条格子裙。"}"#;
        let rows = [line; 40].join("\n");
        let set = FactTextSet::advertisegen(&rows, line).expect("it is well formed");
        assert_eq!(
            [set.train.len(), set.validation.len(), set.test.len()],
            [38, 2, 1]
        );
        assert_eq!(set.test[0].facts[2], ("图案".to_owned(), "复古".to_owned()));
        assert_eq!(set.copied, ["图案", "类型"]);
        let bad = FactTextSet::advertisegen(&rows, r#"{"content": "裙", "summary": ""}"#);
        let message = "line 1 of the development file: `裙` is not of the form name#value; \
                       `hawker evaluate --help` shows the forms that are read";
        assert_eq!(bad.expect_err("no value").to_string(), message);
    }

    #[test]
    fn clauses_without_a_word_of_theirs_are_not_learnt() {
        let cases = [
            ("<UNK>的裙子，很美，穿<UNK>。好看！", "很美。好看！"),
            ("很美，<UNK>，好看。", "很美，好看。"),
            ("很美。<UNK>！", "很美。"),
            ("很美<UNK>", ""),
        ];
        for (text, whole) in cases {
            assert_eq!(whole_clauses(text), whole, "{text}");
        }
        let row = |text: &str| format!(r#"{{"content": "类型#裙", "summary": "{text}"}}"#);
        let rows = [row("很美。<UNK>！"), row("<UNK>")].join("\n");
        let set = FactTextSet::advertisegen(&rows, &row("<UNK>")).expect("it is well formed");
        assert_eq!(set.train.len(), 1);
        assert_eq!(set.train[0].texts, ["很美。"]);
        assert_eq!(set.test[0].texts, ["<UNK>"], "what is compared with stays");
    }
}
