//! Which columns are features, and what they look like as numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::examples::Examples;
use super::table::{Table, TextColumn};
use crate::RecommenderError;

/// Share of the rows from which on distinct texts name the rows instead of telling of them.
const IDENTIFIER_SHARE: f64 = 0.9;
/// Share of the filled cells that must be numbers for a column to be one of numbers.
const NUMBER_SHARE: f64 = 0.95;
/// Rows of the training part in which a category must come to have a weight of its own.
const LEAST_COUNT: usize = 2;
/// Standard deviations at which numbers are cut, so that one absurd price does not outweigh all else in a product.
const LARGEST: f64 = 10.0;

/// A column that no model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub column: String,
    /// Why.
    pub reason: &'static str,
}

/// What the columns of a table become, learnt from its training part.
///
/// Columns of numbers are standardised by mean and variance; a missing number becomes the mean, with a second number that
/// says so where the training part lacks one. Any other column is one of categories; one that is empty, unknown or comes
/// fewer than twice in the training part is row 0 of its column. A column named `id` or `…_id` holds categories even
/// where they are written in digits. Columns with another text in nearly every row, or with one alone, are left out.
#[derive(Debug, Clone)]
pub struct Features {
    label: String,
    columns: Vec<Column>,
    left_out: Vec<LeftOut>,
}

/// A column that is read.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Number {
        mean: f64,
        deviation: f64,
        /// Whether there is a number that says that this one is missing.
        indicator: bool,
    },
    Category {
        /// The row of row 0 within the table of all columns' categories.
        first_row: u32,
        /// The categories that have a row of their own, by their place after row 0.
        rows: BTreeMap<String, u32>,
    },
}

impl Features {
    /// Learns the features from the rows of the training part.
    ///
    /// # Errors
    /// [`RecommenderError::TableLine`] for a cell that is no finite number in a column of numbers,
    /// [`RecommenderError::Table`] where no column is left.
    pub(super) fn fit(
        table: &Table,
        label: &str,
        training: &[usize],
    ) -> Result<Self, RecommenderError> {
        let mut features = Self {
            label: label.to_owned(),
            columns: Vec::new(),
            left_out: Vec::new(),
        };
        let mut category_rows = 0;
        for column in table.columns.iter().filter(|column| column.name != label) {
            let numeric = is_numeric(column);
            if let Some(reason) = useless(column, numeric) {
                features.left_out.push(LeftOut {
                    column: column.name.clone(),
                    reason,
                });
                continue;
            }
            let kind = if numeric {
                standardisation(&numbers(table, column)?, &column.cells, training)
            } else {
                let rows = vocabulary(column, training);
                let first_row = category_rows;
                category_rows += rows.len() as u32 + 1;
                Kind::Category { first_row, rows }
            };
            features.columns.push(Column {
                name: column.name.clone(),
                kind,
            });
        }
        if features.columns.is_empty() {
            return Err(RecommenderError::Table {
                problem: "no column is left to learn from".to_owned(),
                remedy: "add columns that tell of the impressions, such as category or price",
            });
        }
        Ok(features)
    }

