//! A machine made of any bytes, of values of all kinds: saved in 1.2 and 2.0 with every codec and any scratch, each file is
//! sound, loads back equal in every way to load, and holds the same plain bytes.

mod values;

use super::choices::Choices;
use crate::independent;
use crate::machine::Packing;
use crate::media::{Disk, Loading, OneWay};
use crate::reference::crc32;
use ssm_core::{Archive, Crc32Slicing, Entry, Get, Header, Policy, Put, Saver, Unit, UnitError, Units};
use values::Stored;

/// Bytes of one machine's blobs.
const MOST: usize = 40_000;

#[derive(Clone, Debug, PartialEq)]
struct Part {
    version: u32,
    values: Vec<Stored>,
    is_loaded: bool,
}

type Machine = [Part; 4];

const LONGEST: &str = "a name of forty-seven bytes, which is all it has";

macro_rules! unit {
    ($name:expr, $at:literal) => {
        Entry::new($name, |machine: &mut Machine, _| &mut machine[$at])
    };
}

impl Unit for Part {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        self.values.iter().try_for_each(|value| value.put(put))
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if version != self.version {
            return Err(UnitError::Version(version));
        }
        self.values = self.values.iter().map(|value| value.got(get)).collect::<Result<_, _>>()?;
        self.is_loaded = true;
        if get.skip_rest()? == 0 { Ok(()) } else { Err(UnitError::Invalid("bytes are left")) }
    }
}

/// See the file's overview.
pub fn round_trip(data: &[u8]) {
    let mut choices = Choices(data);
    let [widths, second, fourth] = choices.array();
    let (scratch, stream_scratch) = (choices.number() % 40_000 + 1, choices.number() % 20_000 + 1);
    let width = |bit: u8| if widths >> bit & 1 == 1 { 4 } else { 8 };
    let header = Header { gc_phys_bytes: Some(width(0)), gc_ptr_bytes: Some(width(1)), ..Header::new() };
    let mut left = MOST;
    let mut machine: Machine = std::array::from_fn(|_| {
        let version = choices.number() as u32 * 65537;
        let values = std::iter::from_fn(|| Stored::chosen(&mut choices, &header, &mut left)).collect();
        Part { version, values, is_loaded: false }
    });
    // Many bytes in pieces of a few take long and find nothing that few do not.
    let [scratch, stream_scratch] = [scratch, stream_scratch].map(|scratch| scratch.max((MOST - left) / 50));
    let mut units = [
        unit!("part", 0),
        unit!("part", 1).instance(u32::from(second) + 1),
        unit!(&LONGEST[..47], 2).optional(),
        unit!("p", 3).instance(u32::from(fourth) << 24),
    ];
    for (unit, part) in units.iter_mut().zip(&machine) {
        *unit = unit.version(part.version);
    }
    let units = Units::new(&units);

    let mut expected: Option<Vec<Vec<u8>>> = None;
    for packing in Packing::ALL {
        let mut disk = Disk::new();
        let (room, codec) = (&mut vec![0xa5; scratch], &mut *packing.encoder());
        Saver::new(&mut disk, codec, room).header(header).save(&mut machine, &units).unwrap();
        let file = disk.into_bytes();
        assert_eq!(file[40..44], crc32(&file[44..file.len() - 36]).to_le_bytes(), "{packing:?}: CRC");
        let plain = loads_back(&file, scratch, &machine, &units);
        assert!(*expected.get_or_insert_with(|| plain.clone()) == plain, "{packing:?}: the codec changes plain bytes");

        let mut disk = Disk::new();
        let (room, codec) = (&mut vec![0xa5; 16 * 5 + stream_scratch], &mut *packing.encoder());
        Saver::streamed(OneWay(&mut disk), codec, room).header(header).save(&mut machine, &units).unwrap();
        let file = disk.into_bytes();
        assert!(expected.as_ref() == Some(&loads_back(&file, scratch, &machine, &units)), "{packing:?}: 1.2 and 2.0");
        let independent: Vec<_> = independent::decode(&file).units.into_iter().map(|unit| unit.plain).collect();
        assert!(expected.as_ref() == Some(&independent), "{packing:?}: the independent decoder");
    }
}

/// Loads a file in every way that its format has. The plain bytes of its units.
fn loads_back(file: &[u8], scratch: usize, machine: &Machine, units: &Units<Machine>) -> Vec<Vec<u8>> {
    let is_streamed = file.starts_with(b"\x7fVirtualBox SavedState V2.0");
    for loading in Loading::ALL {
        let mut back = machine.clone();
        let (policy, room) = (Policy::default(), &mut vec![0; scratch]);
        let loaded = loading.load_with(Disk::holding(file), room, policy, &mut |_| (), &mut back, units);
        if loading == Loading::Streaming && !is_streamed {
            assert_eq!(loaded.unwrap_err().kind(), "patched");
            continue;
        }
        loaded.unwrap();
        let is_same = |(back, part): (&Part, &Part)| back.is_loaded && back.values == part.values;
        assert!(back.iter().zip(machine).all(is_same), "{loading:?}: another machine");
    }
    let codec = ssm_std::decoder();
    let mut archive = Archive::open_with(Disk::holding(file), codec, vec![0; scratch], Crc32Slicing).unwrap();
    archive.verify(&mut |_| ()).unwrap();
    let (mut all, mut units) = (Vec::new(), archive.units());
    while let Some(mut unit) = units.next_unit().unwrap() {
        let mut plain = vec![0; unit.plain_len().unwrap() as usize];
        unit.read(|get| get.bytes(&mut plain)).unwrap();
        all.push(plain);
    }
    all
}
