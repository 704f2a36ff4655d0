//! `ssm man`: the manual pages.

use crate::failure::Failed;
use crate::output::print;
use clap::CommandFactory;
use clap_mangen::Man;
use std::io;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  ssm man | man -l -
  ssm man > ssm.1
  ssm man list > ssm-list.1";

/// Print the manual page of ssm, or of one of its subcommands, as roff
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// The subcommand
    #[arg(value_name = "SUBCOMMAND")]
    subcommand: Option<String>,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let mut command = crate::Arguments::command();
        command.build();
        if let Some(name) = &self.subcommand {
            let found = command.find_subcommand(name).cloned();
            let message = format!("no subcommand {name}");
            let found = found.ok_or_else(|| Failed::usage(Path::new("ssm man"), message))?;
            // Its usage line has the whole command, the name of its page a dash.
            command = found.display_name(format!("ssm-{name}"));
        }
        let mut page = Vec::new();
        let rendered: io::Result<()> = Man::new(command).render(&mut page);
        rendered.map_err(|error| Failed::stdout(&error))?;
        print(|out| out.write_all(&page))
    }
}
