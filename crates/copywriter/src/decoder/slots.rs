//! Exact values leave a text, and come back into it.

use super::example::Fact;

/// Slots of one name that a meaning may have; a further value is read as words.
pub(super) const PER_NAME: usize = 4;

/// Letters of a word, at least, by which a value is recognised where it does not stand as a whole.
const TELLING_LETTERS: usize = 4;

/// The names of the facts whose values are slots in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slotted {
    /// Those whose values the model never reads.
    pub(super) exact: Vec<String>,
    /// Those whose values it reads as words, to know what goes with them.
    pub(super) copied: Vec<String>,
}

impl Slotted {
    pub(super) fn is_exact(&self, name: &str) -> bool {
        self.exact.iter().any(|other| other == name)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.is_exact(name) || self.copied.iter().any(|other| other == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let copied = self.copied.iter().filter(|name| !self.is_exact(name));
        self.exact.iter().chain(copied)
    }
}

/// The values of a meaning that are slots in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values<'a> {
    pub(super) slots: Vec<Slot<'a>>,
}

/// A value that is a slot in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot<'a> {
    /// The fact's name, with a number where it is a further value of it: `colour.2`.
    pub(super) name: String,
    pub(super) value: &'a str,
    /// Whether the model does not read the value.
    pub(super) exact: bool,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Words(&'a str),
    /// The position of a slot in [`Values::slots`].
    Slot(usize),
}

/// The name of the slot of the `number`th value of a name, counted from 0.
pub(super) fn slot_name(name: &str, number: usize) -> String {
    if number == 0 {
        name.to_owned()
    } else {
        format!("{name}.{}", number + 1)
    }
}

impl<'a> Values<'a> {
    /// Finds the values with slots among facts. The second list names the slot of each fact that has one.
    pub(super) fn of(facts: &'a [Fact], slotted: &Slotted) -> (Self, Vec<Option<usize>>) {
        let mut slots: Vec<Slot<'a>> = Vec::new();
        let places = facts.iter().enumerate().map(|(at, fact)| {
            let earlier = facts[..at].iter().filter(|other| other.name == fact.name);
            let number = earlier.count();
            let value = fact.value.trim();
            if number >= PER_NAME || value.is_empty() || !slotted.contains(&fact.name) {
                return None;
            }
            slots.push(Slot {
                name: slot_name(&fact.name, number),
                value,
                exact: slotted.is_exact(&fact.name),
            });
            Some(slots.len() - 1)
        });
        let places = places.collect();
        (Self { slots }, places)
    }

    /// Cuts a text at its values, the longest first; nothing where it names an exact one only in part, since the rest would
    /// be learnt as if it were a word of the language.
    ///
    /// Case and accents may differ, and a leading "The" may be absent.
    pub(super) fn cut<'t>(&self, text: &'t str) -> Option<Vec<Piece<'t>>> {
        let folded = Folded::new(text);
        let mut owner: Vec<Option<usize>> = vec![None; folded.letters.len()];
        let mut spans: Vec<(usize, usize, usize)> = Vec::new();
        for (slot, value) in self.by_length() {
            for form in forms(value) {
                for start in folded.places(&form) {
                    let span = start..start + form.len();
                    if owner[span.clone()].iter().all(Option::is_none) {
                        owner[span.clone()].fill(Some(slot));
                        spans.push((span.start, span.end, slot));
                    }
                }
            }
        }
        if self.is_named_in_part(&folded, &owner) {
            return None;
        }
        spans.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for (start, end, slot) in spans {
            let (start, end) = (folded.byte(start), folded.byte(end));
            if start > from {
                pieces.push(Piece::Words(&text[from..start]));
            }
            pieces.push(Piece::Slot(slot));
            from = end;
        }
        if from < text.len() {
            pieces.push(Piece::Words(&text[from..]));
        }
        Some(pieces)
    }

    fn by_length(&self) -> Vec<(usize, &'a str)> {
        let mut order: Vec<(usize, &str)> = self
            .slots
            .iter()
            .map(|slot| slot.value)
            .enumerate()
            .collect();
        order.sort_by_key(|(slot, value)| (std::cmp::Reverse(value.len()), *slot));
        order
    }

    /// Whether a capitalised word or a number of a value stands in what is left of the text.
    fn is_named_in_part(&self, text: &Folded, owner: &[Option<usize>]) -> bool {
        let exact = self.slots.iter().filter(|slot| slot.exact);
        let values = exact.flat_map(|slot| slot.value.split_whitespace());
        let mut telling = values.flat_map(telling_parts);
        telling.any(|word| {
            let word: Vec<char> = word.chars().map(fold).collect();
            text.places(&word)
                .any(|at| owner[at].is_none() && (text.letters[at].2 || word[0].is_ascii_digit()))
        })
    }
}

/// What tells a value where it does not stand as a whole: a long word with a capital, and every number, since a number
/// that is learnt would be written about other things.
fn telling_parts(word: &str) -> Vec<&str> {
    let letters = word.chars().count();
    let capital = word.chars().next().is_some_and(char::is_uppercase);
    let numbers = word.split(|letter: char| !letter.is_ascii_digit());
    let numbers = numbers.filter(|number| number.len() >= 2);
    let whole = (capital && letters >= TELLING_LETTERS).then_some(word);
    whole.into_iter().chain(numbers).collect()
}

