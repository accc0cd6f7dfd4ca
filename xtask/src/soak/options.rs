//! The arguments of `cargo xtask soak`.

use crate::{Outcome, USAGE, repository};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Which commands are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct What {
    pub(crate) import: bool,
    pub(crate) training: bool,
}

/// What to kill, how often, and with which input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Moments of each command; 20 by default.
    pub(crate) moments: u32,
    pub(crate) what: What,
    /// Fixes the moments and the generated input; 1 by default.
    pub(crate) seed: u64,
    /// A folder with files in the format `online-retail`; `None` generates a small shop.
    pub(crate) data: Option<PathBuf>,
    /// The program under test; the debug build by default.
    pub(crate) hawker: PathBuf,
    /// What stands after `--`, handed to `hawker train`.
    pub(crate) training: Vec<String>,
}

impl Options {
    /// Reads the arguments after `soak`.
    ///
    /// # Errors
    /// Names the argument that is unknown or has no readable value.
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let own = arguments
            .iter()
            .position(|argument| argument == "--")
            .unwrap_or(arguments.len());
        let mut options = Self {
            moments: 20,
            what: What {
                import: true,
                training: true,
            },
            seed: 1,
            data: None,
            hawker: PathBuf::new(),
            training: arguments.iter().skip(own + 1).cloned().collect(),
        };
        for pair in arguments[..own].chunks(2) {
            let name = pair[0].as_str();
            let value = pair
                .get(1)
                .ok_or_else(|| format!("`{name}` needs a value\n{USAGE}"))?;
            match name {
                "--moments" => options.moments = number(name, value)?,
                "--seed" => options.seed = number(name, value)?,
                "--what" => options.what = what(value)?,
                "--data" => options.data = Some(value.into()),
                "--hawker" => options.hawker = value.into(),
                _ => return Err(format!("unknown argument `{name}`\n{USAGE}").into()),
            }
        }
        if options.hawker.as_os_str().is_empty() {
            options.hawker = debug_build()?;
        }
        if !options.hawker.exists() {
            let hawker = options.hawker.display();
            return Err(format!("{hawker} is missing; `cargo build -p hawker` makes it").into());
        }
        Ok(options)
    }
}

fn number<N: FromStr>(name: &str, value: &str) -> Outcome<N> {
    value
        .parse()
        .map_err(|_| format!("`{name} {value}` is no number in range").into())
}

fn what(value: &str) -> Outcome<What> {
    let what = match value {
        "import" => What {
            import: true,
            training: false,
        },
        "training" => What {
            import: false,
            training: true,
        },
        "all" => What {
            import: true,
            training: true,
        },
        _ => return Err(format!("`--what {value}`: choose import, training or all").into()),
    };
    Ok(what)
}

/// Returns where Cargo puts the debug build of `hawker`.
fn debug_build() -> Outcome<PathBuf> {
    let metadata = repository::cargo_metadata(&repository::root(), &["--no-deps"])?;
    let target = metadata["target_directory"]
        .as_str()
        .ok_or("`cargo metadata` names no target folder")?;
    Ok(Path::new(target)
        .join("debug")
        .join(format!("hawker{}", std::env::consts::EXE_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Options, String> {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_are_read() {
        let options = parse(
            "--moments 3 --what training --seed 9 --data d --hawker Cargo.toml -- --epochs 2",
        );
        let expected = Options {
            moments: 3,
            what: What {
                import: false,
                training: true,
            },
            seed: 9,
            data: Some("d".into()),
            hawker: "Cargo.toml".into(),
            training: vec!["--epochs".into(), "2".into()],
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn bad_arguments_are_named() {
        for (arguments, start) in [
            ("--moments", "`--moments` needs a value"),
            ("--moments many", "`--moments many` is no number in range"),
            (
                "--what demo",
                "`--what demo`: choose import, training or all",
            ),
            ("--often 3", "unknown argument `--often`"),
            ("--hawker gone", "gone is missing"),
        ] {
            let error = parse(arguments).expect_err(arguments);
            assert!(error.starts_with(start), "{error}");
        }
    }
}
