//! Public sets of item sequences, in the forms in which the literature hands them round.

use std::collections::{BTreeMap, HashMap};

use crate::DatasetError;

/// What each shopper of a public set had, in order, and what the items are called.
///
/// ```
/// use datasets::SequenceSet;
///
/// let set = SequenceSet::parse("ann 7 9\nbob 9 7 8\n", Some("item_id\ttitle\n7\tTea\n9\tPot\n"))?;
/// assert_eq!(set.sequences[0].items, [0, 1]);
/// assert_eq!((set.items[1].title.as_str(), set.undescribed), ("Pot", 1));
/// # Ok::<(), datasets::DatasetError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequenceSet {
    /// The items that somebody had, in the order of their first appearance.
    pub items: Vec<SequenceItem>,
    /// The shoppers, in the order of their first appearance.
    pub sequences: Vec<ItemSequence>,
    /// Items that a file of items was given for and does not describe; they are known by their id alone.
    pub undescribed: usize,
}

/// One item of a [`SequenceSet`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequenceItem {
    /// The identifier in the file.
    pub id: String,
    /// The name that is shown; the identifier where the file of items has none.
    pub title: String,
    /// The category, such as `Beauty > Makeup > Nails`, or several, such as `Animation|Comedy`.
    pub category: Option<String>,
}

/// What one shopper had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemSequence {
    /// The identifier in the file.
    pub user: String,
    /// Positions in [`SequenceSet::items`], earliest first.
    pub items: Vec<u32>,
}

/// A file of interactions, by its first lines.
enum Form {
    /// `user item item …`, a line a shopper (S3-Rec, P5, TIGER).
    Lists,
    /// `user item`, a line an interaction in time order (`SASRec`).
    Pairs,
    /// `RecBole`'s atomic `.inter`: a header with `user_id:token`, `item_id:token` and perhaps `timestamp:float`.
    Atomic(Columns),
}

struct Columns {
    user: usize,
    item: usize,
    timestamp: Option<usize>,
}

impl SequenceSet {
    /// Reads interactions, and the items' names where there are any.
    ///
    /// Interactions come as `user item item …` with a line a shopper, as `user item` with a line an interaction in time
    /// order, or as `RecBole`'s `.inter` with a header, sorted by its `timestamp` (equal ones in the order of the file).
    /// Items come as tab-separated text whose header has `item_id` and any of `title` and `categories` (also under
    /// `RecBole`'s names: a `…title`, and `class` or `genres`), or as `MovieLens`' `id::title::genres` without one. An
    /// item that nobody had is left out; one that the file of items lacks is counted in [`SequenceSet::undescribed`].
    ///
    /// # Errors
    /// [`DatasetError::Line`] for the first line that cannot be read.
    pub fn parse(interactions: &str, items: Option<&str>) -> Result<Self, DatasetError> {
        let mut set = Self::default();
        let mut known = HashMap::new();
        match form_of(interactions)? {
            Form::Lists => set.read_lists(interactions, &mut known)?,
            Form::Pairs => set.read_pairs(interactions, &mut known),
            Form::Atomic(columns) => set.read_atomic(interactions, &columns, &mut known)?,
        }
        if set.sequences.is_empty() {
            return Err(fault("interactions", 1, "the file is empty".to_owned()));
        }
        if let Some(items) = items {
            let described = describe(&mut set.items, items, &known)?;
            set.undescribed = set.items.len() - described;
        }
        Ok(set)
    }

