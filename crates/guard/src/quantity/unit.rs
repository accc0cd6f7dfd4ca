//! Units of counts, so that 20 hours do not bear out 20 minutes.

/// A unit: what it measures, and how many base units it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    kind: Kind,
    factor: f64,
}

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Time,
    /// Months and years, which have no fixed number of days.
    Calendar,
    Mass,
    Length,
    Volume,
    Pieces,
    People,
    Power,
    Charge,
    Energy,
    Memory,
    Temperature,
    Times,
    Stars,
    Layers,
}

impl Unit {
    pub(crate) fn kind(self) -> Kind {
        self.kind
    }

    /// A count in the base unit of its kind.
    pub(crate) fn base(self, count: f64) -> f64 {
        count * self.factor
    }

    pub(crate) fn is_degrees(self) -> bool {
        self.kind == Kind::Temperature
    }

    pub(crate) fn is_time(self) -> bool {
        matches!(self.kind, Kind::Time | Kind::Calendar)
    }
}

/// Units in words of an alphabet, whole; an `s` may follow.
const WORDS: [(&str, Kind, f64); 66] = [
    ("second", Kind::Time, 1.0),
    ("sec", Kind::Time, 1.0),
    ("minute", Kind::Time, 60.0),
    ("min", Kind::Time, 60.0),
    ("hour", Kind::Time, 3600.0),
    ("hr", Kind::Time, 3600.0),
    ("h", Kind::Time, 3600.0),
    ("day", Kind::Time, 86_400.0),
    ("week", Kind::Time, 604_800.0),
    ("month", Kind::Calendar, 1.0),
    ("year", Kind::Calendar, 12.0),
    ("yr", Kind::Calendar, 12.0),
    ("mg", Kind::Mass, 0.001),
    ("g", Kind::Mass, 1.0),
    ("gram", Kind::Mass, 1.0),
    ("kg", Kind::Mass, 1000.0),
    ("kilo", Kind::Mass, 1000.0),
    ("oz", Kind::Mass, 28.35),
    ("lb", Kind::Mass, 453.6),
    ("mm", Kind::Length, 0.1),
    ("cm", Kind::Length, 1.0),
    ("m", Kind::Length, 100.0),
    ("metre", Kind::Length, 100.0),
    ("meter", Kind::Length, 100.0),
    ("km", Kind::Length, 100_000.0),
    ("inch", Kind::Length, 2.54),
    ("inches", Kind::Length, 2.54),
    ("in", Kind::Length, 2.54),
    ("ft", Kind::Length, 30.48),
    ("ml", Kind::Volume, 1.0),
    ("cl", Kind::Volume, 10.0),
    ("l", Kind::Volume, 1000.0),
    ("litre", Kind::Volume, 1000.0),
    ("liter", Kind::Volume, 1000.0),
    ("piece", Kind::Pieces, 1.0),
    ("pcs", Kind::Pieces, 1.0),
    ("pc", Kind::Pieces, 1.0),
    ("left", Kind::Pieces, 1.0),
    ("pack", Kind::Pieces, 1.0),
    ("item", Kind::Pieces, 1.0),
    ("unit", Kind::Pieces, 1.0),
    ("remaining", Kind::Pieces, 1.0),
    ("pair", Kind::Pieces, 1.0),
    ("people", Kind::People, 1.0),
    ("person", Kind::People, 1.0),
    ("customer", Kind::People, 1.0),
    ("shopper", Kind::People, 1.0),
    ("w", Kind::Power, 1.0),
    ("watt", Kind::Power, 1.0),
    ("kw", Kind::Power, 1000.0),
    ("mah", Kind::Charge, 1.0),
    ("ah", Kind::Charge, 1000.0),
    ("wh", Kind::Energy, 1.0),
    ("kwh", Kind::Energy, 1000.0),
    ("mb", Kind::Memory, 1.0),
    ("gb", Kind::Memory, 1024.0),
    ("tb", Kind::Memory, 1_048_576.0),
    ("c", Kind::Temperature, 1.0),
    ("x", Kind::Times, 1.0),
    ("time", Kind::Times, 1.0),
    ("star", Kind::Stars, 1.0),
    ("layer", Kind::Layers, 1.0),
    ("ply", Kind::Layers, 1.0),
    ("gramme", Kind::Mass, 1.0),
    ("pint", Kind::Volume, 568.0),
    ("gallon", Kind::Volume, 3785.0),
];

