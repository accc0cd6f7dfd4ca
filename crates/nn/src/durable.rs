//! Files that are either whole or absent: written beside, synced, renamed; checked by a hash when read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// Writes named tensors as safetensors in one step and returns the content's hash (BLAKE3, hexadecimal).
///
/// The bytes depend on names and values alone.
///
/// # Errors
/// [`NnError::Io`] where the file cannot be written, [`NnError::Damaged`] where a tensor cannot be serialised.
pub fn write_tensors(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<String, NnError> {
    let content = safetensors::serialize(tensors, None)
        .map_err(|error| NnError::damaged(path, error.to_string()))?;
    replace_file(path, &content)?;
    Ok(blake3::hash(&content).to_hex().to_string())
}

/// Reads named tensors, refusing a file whose hash is not `hash`.
///
/// # Errors
/// [`NnError::Io`] where the file cannot be read, [`NnError::Damaged`] where its content is not what was written.
pub fn read_tensors(
    path: &Path,
    hash: &str,
    device: &Device,
) -> Result<BTreeMap<String, Tensor>, NnError> {
    let content = std::fs::read(path).map_err(|source| NnError::io("read", path, source))?;
    let found = blake3::hash(&content).to_hex();
    if found.as_str() != hash {
        let size = content.len();
        let detail = format!("its {size} bytes hash to {found}, {hash} was written");
        return Err(NnError::damaged(path, detail));
    }
    let tensors = candle_core::safetensors::load_buffer(&content, device)?;
    Ok(tensors.into_iter().collect())
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
        let path = folder.path().join("w.safetensors");
        let tensor = Tensor::new(&[1f32, f32::MIN_POSITIVE, -0.0], &Device::Cpu).expect("fits");
        let tensors = BTreeMap::from([("w".to_owned(), tensor)]);
        let hash = write_tensors(&path, &tensors).expect("writable");
        let back = read_tensors(&path, &hash, &Device::Cpu).expect("whole");
        let bits = |t: &BTreeMap<String, Tensor>| -> Vec<u32> {
            let values: Vec<f32> = t["w"].to_vec1().expect("f32");
            values.iter().map(|v| v.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&tensors));
        let content = std::fs::read(&path).expect("readable");
        std::fs::write(&path, &content[..content.len() - 1]).expect("writable");
        let error = read_tensors(&path, &hash, &Device::Cpu).expect_err("truncated");
        assert!(error.to_string().contains("w.safetensors` is damaged"));
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
