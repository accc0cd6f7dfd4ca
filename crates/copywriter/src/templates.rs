//! The provider `templates`: copy that people wrote, kept as data in `library/en.toml` and `library/zh.toml`.

mod expand;
mod file;
mod paragraphs;

use std::sync::LazyLock;

use events::{Channel, CopyVariant, Language};

pub use file::parse;
pub(crate) use file::{Entry, File};

/// The name of this provider in [`events::Generator::provider`].
pub const PROVIDER: &str = "templates";

/// The standing policy under which the built-in texts are approved.
pub const APPROVED_BY: &str = "standing policy: built-in template library";

static ENGLISH: LazyLock<File> = LazyLock::new(|| built_in(include_str!("../library/en.toml")));
static CHINESE: LazyLock<File> = LazyLock::new(|| built_in(include_str!("../library/zh.toml")));
static ENGLISH_VARIANTS: LazyLock<Vec<CopyVariant>> = LazyLock::new(|| variants(&ENGLISH));
static CHINESE_VARIANTS: LazyLock<Vec<CopyVariant>> = LazyLock::new(|| variants(&CHINESE));

/// Returns the built-in texts of a channel in a language, by strategy and number.
///
/// Every variant speaks of any product, but only where the names that it shows have values: `guard` refuses a
/// statement that cannot be made. The one name that may be absent is `link`, at the end of mails and posts. A post is
/// public, so no text for [`Channel::Social`] binds the shopper's history, and its strategies Replenishment and
/// Complement are empty. The order and the ids (`t/push/en/social_proof/2`) are the same on every call.
pub fn library(channel: Channel, language: Language) -> Vec<CopyVariant> {
    let texts = match language {
        Language::En => &ENGLISH_VARIANTS,
        Language::Zh => &CHINESE_VARIANTS,
    };
    texts
        .iter()
        .filter(|variant| variant.channel == channel)
        .cloned()
        .collect()
}

/// The built-in library of a language as it is written: names without filters, texts without closings.
pub(crate) fn source(language: Language) -> &'static File {
    match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    }
}

fn built_in(text: &str) -> File {
    File::read(text).expect("invariant: a test reads the built-in library")
}

fn variants(file: &File) -> Vec<CopyVariant> {
    file.variants()
        .expect("invariant: a test reads the built-in library")
}
