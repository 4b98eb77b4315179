//! The verbs of `api-key`.

pub(crate) mod create;
