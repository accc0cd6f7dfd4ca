//! The fields of a JSON object, taken with errors that name field, value and remedy.

use std::path::Path;

use serde_json::{Map, Value};

use crate::NnError;

/// The largest whole number that a field may hold: sizes beyond it are damage, and products of two stay in range.
const LARGEST: u64 = i32::MAX as u64;

/// A JSON object of a file.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    path: &'a Path,
    /// What stands before a field's name in messages: nothing, or the name of the object and a dot.
    prefix: &'static str,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// Takes the object at the top of a file.
    pub(super) fn of(path: &'a Path, value: &'a Value) -> Result<Self, NnError> {
        let object = value.as_object().ok_or_else(|| NnError::Interchange {
            path: path.to_owned(),
            fault: "is no JSON object".to_owned(),
            remedy: "download the file again",
        })?;
        Ok(Self {
            path,
            prefix: "",
            object,
        })
    }

    /// A value that is there; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// An object within, or nothing; `prefix` is its name and a dot.
    pub(super) fn within(&self, prefix: &'static str) -> Result<Option<Self>, NnError> {
        let name = prefix.trim_end_matches('.');
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let object = value
            .as_object()
            .ok_or_else(|| self.refused(name, "write an object of names and values"))?;
        Ok(Some(Self {
            path: self.path,
            prefix,
            object,
        }))
    }

    /// The names of the fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.object.keys().map(String::as_str)
    }

    /// A whole number from 1, which has to be there.
    pub(super) fn count(&self, name: &str) -> Result<usize, NnError> {
        self.get(name).ok_or_else(|| self.missing(name))?;
        let count = self.optional_count(name)?;
        count.ok_or_else(|| self.missing(name))
    }

    /// A whole number from 1, or nothing.
    pub(super) fn optional_count(&self, name: &str) -> Result<Option<usize>, NnError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(count @ 1..=LARGEST) => Ok(Some(count as usize)),
            _ => Err(self.refused(name, "write a whole number from 1 to 2147483647")),
        }
    }

    /// A finite number above 0, or nothing.
    pub(super) fn optional_number(&self, name: &str) -> Result<Option<f64>, NnError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(number) if number.is_finite() && number > 0.0 => Ok(Some(number)),
            _ => Err(self.refused(name, "write a number above 0")),
        }
    }

    /// A finite number above 0, which has to be there.
    pub(super) fn number(&self, name: &str) -> Result<f64, NnError> {
        self.optional_number(name)?
            .ok_or_else(|| self.missing(name))
    }

    /// True or false; false where absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, NnError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.refused(name, "write true or false")),
        }
    }

    /// A text, or nothing.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, NnError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let text = value.as_str();
        text.map(Some)
            .ok_or_else(|| self.refused(name, "write a text"))
    }

    /// The error of a field that has to be there.
    pub(super) fn missing(&self, name: &str) -> NnError {
        NnError::Interchange {
            path: self.path.to_owned(),
            fault: format!("`{}{name}` is missing", self.prefix),
            remedy: "add the field as the model's authors give it",
        }
    }

    /// The error of a field whose value is not read.
    pub(super) fn refused(&self, name: &str, remedy: &'static str) -> NnError {
        let value = self.object.get(name).unwrap_or(&Value::Null);
        NnError::Interchange {
            path: self.path.to_owned(),
            fault: format!("`{}{name}` is {value}", self.prefix),
            remedy,
        }
    }
}
