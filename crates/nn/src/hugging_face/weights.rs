//! The weights of a checkpoint: one safetensors file, or shards that an index names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use crate::{NnError, replace_file};

/// The file of all weights.
pub(super) const WHOLE: &str = "model.safetensors";
/// The file that names the shards.
const INDEX: &str = "model.safetensors.index.json";
/// Angles that old exports of Llama kept beside the weights; they follow from the configuration.
const ANGLES: &str = ".rotary_emb.inv_freq";
const TABLE: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

#[derive(Deserialize)]
struct Index {
    /// The file of each weight.
    weight_map: BTreeMap<String, String>,
}

/// The error about a file.
pub(super) fn fault(path: &Path, fault: impl Into<String>, remedy: &'static str) -> NnError {
    NnError::Interchange {
        path: path.to_owned(),
        fault: fault.into(),
        remedy,
    }
}

/// Reads all weights of a folder as f32 on the CPU, with the file that an error about them should name.
pub(super) fn read(folder: &Path) -> Result<(PathBuf, BTreeMap<String, Tensor>), NnError> {
    let (whole, index) = (folder.join(WHOLE), folder.join(INDEX));
    let mut tensors = BTreeMap::new();
    if whole.exists() {
        read_shard(&whole, &mut tensors)?;
        return Ok((whole, tensors));
    }
    if !index.exists() {
        let text = format!("holds neither `{WHOLE}` nor `{INDEX}`");
        let remedy = "download the weights as safetensors, or write them so with `save_pretrained`";
        return Err(fault(folder, text, remedy));
    }
    for name in shards(&index)? {
        let shard = folder.join(&name);
        if !shard.exists() {
            let text = format!("names `{name}`, which is not in the folder");
            return Err(fault(&index, text, "download that file too"));
        }
        read_shard(&shard, &mut tensors)?;
    }
    Ok((index, tensors))
}

/// The names of the files that an index names, each once.
fn shards(index: &Path) -> Result<BTreeSet<String>, NnError> {
    let text = std::fs::read_to_string(index).map_err(|e| NnError::io("read", index, e))?;
    let parsed: Index = serde_json::from_str(&text).map_err(|e| {
        fault(
            index,
            format!("is no index: {e}"),
            "download the file again",
        )
    })?;
    let shards: BTreeSet<String> = parsed.weight_map.into_values().collect();
    // An index comes from elsewhere and must not lead out of its folder.
    if let Some(name) = shards.iter().find(|name| name.contains(['/', '\\', ':'])) {
        let text = format!("names `{name}`, which is no plain file name");
        return Err(fault(index, text, "put all shards into the index's folder"));
    }
    Ok(shards)
}

/// Reads the tensors of one file as f32 on the CPU beside those that were read before.
pub(super) fn read_shard(
    path: &Path,
    tensors: &mut BTreeMap<String, Tensor>,
) -> Result<(), NnError> {
    let content = std::fs::read(path).map_err(|e| NnError::io("read", path, e))?;
    let shard = SafeTensors::deserialize(&content).map_err(|error| {
        let text = format!(
            "{} bytes are no whole safetensors file: {error}",
            content.len()
        );
        fault(path, text, "download the file again")
    })?;
    for (name, view) in shard.tensors() {
        if name.ends_with(ANGLES) {
            continue;
        }
        if !matches!(view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            let text = format!("`{name}` is stored as {}", view.dtype());
            return Err(fault(path, text, "export the model in f32, f16 or bf16"));
        }
        let tensor = view.load(&Device::Cpu)?.to_dtype(DType::F32)?;
        if tensors.insert(name.clone(), tensor).is_some() {
            let text = format!("holds `{name}`, which another shard holds too");
            return Err(fault(path, text, "download the folder again"));
        }
    }
    Ok(())
}

/// Refuses weights that are infinite or not numbers, by the first such element.
pub(super) fn check_finite(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<(), NnError> {
    for (name, tensor) in tensors {
        let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
        let Some(first) = values.iter().position(|value| !value.is_finite()) else {
            continue;
        };
        let mut rest = first;
        let mut place = tensor.dims().to_vec();
        for index in place.iter_mut().rev() {
            let size = *index;
            (*index, rest) = (rest % size, rest / size);
        }
        let text = format!("`{name}` is {} at {place:?}", values[first]);
        let remedy = "take the weights from before training diverged, or download them again";
        return Err(fault(path, text, remedy));
    }
    Ok(())
}

/// Drops the output weights where they are the token table's once more.
pub(super) fn drop_tied_copy(
    path: &Path,
    tensors: &mut BTreeMap<String, Tensor>,
) -> Result<(), NnError> {
    let Some(head) = tensors.remove(HEAD) else {
        return Ok(());
    };
    let values =
        |tensor: &Tensor| -> Result<Vec<f32>, NnError> { Ok(tensor.flatten_all()?.to_vec1()?) };
    match tensors.get(TABLE) {
        Some(table) if table.dims() != head.dims() || values(table)? != values(&head)? => {
            let text = format!("`{HEAD}` differs from `{TABLE}`");
            let remedy =
                "set `tie_word_embeddings` in `config.json` to false, or remove the tensor";
            Err(fault(path, text, remedy))
        }
        _ => Ok(()),
    }
}

/// Writes all weights into one file, in one step.
pub(super) fn write(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<(), NnError> {
    // `transformers` asks for the framework that wrote the file and reads those of PyTorch.
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let content = safetensors::serialize(tensors, Some(about)).map_err(|error| {
        fault(
            path,
            format!("cannot be made: {error}"),
            "report this as a bug",
        )
    })?;
    replace_file(path, &content)
}
