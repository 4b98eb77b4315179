//! `viam-sandbox`: the group as an executable, for a core that lacks it.

viam_plugin::main!(viam_sandbox::Sandbox);
