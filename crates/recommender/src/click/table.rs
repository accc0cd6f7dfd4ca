use std::collections::HashMap;

use crate::RecommenderError;

/// A table of texts with a header, column by column, as a file of impressions holds it.
///
/// Each distinct text of a column is kept once.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub(super) columns: Vec<TextColumn>,
    /// The line of each row in its source, counted from 1.
    pub(super) lines: Vec<u64>,
}

/// One column.
#[derive(Debug, Clone, Default)]
pub(super) struct TextColumn {
    pub(super) name: String,
    /// The distinct texts, trimmed, in the order in which they first come.
    pub(super) texts: Vec<String>,
    /// The text of each row, by its place in `texts`.
    pub(super) cells: Vec<u32>,
    places: HashMap<String, u32>,
}

impl TextColumn {
    /// The text of a row.
    pub(super) fn text(&self, row: usize) -> &str {
        &self.texts[self.cells[row] as usize]
    }

    fn push(&mut self, text: &str) {
        let text = text.trim();
        let place = if let Some(place) = self.places.get(text) {
            *place
        } else {
            let place = self.texts.len() as u32;
            self.places.insert(text.to_owned(), place);
            self.texts.push(text.to_owned());
            place
        };
        self.cells.push(place);
    }
}

impl Table {
    /// Makes a table without rows.
    ///
    /// # Errors
    /// [`RecommenderError::TableLine`] for a name that is empty or comes twice.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RecommenderError> {
        let mut table = Self::default();
        for (index, name) in names.into_iter().enumerate() {
            let name = name.trim();
            let fault = match name {
                "" => Some("has no name"),
                _ if table.column(name).is_some() => Some("comes twice"),
                _ => None,
            };
            if let Some(fault) = fault {
                return Err(RecommenderError::TableLine {
                    line: 1,
                    problem: format!("column {} of the header (`{name}`) {fault}", index + 1),
                    remedy: "give every column a name of its own",
                });
            }
            table.columns.push(TextColumn {
                name: name.to_owned(),
                ..TextColumn::default()
            });
        }
        Ok(table)
    }

    /// Adds a row that stands on a line of its source.
    ///
    /// # Errors
    /// [`RecommenderError::TableLine`] where the row has more or fewer fields than the header.
    pub fn push<T: AsRef<str>>(&mut self, line: u64, fields: &[T]) -> Result<(), RecommenderError> {
        if fields.len() != self.columns.len() {
            let (found, expected) = (fields.len(), self.columns.len());
            return Err(RecommenderError::TableLine {
                line,
                problem: format!("the row has {found} fields, the header {expected}"),
                remedy: "put fields that hold a comma into quotes, and leave none out",
            });
        }
        for (column, field) in self.columns.iter_mut().zip(fields) {
            column.push(field.as_ref());
        }
        self.lines.push(line);
        Ok(())
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The column of a name.
    pub(super) fn column(&self, name: &str) -> Option<&TextColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The labels: the column of that name as 0 or 1, `false` or `true`.
    ///
    /// # Errors
    /// [`RecommenderError::Table`] where there is no row or all labels are the same; [`RecommenderError::TableLine`] where the
    /// column is missing or a cell is no label.
    pub fn labels(&self, name: &str) -> Result<Vec<bool>, RecommenderError> {
        let Some(column) = self.column(name) else {
            let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
            return Err(RecommenderError::TableLine {
                line: 1,
                problem: format!(
                    "the header has no column `{name}`; it has: {}",
                    names.join(", ")
                ),
                remedy: "name the column that says whether an impression was clicked with `--label`",
            });
        };
        if self.is_empty() {
            return Err(RecommenderError::Table {
                problem: "there are no rows under the header".to_owned(),
                remedy: "check that the export finished",
            });
        }
        let labels = (0..self.len()).map(|row| {
            label_of(column.text(row)).ok_or_else(|| RecommenderError::TableLine {
                line: self.lines[row],
                problem: format!("column `{name}` holds `{}`", column.text(row)),
                remedy: "write 1 or true for a click and 0 or false for none, or name another column with `--label`",
            })
        });
        let labels = labels.collect::<Result<Vec<bool>, _>>()?;
        if labels.iter().all(|label| *label == labels[0]) {
            let only = column.text(0);
            return Err(RecommenderError::Table {
                problem: format!("column `{name}` is `{only}` in every row"),
                remedy: "give impressions that were clicked and others that were not",
            });
        }
        Ok(labels)
    }
}

fn label_of(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str], rows: &[&[&str]]) -> Result<Table, RecommenderError> {
        let mut table = Table::new(names.iter().copied())?;
        for (line, row) in (2..).zip(rows) {
            table.push(line, row)?;
        }
        Ok(table)
    }

    #[test]
    fn labels_are_read_in_either_spelling() {
        let table = table(&["clicked"], &[&["1"], &[" FALSE "], &["True"], &["0"]]);
        let labels = table.and_then(|t| t.labels("clicked")).expect("labels");
        assert_eq!(labels, [true, false, true, false]);
    }

    #[test]
    fn each_fault_names_its_line_and_column() {
        let message = |names: &[&str], rows: &[&[&str]]| {
            let labels = table(names, rows).and_then(|t| t.labels("clicked"));
            labels.expect_err("bad").to_string()
        };
        let good: &[&str] = &["a", "1"];
        for (found, expected) in [
            (
                message(&["x", "x"], &[]),
                "line 1: column 2 of the header (`x`) comes twice; give every column a name of its own",
            ),
            (
                message(&["x", " "], &[]),
                "line 1: column 2 of the header (``) has no name; give every column a name of its own",
            ),
            (
                message(&["x", "clicked"], &[good, &["b"]]),
                "line 3: the row has 1 fields, the header 2; put fields that hold a comma into quotes, and leave none out",
            ),
            (
                message(&["x", "label"], &[good]),
                "line 1: the header has no column `clicked`; it has: x, label; name the column that says whether an impression was clicked with `--label`",
            ),
            (
                message(&["x", "clicked"], &[]),
                "there are no rows under the header; check that the export finished",
            ),
            (
                message(&["x", "clicked"], &[good, &["b", "yes"]]),
                "line 3: column `clicked` holds `yes`; write 1 or true for a click and 0 or false for none, or name another column with `--label`",
            ),
            (
                message(&["x", "clicked"], &[good, &["b", ""]]),
                "line 3: column `clicked` holds ``; write 1 or true for a click and 0 or false for none, or name another column with `--label`",
            ),
            (
                message(&["x", "clicked"], &[good, good]),
                "column `clicked` is `1` in every row; give impressions that were clicked and others that were not",
            ),
        ] {
            assert_eq!(found, expected);
        }
    }
}
