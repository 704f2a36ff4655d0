//! `ssm extract`: the plain bytes of one unit.

use crate::failure::Failed;
use crate::find::UnitArguments;
use crate::input::{Input, PIECE, at_unit, pieces};
use crate::output::{not_over_itself, not_raw_to_a_terminal, replace, stdout_result};
use ssm_std::{Error, Failure};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Write the plain bytes of one unit to standard output or a file
///
/// The file is checked first. A unit that it does not have is wrong use (exit status 2), told apart from a damaged file
/// (1). Of a damaged unit (see --unchecked), what comes before the damage goes to standard output; a file given with
/// --output is replaced as a whole or not at all, and is no more open to others than FILE. Of a live save the unit of the
/// final pass is written, and a line on standard error names the passes that have it too.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub unit: UnitArguments,
    /// Write to this file instead; - is standard output, even if that is a terminal
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        if self.output.is_none() {
            not_raw_to_a_terminal()?;
        }
        let (mut input, offset) = self.unit.open()?;
        let Some(path) = self.output.as_ref().filter(|path| *path != Path::new("-")) else {
            let mut out = io::stdout().lock();
            if io::IsTerminal::is_terminal(&out) {
                input.progress.end();
            }
            return stdout_result(extract(&mut input, offset, &mut out)?);
        };
        not_over_itself(&input.path, path)?;
        let written = |written: io::Result<()>| {
            written.map_err(|source| Failed::from(Error::new(path, Failure::Io { doing: "write", source })))
        };
        if is_device(path) {
            let opened = OpenOptions::new().write(true).open(path);
            let mut out = opened.map_err(|source| Error::new(path, Failure::Io { doing: "open", source }))?;
            return written(extract(&mut input, offset, &mut out)?);
        }
        replace(path, &self.unit.file, |file| written(extract(&mut input, offset, file)?))
    }
}

/// A pipe or a device is written to; only files can be replaced.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn extract(input: &mut Input, offset: u64, out: &mut dyn Write) -> Result<io::Result<()>, Failed> {
    let progress = input.progress.clone();
    input.read(|archive| {
        at_unit(archive, offset, |unit| {
            progress.expect(unit.packed_len());
            let written = unit.read(|get| pieces(get, u64::MAX, &mut vec![0; PIECE], |piece| out.write_all(piece)))?;
            Ok(written.and_then(|()| out.flush()))
        })
    })
}
