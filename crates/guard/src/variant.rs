use events::{Binding, Channel, CopyVariant, Locale, Premise, Scope};

use crate::facts::is_known_path;
use crate::{GuardError, Template};

/// A variant with its templates read, to be rendered many times.
#[derive(Debug, Clone)]
pub struct CompiledVariant {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) channel: Channel,
    pub(crate) locale: Locale,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) premises: Vec<Premise>,
    pub(crate) templates: Vec<(&'static str, Template)>,
}

impl CompiledVariant {
    /// Reads the templates of a variant, and checks that its bindings cover their names.
    ///
    /// # Errors
    /// [`GuardError::Template`] for the first field outside the subset, [`GuardError::Undeclared`],
    /// [`GuardError::UnknownPath`] and [`GuardError::DuplicateBinding`] for the first name that cannot have a value.
    pub fn new(variant: &CopyVariant) -> Result<Self, GuardError> {
        let templates = variant
            .template
            .fields()
            .map(|(field, source)| Ok((field, Template::parse(source)?)))
            .collect::<Result<Vec<_>, GuardError>>()?;
        let compiled = Self {
            id: variant.id.clone(),
            scope: variant.scope.clone(),
            channel: variant.channel,
            locale: variant.locale.clone(),
            bindings: variant.bindings.clone(),
            premises: variant.premises.clone(),
            templates,
        };
        compiled.check_bindings()?;
        Ok(compiled)
    }

    /// The variant's identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the variant may speak of a product.
    pub fn covers(&self, product_id: &str) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::ProductIds(ids) => ids.iter().any(|id| id == product_id),
        }
    }

    fn check_bindings(&self) -> Result<(), GuardError> {
        for (at, binding) in self.bindings.iter().enumerate() {
            if !is_known_path(&binding.path) {
                return Err(GuardError::UnknownPath {
                    name: binding.name.clone(),
                    path: binding.path.clone(),
                });
            }
            if self.bindings[..at]
                .iter()
                .any(|other| other.name == binding.name)
            {
                return Err(GuardError::DuplicateBinding {
                    name: binding.name.clone(),
                });
            }
        }
        let names = self
            .templates
            .iter()
            .flat_map(|(_, template)| template.names());
        for name in names {
            if !self.bindings.iter().any(|binding| binding.name == name) {
                return Err(GuardError::Undeclared {
                    name: name.to_owned(),
                });
            }
        }
        Ok(())
    }
}
