//! `ssm completions`: what a shell needs to complete command lines.

use crate::failure::Failed;
use crate::output::print;
use clap::CommandFactory;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  ssm completions bash > ~/.local/share/bash-completion/completions/ssm
  ssm completions zsh > ~/.zfunc/_ssm
  ssm completions fish > ~/.config/fish/completions/ssm.fish";

/// Print a script with which a shell completes the command lines of ssm
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Arguments::command(), "ssm", &mut script);
        print(|out| out.write_all(&script))
    }
}