    /// The columns that no model reads.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The names of the columns that are read.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// What the numbers of an example are called, in their order.
    pub(super) fn number_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for column in &self.columns {
            if let Kind::Number { indicator, .. } = column.kind {
                names.push(column.name.clone());
                if indicator {
                    names.push(format!("{} is missing", column.name));
                }
            }
        }
        names
    }

    /// What the rows of the table of categories are called, column by column.
    pub(super) fn category_names(&self) -> Vec<Vec<String>> {
        let mut columns = Vec::new();
        for column in &self.columns {
            if let Kind::Category { rows, .. } = &column.kind {
                let mut names = vec![format!("{} is rare, new or empty", column.name)];
                names.extend(rows.keys().map(|text| format!("{} = {text}", column.name)));
                columns.push(names);
            }
        }
        columns
    }

    /// The rows of the table of all columns' categories.
    pub(super) fn category_rows(&self) -> usize {
        self.category_names().iter().map(Vec::len).sum()
    }

    /// Reads a table of the same columns, in whatever order.
    ///
    /// # Errors
    /// [`RecommenderError::TableLine`] for a column that is missing, a cell that is no label or no finite number in a
    /// column of numbers; [`RecommenderError::Table`] where there is no row or all labels are the same.
    pub fn examples(&self, table: &Table) -> Result<Examples, RecommenderError> {
        let labels = table.labels(&self.label)?;
        let mut numbers = Vec::new();
        let mut categories = Vec::new();
        for feature in &self.columns {
            let column = table.column(&feature.name).ok_or_else(|| {
                let name = &feature.name;
                RecommenderError::TableLine {
                    line: 1,
                    problem: format!("the header has no column `{name}`"),
                    remedy: "give the file the columns of the one that is learnt from",
                }
            })?;
            match &feature.kind {
                Kind::Category { first_row, rows } => {
                    let row_of = |text| first_row + rows.get(text).copied().unwrap_or(0);
                    let of_texts = column.texts.iter().map(row_of).collect::<Vec<u32>>();
                    categories.push(of_column(column, &of_texts));
                }
                Kind::Number {
                    mean,
                    deviation,
                    indicator,
                } => {
                    let of_texts = self::numbers(table, column)?;
                    let standard = |x: &Option<f64>| match x {
                        Some(x) => ((x - mean) / deviation).clamp(-LARGEST, LARGEST) as f32,
                        None => 0.0,
                    };
                    let standard: Vec<f32> = of_texts.iter().map(standard).collect();
                    numbers.push(of_column(column, &standard));
                    if *indicator {
                        let missing = of_texts.iter().map(|x| f32::from(u8::from(x.is_none())));
                        numbers.push(of_column(column, &missing.collect::<Vec<f32>>()));
                    }
                }
            }
        }
        Ok(Examples::new(&numbers, &categories, labels))
    }
}

/// What each row of a column has, by what its texts have.
fn of_column<T: Copy>(column: &TextColumn, of_texts: &[T]) -> Vec<T> {
    let cells = column.cells.iter();
    cells.map(|text| of_texts[*text as usize]).collect()
}

/// Whether nearly all filled cells are numbers, `NaN` and infinite ones included, and the name does not speak of codes.
fn is_numeric(column: &TextColumn) -> bool {
    let name = column.name.to_lowercase();
    if name == "id" || name.ends_with("_id") {
        return false;
    }
    let kind = |text: &String| match text.as_str() {
        "" => (0, 0),
        text => (1, usize::from(text.parse::<f64>().is_ok())),
    };
    let of_texts: Vec<(usize, usize)> = column.texts.iter().map(kind).collect();
    let (filled, numbers) = of_column(column, &of_texts)
        .into_iter()
        .fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    filled > 0 && numbers as f64 >= NUMBER_SHARE * filled as f64
}

/// Why a column says nothing that could be learnt.
fn useless(column: &TextColumn, numeric: bool) -> Option<&'static str> {
    let rows = column.cells.len() as f64;
    if column.texts.len() < 2 {
        return Some("the same in every row");
    }
    let distinct = column.texts.len() as f64;
    (!numeric && distinct >= IDENTIFIER_SHARE * rows)
        .then_some("a text of its own in nearly every row")
}

/// The number of each text of a column, nothing where it is empty.
fn numbers(table: &Table, column: &TextColumn) -> Result<Vec<Option<f64>>, RecommenderError> {
    let number = |(place, text): (usize, &String)| {
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => {
                let row = column.cells.iter().position(|cell| *cell as usize == place);
                let name = &column.name;
                Err(RecommenderError::TableLine {
                    line: row.map_or(1, |row| table.lines[row]),
                    problem: format!("column `{name}` holds `{text}` among numbers"),
                    remedy: "write a finite number such as 12.5, or leave the cell empty where it is not known",
                })
            }
        }
    };
    column.texts.iter().enumerate().map(number).collect()
}

/// Mean and variance of the training part.
fn standardisation(of_texts: &[Option<f64>], cells: &[u32], training: &[usize]) -> Kind {
    let cells = training.iter().map(|row| of_texts[cells[*row] as usize]);
    let known: Vec<f64> = cells.flatten().collect();
    let count = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / count;
    let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    Kind::Number {
        mean,
        // Where the training part holds one number alone, any scale will do.
        deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 },
        indicator: known.len() < training.len(),
    }
}