/// The forms in which a value may stand in a text, folded.
fn forms(value: &str) -> Vec<Vec<char>> {
    let whole: Vec<char> = value.chars().map(fold).collect();
    let article: Vec<char> = "the ".chars().collect();
    let bare = whole.strip_prefix(&article[..]).map(<[char]>::to_vec);
    std::iter::once(whole)
        .chain(bare)
        .filter(|form| !form.is_empty())
        .collect()
}

/// A text without case and accents: letter, its byte, whether it was a capital.
struct Folded {
    letters: Vec<(char, usize, bool)>,
    bytes: usize,
}

impl Folded {
    fn new(text: &str) -> Self {
        let letters = text
            .char_indices()
            .map(|(at, letter)| (fold(letter), at, letter.is_uppercase()));
        Self {
            letters: letters.collect(),
            bytes: text.len(),
        }
    }

    fn byte(&self, at: usize) -> usize {
        self.letters.get(at).map_or(self.bytes, |letter| letter.1)
    }

    /// Where a folded form stands as whole words; Chinese has no ends of words to look at.
    fn places<'f>(&'f self, form: &'f [char]) -> impl Iterator<Item = usize> + 'f {
        let is_word = |letter: char| letter.is_alphanumeric() && letter.is_ascii();
        let last = (self.letters.len() + 1).saturating_sub(form.len());
        (0..last).filter(move |start| {
            let end = start + form.len();
            let found = self.letters[*start..end].iter().map(|letter| &letter.0);
            let joined = |inside: Option<&char>, outside: Option<&(char, usize, bool)>| {
                inside.is_some_and(|c| is_word(*c)) && outside.is_some_and(|c| is_word(c.0))
            };
            // `12` does not stand in `12.99`.
            let mut after = self.letters[end..].iter().map(|letter| letter.0);
            let fraction = form.last().is_some_and(char::is_ascii_digit)
                && after.next().is_some_and(|c| c == '.' || c == ',')
                && after.next().is_some_and(|c| c.is_ascii_digit());
            !fraction
                && found.eq(form)
                && !joined(
                    form.first(),
                    start.checked_sub(1).and_then(|at| self.letters.get(at)),
                )
                && !joined(form.last(), self.letters.get(end))
        })
    }
}

/// A letter without case and without the accents of western Europe.
fn fold(letter: char) -> char {
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    match lower {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        '\u{2019}' => '\'',
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(names: &[&str]) -> Slotted {
        Slotted {
            exact: names.iter().map(|name| (*name).to_owned()).collect(),
            copied: Vec::new(),
        }
    }

    #[test]
    fn a_copied_value_may_be_named_in_part() {
        let facts = [
            Fact::new("material", "Merino Wool"),
            Fact::new("name", "Fell"),
        ];
        let slotted = Slotted {
            copied: vec!["material".to_owned(), "name".to_owned()],
            ..exact(&["name"])
        };
        assert_eq!(slotted.names().collect::<Vec<_>>(), ["name", "material"]);
        let (values, places) = Values::of(&facts, &slotted);
        assert_eq!(places, [Some(0), Some(1)]);
        assert_eq!(
            values.slots.iter().map(|s| s.exact).collect::<Vec<_>>(),
            [false, true]
        );
        let cut = values.cut("Fell is all Wool, merino wool.");
        let expected = [
            Piece::Slot(1),
            Piece::Words(" is all Wool, "),
            Piece::Slot(0),
            Piece::Words("."),
        ];
        assert_eq!(cut, Some(expected.to_vec()));
    }

    fn facts() -> Vec<Fact> {
        vec![
            Fact::new("name", "The Rice Boat"),
            Fact::new("food", "French"),
            Fact::new("near", "Café Sicilia"),
        ]
    }

    #[test]
    fn exact_values_become_slots() {
        let facts = facts();
        let (values, places) = Values::of(&facts, &exact(&["name", "near"]));
        assert_eq!(places, [Some(0), None, Some(1)]);
        let cut = |text| values.cut(text);
        assert_eq!(
            cut("The Rice Boat, French, is near cafe sicilia. rice boat!"),
            Some(vec![
                Piece::Slot(0),
                Piece::Words(", French, is near "),
                Piece::Slot(1),
                Piece::Words(". "),
                Piece::Slot(0),
                Piece::Words("!"),
            ])
        );
        // A part of a name is neither a slot nor a word.
        assert_eq!(cut("The Boat is near Café Sicilia."), None);
        // Rice is a word of the language, and a name inside another word is none.
        assert_eq!(
            cut("It serves rice."),
            Some(vec![Piece::Words("It serves rice.")])
        );
        assert_eq!(cut(""), Some(vec![]));
        let price = [Fact::new("price", "£12.99"), Fact::new("size", "12")];
        let (values, _) = Values::of(&price, &exact(&["price", "size"]));
        let slots = [Piece::Slot(0), Piece::Words(" for "), Piece::Slot(1)];
        assert_eq!(values.cut("£12.99 for 12"), Some(slots.to_vec()));
        assert_eq!(values.cut("12.99 pounds"), None, "a number is no word");
    }

    #[test]
    fn values_of_one_name_are_numbered() {
        let facts = ["红", "红色", " "].map(|value| Fact::new("颜色", value));
        let (values, places) = Values::of(&facts, &exact(&["颜色"]));
        assert_eq!(places, [Some(0), Some(1), None]);
        assert_eq!(values.slots[1].name, "颜色.2");
        let pieces = values.cut("大红色的红");
        let slot = [
            Piece::Words("大"),
            Piece::Slot(1),
            Piece::Words("的"),
            Piece::Slot(0),
        ];
        assert_eq!(pieces, Some(slot.to_vec()));
    }
}
