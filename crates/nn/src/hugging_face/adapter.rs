//! Adapters in the layout of PEFT: `adapter_config.json` and `adapter_model.safetensors`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Tensor};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::fields::Fields;
use super::weights::{check_finite, fault, read_shard};
use crate::{LoraConfig, LoraTarget, NnError, ParameterStore, replace_file};

/// The file of sizes.
const CONFIG: &str = "adapter_config.json";
/// The file of changes.
const WEIGHTS: &str = "adapter_model.safetensors";
/// What PEFT puts before a model's own names.
const PREFIX: &str = "base_model.model.";
/// Where the file of changes keeps the fingerprint of the model that they were learnt for; PEFT passes over it.
const BASE: &str = "base_weights_blake3";

/// Fields that say where an adapter comes from or how it was trained, and change nothing about what it computes.
const WITHOUT_EFFECT: [&str; 14] = [
    "auto_mapping",
    "base_model_name_or_path",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_dropout",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "task_type",
];

/// Initialisations of PEFT that move the base weights themselves, so that the changes alone do not say what was learnt.
const MOVING: [&str; 5] = ["pissa", "olora", "corda", "loftq", "lora_ga"];

/// Writes the changes of [`crate::Decoder::with_lora`] so that PEFT reads them: `adapter_model.safetensors`, then
/// `adapter_config.json`, each in one step. The folder is made where it is absent.
///
/// `base_name` is what PEFT may load the base model by, such as its folder, and `base` the model's
/// [`ParameterStore::fingerprint`], by which [`merge_adapter`] tells it from another of the same sizes.
///
/// # Errors
/// [`NnError::Io`] where a file cannot be written.
pub fn save_adapter(
    folder: &Path,
    changes: &ParameterStore,
    config: LoraConfig,
    targets: &[LoraTarget],
    (base_name, base): (&str, &str),
) -> Result<(), NnError> {
    let tensors = changes
        .iter()
        .map(|(name, parameter)| {
            let value = parameter.var.as_tensor().detach().to_dtype(DType::F32)?;
            Ok((format!("{PREFIX}{name}"), value))
        })
        .collect::<Result<BTreeMap<String, Tensor>, NnError>>()?;
    // A single entry: several would be written in an order that differs from run to run. PEFT asks for none.
    let about = HashMap::from([(BASE.to_owned(), base.to_owned())]);
    let path = folder.join(WEIGHTS);
    let content = safetensors::serialize(&tensors, Some(about)).map_err(|error| {
        let text = format!("cannot be made: {error}");
        fault(&path, text, "report this as a bug")
    })?;
    std::fs::create_dir_all(folder).map_err(|e| NnError::io("create", folder, e))?;
    replace_file(&path, &content)?;
    let names: Vec<&str> = targets.iter().map(|target| target.name()).collect();
    let value = json!({
        "base_model_name_or_path": base_name,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "modules_to_save": null,
        "peft_type": "LORA",
        "r": config.rank,
        "target_modules": names,
        "task_type": "CAUSAL_LM",
        "use_dora": false,
        "use_rslora": false,
    });
    replace_file(&folder.join(CONFIG), format!("{value:#}\n").as_bytes())
}

/// Merges an adapter of PEFT into the weights of a loaded model: W + (α / r) B A for every projection that it changes.
///
/// Changes in f32, f16 or bf16 of any of the projections in [`LoraTarget`] are read, in any of the layers. Where one is
/// refused, no weight has been moved.
///
/// # Errors
/// [`NnError::Io`] where a file cannot be read, [`NnError::Interchange`] where one is damaged, asks by a field for what is
/// not done, or belongs to another model.
pub fn merge_adapter(folder: &Path, model: &ParameterStore) -> Result<(), NnError> {
    let scale = Scale::read(&folder.join(CONFIG))?;
    let path = folder.join(WEIGHTS);
    check_base(&path, model)?;
    let mut tensors = BTreeMap::new();
    read_shard(&path, &mut tensors)?;
    check_finite(&path, &tensors)?;
    if tensors.is_empty() {
        let remedy = "take the file that `save_pretrained` of PEFT writes";
        return Err(fault(&path, "holds no change", remedy));
    }
    let mut merged = Vec::new();
    for (name, a) in &tensors {
        let changed = changed_weight(&path, name)?;
        let Some(base) = name.strip_suffix(".lora_A.weight") else {
            let partner = name.replace(".lora_B.weight", ".lora_A.weight");
            if tensors.contains_key(&partner) {
                continue;
            }
            return Err(unpaired(&path, name, &partner));
        };
        let partner = format!("{base}.lora_B.weight");
        let b = tensors
            .get(&partner)
            .ok_or_else(|| unpaired(&path, name, &partner))?;
        let weight = model.get(&changed).ok_or_else(|| {
            of_another_model(&path, format!("changes `{changed}`, which the model lacks"))
        })?;
        let weight = weight.var.as_tensor();
        let (outputs, inputs) = weight.dims2()?;
        let rank = scale.rank;
        if a.dims() != [rank, inputs] || b.dims() != [outputs, rank] {
            let shapes = format!("{:?} and {:?}", b.dims(), a.dims());
            let text = format!(
                "changes `{changed}` by {shapes} with `r` {rank}; the model's weight is [{outputs}, {inputs}]"
            );
            return Err(of_another_model(&path, text));
        }
        let change = (b.matmul(a)? * scale.factor())?;
        let change = change
            .to_dtype(weight.dtype())?
            .to_device(weight.device())?;
        merged.push((changed, (weight.detach() + change)?));
    }
    for (name, weight) in merged {
        model.set(&name, &weight)?;
    }
    Ok(())
}

