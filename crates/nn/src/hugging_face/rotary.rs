//! The rotary part of `config.json`: version 5 of `transformers` writes `rope_parameters`, version 4 `rope_theta` and
//! `rope_scaling`.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::{NnError, RotaryScaling};

/// The base that both model types have where the file names none.
const USUAL_BASE: f64 = 10_000.0;
const OTHER_TYPE: &str =
    "use a checkpoint whose rotary positions are of the type `default`, `linear` or `llama3`";
/// What an object of rotary parameters may hold.
const KNOWN: [&str; 8] = [
    "rope_type",
    "type",
    "rope_theta",
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
    "partial_rotary_factor",
];

/// Reads base and scaling. As in `transformers`, `rope_scaling` counts before `rope_parameters`.
pub(super) fn read(fields: Fields<'_>) -> Result<(f64, RotaryScaling), NnError> {
    let outer = fields.optional_number("rope_theta")?;
    let within = match fields.within("rope_scaling.")? {
        Some(scaling) => Some(scaling),
        None => fields.within("rope_parameters.")?,
    };
    check_all_turn(fields)?;
    let Some(within) = within else {
        return Ok((outer.unwrap_or(USUAL_BASE), RotaryScaling::Unscaled));
    };
    check_all_turn(within)?;
    let inner = within.optional_number("rope_theta")?;
    if inner.is_some() && outer.is_some() && inner != outer {
        let remedy = "remove the one of the two `rope_theta` that the model was not trained with";
        return Err(within.refused("rope_theta", remedy));
    }
    let base = inner.or(outer).unwrap_or(USUAL_BASE);
    Ok((base, scaling(within)?))
}

/// Refuses heads of which a part alone is turned.
fn check_all_turn(fields: Fields<'_>) -> Result<(), NnError> {
    let field = "partial_rotary_factor";
    let share = fields.optional_number(field)?;
    if share.is_none_or(|share| share.total_cmp(&1.0).is_eq()) {
        return Ok(());
    }
    Err(fields.refused(field, "use a checkpoint whose whole heads are turned"))
}

fn scaling(fields: Fields<'_>) -> Result<RotaryScaling, NnError> {
    if let Some(name) = fields.names().find(|name| !KNOWN.contains(name)) {
        return Err(fields.refused(name, OTHER_TYPE));
    }
    let field = match fields.get("rope_type") {
        Some(_) => "rope_type",
        None => "type",
    };
    let scaling = match fields.text(field)? {
        None | Some("default") => return Ok(RotaryScaling::Unscaled),
        Some("linear") => RotaryScaling::Linear {
            factor: fields.number("factor")?,
        },
        Some("llama3") => RotaryScaling::Llama3 {
            factor: fields.number("factor")?,
            slow_turns: fields.number("low_freq_factor")?,
            fast_turns: fields.number("high_freq_factor")?,
            original_positions: fields.count("original_max_position_embeddings")?,
        },
        Some(_) => return Err(fields.refused(field, OTHER_TYPE)),
    };
    if fields.number("factor")? < 1.0 {
        return Err(fields.refused("factor", "write a number of 1 or more"));
    }
    if let RotaryScaling::Llama3 {
        slow_turns,
        fast_turns,
        ..
    } = scaling
        && fast_turns <= slow_turns
    {
        let remedy = "write a number above `low_freq_factor`";
        return Err(fields.refused("high_freq_factor", remedy));
    }
    Ok(scaling)
}

/// Writes base and scaling so that either version reads them.
pub(super) fn write(fields: &mut Map<String, Value>, base: f64, scaling: RotaryScaling) {
    let mut parameters = match scaling {
        RotaryScaling::Unscaled => json!({"rope_type": "default"}),
        RotaryScaling::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
        RotaryScaling::Llama3 {
            factor,
            slow_turns,
            fast_turns,
            original_positions,
        } => json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": slow_turns,
            "high_freq_factor": fast_turns,
            "original_max_position_embeddings": original_positions,
        }),
    };
    let older = match scaling {
        RotaryScaling::Unscaled => Value::Null,
        _ => parameters.clone(),
    };
    parameters["rope_theta"] = json!(base);
    fields.insert("rope_theta".to_owned(), json!(base));
    fields.insert("rope_scaling".to_owned(), older);
    fields.insert("rope_parameters".to_owned(), parameters);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read_text(text: &str) -> Result<(f64, RotaryScaling), NnError> {
        let value: Value = serde_json::from_str(text).expect("JSON");
        read(Fields::of(Path::new("config.json"), &value)?)
    }

    #[test]
    fn both_versions_are_read() {
        let linear = RotaryScaling::Linear { factor: 2.5 };
        let llama3 = RotaryScaling::Llama3 {
            factor: 8.0,
            slow_turns: 1.0,
            fast_turns: 4.0,
            original_positions: 8192,
        };
        let unscaled = RotaryScaling::Unscaled;
        let cases = [
            ("{}", 1e4, unscaled),
            (
                r#"{"rope_theta": 5e5, "rope_scaling": null}"#,
                5e5,
                unscaled,
            ),
            (
                r#"{"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}"#,
                5e5,
                unscaled,
            ),
            (
                r#"{"rope_theta": 2, "rope_scaling": {"type": "linear", "factor": 2.5}}"#,
                2.0,
                linear,
            ),
            (
                r#"{"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1,
                    "high_freq_factor": 4, "original_max_position_embeddings": 8192}}"#,
                5e5,
                llama3,
            ),
        ];
        for (text, base, scaling) in cases {
            assert_eq!(read_text(text).expect("valid"), (base, scaling), "{text}");
            let mut fields = Map::new();
            write(&mut fields, base, scaling);
            let text = Value::from(fields).to_string();
            assert_eq!(read_text(&text).expect("valid"), (base, scaling), "{text}");
        }
    }

    #[test]
    fn other_types_are_refused() {
        let cases = [
            (
                r#"{"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"#,
                "`config.json`: `rope_scaling.rope_type` is \"yarn\"; use a checkpoint whose rotary positions are of the type `default`, `linear` or `llama3`",
            ),
            (
                r#"{"rope_parameters": {"full_attention": {"rope_type": "default"}}}"#,
                "`config.json`: `rope_parameters.full_attention` is {\"rope_type\":\"default\"}; use a checkpoint whose rotary positions are of the type `default`, `linear` or `llama3`",
            ),
            (
                r#"{"rope_parameters": {"rope_type": "linear"}}"#,
                "`config.json`: `rope_parameters.factor` is missing; add the field as the model's authors give it",
            ),
            (
                r#"{"rope_parameters": {"rope_type": "linear", "factor": 0.5}}"#,
                "`config.json`: `rope_parameters.factor` is 0.5; write a number of 1 or more",
            ),
            (
                r#"{"rope_theta": 10000.0, "rope_parameters": {"rope_theta": 500000.0}}"#,
                "`config.json`: `rope_parameters.rope_theta` is 500000.0; remove the one of the two `rope_theta` that the model was not trained with",
            ),
            (
                r#"{"partial_rotary_factor": 0.5}"#,
                "`config.json`: `partial_rotary_factor` is 0.5; use a checkpoint whose whole heads are turned",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(read_text(text).expect_err("refused").to_string(), message);
        }
    }
}