    fn read_lists<'a>(
        &mut self,
        text: &'a str,
        known: &mut HashMap<&'a str, u32>,
    ) -> Result<(), DatasetError> {
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for (number, line) in numbered(text) {
            let mut fields = line.split_whitespace();
            let Some(user) = fields.next() else { continue };
            if let Some(first) = lines.insert(user, number) {
                let what = format!("user `{user}` has a line already, line {first}");
                return Err(fault("interactions", number, what));
            }
            let items = fields.map(|item| self.position(item, known)).collect();
            self.sequences.push(ItemSequence {
                user: user.to_owned(),
                items,
            });
        }
        Ok(())
    }

    fn read_pairs<'a>(&mut self, text: &'a str, known: &mut HashMap<&'a str, u32>) {
        let mut users = HashMap::new();
        for (_, line) in numbered(text) {
            let mut fields = line.split_whitespace();
            if let (Some(user), Some(item)) = (fields.next(), fields.next()) {
                let item = self.position(item, known);
                self.append(user, item, &mut users);
            }
        }
    }

    fn read_atomic<'a>(
        &mut self,
        text: &'a str,
        columns: &Columns,
        known: &mut HashMap<&'a str, u32>,
    ) -> Result<(), DatasetError> {
        let mut rows: Vec<(f64, &str, &str)> = Vec::new();
        for (number, line) in numbered(text).skip(1) {
            let fields: Vec<&str> = line.split('\t').collect();
            let field = |column: usize| {
                let short = || format!("it has {} tab-separated fields", fields.len());
                let field = fields.get(column).copied();
                field.ok_or_else(|| fault("interactions", number, short()))
            };
            let at = match columns.timestamp {
                Some(column) => {
                    let text = field(column)?;
                    let at: Option<f64> = text.parse().ok().filter(|at: &f64| at.is_finite());
                    let what = || format!("`{text}` is no timestamp in seconds");
                    at.ok_or_else(|| fault("interactions", number, what()))?
                }
                None => 0.0,
            };
            rows.push((at, field(columns.user)?, field(columns.item)?));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut users = HashMap::new();
        for (_, user, item) in rows {
            let item = self.position(item, known);
            self.append(user, item, &mut users);
        }
        Ok(())
    }

    fn position<'a>(&mut self, id: &'a str, known: &mut HashMap<&'a str, u32>) -> u32 {
        *known.entry(id).or_insert_with(|| {
            self.items.push(SequenceItem {
                id: id.to_owned(),
                title: id.to_owned(),
                category: None,
            });
            self.items.len() as u32 - 1
        })
    }

    fn append<'a>(&mut self, user: &'a str, item: u32, users: &mut HashMap<&'a str, usize>) {
        let position = *users.entry(user).or_insert_with(|| {
            self.sequences.push(ItemSequence {
                user: user.to_owned(),
                items: Vec::new(),
            });
            self.sequences.len() - 1
        });
        self.sequences[position].items.push(item);
    }
}

/// The lines that are not blank, counted from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
}

fn form_of(text: &str) -> Result<Form, DatasetError> {
    let first = numbered(text).next().map_or("", |(_, line)| line);
    if first.contains(":token") {
        let columns = header(first);
        let column = |name: &str| {
            let what = || format!("the header has no column `{name}`");
            let column = columns.get(name).copied();
            column.ok_or_else(|| fault("interactions", 1, what()))
        };
        return Ok(Form::Atomic(Columns {
            user: column("user_id")?,
            item: column("item_id")?,
            timestamp: columns.get("timestamp").copied(),
        }));
    }
    let mut all_pairs = true;
    for (number, line) in numbered(text) {
        let fields = line.split_whitespace().take(3).count();
        if fields < 2 {
            let what = "a line needs a user and an item, with a space between".to_owned();
            return Err(fault("interactions", number, what));
        }
        all_pairs &= fields == 2;
    }
    Ok(if all_pairs { Form::Pairs } else { Form::Lists })
}

/// The columns of a tab-separated header by name, without `RecBole`'s types.
fn header(line: &str) -> BTreeMap<&str, usize> {
    let names = line.split('\t').map(|name| match name.split_once(':') {
        Some((name, _)) => name,
        None => name,
    });
    names.zip(0..).collect()
}

/// Gives the items their names and categories, and says how many got them.
fn describe(
    items: &mut [SequenceItem],
    text: &str,
    known: &HashMap<&str, u32>,
) -> Result<usize, DatasetError> {
    let first = numbered(text).next().map_or("", |(_, line)| line);
    let by_colons = first.contains("::");
    let columns = header(first);
    let find = |names: &[&str]| names.iter().find_map(|name| columns.get(name).copied());
    let (id, title, category) = if by_colons {
        (0, Some(1), Some(2))
    } else {
        let what = || "the header has no column `item_id`".to_owned();
        let id = find(&["item_id"]).ok_or_else(|| fault("items", 1, what()))?;
        let titled = columns.iter().find(|(name, _)| name.ends_with("title"));
        let category = find(&["categories", "category", "genres", "class"]);
        (id, titled.map(|(_, column)| *column), category)
    };
    let mut described = vec![false; items.len()];
    for (number, line) in numbered(text).skip(usize::from(!by_colons)) {
        let separator = if by_colons { "::" } else { "\t" };
        let fields: Vec<&str> = line.split(separator).collect();
        let Some(name) = fields.get(id) else {
            let what = format!("it has {} fields and no id", fields.len());
            return Err(fault("items", number, what));
        };
        let Some(&position) = known.get(name) else {
            continue;
        };
        let field = |column: Option<usize>| {
            let field = fields.get(column?)?.trim();
            (!field.is_empty()).then(|| field.to_owned())
        };
        let item = &mut items[position as usize];
        if let Some(title) = field(title) {
            item.title = title;
        }
        item.category = field(category);
        described[position as usize] = true;
    }
    Ok(described.into_iter().filter(|described| *described).count())
}

