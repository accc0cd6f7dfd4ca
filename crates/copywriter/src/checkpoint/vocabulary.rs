//! Text into tokens and back, as the model's own files say.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenizers::Tokenizer;

use super::config::Chat;
use crate::CopyError;
use crate::brief::Prompt;

/// The file of the tokens.
const TOKENIZER: &str = "tokenizer.json";
/// Files that name the tokens at which a text ends, with the field that does.
const ENDS: [(&str, &str); 3] = [
    ("generation_config.json", "eos_token_id"),
    ("config.json", "eos_token_id"),
    ("tokenizer_config.json", "eos_token"),
];

/// A model's tokens, and how a conversation is written with them.
#[derive(Debug)]
pub(super) struct Vocabulary {
    path: PathBuf,
    tokenizer: Tokenizer,
    chat: Chat,
    /// The tokens at which an answer ends; one that is learnt ends with the first.
    ends: Vec<u32>,
}

/// A part of a conversation.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// A special token, which no text can stand for.
    Special(&'static str),
    Text(String),
}

impl Vocabulary {
    /// Reads `tokenizer.json` and what names the ends, for a model of so many tokens.
    pub(super) fn open(folder: &Path, chat: Chat, tokens: usize) -> Result<Self, CopyError> {
        let path = folder.join(TOKENIZER);
        if !path.exists() {
            let remedy = "copy it from the model's folder, or write it with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`";
            return Err(fault(&path, "is missing", remedy));
        }
        let read = Tokenizer::from_file(&path);
        let mut tokenizer = read.map_err(|error| {
            fault(
                &path,
                format!("cannot be read: {error}"),
                "download the file again",
            )
        })?;
        // What looks like a special token in a text is text, and no text is cut or filled up.
        tokenizer.set_encode_special_tokens(true);
        tokenizer.with_padding(None);
        let plain = tokenizer.with_truncation(None);
        plain.map_err(|error| {
            fault(
                &path,
                format!("cannot be used: {error}"),
                "download the file again",
            )
        })?;
        let largest = tokenizer.get_vocab(true).into_values().max();
        if let Some(largest) = largest.filter(|id| *id as usize >= tokens) {
            let text = format!("has the token {largest}, and the model has {tokens}");
            return Err(fault(
                &path,
                text,
                "take tokenizer and weights from the same model",
            ));
        }
        let chat = family(folder, &tokenizer, chat)?;
        let ends = ends(folder, &tokenizer, chat)?;
        Ok(Self {
            path,
            tokenizer,
            chat,
            ends,
        })
    }

    /// The tokens of rules and data, up to where the model answers.
    pub(super) fn prompt(&self, prompt: &Prompt) -> Result<Vec<u32>, CopyError> {
        let mut tokens = Vec::new();
        for part in parts(self.chat, &prompt.system, &prompt.user) {
            match part {
                Part::Special(name) => tokens.extend(self.tokenizer.token_to_id(name)),
                // Without a conversation's tokens, what begins a text is the tokenizer's own affair.
                Part::Text(text) => tokens.extend(self.encode(&text, self.chat == Chat::Plain)?),
            }
        }
        while tokens.last().is_some_and(|last| self.ends.contains(last)) {
            tokens.pop();
        }
        Ok(tokens)
    }

    /// The tokens of an answer and its end.
    pub(super) fn answer(&self, answer: &str) -> Result<Vec<u32>, CopyError> {
        let mut tokens = self.encode(answer, false)?;
        tokens.extend(self.ends.first());
        Ok(tokens)
    }

    /// The text of tokens; special ones leave nothing.
    pub(super) fn text(&self, tokens: &[u32]) -> Result<String, CopyError> {
        let text = self.tokenizer.decode(tokens, true);
        text.map_err(|error| self.failed(&error))
    }

    /// Whether an answer ends at a token.
    pub(super) fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// Whether a token is one of the tokenizer's; a model's table may have rows beyond them.
    pub(super) fn knows(&self, token: u32) -> bool {
        self.tokenizer.id_to_token(token).is_some()
    }

    fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, CopyError> {
        let encoded = self.tokenizer.encode(text, special);
        let encoded = encoded.map_err(|error| self.failed(&error))?;
        Ok(encoded.get_ids().to_vec())
    }

    fn failed(&self, error: &tokenizers::Error) -> CopyError {
        let text = format!("fails on a text: {error}");
        fault(&self.path, text, "download the file again")
    }
}

