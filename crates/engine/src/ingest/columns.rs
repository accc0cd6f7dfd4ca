//! Columns by name: which field of a delimited record is which.

use std::borrow::Cow;
use std::path::Path;

use super::fields::split_fields;
use crate::error::{EngineError, Result};

/// The positions of the wanted columns in a header.
#[derive(Debug)]
pub(crate) struct Columns<const N: usize> {
    positions: [Option<usize>; N],
    delimiter: u8,
}

/// A wanted column: the spellings it may have, and whether the file must have it.
pub(crate) type Wanted<'a> = (&'a [&'a str], bool);

impl<const N: usize> Columns<N> {
    /// Finds the wanted columns; the first spelling is the one that messages name.
    ///
    /// # Errors
    /// [`EngineError::Line`] naming the column that is missing, what the header has instead and the nearest name.
    pub(crate) fn find(
        path: &Path,
        header: &str,
        delimiter: u8,
        wanted: [Wanted<'_>; N],
    ) -> Result<Self> {
        let names: Vec<String> = split_fields(header, delimiter)
            .iter()
            .map(|name| name.trim().to_lowercase())
            .collect();
        let mut positions = [None; N];
        for (position, (spellings, required)) in positions.iter_mut().zip(wanted) {
            *position = spellings.iter().find_map(|spelling| {
                names
                    .iter()
                    .position(|name| *name == spelling.to_lowercase())
            });
            if position.is_none() && required {
                return Err(missing(path, spellings, &names));
            }
        }
        Ok(Self {
            positions,
            delimiter,
        })
    }

    /// Whether the header has the wanted column of this index.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.positions[index].is_some()
    }

    /// The wanted fields of a record, trimmed; absent ones are empty.
    pub(crate) fn of<'a>(&self, text: &'a str) -> [Cow<'a, str>; N] {
        let mut fields = split_fields(text, self.delimiter);
        self.positions.map(|position| {
            match position
                .and_then(|position| fields.get_mut(position))
                .map(std::mem::take)
            {
                Some(Cow::Borrowed(field)) => Cow::Borrowed(field.trim()),
                Some(Cow::Owned(field)) => Cow::Owned(field.trim().to_owned()),
                None => Cow::Borrowed(""),
            }
        })
    }
}

fn missing(path: &Path, spellings: &[&str], names: &[String]) -> EngineError {
    let wanted = spellings[0];
    let nearest = names
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(name, &wanted.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, _)| *distance <= 3)
        .min();
    let hint = nearest.map_or(String::new(), |(_, name)| format!("; is it `{name}`?"));
    EngineError::Line {
        file: path.to_owned(),
        line: 1,
        problem: format!("the header has no column `{wanted}`{hint}"),
        remedy: format!("it has: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_any_spelling() {
        let wanted: [Wanted<'_>; 3] = [
            (&["Invoice", "InvoiceNo"], true),
            (&["Price"], true),
            (&["Note"], false),
        ];
        let columns =
            Columns::find(Path::new("f"), "Price,InvoiceNo", b',', wanted).expect("found");
        assert_eq!(columns.of(" 2.5 ,\"a,b \""), ["a,b", "2.5", ""]);
    }

    #[test]
    fn a_missing_column_is_named_with_the_nearest() {
        let wanted: [Wanted<'_>; 1] = [(&["Quantity"], true)];
        let error = Columns::find(Path::new("f.csv"), "Invoice,Quantty", b',', wanted)
            .expect_err("missing");
        assert_eq!(
            error.to_string(),
            "f.csv, line 1: the header has no column `Quantity`; is it `quantty`?; it has: invoice, quantty"
        );
    }
}
