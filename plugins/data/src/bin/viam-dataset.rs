//! `viam-dataset`: the group as an executable of its own.

viam_plugin::main!(viam_data::Dataset);
