//! Checkpoints of Llama and Qwen2 in the Hugging Face layout: a folder of `config.json` and safetensors.
//!
//! [`load`] makes a [`Decoder`] of such a folder and [`save`] writes one that the Python package `transformers` reads,
//! versions 4 and 5. What the folder asks for and a [`Decoder`] does not do is refused by the name and value of its
//! field; nothing is read approximately. [`merge_adapter`] and [`save_adapter`] do the same for low-rank changes in the
//! layout of PEFT. Source of the layout: <https://huggingface.co/docs/transformers> and
//! <https://huggingface.co/docs/safetensors>.

mod adapter;
mod config;
mod fields;
mod rotary;
mod weights;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use crate::{Decoder, DecoderConfig, NnError, ParameterStore};

pub use adapter::{merge_adapter, save_adapter};

/// The file of sizes.
const CONFIG: &str = "config.json";

/// Reads a checkpoint: weights in f32, f16 or bf16, in one file or in shards with an index, become f32 parameters.
///
/// Rates of dropout are not read: the decoder's is zero.
///
/// # Errors
/// [`NnError::Io`] where a file cannot be read, [`NnError::Interchange`] where it is damaged, asks for what is not
/// supported, or where weights are missing, of another shape, not finite or not of the model.
pub fn load(folder: &Path, device: &Device) -> Result<(ParameterStore, Decoder), NnError> {
    let config = config::read(&folder.join(CONFIG))?;
    let (path, tensors) = weights::read(folder)?;
    build(&path, tensors, &config, device)
}

/// Writes a checkpoint in f32: `model.safetensors`, then `config.json`, each in one step. The folder is made where it
/// is absent.
///
/// A model with biases on queries, keys and values is written as `qwen2`, one without as `llama`. The rate of dropout
/// is not written: the layout has no such field.
///
/// # Errors
/// [`NnError::Interchange`] where the store holds other parameters than the decoder's or one that is not finite; then
/// nothing is written. [`NnError::Io`] where a file cannot be written.
pub fn save(folder: &Path, store: &ParameterStore, decoder: &Decoder) -> Result<(), NnError> {
    let tensors = store
        .iter()
        .map(|(name, parameter)| {
            let value = parameter.var.as_tensor().detach();
            let value = value.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
            Ok((name.to_owned(), value))
        })
        .collect::<Result<BTreeMap<_, _>, NnError>>()?;
    let path = folder.join(weights::WHOLE);
    // Whatever `load` would refuse is not written.
    build(&path, tensors.clone(), decoder.config(), &Device::Cpu)?;
    std::fs::create_dir_all(folder).map_err(|e| NnError::io("create", folder, e))?;
    weights::write(&path, &tensors)?;
    config::write(&folder.join(CONFIG), decoder.config())
}

/// The model of a configuration around the weights of a file.
fn build(
    path: &Path,
    mut tensors: BTreeMap<String, Tensor>,
    config: &DecoderConfig,
    device: &Device,
) -> Result<(ParameterStore, Decoder), NnError> {
    weights::check_finite(path, &tensors)?;
    if config.tied {
        weights::drop_tied_copy(path, &mut tensors)?;
    }
    let mut store = ParameterStore::of_values(tensors, device);
    let decoder = Decoder::new(&mut store, config);
    let decoder = decoder.and_then(|decoder| store.end_of_values().map(|()| decoder));
    let decoder = decoder.map_err(|error| match error {
        NnError::Weights { name, fault } => NnError::Interchange {
            path: path.to_owned(),
            fault: format!("`{name}` {fault}"),
            remedy: "take the weights and `config.json` from the same model",
        },
        other => other,
    })?;
    Ok((store, decoder))
}
