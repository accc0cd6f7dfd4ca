//! Where a search for settings looks.

use std::collections::BTreeMap;
use std::path::Path;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use recommender::user_model::UserModelConfig;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{EngineError, Result};
use crate::sequences::laid_over;

/// The ranges that are searched where nobody names others.
const DEFAULTS: &str = include_str!("space.toml");
/// Draws after which a space is taken to hold no settings that fit together.
const MOST_DRAWS: usize = 1_000;

/// The ranges of some settings of the user model; the others keep their values.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpace {
    /// By the setting's path, such as `loss_weights.category`.
    ranges: BTreeMap<String, Range>,
}

/// The values that one setting may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Range {
    Choice(Vec<Value>),
    Whole(Bounds<i64>),
    Number(Bounds<f64>),
}

/// The least and the largest value, both drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds<T> {
    low: T,
    high: T,
    /// Whether the logarithm is drawn evenly, and not the number.
    #[serde(default)]
    log: bool,
}

impl SearchSpace {
    /// The ranges of a TOML file, or the usual ones without.
    ///
    /// # Errors
    /// [`EngineError::Config`] where the file cannot be read, a range is empty, or no settings of the user model fit it.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Self::parse(DEFAULTS, Path::new("space.toml"));
        };
        let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let fault = |problem| {
            EngineError::Config {
            path: path.to_owned(),
            problem,
            remedy: "write `key = [1, 2]`, or `key = { low = 0.1, high = 0.5, log = true }` for each key of [model] to search"
                .to_owned(),
        }
        };
        let table: Table = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        let mut ranges = BTreeMap::new();
        collect("", table, &mut ranges).map_err(&fault)?;
        if ranges.is_empty() {
            return Err(fault("it names no setting to search".to_owned()));
        }
        Ok(Self { ranges })
    }

    /// Settings drawn at random, those without a range as they are in `base`.
    ///
    /// Draws that do not fit together, such as a width that the heads do not divide, are drawn again.
    ///
    /// # Errors
    /// [`EngineError::Config`] where a key is unknown or nothing drawn fits.
    pub(super) fn draw(
        &self,
        base: &UserModelConfig,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Table, UserModelConfig)> {
        let mut problem = String::new();
        for _ in 0..MOST_DRAWS {
            let mut drawn = Table::new();
            for (key, range) in &self.ranges {
                put(&mut drawn, key, range.draw(rng));
            }
            match laid_over(base, drawn.clone()) {
                Ok(settings) => match settings.check() {
                    Ok(()) => return Ok((drawn, settings)),
                    Err(error) => problem = error.to_string(),
                },
                Err(error) => {
                    problem = error;
                    break;
                }
            }
        }
        Err(EngineError::Config {
            path: "the search space".into(),
            problem,
            remedy: "give ranges of keys of [model] whose values fit together".to_owned(),
        })
    }
}

/// Reads a table's ranges, and those of the tables within it.
fn collect(
    prefix: &str,
    table: Table,
    ranges: &mut BTreeMap<String, Range>,
) -> std::result::Result<(), String> {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        match value {
            Value::Table(inner) if !inner.contains_key("low") => {
                collect(&format!("{name}."), inner, ranges)?;
            }
            value => {
                let range: Range = value
                    .try_into()
                    .map_err(|_| format!("`{name}` is neither a list nor has `low` and `high`"))?;
                range.check().map_err(|fault| format!("`{name}` {fault}"))?;
                ranges.insert(name, range);
            }
        }
    }
    Ok(())
}

/// Sets the value at a path such as `loss_weights.category`.
fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Table::new().into());
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

