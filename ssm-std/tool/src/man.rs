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

/// The part behind the options is laid out already and as wide as a terminal: it is not filled, and not indented.
fn as_it_is(page: &str) -> String {
    let Some((before, extra)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let (extra, behind) = extra.find("\n.SH ").map_or((extra, ""), |end| extra.split_at(end + 1));
    format!("{before}.SH NOTES\n.nf\n.in 0\n{extra}.fi\n{behind}")
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
        print(|out| out.write_all(as_it_is(&String::from_utf8_lossy(&page)).as_bytes()))
    }
}
