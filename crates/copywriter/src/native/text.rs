//! What the model learns from: style texts and product texts.

use events::{Channel, Language, Product, Strategy};
use serde::{Deserialize, Serialize};

use super::attested::Kind;
use super::delexicalise::{Names, clauses, language_of, words_of};
use super::evidence::Evidence;
use super::piece::{pieces, slot_name};
use crate::CopyError;
use crate::templates::{Entry, source};

/// A field of a message, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The headline of a push message or banner.
    Title,
    /// The subject of a mail.
    Subject,
    /// The line beside a mail's subject.
    Preheader,
    /// The text itself.
    Body,
}

impl Field {
    /// Every field, in reading order.
    pub const ALL: [Self; 4] = [Self::Title, Self::Subject, Self::Preheader, Self::Body];

    /// The field's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Subject => "subject",
            Self::Preheader => "preheader",
            Self::Body => "body",
        }
    }

    /// The fields that a channel shows.
    pub(super) fn of_channel(channel: Channel) -> &'static [Self] {
        match channel {
            Channel::Push | Channel::Banner => &[Self::Title, Self::Body],
            Channel::Email => &[Self::Subject, Self::Preheader, Self::Body],
            Channel::Sms | Channel::Social => &[Self::Body],
        }
    }
}

/// A text that shows how a channel is written for: a template whose facts are slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StyleText {
    /// The template's id; validation holds whole templates out.
    pub id: String,
    /// The language that it is written in.
    pub language: Language,
    /// The channel that it is written for.
    pub channel: Channel,
    /// The argument that it makes.
    pub strategy: Strategy,
    /// What the argument rests on.
    pub evidence: Evidence,
    /// Words of the product that it was written about; empty for a text about any product.
    pub words: Vec<String>,
    /// The fields in the library's notation: bare names, no closing.
    pub fields: Vec<(Field, String)>,
    /// The state of the shopper whom it was written for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_state: Option<Vec<f32>>,
}

/// What a shop says about one product, with the values of its facts replaced by slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductText {
    /// The product's id; validation holds whole products out.
    pub id: String,
    /// The language of the description, or of the title where there is none.
    pub language: Language,
    /// Words of the title and category: what the model is told about the product.
    pub words: Vec<String>,
    /// Clauses of the description that name the product's features.
    pub clauses: Vec<String>,
}

/// All that a model is trained on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingTexts {
    /// Style texts: those of the template library, or a shop's own approved ones.
    pub styles: Vec<StyleText>,
    /// Product texts.
    pub products: Vec<ProductText>,
}

impl TrainingTexts {
    /// The built-in template library in both languages, without products.
    ///
    /// # Errors
    /// Those of [`crate::templates::parse`]; none for the library as it is shipped.
    pub fn from_library() -> Result<Self, CopyError> {
        let mut styles = Vec::new();
        for language in [Language::En, Language::Zh] {
            for (id, channel, strategy, entry) in source(language).entries()? {
                styles.push(StyleText::new(
                    id,
                    language,
                    channel,
                    strategy,
                    entry.fields(),
                ));
            }
        }
        Ok(Self {
            styles,
            products: Vec::new(),
        })
    }

    /// Adds the texts of products; a product without a word in its title is left out.
    #[must_use]
    pub fn with_products(mut self, products: &[Product]) -> Self {
        let texts = products.iter().map(ProductText::new);
        self.products
            .extend(texts.filter(|text| !text.words.is_empty()));
        self
    }
}

impl StyleText {
    /// What it is for.
    pub(super) fn kind(&self) -> Kind {
        (self.language, self.channel, self.strategy, self.evidence)
    }

    /// Reads a template; its evidence follows from its slots.
    pub fn new(
        id: String,
        language: Language,
        channel: Channel,
        strategy: Strategy,
        fields: Vec<(Field, String)>,
    ) -> Self {
        let slots: Vec<&str> = fields.iter().flat_map(|(_, text)| slots(text)).collect();
        Self {
            evidence: Evidence::of_slots(&slots),
            id,
            language,
            channel,
            strategy,
            words: Vec::new(),
            fields,
            user_state: None,
        }
    }
}

impl ProductText {
    /// Reads a product: the words of its title and category, and the clauses of its description.
    pub fn new(product: &Product) -> Self {
        let names = Names::of(product);
        let language = if product.description.is_empty() {
            language_of(&product.title)
        } else {
            language_of(&product.description)
        };
        Self {
            id: product.id.clone(),
            language,
            words: words_of(product),
            clauses: clauses(&product.description, language, &names),
        }
    }
}

impl Entry {
    /// The fields that are present, in reading order.
    pub(super) fn fields(&self) -> Vec<(Field, String)> {
        let optional = [
            (Field::Title, &self.title),
            (Field::Subject, &self.subject),
            (Field::Preheader, &self.preheader),
        ];
        optional
            .into_iter()
            .filter_map(|(field, text)| Some((field, text.clone()?)))
            .chain([(Field::Body, self.body.trim().to_owned())])
            .collect()
    }

    /// An entry of these fields; a field that is not given is absent.
    pub(super) fn of(fields: &[(Field, String)]) -> Self {
        let text = |wanted| {
            let mut found = fields.iter().filter(|(field, _)| *field == wanted);
            found.next().map(|(_, text)| text.clone())
        };
        Self {
            title: text(Field::Title),
            subject: text(Field::Subject),
            preheader: text(Field::Preheader),
            body: text(Field::Body).unwrap_or_default(),
        }
    }
}

/// The names of the slots that a template shows.
pub(super) fn slots(text: &str) -> Vec<&str> {
    pieces(text).into_iter().filter_map(slot_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_read_with_its_evidence() {
        let texts = TrainingTexts::from_library().expect("valid");
        let of = |id: &str| {
            let found = texts.styles.iter().find(|text| text.id == id);
            found.expect("in the library")
        };
        let sale = of("t/push/en/value/5");
        assert_eq!(sale.evidence, Evidence::Sale);
        assert_eq!(
            sale.fields[0],
            (Field::Title, "Now {{ sale }}, was {{ was }}".to_owned())
        );
        assert_eq!(of("t/email/zh/benefit/5").evidence, Evidence::Material);
        let body = &of("t/sms/en/benefit/1").fields;
        assert!(!body[0].1.contains("STOP"), "{body:?}");
        for text in &texts.styles {
            assert!(
                text.evidence.serves(text.channel, text.strategy),
                "{text:?}"
            );
            let fields: Vec<Field> = text.fields.iter().map(|(field, _)| *field).collect();
            assert_eq!(fields, Field::of_channel(text.channel));
        }
    }

    #[test]
    fn a_product_is_read() {
        let product = Product {
            id: "p".to_owned(),
            title: "Parx Men Blue Slim Fit Checked Casual Shirt".to_owned(),
            brand: Some("Parx".to_owned()),
            description: "Blue checked casual shirt, has a spread collar, long sleeves".to_owned(),
            ..Product::default()
        };
        let text = ProductText::new(&product);
        assert_eq!(text.language, Language::En);
        assert_eq!(text.words[..3], ["parx", "men", "blue"].map(str::to_owned));
        assert_eq!(text.clauses, ["spread collar", "long sleeves"]);
        let texts = TrainingTexts::default();
        let texts = texts.with_products(&[product, Product::default()]);
        assert_eq!(texts.products, [text]);
    }
}
