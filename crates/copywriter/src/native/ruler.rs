//! How much room a field has and what a piece of a template takes.

use events::{Channel, Language};
use guard::{FieldLimit, Unit, display_width, post_weight};

use super::piece::{pieces, shows_number, slot_name};
use super::text::Field;
use crate::templates::source;

/// Columns of a value whose filters do not bound it: a date, a price, a count, a word in its plural.
const DATE: usize = 14;
const MONEY: usize = 11;
const COUNT: usize = 7;
/// What a link and the space before it weigh in a post.
const LINK: usize = 24;

/// The room of a channel's fields, each value taken at its longest.
#[derive(Debug, Clone)]
pub(super) struct Ruler {
    channel: Channel,
    language: Language,
    unit: Unit,
    /// Fields of the channel with the columns that they have.
    pub(super) budgets: Vec<(Field, usize)>,
}

impl Ruler {
    pub(super) fn new(channel: Channel, language: Language, limits: &[FieldLimit]) -> Self {
        let limit = |name: &str| limits.iter().find(|limit| limit.field == name);
        let room = |field: &Field| {
            let room = limit(field.name()).map_or(0, |limit| budget(limit, language));
            (*field, room)
        };
        Self {
            channel,
            language,
            unit: limit("body").map_or(Unit::Width, |limit| limit.unit),
            budgets: Field::of_channel(channel).iter().map(room).collect(),
        }
    }

    /// The columns of a piece; nothing for one that may never be written: a number, a mark of the template language, a
    /// slot that is unknown or that the channel may not show.
    pub(super) fn width(&self, piece: &str) -> Option<usize> {
        match slot_name(piece) {
            Some(name) => self.slot_width(piece, name),
            None if shows_number(piece) || piece.contains(['{', '}']) => None,
            None => Some(match self.unit {
                Unit::Width => display_width(piece),
                Unit::Weight => post_weight(piece),
                Unit::Segments => piece.encode_utf16().count(),
            }),
        }
    }

    /// Whether every field has the room for its text.
    pub(super) fn fits(&self, fields: &[(Field, String)]) -> bool {
        fields
            .iter()
            .zip(&self.budgets)
            .all(|((_, text), (_, room))| {
                let widths = pieces(text).into_iter().map(|piece| self.width(piece));
                widths
                    .sum::<Option<usize>>()
                    .is_some_and(|width| width <= *room)
            })
    }

    /// The columns that a slot's value takes at most, with the space before it; nothing for a slot that the channel may
    /// not show.
    fn slot_width(&self, piece: &str, name: &str) -> Option<usize> {
        let known = source(self.language).names.get(name)?;
        // A post is public.
        if self.channel == Channel::Social && known.path.starts_with("user.") {
            return None;
        }
        let space = piece.len() - piece.trim_start().len();
        let filters = piece
            .split_once('|')
            .map_or(known.show.as_str(), |(_, own)| own);
        let truncated = filters.split_once("truncate:").map(|(_, length)| {
            let digits = length.trim().chars().take_while(char::is_ascii_digit);
            let length = digits.collect::<String>().parse().unwrap_or(COUNT);
            let wide = self.language == Language::Zh && self.unit != Unit::Segments;
            if wide { 2 * length } else { length }
        });
        let width = match truncated {
            Some(width) => width,
            None if filters.contains("date") => DATE,
            None if filters.contains("money") => MONEY,
            None => COUNT,
        };
        Some(space + width)
    }
}

/// The columns that the template and its values may take together.
fn budget(limit: &FieldLimit, language: Language) -> usize {
    match limit.unit {
        Unit::Width => limit.max,
        Unit::Weight => limit.max.saturating_sub(LINK),
        Unit::Segments => {
            // A space before the hint and a full stop after it.
            let closing = guard::sms::opt_out(language).chars().count() + 2;
            let units = match (
                language,
                limit.ideal.unwrap_or(limit.max).min(limit.max),
                limit.max,
            ) {
                (Language::En, 1, _) => 160,
                (Language::En, segments, _) => 153 * segments,
                (Language::Zh, _, 1) => 70,
                (Language::Zh, _, segments) => 67 * segments,
            };
            units - closing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruler(channel: Channel, language: Language) -> Ruler {
        Ruler::new(channel, language, &guard::limits(channel, language))
    }

    #[test]
    fn values_count_at_their_longest() {
        let push = ruler(Channel::Push, Language::En);
        assert_eq!(push.budgets, [(Field::Title, 50), (Field::Body, 150)]);
        assert_eq!(push.width(" {{ headline }}"), Some(35));
        assert_eq!(push.width(r#"{{ orders | plural: "a","b" }}"#), Some(COUNT));
        assert_eq!(push.width("{{ since }}"), Some(DATE));
        assert_eq!(push.width(" mug"), Some(4));
        for never in ["5", "£", "{{ unknown }}", "{%"] {
            assert_eq!(push.width(never), None, "{never}");
        }
        let fields = |title: &str| {
            [
                (Field::Title, title.to_owned()),
                (Field::Body, "x".to_owned()),
            ]
        };
        assert!(push.fits(&fields("Picked for you: {{ headline }}")));
        assert!(!push.fits(&fields("Picked for you, too: {{ headline }}")));
        let chinese = ruler(Channel::Push, Language::Zh);
        assert_eq!(chinese.width("{{ headline }}"), Some(50));
        assert_eq!(chinese.width("看"), Some(2));
    }

    #[test]
    fn closings_and_links_keep_their_room() {
        let room = |channel, language| ruler(channel, language).budgets[0].1;
        assert_eq!(
            room(Channel::Sms, Language::En),
            160 - " Reply STOP to opt out.".len()
        );
        assert_eq!(room(Channel::Sms, Language::Zh), 134 - 6);
        assert_eq!(room(Channel::Social, Language::En), 256);
        let post = ruler(Channel::Social, Language::En);
        assert_eq!(post.width("{{ bought }}"), None);
        assert!(post.width("{{ title }}").is_some());
    }

    #[test]
    fn the_library_fits_but_for_rare_values() {
        for (channel, language) in [
            (Channel::Push, Language::En),
            (Channel::Email, Language::Zh),
        ] {
            let ruler = ruler(channel, language);
            for (id, of, _, entry) in source(language).entries().expect("valid") {
                assert!(of != channel || ruler.fits(&entry.fields()), "{id}");
            }
        }
    }
}