/// The categories that come often enough in the training part, in the order of their texts, with their places from 1.
fn vocabulary(column: &TextColumn, training: &[usize]) -> BTreeMap<String, u32> {
    let mut counts = vec![0; column.texts.len()];
    for row in training {
        counts[column.cells[*row] as usize] += 1;
    }
    let frequent = column.texts.iter().zip(counts);
    let frequent = frequent.filter(|(text, count)| !text.is_empty() && *count >= LEAST_COUNT);
    let mut frequent: Vec<&String> = frequent.map(|(text, _)| text).collect();
    frequent.sort();
    frequent.into_iter().cloned().zip(1..).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of the columns of a text, whose first line is the header.
    fn table(text: &str) -> Table {
        let mut lines = (1..).zip(text.lines());
        let header = lines.next().expect("a header").1;
        let mut table = Table::new(header.split(',')).expect("names");
        for (line, row) in lines {
            let fields: Vec<&str> = row.split(',').collect();
            table.push(line, &fields).expect("as many fields");
        }
        table
    }

    const ROWS: &str = "impression_id,price,colour,shop_id,always,clicked
i1,1,red,7,x,0
i2,3,red,7,x,1
i3,,blue,8,x,0
i4,5,green,7,x,1
i5,99,blue,8,x,0
i6,99999,,9,x,1";

    #[test]
    fn numbers_are_standardised_and_categories_get_rows_by_the_training_part() {
        let table = table(ROWS);
        let features = Features::fit(&table, "clicked", &[0, 1, 2, 3]).expect("features");
        let left_out: Vec<&str> = features
            .left_out()
            .iter()
            .map(|l| l.column.as_str())
            .collect();
        assert_eq!(left_out, ["impression_id", "always"]);
        assert_eq!(features.number_names(), ["price", "price is missing"]);
        let rare = |column| format!("{column} is rare, new or empty");
        // Blue and green come once, shop 8 as well.
        assert_eq!(
            features.category_names(),
            [
                [rare("colour"), "colour = red".to_owned()],
                [rare("shop_id"), "shop_id = 7".to_owned()]
            ]
        );
        let examples = features.examples(&table).expect("the same columns");
        // The training part's prices are 1, 3 and 5: mean 3, variance 8/3.
        let z = (2.0 / (8.0_f64 / 3.0).sqrt()) as f32;
        let far = (96.0 / (8.0_f64 / 3.0).sqrt()).min(LARGEST) as f32;
        let numbers: Vec<f32> = vec![-z, 0., 0., 0., 0., 1., z, 0., far, 0., 10., 0.];
        assert_eq!(examples.numbers, numbers);
        assert_eq!(examples.categories, [1, 3, 1, 3, 0, 2, 0, 3, 0, 2, 0, 2]);
        assert_eq!(examples.labels, [false, true, false, true, false, true]);
    }

    #[test]
    fn columns_of_another_table_are_found_by_name() {
        let features = Features::fit(&table(ROWS), "clicked", &[0, 1, 2, 3]).expect("features");
        let other = table("clicked,shop_id,colour,price\n1,7,mauve,3\n0,1,red,1");
        let examples = features.examples(&other).expect("the columns are there");
        assert_eq!(examples.categories, [0, 3, 1, 2]);
        let other = table("clicked,shop_id,price\n1,7,3\n0,1,1");
        let message = features
            .examples(&other)
            .expect_err("no colour")
            .to_string();
        assert_eq!(
            message,
            "line 1: the header has no column `colour`; give the file the columns of the one that is learnt from"
        );
    }

    #[test]
    fn what_is_no_finite_number_is_named_by_line_and_column() {
        for bad in ["NaN", "inf", "1e999", "cheap"] {
            let mut text = "price,clicked\n".to_owned();
            for row in 0..30 {
                text.extend([format!("{row},{}\n", row % 2)]);
            }
            text.extend([format!("{bad},1\n")]);
            let fitted = Features::fit(&table(&text), "clicked", &[0, 1, 2]);
            let expected = format!(
                "line 32: column `price` holds `{bad}` among numbers; write a finite number such as 12.5, or leave the \
                 cell empty where it is not known"
            );
            assert_eq!(fitted.expect_err("bad").to_string(), expected);
        }
    }

    #[test]
    fn a_table_of_identifiers_alone_is_refused() {
        let table = table("item_id,clicked\na,1\nb,0\nc,0");
        let message = Features::fit(&table, "clicked", &[0, 1, 2]).expect_err("nothing is left");
        assert_eq!(
            message.to_string(),
            "no column is left to learn from; add columns that tell of the impressions, such as category or price"
        );
    }
}
