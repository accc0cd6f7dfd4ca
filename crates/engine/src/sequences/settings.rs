//! Settings of a user model of sequences.

use std::path::Path;

use recommender::user_model::UserModelConfig;

use crate::error::{EngineError, Result};

/// The settings of a user model of sequences: the defaults, under what a TOML file says.
///
/// # Errors
/// [`EngineError::Config`] where the file cannot be read or has a key or value that does not fit.
pub fn sequence_settings(path: Option<&Path>) -> Result<UserModelConfig> {
    let defaults = UserModelConfig::for_sequences();
    let Some(path) = path else {
        return Ok(defaults);
    };
    let fault = |problem: String| EngineError::Config {
        path: path.to_owned(),
        problem,
        remedy: "its keys are those of [model] in the file that `hawker init` writes".to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
    let given: toml::Table = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
    let settings = laid_over(&defaults, given).map_err(fault)?;
    settings.check()?;
    Ok(settings)
}

/// Settings under what a table says; a key that there is not is told by its name.
pub(crate) fn laid_over(
    settings: &UserModelConfig,
    over: toml::Table,
) -> std::result::Result<UserModelConfig, String> {
    let all = toml::Table::try_from(settings).map_err(|error| error.to_string())?;
    let merged = toml::Value::Table(merged(all, over)).try_into();
    merged.map_err(|error: toml::de::Error| error.message().to_owned())
}

/// A table under what another one says, tables within them alike.
fn merged(mut under: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        let value = match (under.remove(&key), value) {
            // One objective takes the place of another; its fields are not those of the other.
            (Some(toml::Value::Table(a)), toml::Value::Table(b)) if key != "objective" => {
                toml::Value::Table(merged(a, b))
            }
            (_, value) => value,
        };
        under.insert(key, value);
    }
    under
}

#[cfg(test)]
mod tests {
    use super::*;
    use recommender::user_model::Objective;

    #[test]
    fn settings_lie_over_the_defaults_and_a_bad_key_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("settings.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("writable");
            sequence_settings(Some(&path))
        };
        let settings = read("width = 32\n[loss_weights]\ncategory = 0.5\n").expect("valid");
        let defaults = UserModelConfig::for_sequences();
        assert_eq!((settings.width, settings.hidden), (32, defaults.hidden));
        assert_eq!(
            (
                settings.loss_weights.category,
                settings.loss_weights.new_item
            ),
            (0.5, 0.0)
        );
        let objective = "[objective.gbce]\nnegatives = 256\ncalibration = 0.75\n";
        let settings = read(objective).expect("valid");
        assert!(matches!(settings.objective, Objective::Gbce { .. }));
        let error = read("widht = 32\n").expect_err("unknown").to_string();
        assert!(error.contains("widht"), "{error}");
        let error = read("width = 33\n").expect_err("odd").to_string();
        assert!(error.contains("`width` is 33"), "{error}");
    }
}
