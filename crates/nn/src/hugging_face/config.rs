//! `config.json`: what it says of a Llama or Qwen2 model, and what it must not ask for.

use std::path::Path;

use serde_json::{Value, json};

use super::fields::Fields;
use super::rotary;
use crate::{DecoderConfig, NnError, replace_file};

/// The angles of all positions are kept in memory, which bounds what a file may ask for.
const MOST_POSITIONS: usize = 1 << 20;

/// The two model types; Qwen2's projections of queries, keys and values have biases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Llama,
    Qwen2,
}

/// Reads the sizes.
pub(super) fn read(path: &Path) -> Result<DecoderConfig, NnError> {
    let text = std::fs::read_to_string(path).map_err(|e| NnError::io("read", path, e))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| NnError::Interchange {
        path: path.to_owned(),
        fault: format!("is no JSON: {error}"),
        remedy: "download the file again",
    })?;
    let fields = Fields::of(path, &value)?;
    let family = family(fields)?;
    refuse_unsupported(fields, family)?;
    let (rotary_base, rotary_scaling) = rotary::read(fields)?;
    let heads = fields.count("num_attention_heads")?;
    let config = DecoderConfig {
        vocabulary: fields.count("vocab_size")?,
        width: fields.count("hidden_size")?,
        layers: fields.count("num_hidden_layers")?,
        heads,
        key_heads: match family {
            Family::Llama => fields
                .optional_count("num_key_value_heads")?
                .unwrap_or(heads),
            // `transformers` takes 32 where it is absent, which fits few models: better to ask.
            Family::Qwen2 => fields.count("num_key_value_heads")?,
        },
        hidden: fields.count("intermediate_size")?,
        positions: fields.count("max_position_embeddings")?,
        rotary_base,
        rotary_scaling,
        norm_epsilon: fields.number("rms_norm_eps")?,
        attention_bias: family == Family::Qwen2,
        tied: fields.flag("tie_word_embeddings")?,
        dropout: 0.0,
    };
    check_sizes(fields, &config)?;
    Ok(config)
}

fn family(fields: Fields<'_>) -> Result<Family, NnError> {
    match fields.text("model_type")? {
        Some("llama") => Ok(Family::Llama),
        Some("qwen2") => Ok(Family::Qwen2),
        Some(_) => Err(fields.refused(
            "model_type",
            "use a checkpoint of the model type `llama` or `qwen2`",
        )),
        None => Err(fields.missing("model_type")),
    }
}

/// Refuses what changes the logits and a [`crate::Decoder`] does not do.
fn refuse_unsupported(fields: Fields<'_>, family: Family) -> Result<(), NnError> {
    if fields
        .text("hidden_act")?
        .is_some_and(|name| name != "silu")
    {
        let remedy = "use a checkpoint whose feed-forward layers have the activation `silu`";
        return Err(fields.refused("hidden_act", remedy));
    }
    // `transformers` reads a field of one family in the other without effect; so does this.
    let flags: &[(&str, &'static str)] = match family {
        Family::Llama => &[
            (
                "attention_bias",
                "use a checkpoint without biases in its attention, or one of the model type `qwen2`",
            ),
            (
                "mlp_bias",
                "use a checkpoint without biases in its feed-forward layers",
            ),
        ],
        Family::Qwen2 => &[(
            "use_sliding_window",
            "use a checkpoint in which every layer sees all earlier tokens",
        )],
    };
    for (name, remedy) in flags {
        if fields.flag(name)? {
            return Err(fields.refused(name, remedy));
        }
    }
    if family == Family::Qwen2
        && let Some(layers) = fields.get("layer_types")
    {
        let mut layers = layers.as_array().into_iter().flatten();
        if layers.any(|layer| layer.as_str() != Some("full_attention")) {
            let remedy = "use a checkpoint whose layers are all of the type `full_attention`";
            return Err(fields.refused("layer_types", remedy));
        }
    }
    match fields.get("quantization_config") {
        None => Ok(()),
        Some(_) => Err(fields.refused(
            "quantization_config",
            "use a checkpoint that is not quantised, in f32, f16 or bf16",
        )),
    }
}

fn check_sizes(fields: Fields<'_>, config: &DecoderConfig) -> Result<(), NnError> {
    let DecoderConfig {
        width,
        heads,
        key_heads,
        ..
    } = *config;
    if !width.is_multiple_of(heads) {
        let remedy = "write a divisor of `hidden_size`";
        return Err(fields.refused("num_attention_heads", remedy));
    }
    if !heads.is_multiple_of(key_heads) {
        let remedy = "write a divisor of `num_attention_heads`";
        return Err(fields.refused("num_key_value_heads", remedy));
    }
    let head_width = width / heads;
    if !head_width.is_multiple_of(2) {
        let remedy = "rotary positions need an even `hidden_size` / `num_attention_heads`";
        return Err(fields.refused("num_attention_heads", remedy));
    }
    if fields
        .optional_count("head_dim")?
        .is_some_and(|given| given != head_width)
    {
        let remedy = "use a checkpoint whose heads are `hidden_size` / `num_attention_heads` wide";
        return Err(fields.refused("head_dim", remedy));
    }
    if config.positions > MOST_POSITIONS {
        let remedy = "write at most 1048576, the longest sequence that will be read";
        return Err(fields.refused("max_position_embeddings", remedy));
    }
    Ok(())
}

/// Writes the sizes so that versions 4 and 5 of `transformers` read them.
pub(super) fn write(path: &Path, config: &DecoderConfig) -> Result<(), NnError> {
    let mut value = json!({
        "attention_dropout": 0.0,
        "bos_token_id": null,
        "dtype": "float32",
        "eos_token_id": null,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "initializer_range": 0.02,
        "intermediate_size": config.hidden,
        "max_position_embeddings": config.positions,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.key_heads,
        "rms_norm_eps": config.norm_epsilon,
        "tie_word_embeddings": config.tied,
        "torch_dtype": "float32",
        "use_cache": true,
        "vocab_size": config.vocabulary,
    });
    let own = if config.attention_bias {
        json!({
            "architectures": ["Qwen2ForCausalLM"],
            "max_window_layers": config.layers,
            "model_type": "qwen2",
            "sliding_window": null,
            "use_sliding_window": false,
        })
    } else {
        json!({
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": false,
            "head_dim": config.width / config.heads,
            "mlp_bias": false,
            "model_type": "llama",
        })
    };
    if let (Value::Object(fields), Value::Object(own)) = (&mut value, own) {
        fields.extend(own);
        rotary::write(fields, config.rotary_base, config.rotary_scaling);
    }
    replace_file(path, format!("{value:#}\n").as_bytes())
}
