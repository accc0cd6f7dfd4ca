use serde::Deserialize;

use super::{FactText, FactTextSet};
use crate::DatasetError;

/// Every so manieth training row is held out for validation.
const HELD_OUT: usize = 20;

#[derive(Deserialize)]
struct Row {
    content: String,
    summary: String,
}

impl FactTextSet {
    /// Reads `AdvertiseGen`'s JSON lines: Chinese copy for clothes, facts as `类型#裙*版型#显瘦`. The published figures are
    /// those of its development file, so that is the test here, and a twentieth of the training rows the validation.
    ///
    /// Source: Shao et al., "Long and Diverse Text Generation with Planning-based Hierarchical Variational Model", 2019.
    ///
    /// # Errors
    /// [`DatasetError::Line`] for the first row that cannot be read.
    pub fn advertisegen(train: &str, test: &str) -> Result<Self, DatasetError> {
        let rows = read("training file", train)?;
        let held_out = |at: &usize| at % HELD_OUT == HELD_OUT - 1;
        let part = |keep: bool| {
            let rows = rows.iter().enumerate();
            let rows = rows.filter(|(at, _)| held_out(at) == keep);
            rows.map(|(_, row)| row.clone()).collect()
        };
        Ok(Self {
            train: part(false),
            validation: part(true),
            test: read("development file", test)?,
            exact: Vec::new(),
        })
    }
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
        let bad = FactTextSet::advertisegen(&rows, r#"{"content": "裙", "summary": ""}"#);
        let message = "line 1 of the development file: `裙` is not of the form name#value; \
                       `hawker evaluate --help` shows the forms that are read";
        assert_eq!(bad.expect_err("no value").to_string(), message);
    }
}
