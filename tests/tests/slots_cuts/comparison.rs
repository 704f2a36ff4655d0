//! Saves of 16 KiB beside those of sequential-storage's map, on the same flash: what is written, erased and held in RAM.
//!
//! An item of the map must fit into a page, so the state is split over several keys. The map's save is the store of all
//! keys in turn; nothing ties them together.

use super::page::document;
use embedded_io::Write as _;
use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use pollster::block_on;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};
use ssm_core::Slots;
use ssm_tests::flash::{Counts, Cut, Fault, Flash, Model, Pick};
use std::fmt::Write as _;

const STATE: usize = 16 << 10;
const ERASE: usize = 4096;
/// Two slots of five blocks; the map gets the same.
const RANGE: u32 = 10 * ERASE as u32;
/// Saves before the counting starts, and saves that count.
const WARM: u64 = 20;
const SAVES: u64 = 100;

type Nor = Flash<1, 4, ERASE>;

/// The same flash through the asynchronous traits.
struct Async(Nor);

impl ErrorType for Async {
    type Error = Fault;
}

impl ReadNorFlash for Async {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl NorFlash for Async {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = ERASE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.0.write(offset, bytes)
    }
}

type Map = MapStorage<u8, Async, Cache<Uncached, Uncached, Uncached, u8>>;

/// A map that holds a state in pieces, and the buffer that its calls need.
struct Pieces {
    map: Map,
    buffer: Vec<u8>,
    piece: usize,
}

impl Pieces {
    fn new(flash: Nor, piece: usize) -> Self {
        let map = MapStorage::new(Async(flash), MapConfig::new(0..RANGE), Cache::new_uncached());
        // A piece and its key, in whole words.
        Self { map, buffer: vec![0; (piece + 1).next_multiple_of(4)], piece }
    }

    fn save(&mut self, state: &[u8]) -> bool {
        (0..)
            .zip(state.chunks(self.piece))
            .all(|(key, piece)| block_on(self.map.store_item(&mut self.buffer, &key, &piece)).is_ok())
    }

    fn load(&mut self) -> Vec<u8> {
        (0..STATE.div_ceil(self.piece)).fold(Vec::new(), |mut state, key| {
            let piece = block_on(self.map.fetch_item::<&[u8]>(&mut self.buffer, &(key as u8)));
            state.extend(piece.unwrap().unwrap_or(&[]));
            state
        })
    }
}

fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed;
    (0..STATE)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

/// Means of one save.
fn row(text: &mut String, name: &str, counts: Counts, ram: usize) {
    let mean = |sum: u64| (sum + SAVES / 2) / SAVES;
    let erased = (counts.blocks_erased * 10 + SAVES / 2) / SAVES;
    writeln!(
        text,
        "| {name} | {} | {} | {}.{} | {} | {ram} |",
        mean(counts.bytes_written),
        mean(counts.writes),
        erased / 10,
        erased % 10,
        mean(counts.bytes_read),
    )
    .unwrap();
}

fn slots(text: &mut String) {
    let mut flash = Nor::blank(RANGE as usize);
    let (mut page, mut other_page) = ([0; 256], [0; 256]);
    let mut slots = Slots::mount(&mut flash, 0..RANGE, &mut page).unwrap();
    let ram = size_of_val(&slots) + 256;
    (0..WARM).for_each(|number| assert!(slots.save(|out| out.write_all(&noise(number))).is_ok()));
    slots.into_inner().reset_counts();
    let mut slots = Slots::mount(&mut flash, 0..RANGE, &mut other_page).unwrap();
    (0..SAVES).for_each(|number| assert!(slots.save(|out| out.write_all(&noise(number))).is_ok()));
    row(text, "`Slots`, two slots, buffer of 256", flash.counts(), ram);
}

fn map(text: &mut String, piece: usize) {
    let mut pieces = Pieces::new(Nor::blank(RANGE as usize), piece);
    for number in 0..WARM {
        assert!(pieces.save(&noise(number)));
    }
    pieces.map.flash().0.reset_counts();
    for number in 0..SAVES {
        assert!(pieces.save(&noise(number)));
    }
    let counts = pieces.map.flash().0.counts();
    assert!(pieces.load() == noise(SAVES - 1));
    let keys = STATE.div_ceil(piece);
    let ram = size_of::<Map>() - size_of::<Async>() + pieces.buffer.len();
    row(text, &format!("map 8.0, {keys} keys of {piece} bytes"), counts, ram);

    // A save that loses power in the middle leaves some pieces old and some new.
    pieces.map.flash().0.cut(Cut { step: 9000, model: Model::Prefix, pick: Pick::Bits(0) });
    let (old, new) = (noise(SAVES - 1), noise(SAVES));
    assert!(!pieces.save(&new));
    pieces.map.flash().0.power_on();
    let found = pieces.load();
    assert!(found.len() == STATE && found != old && found != new, "the map's keys are not one state");
}

#[test]
fn beside_a_map_of_keys() {
    let mut text = String::from(
        "\n| 16 KiB on 40 KiB, words of 4, blocks of 4096 | bytes written | writes | blocks erased | bytes read | RAM |\n\
         |---|---|---|---|---|---|\n",
    );
    slots(&mut text);
    for piece in [3277, 1820, 1024] {
        map(&mut text, piece);
    }
    text.push('\n');
    println!("{text}");
    document("comparison", &text);
}
