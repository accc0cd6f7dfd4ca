use events::Check;
use thiserror::Error;

/// Why a text, an answer or a request came to nothing.
///
/// Whatever a model says ends either as a variant that the guard passed as rendered or as one of these.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The facts do not bear the argument out, so nothing was asked.
    #[error(
        "the facts have no value for {needs}, so this argument has no ground; choose another strategy"
    )]
    NoEvidence {
        /// The slots of which one would be needed.
        needs: String,
    },
    /// The budget is used up; no request was made.
    #[error("the run has cost {spent:.4} of its budget of {budget}; raise `llm.budget` to go on")]
    BudgetSpent {
        /// What the run has cost.
        spent: f64,
        /// What it may cost.
        budget: f64,
    },
    /// The server does not accept the key: 401 or 403.
    #[error(
        "the server refuses the key (HTTP {status}); check the variable that `llm.api_key_env` names"
    )]
    WrongKey {
        /// The status of the answer.
        status: u16,
    },
    /// The server does not accept the request, such as for a model that it does not have.
    #[error(
        "the server refuses the request (HTTP {status}: {detail}); check `llm.base_url` and `llm.model`"
    )]
    Rejected {
        /// The status of the answer.
        status: u16,
        /// What the server says, shortened.
        detail: String,
    },
    /// The server has too much to do: 429.
    #[error(
        "the server is busy (HTTP 429; attempts: {attempts}); lower `llm.concurrency` or try again later"
    )]
    Busy {
        /// Requests that were made.
        attempts: u32,
    },
    /// The server cannot be reached, breaks off, or fails with 5xx.
    #[error(
        "the server is down or fails ({detail}; attempts: {attempts}); look at its log or correct `llm.base_url`"
    )]
    ServerDown {
        /// Requests that were made.
        attempts: u32,
        /// The last fault.
        detail: String,
    },
    /// No known authority vouches for the server's certificate.
    #[error(
        "the server's certificate is not trusted ({detail}); add its authority to the file of `llm.ca_file`"
    )]
    Untrusted {
        /// What is wrong with it.
        detail: String,
    },
    /// The model took too long.
    #[error("nothing came within {limit_ms} ms; raise `{setting}` or choose a faster model")]
    Timeout {
        /// The setting that was exceeded.
        setting: &'static str,
        /// Its value in milliseconds.
        limit_ms: u64,
    },
    /// The answer ends at the limit of tokens.
    #[error(
        "the answer was cut off at {max_tokens} tokens; raise `{setting}` or ask for fewer variants"
    )]
    Truncated {
        /// The limit.
        max_tokens: u32,
        /// The setting that it comes from.
        setting: &'static str,
    },
    /// What the model is told and its longest answer do not fit its positions.
    #[error(
        "the facts take {prompt} tokens and an answer up to {answer}, more than the model's {positions}; shorten the product's description, lower `checkpoint.max_tokens` or choose another model"
    )]
    NoRoom {
        /// Tokens that the model is told.
        prompt: usize,
        /// Tokens of the longest answer.
        answer: usize,
        /// Positions of the model.
        positions: usize,
    },
    /// The local model cannot compute an answer.
    #[error("the local model fails ({detail}); look at the files in `checkpoint.folder`")]
    ModelFails {
        /// What is wrong.
        detail: String,
    },
    /// The server's content filter withheld the answer, or the model declined.
    #[error(
        "the server's content filter withheld the answer; look at the product's texts or choose another model"
    )]
    ContentFilter,
    /// There is no JSON object in the answer, or it is not a chat completion.
    #[error(
        "the answer is not the JSON that was asked for ({detail}); a larger model keeps to the form"
    )]
    MalformedJson {
        /// What is wrong with it.
        detail: String,
    },
    /// A field is absent or no text.
    #[error("the answer has no text for `{field}`; a larger model keeps to the form")]
    MissingField {
        /// The field.
        field: String,
    },
    /// A field has no words.
    #[error("`{field}` is empty; a larger model keeps to the form")]
    Empty {
        /// The field.
        field: String,
    },
    /// A field is too long for its channel.
    #[error("it does not fit its channel: {detail}")]
    TooLong {
        /// The field.
        field: String,
        /// Its length, the limit and what to do, in the guard's words.
        detail: String,
    },
    /// It is written in another language than asked.
    #[error(
        "only {percent} % of the words are {expected}; choose a model that writes the language"
    )]
    Language {
        /// The language that was asked for.
        expected: &'static str,
        /// Share of the words that are written in its script.
        percent: u32,
    },
    /// There is more in it than text and slots: a tag, a filter, markup, a link or an unseen character.
    #[error(
        "`{found}` may not be written; a text holds words and slots such as `{{{{ title }}}}` alone"
    )]
    Markup {
        /// What was found.
        found: String,
    },
    /// It uses a slot that was not offered.
    #[error("there is no slot `{name}`; use one of those that were offered")]
    UnknownSlot {
        /// The name.
        name: String,
    },
    /// It writes a number or a currency sign out; a number that is typed cannot follow the facts.
    #[error("`{found}` is written out; {}", remedy(slot.as_deref()))]
    Literal {
        /// What was found.
        found: String,
        /// The slot that has this value; a number without one is made up.
        slot: Option<String>,
    },
    /// It does not show the fact that makes its argument true, or does not name the product.
    #[error("the text shows none of {needs}; show one, or it states what nothing bears out")]
    Unsupported {
        /// The slots of which one must be shown.
        needs: String,
    },
    /// The guard refuses it, before or after it was rendered.
    #[error("the guard refuses it ({reason}); see the checks")]
    Guard {
        /// The guard's reason.
        reason: String,
        /// The checks that failed.
        failed: Vec<Check>,
    },
    /// It says the same as an earlier one of the same answer.
    #[error(
        "the text is the same as an earlier one; ask for fewer variants or a higher `temperature`"
    )]
    Duplicate,
}