/// A conversation of rules and data in the words of a family.
fn parts(chat: Chat, system: &str, user: &str) -> Vec<Part> {
    use Part::{Special, Text};
    let text = |text: String| Text(text);
    match chat {
        Chat::Chatml => vec![
            Special("<|im_start|>"),
            text(format!("system\n{system}")),
            Special("<|im_end|>"),
            text("\n".to_owned()),
            Special("<|im_start|>"),
            text(format!("user\n{user}")),
            Special("<|im_end|>"),
            text("\n".to_owned()),
            Special("<|im_start|>"),
            text("assistant\n".to_owned()),
        ],
        Chat::Llama3 => {
            let turn = |role: &str| {
                [
                    Special("<|start_header_id|>"),
                    Text(role.to_owned()),
                    Special("<|end_header_id|>"),
                ]
            };
            let said = |words: &str| [Text(format!("\n\n{words}")), Special("<|eot_id|>")];
            let mut parts = vec![Special("<|begin_of_text|>")];
            parts.extend(turn("system"));
            parts.extend(said(system));
            parts.extend(turn("user"));
            parts.extend(said(user));
            parts.extend(turn("assistant"));
            parts.push(text("\n\n".to_owned()));
            parts
        }
        Chat::Auto | Chat::Plain => vec![text(format!("{system}\n\n{user}\n\nAnswer:\n"))],
    }
}

/// The special tokens without which a family cannot be written; the last one ends what somebody says.
fn needed(chat: Chat) -> &'static [&'static str] {
    match chat {
        Chat::Chatml => &["<|im_start|>", "<|im_end|>"],
        Chat::Llama3 => &["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        Chat::Auto | Chat::Plain => &[],
    }
}

/// The family that is asked for, or the one whose tokens are there.
fn family(folder: &Path, tokenizer: &Tokenizer, chat: Chat) -> Result<Chat, CopyError> {
    let missing = |chat: Chat| {
        let mut needed = needed(chat).iter();
        needed.find(|name| tokenizer.token_to_id(name).is_none())
    };
    if chat != Chat::Auto {
        return match missing(chat) {
            None => Ok(chat),
            Some(name) => Err(fault(
                &folder.join(TOKENIZER),
                format!("has no token `{name}`, which `checkpoint.chat` needs"),
                "set `checkpoint.chat` to `auto` or `plain`",
            )),
        };
    }
    let known = [Chat::Chatml, Chat::Llama3].into_iter();
    if let Some(chat) = known.into_iter().find(|chat| missing(*chat).is_none()) {
        return Ok(chat);
    }
    let path = folder.join("tokenizer_config.json");
    let has_template = field(&path, "chat_template")?.is_some();
    let file = folder.join("chat_template.jinja");
    if has_template || file.exists() {
        let path = if has_template { path } else { file };
        let remedy = "set `checkpoint.chat` to `chatml`, `llama3` or `plain`, whichever the model was trained with";
        return Err(fault(
            &path,
            "has a chat template of a family that is not known",
            remedy,
        ));
    }
    Ok(Chat::Plain)
}

/// The tokens at which an answer ends, that of the conversation first.
fn ends(folder: &Path, tokenizer: &Tokenizer, chat: Chat) -> Result<Vec<u32>, CopyError> {
    let mut ends: Vec<u32> = needed(chat)
        .last()
        .and_then(|name| tokenizer.token_to_id(name))
        .into_iter()
        .collect();
    for (file, name) in ENDS {
        let path = folder.join(file);
        let Some(value) = field(&path, name)? else {
            continue;
        };
        for found in ids(&value, tokenizer).ok_or_else(|| {
            let text = format!("`{name}` is {value}, which is no token of the tokenizer");
            fault(&path, text, "take the file from the folder of the model")
        })? {
            if !ends.contains(&found) {
                ends.push(found);
            }
        }
    }
    if ends.is_empty() {
        let path = folder.join(ENDS[0].0);
        let remedy =
            "write the token at which the model ends its texts there, as {\"eos_token_id\": 2}";
        return Err(fault(
            &path,
            "and its siblings name no `eos_token_id`",
            remedy,
        ));
    }
    Ok(ends)
}

/// The tokens that a field names: a number, several, a token's text, or an object that holds it.
fn ids(value: &Value, tokenizer: &Tokenizer) -> Option<Vec<u32>> {
    let id = |value: &Value| {
        let id = u32::try_from(value.as_u64()?).ok()?;
        tokenizer.id_to_token(id).map(|_| id)
    };
    match value {
        Value::Array(values) => values.iter().map(id).collect(),
        Value::String(name) => Some(vec![tokenizer.token_to_id(name)?]),
        Value::Object(token) => Some(vec![
            tokenizer.token_to_id(token.get("content")?.as_str()?)?,
        ]),
        value => Some(vec![id(value)?]),
    }
}

/// A field of a JSON file; nothing where the file or the field is absent or null.
fn field(path: &Path, name: &str) -> Result<Option<Value>, CopyError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| nn::NnError::io("read", path, error))?;
    let mut value: Value = serde_json::from_str(&text).map_err(|error| {
        fault(
            path,
            format!("is no JSON: {error}"),
            "download the file again",
        )
    })?;
    let found = value.get_mut(name).map(Value::take);
    Ok(found.filter(|value| !value.is_null()))
}

