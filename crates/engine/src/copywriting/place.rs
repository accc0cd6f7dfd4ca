//! How a model that was trained takes the place of the one in use.

use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};

/// The folders of a model: in use, in training, and on its way out.
pub(super) struct Place {
    pub(super) used: PathBuf,
    pub(super) fresh: PathBuf,
    old: PathBuf,
    last: &'static str,
}

impl Place {
    /// The folder of a model in use, which is whole once it has a file that is written last.
    pub(super) fn at(used: PathBuf, last: &'static str) -> Self {
        Self {
            fresh: used.with_extension("new"),
            old: used.with_extension("old"),
            used,
            last,
        }
    }

    /// Puts the model that was trained into the place of the one in use. Two renames: a kill between them leaves the place
    /// empty and the new model whole, which `recover` finds.
    pub(super) fn take_into_use(&self) -> Result<()> {
        remove(&self.old)?;
        if self.used.exists() {
            rename(&self.used, &self.old)?;
        }
        rename(&self.fresh, &self.used)?;
        remove(&self.old)
    }

    /// Finishes what a kill interrupted: a model that was trained and not yet taken into use.
    pub(super) fn recover(&self) -> Result<()> {
        if self.fresh.join(self.last).exists() {
            return self.take_into_use();
        }
        Ok(())
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(EngineError::io("remove", folder))?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(EngineError::io("rename", from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: &str = "last.json";

    /// A folder that stands for a model, told apart by a word.
    fn model(folder: &Path, word: &str) {
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(folder.join(LAST), word).expect("written");
    }

    fn word(folder: &Path) -> Option<String> {
        std::fs::read_to_string(folder.join(LAST)).ok()
    }

    #[test]
    fn a_model_takes_its_place_wherever_it_was_stopped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = Place::at(folder.path().join("writer"), LAST);
        place.recover().expect("nothing to do");
        model(&place.used, "first");
        // Training has begun and is not done.
        std::fs::create_dir_all(place.fresh.join("checkpoint")).expect("a folder");
        place.recover().expect("nothing to do");
        assert_eq!(word(&place.used).as_deref(), Some("first"));

        model(&place.fresh, "second");
        place.recover().expect("renames");
        assert_eq!(word(&place.used).as_deref(), Some("second"));
        assert!(!place.fresh.exists() && !place.old.exists());

        // Killed between the two renames.
        model(&place.fresh, "third");
        rename(&place.used, &place.old).expect("renames");
        place.recover().expect("renames");
        assert_eq!(word(&place.used).as_deref(), Some("third"));
        assert!(!place.fresh.exists() && !place.old.exists());
    }
}
