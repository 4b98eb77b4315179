//! `viam completion SHELL`: a script that asks `viam __complete`. Sourcing it runs nothing.

use clap::{CommandFactory as _, Parser, ValueEnum};
use viam_contract::Result;
use viam_host::world::World;

use super::CoreCommand;

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "completion",
    aliases: &[],
    summary: "print the completion script of a shell",
    tree: || CompletionArgs::command(),
    words: super::unchanged,
    run: |world, matches| run(world, super::args(&matches)?),
};

/// Print the completion script of a shell
///
/// bash: `source <(viam completion bash)` in ~/.bashrc. zsh: `source <(viam completion zsh)` in
/// ~/.zshrc after compinit. fish: `viam completion fish | source`. PowerShell:
/// `viam completion powershell | Out-String | Invoke-Expression`.
#[derive(Parser, Debug)]
#[command(name = "completion")]
struct CompletionArgs {
    /// which shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
}

fn run(world: &World, args: CompletionArgs) -> Result<()> {
    let script = match args.shell {
        Shell::Bash => include_str!("completion/viam.bash"),
        Shell::Zsh => include_str!("completion/viam.zsh"),
        Shell::Fish => include_str!("completion/viam.fish"),
        Shell::Powershell => include_str!("completion/viam.ps1"),
    };
    world.output.bytes(script.as_bytes())
}