impl Range {
    fn check(&self) -> std::result::Result<(), String> {
        let (low, high, log) = match self {
            Self::Choice(values) if values.is_empty() => {
                return Err("has nothing to choose from".to_owned());
            }
            Self::Choice(_) => return Ok(()),
            Self::Whole(bounds) => (bounds.low as f64, bounds.high as f64, bounds.log),
            Self::Number(bounds) => (bounds.low, bounds.high, bounds.log),
        };
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return Err(format!("goes from {low} to {high}"));
        }
        if log && low <= 0.0 {
            return Err(format!("has no logarithm at {low}"));
        }
        Ok(())
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> Value {
        match self {
            Self::Choice(values) => values[rng.random_range(0..values.len())].clone(),
            Self::Whole(Bounds { low, high, log }) => Value::Integer(if *log {
                // Half a step on each side gives the ends the room of the others.
                let drawn = between((*low as f64 - 0.5).max(0.5), *high as f64 + 0.5, true, rng);
                (drawn.round() as i64).clamp(*low, *high)
            } else {
                rng.random_range(*low..=*high)
            }),
            Self::Number(Bounds { low, high, log }) => {
                Value::Float(rounded(between(*low, *high, *log, rng)))
            }
        }
    }
}

fn between(low: f64, high: f64, log: bool, rng: &mut ChaCha8Rng) -> f64 {
    let share: f64 = rng.random();
    if log {
        low * (high / low).powf(share)
    } else {
        low + (high - low) * share
    }
}

/// Four significant digits: what a person would write down.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use nn::generator;

    use super::*;

    fn parsed(text: &str) -> Result<SearchSpace> {
        SearchSpace::parse(text, Path::new("s.toml"))
    }

    #[test]
    fn draws_lie_in_their_ranges_and_reach_all_of_them() {
        let text = "width = [32, 64]\nlayers = { low = 1, high = 3 }\nhidden = { low = 8, high = 64, log = true }\n\
                    learning_rate = { low = 0.001, high = 0.1, log = true }\n[loss_weights]\ncategory = [0.0, 0.5]\n";
        let space = parsed(text).expect("ranges");
        let base = UserModelConfig::default();
        let mut rng = generator(1, "test", 0);
        let drawn: Vec<UserModelConfig> = (0..400)
            .map(|_| space.draw(&base, &mut rng).expect("fits").1)
            .collect();
        for settings in &drawn {
            assert!([32, 64].contains(&settings.width));
            assert!((1..=3).contains(&settings.layers));
            assert!((8..=64).contains(&settings.hidden));
            assert!((0.001..=0.1).contains(&settings.learning_rate));
            assert_eq!(settings.heads, base.heads);
        }
        let share = |holds: fn(&UserModelConfig) -> bool| {
            drawn.iter().filter(|s| holds(s)).count() as f64 / drawn.len() as f64
        };
        // Half of the draws of a logarithm lie under the geometric mean. Three standard errors are .075.
        for (found, expected) in [
            (share(|s| s.learning_rate < 0.01), 0.5),
            (share(|s| s.hidden <= 22), 0.5),
            (share(|s| s.layers == 3), 1.0 / 3.0),
            (share(|s| s.loss_weights.category > 0.0), 0.5),
        ] {
            assert!(
                (found - expected).abs() < 0.075,
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_drawn_again_or_named() {
        let base = UserModelConfig::default();
        let mut rng = generator(1, "test", 0);
        let space = parsed("width = [30, 64]").expect("ranges");
        for _ in 0..20 {
            assert_eq!(space.draw(&base, &mut rng).expect("fits").1.width, 64);
        }
        let mut fault = |text: &str| match parsed(text) {
            Ok(space) => space.draw(&base, &mut rng).expect_err("bad").to_string(),
            Err(error) => error.to_string(),
        };
        for (text, expected) in [
            ("", "it names no setting to search"),
            ("width = []", "`width` has nothing to choose from"),
            (
                "width = 64",
                "`width` is neither a list nor has `low` and `high`",
            ),
            (
                "dropout = { low = 0.5, high = 0.1 }",
                "`dropout` goes from 0.5 to 0.1",
            ),
            (
                "dropout = { low = 0, high = 0.1, log = true }",
                "`dropout` has no logarithm at 0",
            ),
            ("widht = [64]", "widht"),
            ("width = [30]", "`width` is 30"),
        ] {
            let found = fault(text);
            assert!(found.contains(expected), "{found} for {text}");
        }
    }

    #[test]
    fn the_usual_space_fits_both_kinds_of_data() {
        let space = SearchSpace::read(None).expect("ranges");
        let mut rng = generator(1, "test", 0);
        for base in [UserModelConfig::default(), UserModelConfig::for_sequences()] {
            assert!(space.draw(&base, &mut rng).is_ok());
        }
    }
}
