//! Damaged files of 2.0, each with the error that it must give to a check of the whole file and to every loader, and with
//! the hooks that are called meanwhile: none by a loader that checks before. Q numbers are those of SPEC.md; 1.x is in
//! `damage`.

use ssm_core::{Archive, Crc32Slicing, LoadError, Loader, MAX_STRING, UnitError, UnitId};
use ssm_std::decoder;
use ssm_tests::golden::{Bad, Call, Machine, Reading, bad, bad_streamed};
use ssm_tests::media::{Broken, Disk, ReadOnly};
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, LoadError<Broken>>;
const OK: &str = "ok";

/// File, what opening and checking all of it says and at which offset; what the loaders say whose units read what was put.
struct Row {
    file: &'static str,
    verify: (&'static str, u64),
    verified: &'static str,
    new: &'static str,
    streaming: &'static str,
}

const EXPECTED: &[Row] = &[];

fn verify(file: &[u8]) -> Result<()> {
    let archive = Archive::open_with(Disk::holding(file), decoder(), vec![0; 4096], Crc32Slicing);
    archive?.verify(&mut |_| ())
}

/// The check without the checksum over the file, which comes first and hides what is wrong.
fn verify_unchecked(file: &[u8]) -> Result<()> {
    let archive = Archive::open_unchecked_with(Disk::holding(file), decoder(), vec![0; 4096], Crc32Slicing);
    archive?.verify(&mut |_| ())
}

fn kind<T>(result: &Result<T>) -> &'static str {
    result.as_ref().err().map_or(OK, LoadError::kind)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Verified,
    New,
    Streaming,
}

/// Loads a damaged file by units that are those of the file before.
fn load(bad: &Bad, how: How, scratch: usize) -> (Result<()>, Vec<Call>) {
    // What is left over is the library's to notice.
    let mut machine = Machine::of(&bad.undamaged()).reading(Reading::Items);
    let entries = machine.entries();
    let mut scratch = vec![0; scratch];
    let (disk, into) = (Disk::holding(bad.bytes()), &mut machine);
    let result = match how {
        How::Verified => Loader::verified(disk, decoder(), &mut scratch).crc32(Crc32Slicing).load(into, &entries),
        How::New => Loader::new(disk, decoder(), &mut scratch).crc32(Crc32Slicing).load(into, &entries),
        How::Streaming => {
            Loader::streaming(ReadOnly(disk), decoder(), &mut scratch).crc32(Crc32Slicing).load(into, &entries)
        }
    };
    (result.map(|_| ()), machine.calls)
}

#[test]
fn print() {
    for bad in bad_streamed() {
        let v = verify(&bad.bytes());
        let u = verify_unchecked(&bad.bytes());
        let k = |how| {
            let (r, c) = load(&bad, how, 4096);
            format!("{} {}", kind(&r), c.len())
        };
        println!(
            "ROW {} | {} | {} {} | u {} {} | verified {} | new {} | streaming {} | {} {:?} {:?}",
            bad.file,
            bad.verify,
            kind(&v),
            v.as_ref().err().and_then(LoadError::offset).unwrap_or(0),
            kind(&u),
            u.as_ref().err().and_then(LoadError::offset).unwrap_or(0),
            k(How::Verified),
            k(How::New),
            k(How::Streaming),
            bad.damage,
            bad.results["vbox_7_load"],
            v
        );
    }
}
