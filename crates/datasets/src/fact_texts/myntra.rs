use std::collections::HashMap;

use super::{FactText, FactTextSet};
use crate::DatasetError;

/// Every so manieth product is held out for the test, and the one before it for validation.
const HELD_OUT: usize = 20;
const FILE: &str = "catalogue";

impl FactTextSet {
    /// Reads Myntra's catalogue (`Product_ID, Product_Name, Product_Brand, Gender, Price, Num_Images, Description,
    /// Primary_Color`): fashion in English. A description is told from brand, title, gender and colour; the title is the
    /// name without the brand. Its price is no fact of it, since no description names one.
    ///
    /// The file has lost the ends of lines of its descriptions (`lockOne handle`); they come back as ends of sentences.
    /// There is no official split: of twenty descriptions one is the test's and one the validation's, with every product that
    /// has it word for word.
    ///
    /// # Errors
    /// [`DatasetError::Line`] for the first row that cannot be read.
    pub fn myntra(catalogue: &str) -> Result<Self, DatasetError> {
        let mut set = Self {
            exact: vec!["brand".to_owned()],
            ..Self::default()
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(catalogue.as_bytes());
        // The number of each description, in the order in which they are met.
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for row in reader.records() {
            let fault = |at: Option<&csv::Position>, what: String| DatasetError::Line {
                file: FILE,
                line: at.map_or(0, |at| at.line() as usize),
                what,
            };
            let row = row.map_err(|error| fault(error.position(), error.to_string()))?;
            let fault = |what| fault(row.position(), what);
            let field = |at: usize| row.get(at).map(str::trim).unwrap_or_default();
            if row.len() < 7 {
                return Err(fault(format!(
                    "{} columns; at least 7 are expected",
                    row.len()
                )));
            }
            let Some(text) = told(field(1), field(2), field(3), field(7), field(6)) else {
                continue;
            };
            let met = numbers.len();
            let number = *numbers.entry(text.texts[0].clone()).or_insert(met);
            match number % HELD_OUT {
                19 => set.test.push(text),
                18 => set.validation.push(text),
                _ => set.train.push(text),
            }
        }
        if set.train.is_empty() {
            let what = "there is no product".to_owned();
            return Err(DatasetError::Line {
                file: FILE,
                line: 1,
                what,
            });
        }
        Ok(set)
    }
}

fn told(name: &str, brand: &str, gender: &str, colour: &str, text: &str) -> Option<FactText> {
    let title = name.strip_prefix(brand).unwrap_or(name).trim();
    if title.is_empty() || text.is_empty() {
        return None;
    }
    let facts = [
        ("brand", brand),
        ("title", title),
        ("gender", gender),
        ("colour", colour),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    Some(FactText {
        facts: facts
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        texts: vec![sentences(text)],
    })
}

/// Puts an end between a small letter or a digit and the capital of a word that follows at once, but not within a name
/// such as `boAt`, `iPhone` and `MacBook`.
fn sentences(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let ends = |c: char| c.is_lowercase() || c.is_ascii_digit() || c == ')';
        let begins = letter.is_uppercase() && after.is_some_and(|c| c.is_lowercase() || *c == ' ');
        if begins && before.is_some_and(ends) && !is_name(&letters[..at]) {
            out.push_str(". ");
        }
        out.push(*letter);
    }
    out
}

/// Whether what stands before a capital is the beginning of a name rather than the end of a sentence: at most two small
/// letters, three after a capital, that are no unit after a number.
fn is_name(before: &[char]) -> bool {
    let letters = before.iter().rev().take_while(|c| c.is_alphabetic());
    let letters = letters.count();
    let start = before.len() - letters;
    let mut earlier = before[..start].iter().rev();
    let is_unit = earlier.next() == Some(&' ') && earlier.next().is_some_and(char::is_ascii_digit);
    let most = if before[start..].first().is_some_and(|c| c.is_uppercase()) {
        3
    } else {
        2
    };
    (1..=most).contains(&letters) && !is_unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_told_by_its_title() {
        let header = "Product_ID,Product_Name,Product_Brand,Gender,Price,Num_Images,Description,Primary_Color,\n";
        let row = "1,DKNY Unisex Black Bag,DKNY,Unisex,11745,7,\"Black bag, has a TSA lockOne handle of 5 cmWarranty: 5 years\", Black,\n";
        let rows: String = (0..40)
            .map(|number| row.replace("5 years", &format!("{} years", number % 20)))
            .collect();
        let set = FactTextSet::myntra(&format!("{header}{rows}")).expect("well formed");
        // Every text stands twice, both times in the same part.
        assert_eq!(
            [set.train.len(), set.validation.len(), set.test.len()],
            [36, 2, 2]
        );
        assert_eq!(set.test[0], set.test[1]);
        let facts: Vec<_> = set.test[0]
            .facts
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        assert_eq!(
            facts,
            [
                "brand=DKNY",
                "title=Unisex Black Bag",
                "gender=Unisex",
                "colour=Black"
            ]
        );
        let text = "Black bag, has a TSA lock. One handle of 5 cm. Warranty: 19 years";
        assert_eq!(set.test[0].texts, [text]);
        let names = "For iPhone and MacBook by boAt. LaptopsBlack";
        assert_eq!(
            sentences(names),
            "For iPhone and MacBook by boAt. Laptops. Black"
        );
        let error = FactTextSet::myntra(&format!("{header}1,2,3\n")).expect_err("too short");
        let message = "line 2 of the catalogue: 3 columns; at least 7 are expected";
        assert!(error.to_string().starts_with(message), "{error}");
    }
}
