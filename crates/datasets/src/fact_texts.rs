//! Public sets of texts that were written from facts, in the files in which they are handed round.

mod advertisegen;
mod e2e;
mod myntra;

/// Texts that were written from facts, split into three parts.
///
/// ```
/// use datasets::FactTextSet;
///
/// let rows = "mr,ref\n\"name[The Mill], food[French]\",The Mill serves French food.\n";
/// let set = FactTextSet::e2e(rows, rows, rows)?;
/// assert_eq!(set.test[0].facts[1], ("food".to_owned(), "French".to_owned()));
/// # Ok::<(), datasets::DatasetError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactTextSet {
    /// What is learnt from.
    pub train: Vec<FactText>,
    /// What settings are chosen by.
    pub validation: Vec<FactText>,
    /// What is reported.
    pub test: Vec<FactText>,
    /// The names of the facts whose values stand in a text as they are, such as names of places.
    pub exact: Vec<String>,
    /// The names of the facts whose values mostly stand in a text word for word, and mean something to those who write.
    pub copied: Vec<String>,
}

/// Facts, and the texts that people wrote from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactText {
    /// Name and value of each fact, in the order of the file. A name may come several times.
    pub facts: Vec<(String, String)>,
    /// The texts, at least one.
    pub texts: Vec<String>,
}

impl FactText {
    /// Puts rows with the same facts that follow each other together.
    fn grouped(rows: impl IntoIterator<Item = (Vec<(String, String)>, String)>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (facts, text) in rows {
            match all.last_mut() {
                Some(last) if last.facts == facts => last.texts.push(text),
                _ => all.push(Self {
                    facts,
                    texts: vec![text],
                }),
            }
        }
        all
    }
}
