use thiserror::Error;

/// What can be wrong with the arguments of a policy, an estimator or a test.
#[derive(Debug, Clone, Error, PartialEq)]
#[non_exhaustive]
pub enum BanditError {
    /// A vector or matrix has the wrong number of entries.
    #[error("{what} has {found} entries, expected {expected}; pass one entry for each")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// How many entries it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A number lies outside the range in which the method is defined.
    #[error("{what} is {value}; expected {expected}")]
    OutOfRange {
        /// Which argument.
        what: &'static str,
        /// The value as given.
        value: f64,
        /// The accepted range, in words.
        expected: &'static str,
    },
    /// A sample is too small for the method.
    #[error("{what} has {found} entries; pass at least {minimum}")]
    TooFew {
        /// Which argument.
        what: &'static str,
        /// How many entries it has.
        found: usize,
        /// The smallest number that is accepted.
        minimum: usize,
    },
    /// Every action has weight zero, so nothing can be chosen.
    #[error(
        "none of the {actions} actions is allowed; keep one action, such as `nothing`, at a positive weight"
    )]
    NoAllowedAction {
        /// How many actions there were.
        actions: usize,
    },
    /// A cap cannot hold with the actions that there are.
    #[error(
        "group {group} takes a share of {share} where its cap is {cap}; add actions outside of it, such as `nothing`, or lower the floor"
    )]
    CapNotReached {
        /// The index of the group.
        group: usize,
        /// The smallest share that it was brought to.
        share: f64,
        /// Its cap.
        cap: f64,
    },
    /// An estimator needs a reward model's predictions and a round has none.
    #[error(
        "round {round} has no predicted rewards; pass `predicted`, or use an estimator without a reward model such as `snips`"
    )]
    NoRewardModel {
        /// The index of the first such round.
        round: usize,
    },
    /// The log does not support the policy that is evaluated.
    #[error(
        "the log does not support this policy: {measure} is {value}, the limit is {limit}; {remedy}"
    )]
    Unsupported {
        /// What was measured.
        measure: &'static str,
        /// Its value.
        value: f64,
        /// The limit that it crosses.
        limit: f64,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A precision matrix is not positive definite.
    #[error(
        "the precision matrix is not positive definite (pivot {pivot} of row {row}); raise `ridge` or discard this state"
    )]
    NotPositiveDefinite {
        /// The row at which the factorisation failed.
        row: usize,
        /// The pivot found there.
        pivot: f64,
    },
}

/// Returns the error of an argument whose length is wrong.
pub(crate) fn check_len(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), BanditError> {
    if expected == found {
        return Ok(());
    }
    Err(BanditError::Shape {
        what,
        expected,
        found,
    })
}

/// Returns the error of a sample that is too small.
pub(crate) fn check_count(
    what: &'static str,
    found: usize,
    minimum: usize,
) -> Result<(), BanditError> {
    if found >= minimum {
        return Ok(());
    }
    Err(BanditError::TooFew {
        what,
        found,
        minimum,
    })
}

/// Returns the error of an argument for which `holds` is false.
pub(crate) fn check_range(
    what: &'static str,
    value: f64,
    holds: bool,
    expected: &'static str,
) -> Result<(), BanditError> {
    if holds {
        return Ok(());
    }
    Err(BanditError::OutOfRange {
        what,
        value,
        expected,
    })
}

/// Returns the error of the first value that is not finite.
pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), BanditError> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(&value) => Err(BanditError::OutOfRange {
            what,
            value,
            expected: "a finite number",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_value_and_the_remedy() {
        let cases = [
            (
                check_len("actions", 3, 2),
                "actions has 2 entries, expected 3; pass one entry for each",
            ),
            (
                check_range("floor", 1.5, false, "a number in [0, 1]"),
                "floor is 1.5; expected a number in [0, 1]",
            ),
            (
                check_finite("x", &[1.0, f64::NAN]),
                "x is NaN; expected a finite number",
            ),
            (
                Err(BanditError::NoAllowedAction { actions: 2 }),
                "none of the 2 actions is allowed; keep one action, such as `nothing`, at a positive weight",
            ),
        ];
        for (result, message) in cases {
            assert_eq!(result.expect_err("a fault").to_string(), message);
        }
        assert_eq!(check_len("actions", 2, 2), Ok(()));
        assert_eq!(check_finite("x", &[0.0, -1.0]), Ok(()));
    }
}
