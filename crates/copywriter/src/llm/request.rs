//! The prompt as a request of `OpenAI`'s chat completions.

use serde_json::{Map, Value, json};

use super::config::LlmConfig;
use super::meter::{Usage, estimate_tokens};
use crate::brief::Prompt;

/// The most that a request can use: an estimate of what is sent, and the longest answer.
pub(super) fn most(prompt: &Prompt, config: &LlmConfig) -> Usage {
    Usage {
        input_tokens: estimate_tokens(&prompt.system) + estimate_tokens(&prompt.user),
        output_tokens: u64::from(config.max_tokens),
    }
}

/// A request's body. A plain one has only the fields that every server knows.
pub(super) fn body(prompt: &Prompt, config: &LlmConfig, seed: u64, is_plain: bool) -> String {
    let mut body = json!({
        "model": config.model,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        "max_tokens": config.max_tokens,
        "temperature": config.temperature,
        // Servers read the seed as a signed number; the half of the range is seeds enough.
        "seed": seed >> 1,
        "stream": config.stream,
    });
    if !is_plain && config.stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    if !is_plain && config.structured {
        body["response_format"] = response_format(&prompt.fields);
    }
    body.to_string()
}

fn response_format(fields: &[String]) -> Value {
    let text = |field: &String| (field.clone(), json!({"type": "string"}));
    let properties: Map<String, Value> = fields.iter().map(text).collect();
    let variant = json!({
        "type": "object",
        "properties": properties,
        "required": fields,
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"variants": {"type": "array", "items": variant}},
        "required": ["variants"],
        "additionalProperties": false,
    });
    json!({"type": "json_schema", "json_schema": {"name": "copy", "strict": true, "schema": schema}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_has_what_every_server_knows() {
        let prompt = Prompt {
            system: "Write.".to_owned(),
            user: "{}".to_owned(),
            fields: vec!["body".to_owned()],
        };
        let keys = |is_plain| {
            let body = body(&prompt, &LlmConfig::default(), u64::MAX, is_plain);
            let body: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(body["seed"], i64::MAX);
            let object = body.as_object().expect("an object");
            object.keys().cloned().collect::<Vec<String>>()
        };
        let plain = [
            "max_tokens",
            "messages",
            "model",
            "seed",
            "stream",
            "temperature",
        ];
        assert_eq!(keys(true), plain);
        let mut all: Vec<String> = plain.map(str::to_owned).to_vec();
        all.extend(["response_format".to_owned(), "stream_options".to_owned()]);
        all.sort();
        assert_eq!(keys(false), all);
    }
}