fn fault(file: &'static str, line: usize, what: String) -> DatasetError {
    DatasetError::Line { file, line, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items_of(set: &SequenceSet) -> Vec<Vec<u32>> {
        set.sequences.iter().map(|s| s.items.clone()).collect()
    }

    #[test]
    fn lists_pairs_and_atomic_files_give_the_same_sequences() {
        let lists = SequenceSet::parse("u1 a b c\nu2 c a\n", None).expect("lists");
        let pairs = "u1 a\nu1 b\nu2 c\nu1 c\nu2 a\n";
        let pairs = SequenceSet::parse(pairs, None).expect("pairs");
        let atomic = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n\
                      u2\ta\t5\t90\nu1\tb\t3\t20\nu1\ta\t1\t10\nu1\tc\t4\t30\nu2\tc\t4\t40\n";
        let atomic = SequenceSet::parse(atomic, None).expect("atomic");
        for set in [&lists, &pairs, &atomic] {
            assert_eq!(items_of(set), [vec![0, 1, 2], vec![2, 0]]);
            let ids: Vec<&str> = set.items.iter().map(|item| item.id.as_str()).collect();
            assert_eq!(ids, ["a", "b", "c"]);
        }
    }

    #[test]
    fn equal_timestamps_keep_the_order_of_the_file() {
        let atomic = "user_id:token\titem_id:token\ttimestamp:float\nu\tb\t7\nu\ta\t7\nu\tc\t6\n";
        let set = SequenceSet::parse(atomic, None).expect("atomic");
        let ids = |set: &SequenceSet| -> Vec<String> {
            let items = set.sequences[0].items.iter();
            items.map(|i| set.items[*i as usize].id.clone()).collect()
        };
        assert_eq!(ids(&set), ["c", "b", "a"]);
    }

    #[test]
    fn items_are_named_from_every_form_of_file() {
        let interactions = "u 1 2 3";
        let tables = [
            "item_id\tasin\ttitle\tcategories\n1\tB0\tPolish\tBeauty > Nails\n9\tB9\tUnused\tX\n",
            "item_id:token\tmovie_title:token_seq\tclass:token_seq\n1\tPolish\tBeauty > Nails\n",
            "1::Polish::Beauty > Nails\n",
        ];
        for table in tables {
            let set = SequenceSet::parse(interactions, Some(table)).expect("named");
            assert_eq!(set.items[0].title, "Polish");
            assert_eq!(set.items[0].category.as_deref(), Some("Beauty > Nails"));
            assert_eq!(set.items[1].title, "2");
            assert_eq!((set.items.len(), set.undescribed), (3, 2));
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let message = |interactions: &str, items: Option<&str>| {
            let error = SequenceSet::parse(interactions, items).expect_err("bad");
            error.to_string()
        };
        let cases = [
            (
                message("u1 a b\n\nu2\n", None),
                "line 3 of the interactions: a line needs a user and an item, with a space between",
            ),
            (
                message("u1 a b\nu2 c d\nu1 c d", None),
                "line 3 of the interactions: user `u1` has a line already, line 1",
            ),
            (
                message(
                    "user_id:token\titem_id:token\ttimestamp:float\nu\ta\tnan\n",
                    None,
                ),
                "line 2 of the interactions: `nan` is no timestamp in seconds",
            ),
            (
                message("user_id:token\ttimestamp:float\nu\t1\n", None),
                "line 1 of the interactions: the header has no column `item_id`",
            ),
            (
                message("", None),
                "line 1 of the interactions: the file is empty",
            ),
            (
                message("u a b c", Some("id\ttitle\n")),
                "line 1 of the items: the header has no column `item_id`",
            ),
        ];
        for (found, expected) in cases {
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