impl Refused {
    /// A short stable name, for counting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoEvidence { .. } => "no_evidence",
            Self::BudgetSpent { .. } => "budget_spent",
            Self::WrongKey { .. } => "wrong_key",
            Self::Rejected { .. } => "rejected",
            Self::Busy { .. } => "busy",
            Self::ServerDown { .. } => "server_down",
            Self::Untrusted { .. } => "untrusted",
            Self::Timeout { .. } => "timeout",
            Self::Truncated { .. } => "truncated",
            Self::NoRoom { .. } => "no_room",
            Self::ModelFails { .. } => "model_fails",
            Self::ContentFilter => "content_filter",
            Self::MalformedJson { .. } => "malformed_json",
            Self::MissingField { .. } => "missing_field",
            Self::Empty { .. } => "empty",
            Self::TooLong { .. } => "too_long",
            Self::Language { .. } => "language",
            Self::Markup { .. } => "markup",
            Self::UnknownSlot { .. } => "unknown_slot",
            Self::Literal { .. } => "literal",
            Self::Unsupported { .. } => "unsupported",
            Self::Guard { .. } => "guard",
            Self::Duplicate => "duplicate",
        }
    }
}

fn remedy(slot: Option<&str>) -> String {
    match slot {
        Some(slot) => format!("write `{{{{ {slot} }}}}` in its place"),
        None => "no fact has this value, so leave it out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_remedy() {
        let cases = [
            (
                Refused::BudgetSpent {
                    spent: 1.25,
                    budget: 1.0,
                },
                "the run has cost 1.2500 of its budget of 1; raise `llm.budget` to go on",
            ),
            (
                Refused::Literal {
                    found: "£12".to_owned(),
                    slot: Some("price".to_owned()),
                },
                "`£12` is written out; write `{{ price }}` in its place",
            ),
            (
                Refused::Literal {
                    found: "50%".to_owned(),
                    slot: None,
                },
                "`50%` is written out; no fact has this value, so leave it out",
            ),
            (
                Refused::Markup {
                    found: "{%".to_owned(),
                },
                "`{%` may not be written; a text holds words and slots such as `{{ title }}` alone",
            ),
        ];
        for (refused, message) in cases {
            assert_eq!(refused.to_string(), message);
        }
    }
}
