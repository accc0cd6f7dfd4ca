//! Files that are either whole or absent: written beside, synced, renamed; checked by a hash when read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::NnError;

/// Replaces a file by new content in one step: a reader, also one after a crash, sees the old content or the new.
///
/// # Errors
/// [`NnError::Io`] where the folder cannot be written; the old content is then untouched.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<(), NnError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let temporary = Path::new(&name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(temporary, path)?;
        // The rename itself is durable only once the folder is.
        match path.parent().filter(|p| !p.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|source| NnError::io("write", path, source))
}

/// A file of tensors, named by its content: what a record beside it must hold to read it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorFile {
    /// Name of the file within its folder.
    pub file: String,
    /// BLAKE3 of its content, hexadecimal.
    pub blake3: String,
}

impl TensorFile {
    /// Writes named tensors as `PREFIX-HASH.safetensors` into a folder.
    ///
    /// The name depends on names and values alone, so new weights never overwrite those that an older record names:
    /// write the tensors, replace the record, then call [`TensorFile::remove_others`].
    ///
    /// # Errors
    /// [`NnError::Io`] where the file cannot be written, [`NnError::Damaged`] where a tensor cannot be serialised.
    pub fn write(
        folder: &Path,
        prefix: &str,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self, NnError> {
        let content = safetensors::serialize(tensors, None)
            .map_err(|error| NnError::damaged(folder, error.to_string()))?;
        let blake3 = blake3::hash(&content).to_hex().to_string();
        let file = format!("{prefix}-{}.safetensors", &blake3[..16]);
        replace_file(&folder.join(&file), &content)?;
        Ok(Self { file, blake3 })
    }

    /// Reads the tensors back.
    ///
    /// # Errors
    /// [`NnError::Io`] where the file cannot be read, [`NnError::Damaged`] where its content is not what was written.
    pub fn read(
        &self,
        folder: &Path,
        device: &Device,
    ) -> Result<BTreeMap<String, Tensor>, NnError> {
        let path = folder.join(&self.file);
        let content = std::fs::read(&path).map_err(|source| NnError::io("read", &path, source))?;
        let found = blake3::hash(&content).to_hex();
        if found.as_str() != self.blake3 {
            let (size, written) = (content.len(), &self.blake3);
            let detail = format!("its {size} bytes hash to {found}, {written} was written");
            return Err(NnError::damaged(&path, detail));
        }
        let tensors = candle_core::safetensors::load_buffer(&content, device)?;
        Ok(tensors.into_iter().collect())
    }

    /// Removes the other files of the same prefix: older weights and leftovers of an interrupted write.
    ///
    /// # Errors
    /// [`NnError::Io`] where the folder cannot be read or a file not be removed.
    pub fn remove_others(&self, folder: &Path, prefix: &str) -> Result<(), NnError> {
        let failed = |source| NnError::io("clean", folder, source);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let tensors = name.contains(".safetensors") && name.starts_with(&format!("{prefix}-"));
            if tensors && name != self.file.as_str() {
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// What stands in the place of the checksum while it is computed.
const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Writes a value as JSON with a hash of the whole text in the field `checksum`, in one step.
///
/// # Errors
/// [`NnError::Io`] where the file cannot be written, [`NnError::Damaged`] where the value is no JSON object.
pub fn write_checked_json<T: Serialize>(path: &Path, value: &T) -> Result<(), NnError> {
    let damaged = |detail: String| NnError::damaged(path, detail);
    let mut value = serde_json::to_value(value).map_err(|e| damaged(e.to_string()))?;
    let object = value
        .as_object_mut()
        .ok_or_else(|| damaged("the value is no JSON object".to_owned()))?;
    object.insert("checksum".to_owned(), Value::from(NO_CHECKSUM));
    let mut text = serde_json::to_string_pretty(&value).map_err(|e| damaged(e.to_string()))?;
    text.push('\n');
    let checksum = blake3::hash(text.as_bytes()).to_hex();
    replace_file(path, text.replacen(NO_CHECKSUM, &checksum, 1).as_bytes())
}

/// Reads a value that [`write_checked_json`] wrote.
///
/// # Errors
/// [`NnError::Io`] where the file cannot be read, [`NnError::Damaged`] where it is no JSON, was changed, or lacks a
/// field.
pub fn read_checked_json<T: DeserializeOwned>(path: &Path) -> Result<T, NnError> {
    let text = std::fs::read_to_string(path).map_err(|source| NnError::io("read", path, source))?;
    let damaged = |detail: String| NnError::damaged(path, detail);
    let mut value: Value =
        serde_json::from_str(&text).map_err(|e| damaged(format!("not JSON: {e}")))?;
    let stored = value.as_object_mut().and_then(|o| o.remove("checksum"));
    let stored = stored.as_ref().and_then(Value::as_str).unwrap_or_default();
    // The text is hashed, not the parsed value: a number may be printed differently after it was read.
    let hashed = blake3::hash(text.replacen(stored, NO_CHECKSUM, 1).as_bytes());
    if stored.len() != NO_CHECKSUM.len() || hashed.to_hex().as_str() != stored {
        return Err(damaged(
            "its checksum does not match its content".to_owned(),
        ));
    }
    serde_json::from_value(value).map_err(|e| damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_and_a_changed_byte_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state.json");
        let value = BTreeMap::from([("step".to_owned(), 41u64), ("epoch".to_owned(), 3)]);
        write_checked_json(&path, &value).expect("writable");
        let back: BTreeMap<String, u64> = read_checked_json(&path).expect("whole");
        assert_eq!(back, value);
        let text = std::fs::read_to_string(&path).expect("readable");
        for damage in [
            text.replace("41", "42"),
            text[..20].to_owned(),
            String::new(),
        ] {
            std::fs::write(&path, damage).expect("writable");
            let error = read_checked_json::<Value>(&path).expect_err("damaged");
            let message = error.to_string();
            assert!(message.contains("state.json` is damaged"), "{message}");
            assert!(message.contains("train from the start"), "{message}");
        }
    }

    #[test]
    fn tensors_come_back_and_a_truncated_file_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let tensor = Tensor::new(&[1f32, f32::MIN_POSITIVE, -0.0], &Device::Cpu).expect("fits");
        let tensors = BTreeMap::from([("w".to_owned(), tensor)]);
        let file = TensorFile::write(folder, "w", &tensors).expect("writable");
        let back = file.read(folder, &Device::Cpu).expect("whole");
        let bits = |t: &BTreeMap<String, Tensor>| -> Vec<u32> {
            let values: Vec<f32> = t["w"].to_vec1().expect("f32");
            values.iter().map(|v| v.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&tensors));
        let path = folder.join(&file.file);
        let content = std::fs::read(&path).expect("readable");
        std::fs::write(&path, &content[..content.len() - 1]).expect("writable");
        let error = file.read(folder, &Device::Cpu).expect_err("truncated");
        assert!(
            error
                .to_string()
                .contains(&format!("{}` is damaged", file.file))
        );
    }

    #[test]
    fn only_older_tensors_of_the_prefix_are_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        for name in [
            "w-1.safetensors",
            "w-2.safetensors.tmp",
            "v-1.safetensors",
            "w-3.json",
        ] {
            std::fs::write(folder.join(name), b"x").expect("writable");
        }
        let tensors = BTreeMap::from([(
            "w".to_owned(),
            Tensor::new(&[1f32], &Device::Cpu).expect("fits"),
        )]);
        let file = TensorFile::write(folder, "w", &tensors).expect("writable");
        file.remove_others(folder, "w").expect("writable");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        let mut expected = ["v-1.safetensors", "w-3.json", &file.file];
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = replace_file(Path::new("/nowhere/at/all"), b"x").expect_err("no folder");
        assert!(
            error
                .to_string()
                .starts_with("cannot write `/nowhere/at/all`:")
        );
    }
}
