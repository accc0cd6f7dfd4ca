use super::{FactText, FactTextSet};
use crate::DatasetError;

impl FactTextSet {
    /// Reads the E2E challenge's `trainset.csv`, `devset.csv` and `testset_w_refs.csv`: restaurants in English, facts as
    /// `name[The Mill], food[French]`.
    ///
    /// Source: Novikova et al., "The E2E Dataset: New Challenges For End-to-End Generation", 2017.
    ///
    /// # Errors
    /// [`DatasetError::Line`] for the first row that cannot be read.
    pub fn e2e(train: &str, validation: &str, test: &str) -> Result<Self, DatasetError> {
        Ok(Self {
            train: read("trainset.csv", train)?,
            validation: read("devset.csv", validation)?,
            test: read("testset_w_refs.csv", test)?,
            exact: vec!["name".to_owned(), "near".to_owned()],
            copied: Vec::new(),
        })
    }
}

fn read(file: &'static str, content: &str) -> Result<Vec<FactText>, DatasetError> {
    let mut rows = Vec::new();
    for row in csv::Reader::from_reader(content.as_bytes()).into_records() {
        let row = row.map_err(|error| fault(file, line_of(&error), error.to_string()))?;
        let line = row.position().map_or(0, |at| at.line() as usize);
        let (Some(meaning), Some(text)) = (row.get(0), row.get(1)) else {
            return Err(fault(
                file,
                line,
                "the columns mr and ref are expected".to_owned(),
            ));
        };
        rows.push((facts(file, line, meaning)?, text.trim().to_owned()));
    }
    if rows.is_empty() {
        return Err(fault(file, 1, "there is no row".to_owned()));
    }
    Ok(FactText::grouped(rows))
}

/// `name[The Mill], food[French]`; a comma may stand in a value.
fn facts(
    file: &'static str,
    line: usize,
    meaning: &str,
) -> Result<Vec<(String, String)>, DatasetError> {
    let parts = meaning.split_inclusive(']');
    let facts = parts.map(|part| {
        let part = part.trim_start_matches([',', ' ']).trim_end();
        let fact = part.strip_suffix(']').and_then(|part| part.split_once('['));
        let (name, value) = fact.ok_or_else(|| {
            let what = format!("`{part}` is not of the form name[value]");
            fault(file, line, what)
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    });
    facts.collect()
}

fn line_of(error: &csv::Error) -> usize {
    error.position().map_or(0, |at| at.line() as usize)
}

fn fault(file: &'static str, line: usize, what: String) -> DatasetError {
    DatasetError::Line { file, line, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "mr,ref\n\
        \"name[The Mill], near[Café, Bar]\",The Mill is near Café.\n\
        \"name[The Mill], near[Café, Bar]\",\"Near Café, The Mill.\"\n\
        name[Zizzi],Zizzi it is.\n";

    #[test]
    fn rows_of_the_same_facts_are_one() {
        let set = FactTextSet::e2e(ROWS, ROWS, ROWS).expect("it is well formed");
        assert_eq!(set.train.len(), 2);
        assert_eq!(set.train[0].texts.len(), 2);
        assert_eq!(set.train[0].facts[1].1, "Café, Bar");
        assert_eq!(
            set.train[1].facts,
            [("name".to_owned(), "Zizzi".to_owned())]
        );
    }

    #[test]
    fn a_bad_row_is_named() {
        for (rows, message) in [
            ("mr,ref\n", "line 1 of the devset.csv: there is no row"),
            (
                "mr,ref\nname[A],a\nname A,b\n",
                "line 3 of the devset.csv: `name A` is not of the form name[value]",
            ),
            ("mr,ref\nname[A]\n", "line 2 of the devset.csv: CSV error"),
        ] {
            let error = FactTextSet::e2e(ROWS, rows, ROWS).expect_err(message);
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }
}