fn fault(path: &Path, fault: impl Into<String>, remedy: &'static str) -> CopyError {
    CopyError::Checkpoint {
        path: path.to_owned(),
        fault: fault.into(),
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A conversation as one text, to be compared with what the families' own templates write.
    fn written(chat: Chat) -> String {
        let parts = parts(chat, "Rules.", "{}").into_iter();
        parts
            .map(|part| match part {
                Part::Special(name) => name.to_owned(),
                Part::Text(text) => text,
            })
            .collect()
    }

    #[test]
    fn conversations_are_written_as_the_families_do() {
        assert_eq!(
            written(Chat::Chatml),
            "<|im_start|>system\nRules.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(
            written(Chat::Llama3),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nRules.<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        );
        assert_eq!(written(Chat::Plain), "Rules.\n\n{}\n\nAnswer:\n");
    }

    /// Bytes as tokens, two special ones and the files that name them.
    fn vocabulary(folder: &Path) -> Vocabulary {
        let pieces = r#"{"version": "1.0", "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst",
            "stride": 0}, "padding": null, "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder":
            {"type": "Fuse"}, "added_tokens": [
              {"id": 0, "content": "<|im_start|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": true},
              {"id": 1, "content": "<|im_end|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": true}],
            "model": {"type": "BPE", "unk_token": "?", "fuse_unk": false, "vocab":
              {"<|im_start|>": 0, "<|im_end|>": 1, "?": 2, "a": 3, "<": 4, "|": 5, ">": 6}, "merges": []}}"#;
        std::fs::write(folder.join(TOKENIZER), pieces).expect("writable");
        std::fs::write(folder.join("config.json"), r#"{"eos_token_id": 2}"#).expect("writable");
        Vocabulary::open(folder, Chat::Auto, 8).expect("whole")
    }

    #[test]
    fn no_text_ends_what_somebody_says() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let vocabulary = vocabulary(folder.path());
        let told = |user: &str| {
            let prompt = Prompt {
                system: "a".to_owned(),
                user: user.to_owned(),
                fields: Vec::new(),
            };
            vocabulary.prompt(&prompt).expect("tokens")
        };
        let special = |tokens: &[u32]| tokens.iter().filter(|id| **id < 2).count();
        assert_eq!(special(&told("aaaa")), 5);
        assert_eq!(special(&told("<|im_end|><|im_start|>")), 5);
        // The file cuts texts after four tokens, which would lose what the model is told.
        assert_eq!(told("aaaaaaaaaa").len(), told("").len() + 10);
        assert_eq!(vocabulary.answer("aa").expect("tokens"), [3, 3, 1]);
        assert_eq!(vocabulary.text(&[3, 1, 3]).expect("text"), "aa");
        assert!(vocabulary.is_end(1) && vocabulary.is_end(2) && !vocabulary.is_end(3));
        assert!(!vocabulary.knows(7));
    }

    #[test]
    fn a_tokenizer_of_a_larger_model_is_refused() {
        let folder = tempfile::TempDir::new().expect("a folder");
        vocabulary(folder.path());
        let error = Vocabulary::open(folder.path(), Chat::Auto, 6).expect_err("7 tokens");
        assert!(
            error.to_string().ends_with(
                "has the token 6, and the model has 6; take tokenizer and weights from the same model"
            ),
            "{error}"
        );
    }
}
