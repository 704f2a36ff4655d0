//! Fields of a 2.0 file that the header switches off: every checksum of a stream that has none must be zero, for every way
//! to read it, whatever else is right. And fields that are reserved.

use ssm_core::{Archive, Crc32, Crc32Slicing, Entry, Get, Put, Saver, Store, Unit, UnitError, UnitId, Units};
use ssm_tests::media::{Disk, Loading};

#[derive(Clone, Default)]
struct Part(u32, usize);

impl Unit for Part {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.0)
    }

    fn load_prep(&mut self, _: ssm_core::AfterLoad) -> Result<(), UnitError> {
        self.1 += 1;
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.0 = get.u32()?;
        Ok(())
    }
}

const UNITS: Units<Part> = Units::new(&[Entry::new("part", |part, _| part)]);

fn crc(bytes: &[u8]) -> u32 {
    Crc32Slicing.update(0, bytes)
}

/// A file, and where its structures begin.
struct File {
    bytes: Vec<u8>,
    units: Vec<usize>,
    end: usize,
    directory: usize,
    footer: usize,
}

/// Writes the checksums that structures have of their own.
fn seal(file: &mut File) {
    let put = |bytes: &mut Vec<u8>, at: usize, range: std::ops::Range<usize>| {
        bytes[at..at + 4].fill(0);
        let own = crc(&bytes[range]);
        bytes[at..at + 4].copy_from_slice(&own.to_le_bytes());
    };
    put(&mut file.bytes, 60, 0..64);
    for unit in file.units.clone() {
        let name = u32::from_le_bytes(file.bytes[unit + 40..unit + 44].try_into().unwrap()) as usize;
        put(&mut file.bytes, unit + 20, unit..unit + 44 + name);
    }
    let (end, directory, footer) = (file.end, file.directory, file.footer);
    put(&mut file.bytes, end + 20, end..end + 44);
    put(&mut file.bytes, directory + 8, directory..footer);
    put(&mut file.bytes, footer + 28, footer..footer + 32);
}

/// A sound file whose stream has no checksum.
fn without_checksum() -> File {
    let mut disk = Disk::new();
    Saver::streamed(&mut disk, Store, &mut [0; 100]).save(&mut Part(7, 0), &UNITS).unwrap();
    let bytes = disk.into_bytes();
    let find = |what: &[u8]| -> Vec<usize> {
        (0..bytes.len() - what.len()).filter(|at| bytes[*at..].starts_with(what)).collect()
    };
    let (units, end) = (find(b"\nUnit\n\0\0"), find(b"\nTheEnd\0")[0]);
    let (directory, footer) = (find(b"\nDir\n\0\0\0")[0], bytes.len() - 32);
    let mut file = File { bytes, units, end, directory, footer };
    file.bytes[52] &= !1;
    for at in file.units.iter().chain([&file.end]) {
        file.bytes[at + 16..at + 20].fill(0);
    }
    // Each terminator: 91 0e, flags, checksum, length.
    for end in file.units.iter().skip(1).chain([&file.end]) {
        file.bytes[end - 14..end - 8].fill(0);
    }
    file.bytes[footer + 16..footer + 20].fill(0);
    seal(&mut file);
    file
}

fn kinds(file: &File) -> Vec<(String, String, usize)> {
    let mut all: Vec<_> = Loading::ALL
        .iter()
        .map(|loading| {
            let mut part = Part::default();
            let loaded = loading.load(Disk::holding(&*file.bytes), &mut [0; 300], &mut part, &UNITS);
            (format!("{loading:?}"), loaded.map_or_else(|error| error.kind().to_owned(), |_| "ok".to_owned()), part.1)
        })
        .collect();
    let verified =
        Archive::open(Disk::holding(&*file.bytes), Store, [0; 300]).and_then(|mut it| it.verify(&mut |_| ()));
    let text = |result: Result<(), ssm_core::LoadError<_>>| {
        result.map_or_else(|error| error.kind().to_owned(), |()| "ok".to_owned())
    };
    all.push(("verify".to_owned(), text(verified), 0));
    all
}

#[test]
fn checksums_of_a_stream_that_has_none() {
    let sound = without_checksum();
    assert_eq!(sound.units.len(), 2);
    for (how, kind, _) in kinds(&sound) {
        assert_eq!(kind, "ok", "{how}");
    }
    let mut fields: Vec<(usize, &str)> = sound.units.iter().chain([&sound.end]).map(|at| (at + 16, "crc")).collect();
    fields.push((sound.footer + 16, "crc"));
    // A terminator whose flag says that it has no checksum, and that has one.
    fields.extend(sound.units.iter().skip(1).chain([&sound.end]).map(|at| (at - 12, "terminator")));
    for (at, expected) in fields {
        for bit in 0..32 {
            let mut file = without_checksum();
            file.bytes[at + bit / 8] ^= 1 << (bit % 8);
            seal(&mut file);
            for (how, kind, hooks) in kinds(&file) {
                assert_eq!(kind, expected, "bit {bit} at {at}, {how}");
                assert!(how == "Streaming" || hooks == 0, "bit {bit} at {at}, {how}: a hook was called");
            }
        }
    }
}

#[test]
fn reserved_fields() {
    let sound = without_checksum();
    let mut fields = vec![(47, 1, "stream-field")];
    fields.extend([53, 54, 55].map(|at| (at, 1, "stream-field")));
    fields.extend(sound.units.iter().flat_map(|unit| (36..40).map(move |at| (unit + at, 1, "unit-flags"))));
    fields.extend((24..32).map(|at| (sound.end + at, 1, "end-unit")));
    fields.extend((24..28).map(|at| (sound.footer + at, 1, "footer")));
    for (at, mask, expected) in fields {
        let mut file = without_checksum();
        file.bytes[at] ^= mask;
        seal(&mut file);
        for (how, kind, hooks) in kinds(&file) {
            assert_eq!(kind, expected, "byte {at}, {how}");
            assert!(how == "Streaming" || hooks == 0);
        }
    }
}

/// Whoever opens a file by its header alone meets the same fields when it reads.
#[test]
fn an_unchecked_archive_looks_too() {
    let mut file = without_checksum();
    let unit = file.units[1];
    file.bytes[unit + 16] = 1;
    seal(&mut file);
    let mut archive = Archive::open_unchecked(Disk::holding(&*file.bytes), Store, [0; 300]).unwrap();
    let sought = archive.seek(UnitId::new("part", 0)).map(drop);
    assert_eq!(sought.unwrap_err().kind(), "crc");
}
