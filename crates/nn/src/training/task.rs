use crate::{Figures, NamedGradients, NnError, ParameterStore};

/// What is trained and on what: the part of a training run that differs from model to model.
///
/// Every answer is a function of data, settings, arguments and the present parameters alone; otherwise a resumed run
/// would not end where one that was never stopped does.
pub trait TrainingTask {
    /// What can go wrong.
    type Error: From<NnError>;

    /// The parameters that are trained.
    fn store(&self) -> &ParameterStore;

    /// Plans the batches of an epoch and returns how many there are.
    ///
    /// # Errors
    /// Where the data does not allow it.
    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, Self::Error>;

    /// Computes the loss of a batch of the planned epoch, and its gradients.
    ///
    /// # Errors
    /// Where the data does not fit the model.
    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, Self::Error>;

    /// Measures the present parameters on what was held out; empty where nothing was.
    ///
    /// # Errors
    /// Where the data does not fit the model.
    fn validate(&mut self) -> Result<Figures, Self::Error>;

    /// Saves the present parameters, whose figures are the best so far.
    ///
    /// # Errors
    /// Where a file cannot be written.
    fn keep_best(&mut self, figures: &Figures) -> Result<(), Self::Error>;
}

/// Which batch of a run is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlace {
    /// Its position in the planned epoch, from 0.
    pub in_epoch: u64,
    /// A number that no other batch of the run has, for its random choices: the optimiser step, counted from 0, times
    /// the batches of a step, plus its place among these.
    pub number: u64,
}

/// What a batch says about the parameters.
#[derive(Debug, Clone)]
pub struct BatchGradients {
    /// The mean loss.
    pub loss: f64,
    /// Its gradients.
    pub gradients: NamedGradients,
    /// Tokens that were read, padding left out.
    pub tokens: u64,
}