/// Units in Chinese; longer ones first where one begins another.
const HAN: [(&str, Kind, f64); 52] = [
    ("个小时", Kind::Time, 3600.0),
    ("小时", Kind::Time, 3600.0),
    ("分钟", Kind::Time, 60.0),
    ("秒", Kind::Time, 1.0),
    ("天", Kind::Time, 86_400.0),
    ("日", Kind::Time, 86_400.0),
    ("周年", Kind::Calendar, 12.0),
    ("周", Kind::Time, 604_800.0),
    ("星期", Kind::Time, 604_800.0),
    ("个月", Kind::Calendar, 1.0),
    ("年", Kind::Calendar, 12.0),
    ("毫克", Kind::Mass, 0.001),
    ("公斤", Kind::Mass, 1000.0),
    ("千克", Kind::Mass, 1000.0),
    ("克", Kind::Mass, 1.0),
    ("斤", Kind::Mass, 500.0),
    ("毫米", Kind::Length, 0.1),
    ("厘米", Kind::Length, 1.0),
    ("公里", Kind::Length, 100_000.0),
    ("米", Kind::Length, 100.0),
    ("英寸", Kind::Length, 2.54),
    ("寸", Kind::Length, 2.54),
    ("毫升", Kind::Volume, 1.0),
    ("升", Kind::Volume, 1000.0),
    ("件", Kind::Pieces, 1.0),
    ("个", Kind::Pieces, 1.0),
    ("只", Kind::Pieces, 1.0),
    ("台", Kind::Pieces, 1.0),
    ("瓶", Kind::Pieces, 1.0),
    ("盒", Kind::Pieces, 1.0),
    ("包", Kind::Pieces, 1.0),
    ("袋", Kind::Pieces, 1.0),
    ("双", Kind::Pieces, 1.0),
    ("条", Kind::Pieces, 1.0),
    ("支", Kind::Pieces, 1.0),
    ("份", Kind::Pieces, 1.0),
    ("套", Kind::Pieces, 1.0),
    ("本", Kind::Pieces, 1.0),
    ("张", Kind::Pieces, 1.0),
    ("片", Kind::Pieces, 1.0),
    ("罐", Kind::Pieces, 1.0),
    ("枚", Kind::Pieces, 1.0),
    ("块", Kind::Pieces, 1.0),
    ("人", Kind::People, 1.0),
    ("位", Kind::People, 1.0),
    ("瓦", Kind::Power, 1.0),
    ("毫安", Kind::Charge, 1.0),
    ("度", Kind::Temperature, 1.0),
    ("倍", Kind::Times, 1.0),
    ("次", Kind::Times, 1.0),
    ("星", Kind::Stars, 1.0),
    ("层", Kind::Layers, 1.0),
];

/// The unit with which a text begins, behind a space or hyphen, and the bytes to its end.
pub(crate) fn at(text: &str) -> (Option<Unit>, usize) {
    let trimmed = text.trim_start_matches([' ', '-', '+']);
    let space = text.len() - trimmed.len();
    let unit = |kind, factor| Some(Unit { kind, factor });
    if let Some((word, kind, factor)) = HAN.iter().find(|(word, ..)| trimmed.starts_with(word)) {
        return (unit(*kind, *factor), space + word.len());
    }
    let len = trimmed.bytes().take_while(u8::is_ascii_lowercase).count();
    let word = &trimmed[..len];
    let found = WORDS.iter().find(|(name, ..)| {
        word == *name
            || word
                .strip_suffix('s')
                .is_some_and(|word| word == *name && name.len() > 1)
    });
    match found {
        Some((_, kind, factor)) => (unit(*kind, *factor), space + len),
        None => (None, 0),
    }
}
