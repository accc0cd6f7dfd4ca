//! What training chose on the validation window, kept so that a shop is fitted again without tuning anew.

use std::path::{Path, PathBuf};

use recommender::{BaselineSettings, Task};
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};

const FILE: &str = "selection.json";

/// The choices of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Tells the data and the settings it was made from apart from others.
    pub fingerprint: String,
    /// The last event that it knows.
    pub log_position: i64,
    /// Start of the validation window, Unix seconds.
    pub validation_start_s: i64,
    /// Start of the test window, Unix seconds.
    pub test_start_s: i64,
    /// End of the log, Unix seconds.
    pub end_s: i64,
    /// The settings of the baselines.
    pub baselines: BaselineSettings,
    /// Passes over the shoppers that were best for the user model.
    pub epochs: u64,
    /// Weights of the scorers in the blend for new items, in the order of the scorers; rounded to 6 decimals.
    pub weights_new_items: Vec<f64>,
    /// Weights of the scorers in the blend for repeats.
    pub weights_repeats: Vec<f64>,
    /// The model that serves new items, by its name in the evaluation table.
    pub default_new_items: String,
    /// The model that serves repeats.
    pub default_repeats: String,
    /// The model that serves both together.
    pub default_all: String,
    /// What the user model that serves has learnt since, where it was trained on.
    #[serde(default)]
    pub updated: Option<Updated>,
}

/// A user model that was trained on with what came after the training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updated {
    /// Its folder, among the models.
    pub folder: String,
    /// End of what it knows, Unix seconds.
    pub end_s: i64,
    /// The last event that it knows.
    pub log_position: i64,
}

impl Selection {
    /// The model that serves a task by default.
    pub fn default_of(&self, task: Task) -> &str {
        match task {
            Task::NewItems => &self.default_new_items,
            Task::Repeats => &self.default_repeats,
            Task::All => &self.default_all,
        }
    }

    /// End of what the user model that serves knows, Unix seconds.
    pub fn known_until_s(&self) -> i64 {
        self.updated.as_ref().map_or(self.end_s, |u| u.end_s)
    }

    /// The last event that the user model that serves knows.
    pub fn known_position(&self) -> i64 {
        let updated = self.updated.as_ref();
        updated.map_or(self.log_position, |u| u.log_position)
    }

    /// Reads the selection of a models folder; `None` where nothing was trained.
    ///
    /// # Errors
    /// [`EngineError::Nn`] when the file is damaged.
    pub(crate) fn load(models: &Path) -> Result<Option<Self>> {
        let path = models.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(nn::read_checked_json(&path)?))
    }

    /// Writes the selection.
    pub(crate) fn save(&self, models: &Path) -> Result<()> {
        Ok(nn::write_checked_json(&models.join(FILE), self)?)
    }
}

/// The folders of the trained models in a data directory.
#[derive(Debug, Clone)]
pub struct ModelFolders {
    /// All of them.
    pub root: PathBuf,
}

impl ModelFolders {
    /// The folders of a data directory.
    pub fn of(data_dir: &Path) -> Self {
        Self {
            root: data_dir.join("models"),
        }
    }

    /// The user model that was stopped early on the validation window.
    pub fn validation(&self) -> PathBuf {
        self.root.join("validation")
    }

    /// The user model fitted up to the test window.
    pub fn test(&self) -> PathBuf {
        self.root.join("test")
    }

    /// The user model fitted to everything.
    pub fn serving(&self) -> PathBuf {
        self.root.join("serving")
    }

    /// The user model that serves: the one fitted to everything, or what it has become since.
    pub fn served_by(&self, selection: &Selection) -> PathBuf {
        match &selection.updated {
            Some(updated) => self.root.join(&updated.folder),
            None => self.serving(),
        }
    }

    /// Removes what updates left that no longer serves.
    pub(crate) fn remove_superseded(&self, selection: &Selection) -> Result<()> {
        let serves = self.served_by(selection);
        let entries = std::fs::read_dir(&self.root).map_err(EngineError::io("read", &self.root))?;
        for entry in entries {
            let path = entry.map_err(EngineError::io("read", &self.root))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("serving-") && path != serves {
                std::fs::remove_dir_all(&path).map_err(EngineError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// The copywriter trained on the shop's own texts.
    pub fn copywriter(&self) -> PathBuf {
        self.root.join("copywriter")
    }

    /// The language model that writes from facts.
    pub fn writer(&self) -> PathBuf {
        self.root.join("writer")
    }

    /// The adapter that a local language model learnt from approved texts.
    pub fn adapter(&self) -> PathBuf {
        self.root.join("adapter")
    }

    /// A hash over what the models are, equal for runs that ended alike; `None` where nothing was trained.
    ///
    /// # Errors
    /// [`EngineError::Io`] for a file that cannot be read.
    pub fn fingerprint(&self) -> Result<Option<String>> {
        let mut hasher = blake3::Hasher::new();
        let Some(selection) = Selection::load(&self.root)? else {
            return Ok(None);
        };
        hasher.update(selection.fingerprint.as_bytes());
        hasher.update(format!("{selection:?}").as_bytes());
        for folder in [
            self.validation(),
            self.served_by(&selection),
            self.copywriter(),
        ] {
            for name in ["model.json", "training.json", "drafts.json"] {
                let path = folder.join(name);
                if path.exists() {
                    let bytes = std::fs::read(&path).map_err(EngineError::io("read", &path))?;
                    hasher.update(&bytes);
                }
            }
        }
        Ok(Some(hasher.finalize().to_hex()[..32].to_owned()))
    }
}
