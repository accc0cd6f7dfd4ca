use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with a copy library or with what a metric is given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The file is not TOML of the library's shape, or has a key that the library does not know.
    #[error("the copy library cannot be read: {detail}; compare it with `library/en.toml`")]
    Library {
        /// What the parser said, with line and column.
        detail: String,
    },
    /// A variant's key is not a positive number.
    #[error(
        "the variant `{id}` has no number; name its table `[channel.strategy.N]` with N from 1 upwards"
    )]
    VariantNumber {
        /// The variant, as the file names it.
        id: String,
    },
    /// A template uses a name that the file's `[names]` does not define.
    #[error("the variant `{id}` uses `{name}`, which `[names]` does not define; add it there")]
    UnknownName {
        /// The variant.
        id: String,
        /// The name as the template has it.
        name: String,
    },
    /// A tag of a template is opened and not closed.
    #[error("the variant `{id}` opens a tag and does not close it: `{tag}`; add `}}}}` or `%}}`")]
    OpenTag {
        /// The variant.
        id: String,
        /// The text from the opening on, shortened.
        tag: String,
    },
    /// A variant lacks a field that its channel shows, or has one that the channel does not show.
    #[error("the variant `{id}` has the fields {found}; the channel shows {expected}")]
    Fields {
        /// The variant.
        id: String,
        /// The fields that it has.
        found: String,
        /// The fields that it must have.
        expected: String,
    },
    /// Two lists that go together differ in length.
    #[error(
        "{hypotheses} texts cannot be compared with {references} lists of references; give one list for each text"
    )]
    Unpaired {
        /// Number of texts.
        hypotheses: usize,
        /// Number of reference lists.
        references: usize,
    },
    /// A setting of the native model is outside its range.
    #[error("`{field}` is {value}; expected {expected}")]
    Setting {
        /// Name of the setting.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// The range that is accepted.
        expected: &'static str,
    },
    /// There is no text to learn the style from.
    #[error("there is no style text to learn from; begin with `TrainingTexts::from_library`")]
    NoTexts,
    /// There is nothing to write about.
    #[error(
        "none of {given} sets of facts leaves room for a text; give facts, shorter ones, or train with a larger `max_tokens`"
    )]
    NoMeanings {
        /// Sets of facts that were given.
        given: usize,
    },
    /// A user state does not fit the model.
    #[error(
        "a user state has {found} numbers, the model takes {expected}; train the copywriter with the user model's width"
    )]
    UserState {
        /// Numbers of the state.
        found: usize,
        /// Numbers that the model was made for.
        expected: usize,
    },
    /// The tokenizer cannot be learnt, read or used.
    #[error("the tokenizer failed: {detail}; train the copywriter anew if its files were changed")]
    Tokenizer {
        /// What the tokenizer said.
        detail: String,
    },
    /// Facts take all the room that a model has.
    #[error(
        "the facts take {tokens} tokens of the {most} that facts and text may have; give fewer or shorter ones, or train with a larger `max_tokens`"
    )]
    TooManyFacts {
        /// Tokens of the facts.
        tokens: usize,
        /// Tokens that facts and text may have.
        most: usize,
    },
    /// Banned phrases cannot be looked for.
    #[error("the banned phrases cannot be used: {detail}; give fewer or shorter ones")]
    Banned {
        /// What is wrong with them.
        detail: String,
    },
    /// The words of a draft would be read as a template.
    #[error(
        "`{text}` has a brace, which begins a name in a template; leave it out of the texts that are learnt"
    )]
    Brace {
        /// The words, shortened.
        text: String,
    },
    /// The language model's server wants a key, and the caller brought none.
    #[error(
        "the key of the language model is missing; set the environment variable `{variable}`, or empty `llm.api_key_env` for a server without keys"
    )]
    NoKey {
        /// The environment variable that should hold it.
        variable: String,
    },
    /// An encrypted server cannot be checked.
    #[error(
        "`{file}` holds no certificate in PEM; set `llm.ca_file` to the file of your system's certificate authorities"
    )]
    NoAuthorities {
        /// The file that was configured.
        file: String,
    },
    /// There is nothing to fine-tune a local language model on.
    #[error(
        "none of {given} approved texts can be learnt within {most} tokens; approve texts with `hawker copy approve`, or raise `max_tokens` up to the model's positions"
    )]
    NoLessons {
        /// Texts that were given.
        given: usize,
        /// Tokens that one may take with what the model is told.
        most: usize,
    },
    /// A file beside the weights of a local language model is missing or not what is needed.
    #[error("`{}` {fault}; {remedy}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Tensors, weights or checkpoints failed.
    #[error(transparent)]
    Nn(#[from] nn::NnError),
}
