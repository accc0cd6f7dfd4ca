use events::Timestamp;

use crate::{GuardError, Value};

/// One name of a template with what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The name as the template uses it.
    pub name: String,
    /// Where the value comes from, such as `product.title`.
    pub path: String,
    /// The value; absent where the path has none.
    pub value: Option<Value>,
    /// Until when a fact holds, where it has an end.
    pub ends: Option<Timestamp>,
}

impl Bound {
    /// Whether the value is a name from the catalogue: a title, a brand or a category, of the product itself or of
    /// one in the shopper's history, such as `user.last_title`.
    pub(crate) fn is_name(&self) -> bool {
        let from_catalogue = self.path.starts_with("product.") || self.path.starts_with("user.");
        from_catalogue
            && ["title", "brand", "category"]
                .iter()
                .any(|field| self.path.ends_with(field))
    }

    /// Whether the value is the product's own link.
    pub(crate) fn is_link(&self) -> bool {
        self.path == "product.link"
    }
}

/// The values of a template's names, in the order of the names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bindings(Vec<Bound>);

impl Bindings {
    /// Collects the values.
    ///
    /// # Errors
    /// [`GuardError::DuplicateBinding`] when two carry the same name.
    pub fn new(mut bound: Vec<Bound>) -> Result<Self, GuardError> {
        bound.sort_by(|a, b| a.name.cmp(&b.name));
        match bound.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(GuardError::DuplicateBinding {
                name: pair[0].name.clone(),
            }),
            None => Ok(Self(bound)),
        }
    }

    /// The value of a name, where it has one.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.get(name).and_then(|bound| bound.value.as_ref())
    }

    /// The entry of a name.
    pub fn get(&self, name: &str) -> Option<&Bound> {
        self.index(name).map(|index| &self.0[index])
    }

    /// Every entry, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = &Bound> {
        self.0.iter()
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.0
            .binary_search_by(|bound| bound.name.as_str().cmp(name))
            .ok()
    }

    pub(crate) fn at(&self, index: usize) -> &Bound {
        &self.0[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_catalogue_are_names() {
        for (path, is_name) in [
            ("product.title", true),
            ("user.last_title", true),
            ("user.favourite_brand", true),
            ("product.description", false),
            ("fact.title", false),
            ("user.note", false),
        ] {
            let bound = Bound {
                name: "x".to_owned(),
                path: path.to_owned(),
                value: None,
                ends: None,
            };
            assert_eq!(bound.is_name(), is_name, "{path}");
        }
    }

    #[test]
    fn names_are_found_and_unique() {
        let bound = |name: &str| Bound {
            name: name.to_owned(),
            path: "product.title".to_owned(),
            value: Some(Value::Count(1)),
            ends: None,
        };
        let bindings = Bindings::new(vec![bound("b"), bound("a")]).expect("unique");
        assert_eq!(bindings.value("b"), Some(&Value::Count(1)));
        assert_eq!(bindings.value("c"), None);
        assert_eq!(
            Bindings::new(vec![bound("b"), bound("b")]),
            Err(GuardError::DuplicateBinding {
                name: "b".to_owned()
            })
        );
    }
}
