//! The files of public sets of sequences.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use datasets::SequenceSet;

use crate::error::{EngineError, Result};
use crate::ingest::source::unpacked;

/// A public set of sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceDataset {
    /// Amazon Beauty as in S3-Rec, P5 and TIGER: `Beauty.txt` and `items.tsv`.
    AmazonBeauty,
    /// `MovieLens`-1M as in `SASRec`: `ml-1m_sas.txt`, `movies.dat` and `sas_to_original_items.txt`.
    MovieLens1M,
    /// `MovieLens`-100k as in `RecBole`: `ml-100k.inter` and `ml-100k.item`.
    MovieLens100K,
}

impl SequenceDataset {
    /// The sets by the names of the command line.
    pub const ALL: [(&'static str, Self); 3] = [
        ("amazon-beauty", Self::AmazonBeauty),
        ("ml1m", Self::MovieLens1M),
        ("ml100k", Self::MovieLens100K),
    ];

    /// The set of a name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(known, _)| *known == name).map(|(_, set)| set)
    }

    /// Reads the set from its publisher's files, plain or as `.xz`.
    ///
    /// # Errors
    /// [`EngineError::File`] where a file is missing or damaged.
    pub fn read(self, folder: &Path) -> Result<SequenceSet> {
        match self {
            Self::AmazonBeauty => read_files(
                &find(folder, "Beauty.txt")?,
                Some(&find(folder, "items.tsv")?),
            ),
            Self::MovieLens100K => read_files(
                &find(folder, "ml-100k.inter")?,
                Some(&find(folder, "ml-100k.item")?),
            ),
            Self::MovieLens1M => {
                let interactions = find(folder, "ml-1m_sas.txt")?;
                let films = read_text(&find(folder, "movies.dat")?)?;
                let numbers = read_text(&find(folder, "sas_to_original_items.txt")?)?;
                let items = renumbered(&films, &numbers);
                parse(&interactions, Some(&items))
            }
        }
    }
}

/// Reads a file of sequences and one that names the items, in any of the forms of [`SequenceSet::parse`].
///
/// # Errors
/// [`EngineError::File`] where a file cannot be read.
pub fn read_files(interactions: &Path, items: Option<&Path>) -> Result<SequenceSet> {
    let items = items.map(read_text).transpose()?;
    parse(interactions, items.as_deref())
}

fn parse(interactions: &Path, items: Option<&str>) -> Result<SequenceSet> {
    let text = read_text(interactions)?;
    SequenceSet::parse(&text, items).map_err(|error| {
        let remedy = "see the README beside the set for its publisher's form";
        EngineError::file(interactions, error.to_string(), remedy)
    })
}

/// The films of `SASRec`'s numbering, from the publisher's films and "`SASRec`'s number, publisher's number" lines.
fn renumbered(films: &str, numbers: &str) -> String {
    let by_number = films.lines().filter_map(|line| line.split_once("::"));
    let by_number: HashMap<&str, &str> = by_number.collect();
    let mut items = String::new();
    for line in numbers.lines() {
        let mut fields = line.split_whitespace();
        let (Some(here), Some(there)) = (fields.next(), fields.next()) else {
            continue;
        };
        if let Some(film) = by_number.get(there) {
            items.extend([here, "::", film, "\n"]);
        }
    }
    items
}

pub(crate) fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let names = [name.to_owned(), format!("{name}.xz")];
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| path.exists()).ok_or_else(|| {
        let problem = format!("it holds neither {name} nor {name}.xz");
        EngineError::file(folder, problem, "name the folder of the data set's files")
    })
}

/// The text of a file, packed as `.xz` or not, in UTF-8 or, as films come, in ISO 8859-1.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(EngineError::io("open", path))?;
    let mut bytes = Vec::new();
    unpacked(BufReader::new(file))
        .and_then(|mut text| text.read_to_end(&mut bytes))
        .map_err(|error| {
            let problem = format!("it cannot be read ({error})");
            EngineError::file(path, problem, "fetch it again; `xz -t` checks an .xz file")
        })?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|b| char::from(*b)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_take_the_numbers_of_the_interactions() {
        let films = "1::Toy Story (1995)::Comedy\n2::Jumanji (1995)::Adventure\n";
        assert_eq!(
            renumbered(films, "7 2\n8 9\n"),
            "7::Jumanji (1995)::Adventure\n"
        );
    }

    #[test]
    fn a_folder_without_the_files_says_which() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = SequenceDataset::AmazonBeauty.read(folder.path());
        let error = error.expect_err("empty").to_string();
        assert!(
            error.contains("neither Beauty.txt nor Beauty.txt.xz"),
            "{error}"
        );
    }
}
