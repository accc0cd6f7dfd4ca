//! What a chat completion says.

use serde::Deserialize;
use serde_json::Value;

use super::fault::Fault;
use super::meter::Usage;
use crate::brief::beginning;

/// A chat completion, whole or as much of it as has come.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    /// What the model wrote.
    pub(super) text: String,
    /// Why it stopped: `stop`, `length`, `content_filter`.
    pub(super) finish: Option<String>,
    /// Whether the model declined in so many words.
    pub(super) declined: bool,
    /// What the server counted.
    pub(super) usage: Option<Usage>,
}

/// The object of a whole answer, and of each event of a stream.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Counted>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "delta")]
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Answer {
    /// Reads a whole answer.
    pub(super) fn read(body: &str) -> Result<Self, Fault> {
        let mut answer = Self::default();
        let choices = answer.add(body)?;
        if choices == 0 {
            return Err(Fault::Malformed {
                detail: "a chat completion without choices".to_owned(),
            });
        }
        Ok(answer)
    }

    /// Adds a whole answer or an event of a stream, and returns how many choices it had.
    pub(super) fn add(&mut self, json: &str) -> Result<usize, Fault> {
        let completion: Completion =
            serde_json::from_str(json).map_err(|error| Fault::Malformed {
                detail: format!("no chat completion: {error}"),
            })?;
        if let Some(error) = completion.error.filter(|error| !error.is_null()) {
            // A server that fails in the middle of a stream can no longer say so by its status.
            return Err(Fault::Connection {
                detail: message_of(&error),
            });
        }
        if let Some(counted) = completion.usage {
            self.usage = Some(Usage {
                input_tokens: counted.prompt_tokens,
                output_tokens: counted.completion_tokens,
            });
        }
        let choices = completion.choices.len();
        if let Some(choice) = completion.choices.into_iter().next() {
            if let Some(message) = choice.message {
                self.text += message.content.as_deref().unwrap_or_default();
                self.declined |= message.refusal.is_some_and(|refusal| !refusal.is_empty());
            }
            self.finish = choice.finish_reason.or(self.finish.take());
        }
        Ok(choices)
    }
}

/// What an error object says, in at most 200 characters.
pub(super) fn message_of(error: &Value) -> String {
    let inner = error.get("error").unwrap_or(error);
    let message = inner.get("message").or_else(|| error.get("detail"));
    let words = match message.unwrap_or(inner) {
        Value::String(words) => words.clone(),
        other => other.to_string(),
    };
    beginning(&words, 200)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read() {
        let body = r#"{"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant",
            "content": "hello"}}], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}"#;
        let answer = Answer::read(body).expect("a completion");
        assert_eq!(answer.text, "hello");
        assert_eq!(answer.finish.as_deref(), Some("stop"));
        let usage = Usage {
            input_tokens: 7,
            output_tokens: 2,
        };
        assert_eq!(answer.usage, Some(usage));
        assert!(!answer.declined);
    }

    #[test]
    fn what_is_no_completion_is_refused() {
        for (body, detail) in [
            (
                "<html>",
                "no chat completion: expected value at line 1 column 1",
            ),
            ("{}", "a chat completion without choices"),
        ] {
            let detail = detail.to_owned();
            assert_eq!(Answer::read(body), Err(Fault::Malformed { detail }));
        }
    }

    #[test]
    fn errors_are_read_in_several_dialects() {
        for (error, message) in [
            (
                json!({"error": {"message": "no model", "code": 1}}),
                "no model",
            ),
            (json!({"message": "no model"}), "no model"),
            (json!({"detail": "no model"}), "no model"),
            (json!({"error": "no model"}), "no model"),
            (json!(["odd"]), "[\"odd\"]"),
            (
                json!({"error": " red \u{1b}[31m alert\n"}),
                "red  [31m alert",
            ),
        ] {
            assert_eq!(message_of(&error), message, "{error}");
        }
    }
}
