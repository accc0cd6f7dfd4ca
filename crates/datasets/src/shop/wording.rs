//! The words of the catalogue, the searches and the reviews, in English and Chinese.

use events::{Fact, Language, Product};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::brands::Brand;
use super::calendar::timestamp;
use super::categories::{COLOURS, Category, Term, terms};
use super::random::one_of;

/// The words that one product is described with.
pub(crate) struct Parts {
    pub(crate) noun: Term,
    style: Term,
    material: Term,
    measure: Term,
    /// Things that are used up have no colour.
    colour: Option<Term>,
    brand: Term,
    /// Which form the title takes.
    form: usize,
}

impl Parts {
    pub(crate) fn draw(category: &Category, brand: &Brand, rng: &mut ChaCha8Rng) -> Self {
        Self {
            noun: *one_of(&terms(category.nouns), rng),
            style: *one_of(&terms(category.styles), rng),
            material: *one_of(&terms(category.materials), rng),
            measure: *one_of(&terms(category.measure.1), rng),
            colour: (category.lasts_days == 0.0).then(|| *one_of(&terms(COLOURS), rng)),
            brand: Term {
                en: brand.en,
                zh: brand.zh,
            },
            form: rng.random_range(0..3),
        }
    }

    fn title(&self, language: Language) -> String {
        match language {
            Language::En => self.title_en(),
            Language::Zh => self.title_zh(),
        }
    }

    fn title_en(&self) -> String {
        let Self {
            noun,
            style,
            material,
            measure,
            ..
        } = self;
        let (noun, style, material, measure) = (noun.en, style.en, material.en, measure.en);
        let brand = self.brand.en;
        match (self.form, self.colour) {
            (0, Some(colour)) => format!("{brand} {style} {noun} in {}, {measure}", colour.en),
            (1, Some(colour)) => format!("{style} {material} {noun}, {measure}, {}", colour.en),
            (_, Some(colour)) => format!("{} {style} {noun}, {material}, {measure}", colour.en),
            (0, None) => format!("{brand} {style} {noun}, {measure}"),
            (1, None) => format!("{style} {noun} with {material}, {measure}"),
            (_, None) => format!("{brand} {noun}, {style}, {material}, {measure}"),
        }
    }

    fn title_zh(&self) -> String {
        let Self {
            noun,
            style,
            material,
            measure,
            ..
        } = self;
        let (noun, style, material, measure) = (noun.zh, style.zh, material.zh, measure.zh);
        let (brand, colour) = (self.brand.zh, self.colour.map_or("", |colour| colour.zh));
        match self.form {
            0 => format!("{brand} {style}{material}{noun} {colour} {measure}"),
            1 => format!("{colour}{style}{noun} {material} {measure}"),
            _ => format!("{brand} {colour}{style}{noun} {measure}"),
        }
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
    }

    fn description(&self, claim: &str, language: Language) -> String {
        let used_up = self.colour.is_none();
        match language {
            Language::En => format!(
                "{} by {}, {}. {}: {}. {claim}",
                self.noun.en,
                self.brand.en,
                self.style.en.to_lowercase(),
                if used_up { "Made with" } else { "Material" },
                self.material.en
            ),
            Language::Zh => format!(
                "{}出品，{}{}。{}：{}。{claim}",
                self.brand.zh,
                self.style.zh,
                self.noun.zh,
                if used_up { "主要成分" } else { "材质" },
                self.material.zh
            ),
        }
    }
}

/// The product with its title, description, brand, category and facts; price and stock are left open.
pub(crate) fn describe(
    parts: &Parts,
    category: &Category,
    launched: i64,
    language: Language,
) -> Product {
    let say = |(en, zh): (&'static str, &'static str)| match language {
        Language::En => en,
        Language::Zh => zh,
    };
    let word = |term: Term| say((term.en, term.zh));
    let fact = |name: &str, value: &str, source: &str| Fact {
        name: name.to_owned(),
        value: value.to_owned(),
        source: source.to_owned(),
        valid_until: None,
    };
    let material = if category.lasts_days > 0.0 {
        "main ingredient"
    } else {
        "material"
    };
    let since = timestamp(launched).to_string();
    let mut facts = vec![
        fact(material, word(parts.material), "supplier data sheet"),
        fact(category.measure.0, word(parts.measure), "label"),
        fact("style", word(parts.style), "supplier data sheet"),
        fact("launched", &since[..10], "shop"),
    ];
    if let Some(colour) = parts.colour {
        facts.push(fact("colour", word(colour), "supplier data sheet"));
    }
    let claim = say(category.claim);
    Product {
        title: parts.title(language),
        description: parts.description(claim, language),
        brand: Some(word(parts.brand).to_owned()),
        google_product_category: Some(say(category.path).to_owned()),
        facts,
        allowed_claims: vec![claim.to_owned()],
        ..Product::default()
    }
}

