//! What machines have captured: worlds `data:FILES,BYTES,ROWS` of the sandbox.

pub(crate) mod files;
mod sdk;
pub(crate) mod tabular;
