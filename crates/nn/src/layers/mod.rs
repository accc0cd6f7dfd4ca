//! One layer a file.

pub(crate) mod attention;
pub(crate) mod cross;
pub(crate) mod dropout;
pub(crate) mod embedding;
pub(crate) mod feed_forward;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod lora;
pub(crate) mod mask;
pub(crate) mod mlp;
pub(crate) mod recurrent;
pub(crate) mod rms_norm;
pub(crate) mod rotary;
pub(crate) mod rotary_scaling;
pub(crate) mod transformer_block;