/// What a shopper types to find a thing of this kind.
pub(crate) fn query(noun: Term, colour: usize, zh: bool) -> String {
    let colours = terms(COLOURS);
    let colour = colours.get(colour);
    match (zh, colour) {
        (true, Some(colour)) => format!("{}{}", colour.zh, noun.zh),
        (true, None) => noun.zh.to_owned(),
        (false, Some(colour)) => format!("{} {}", colour.en, noun.en).to_lowercase(),
        (false, None) => noun.en.to_lowercase(),
    }
}

/// Texts of reviews from 1 to 5 stars, three each; `{}` stands for the thing.
const REVIEWS_EN: [[&str; 3]; 5] = [
    [
        "The {} arrived broken.",
        "Not at all as pictured, sent the {} back.",
        "Poor quality {}, would not buy again.",
    ],
    [
        "The {} is smaller than I expected.",
        "The {} looks cheap for the price.",
        "Disappointed with the {}.",
    ],
    [
        "The {} is all right, nothing special.",
        "Does the job, but the {} marks easily.",
        "A fair {} for the money.",
    ],
    [
        "Lovely {}, slightly late delivery.",
        "Good {}, we use it every week.",
        "The {} is well made.",
    ],
    [
        "Beautiful {}, exactly what I wanted!",
        "Bought the {} as a gift and ordered another for us.",
        "Best {} we have had.",
    ],
];

const REVIEWS_ZH: [[&str; 3]; 5] = [
    [
        "{}到货就是坏的。",
        "{}和图片完全不符，已退货。",
        "{}质量很差，不会再买。",
    ],
    ["{}比想象中小。", "{}这个价格显得廉价。", "对{}有点失望。"],
    [
        "{}一般般，没什么特别。",
        "{}能用，但容易留痕。",
        "{}对得起价格。",
    ],
    [
        "{}很好看，就是物流慢了点。",
        "{}不错，每周都在用。",
        "{}做工很好。",
    ],
    [
        "{}太美了，正是我想要的！",
        "买{}送人，又给自己买了一个。",
        "用过最好的{}。",
    ],
];

/// The text number `choice` of a review.
pub(crate) fn review(noun: Term, stars: u8, choice: usize, zh: bool) -> String {
    let texts = if zh { &REVIEWS_ZH } else { &REVIEWS_EN };
    let texts = &texts[usize::from(stars.clamp(1, 5)) - 1];
    let thing = if zh {
        noun.zh.to_owned()
    } else {
        noun.en.to_lowercase()
    };
    texts[choice % texts.len()].replace("{}", &thing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUG: Term = Term {
        en: "Travel Cup",
        zh: "随行杯",
    };

    fn parts(form: usize, colour: bool) -> Parts {
        let term = |en, zh| Term { en, zh };
        Parts {
            noun: MUG,
            style: term("Ribbed", "竖纹"),
            material: term("Enamel", "搪瓷"),
            measure: term("300 ml", "300毫升"),
            colour: colour.then(|| term("Navy", "藏青")),
            brand: term("Pennyfold", "便士坊"),
            form,
        }
    }

    #[test]
    fn titles_read_naturally_in_both_languages() {
        for (form, colour, en, zh) in [
            (
                0,
                true,
                "Pennyfold Ribbed Travel Cup in Navy, 300 ml",
                "便士坊 竖纹搪瓷随行杯 藏青 300毫升",
            ),
            (
                1,
                true,
                "Ribbed Enamel Travel Cup, 300 ml, Navy",
                "藏青竖纹随行杯 搪瓷 300毫升",
            ),
            (
                2,
                true,
                "Navy Ribbed Travel Cup, Enamel, 300 ml",
                "便士坊 藏青竖纹随行杯 300毫升",
            ),
            (
                0,
                false,
                "Pennyfold Ribbed Travel Cup, 300 ml",
                "便士坊 竖纹搪瓷随行杯 300毫升",
            ),
        ] {
            assert_eq!(parts(form, colour).title(Language::En), en);
            assert_eq!(parts(form, colour).title(Language::Zh), zh);
        }
    }

    #[test]
    fn searches_and_reviews_name_the_thing() {
        assert_eq!(query(MUG, 1, false), "navy travel cup");
        assert_eq!(query(MUG, 1, true), "藏青随行杯");
        assert_eq!(query(MUG, usize::MAX, true), "随行杯");
        assert_eq!(review(MUG, 5, 2, false), "Best travel cup we have had.");
        assert_eq!(review(MUG, 1, 3, true), "随行杯到货就是坏的。");
    }
}