/// What the sizes' file says of the strength of the changes.
#[derive(Debug, Clone, Copy)]
struct Scale {
    rank: usize,
    alpha: f64,
}

impl Scale {
    fn factor(self) -> f64 {
        self.alpha / self.rank as f64
    }

    /// Reads the fields and refuses those that ask for what is not done.
    fn read(path: &Path) -> Result<Self, NnError> {
        let text = std::fs::read_to_string(path).map_err(|e| NnError::io("read", path, e))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            let text = format!("is no JSON: {error}");
            fault(path, text, "take the adapter's files anew")
        })?;
        let fields = Fields::of(path, &value)?;
        match fields.text("peft_type")? {
            Some("LORA") => {}
            Some(_) => return Err(fields.refused("peft_type", "use an adapter of the type `LORA`")),
            None => return Err(fields.missing("peft_type")),
        }
        if fields.text("bias")?.is_some_and(|bias| bias != "none") {
            let remedy = "train the adapter with `bias` set to \"none\"";
            return Err(fields.refused("bias", remedy));
        }
        let moves = |init: &Value| {
            let init = init.as_str().unwrap_or_default();
            MOVING.iter().any(|moving| init.starts_with(moving))
        };
        if fields.get("init_lora_weights").is_some_and(moves) {
            let remedy = "save the adapter converted to plain LoRA, with PEFT's `path_initial_model_for_weight_conversion`";
            return Err(fields.refused("init_lora_weights", remedy));
        }
        check_targets(fields)?;
        let read = ["peft_type", "bias", "target_modules", "r", "lora_alpha"];
        let is_off = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(items) => items.is_empty(),
            _ => false,
        };
        // A field that is on and not known may change what the adapter computes.
        for name in fields.names() {
            let is_known = read.contains(&name) || WITHOUT_EFFECT.contains(&name);
            if !is_known && !fields.get(name).is_none_or(is_off) {
                let remedy = "use an adapter of plain LoRA, which leaves this field out";
                return Err(fields.refused(name, remedy));
            }
        }
        Ok(Self {
            rank: fields.count("r")?,
            alpha: fields.number("lora_alpha")?,
        })
    }
}

/// Refuses a list of modules that names others than the blocks' projections; a pattern is judged by what was saved.
fn check_targets(fields: Fields<'_>) -> Result<(), NnError> {
    let Some(Value::Array(names)) = fields.get("target_modules") else {
        return Ok(());
    };
    let is_projection = |name: &Value| {
        let last = name.as_str().and_then(|name| name.rsplit('.').next());
        LoraTarget::ALL
            .iter()
            .any(|target| Some(target.name()) == last)
    };
    if names.iter().all(is_projection) {
        return Ok(());
    }
    let remedy = "train the adapter on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj alone";
    Err(fields.refused("target_modules", remedy))
}

/// The name of the weight that a tensor of the file changes.
fn changed_weight(path: &Path, name: &str) -> Result<String, NnError> {
    let inner = name.strip_prefix(PREFIX);
    let inner = inner.and_then(|inner| {
        let suffixes = [".lora_A.weight", ".lora_B.weight"];
        suffixes
            .iter()
            .find_map(|suffix| inner.strip_suffix(suffix))
    });
    let is_projection = |inner: &&str| {
        LoraTarget::ALL.iter().any(|target| {
            let suffix = format!(".{}.{}", target.part(), target.name());
            inner.starts_with("model.layers.") && inner.ends_with(&suffix)
        })
    };
    match inner.filter(is_projection) {
        Some(inner) => Ok(format!("{inner}.weight")),
        None => Err(fault(
            path,
            format!("holds `{name}`, which is no change of a block's projection"),
            "use an adapter of plain LoRA on the projections of attention and feed-forward layers",
        )),
    }
}

/// Refuses changes that were learnt for another model, where the file says for which.
fn check_base(path: &Path, model: &ParameterStore) -> Result<(), NnError> {
    let content = std::fs::read(path).map_err(|e| NnError::io("read", path, e))?;
    // What is no safetensors file is refused by the reader of the weights.
    let Ok((_, about)) = SafeTensors::read_metadata(&content) else {
        return Ok(());
    };
    let base = about.metadata().as_ref().and_then(|about| about.get(BASE));
    match base {
        Some(base) if *base != model.fingerprint()? => Err(of_another_model(
            path,
            "was learnt for other weights".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn unpaired(path: &Path, name: &str, partner: &str) -> NnError {
    let text = format!("holds `{name}` without `{partner}`");
    fault(path, text, "take the adapter's files anew")
}

fn of_another_model(path: &Path, text: String) -> NnError {
    let remedy = "name the model that the adapter was trained on, or train an adapter for this one";
    fault(path, text, remedy)
}
