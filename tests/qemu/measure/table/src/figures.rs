//! The figures, in the order of the table.

use crate::board::Board;
use std::fmt::Write as _;

const CORPORA: [&str; 4] = ["prose", "log", "random", "zero"];

pub struct Figure {
    pub name: String,
    /// What is to be reached: on thumbv7m, and on thumbv6m where that was set too.
    goals: [Option<f64>; 2],
    /// One for each board.
    pub values: [f64; 3],
    unit: Unit,
    /// The image that shows where the bytes are.
    image: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Bytes,
    Instructions,
}

impl Figure {
    pub fn is_bytes(&self) -> bool {
        self.unit == Unit::Bytes
    }

    pub fn shown(&self, value: f64) -> String {
        if self.is_bytes() { format!("{value:.0}") } else { format!("{value:.1}") }
    }

    /// The values in a table that was written before.
    pub fn in_table(&self, text: &str) -> Option<Vec<f64>> {
        let line = text
            .lines()
            .find(|line| line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(&format!("{} |", self.name))))?;
        let cells = line.split('|').skip(3).take(Board::NAMES.len());
        cells.map(|cell| cell.split_whitespace().next()?.parse().ok()).collect()
    }

    fn is_missed(&self, board: usize) -> bool {
        // As precise as it is shown.
        let shown = |value: f64| self.shown(value).parse().unwrap_or(value);
        self.goals.get(board).copied().flatten().is_some_and(|goal| shown(self.values[board]) > goal)
    }

    fn row(&self) -> String {
        let goal = match self.goals {
            [Some(goal), Some(other)] => format!("{goal} (thumbv6m {other})"),
            [Some(goal), None] => goal.to_string(),
            _ => String::new(),
        };
        let mut row = format!("| {} | {goal} |", self.name);
        for (board, value) in self.values.iter().enumerate() {
            let missed = if self.is_missed(board) { " (missed)" } else { "" };
            write!(row, " {}{missed} |", self.shown(*value)).expect("write to a string");
        }
        row
    }
}

struct Figures<'b> {
    boards: &'b [Board; 3],
    all: Vec<Figure>,
}

impl Figures<'_> {
    fn add(
        &mut self,
        name: impl Into<String>,
        unit: Unit,
        goals: [Option<f64>; 2],
        value: impl Fn(&Board) -> f64,
    ) -> &mut Figure {
        let values = self.boards.each_ref().map(value);
        self.all.push(Figure { name: name.into(), goals, values, unit, image: None });
        self.all.last_mut().expect("it was pushed")
    }

    fn flash(&mut self) {
        for (what, image, goal) in [
            ("save with store, 1 KiB CRC table", "save_bytewise", Some(4096.)),
            ("save with store, nibble CRC table", "save_nibblewise", Some(3276.)),
            ("save and load with store, 1 KiB CRC table", "save_load_bytewise", Some(6912.)),
            ("save and load with store, nibble CRC table", "save_load_nibblewise", None),
            ("LZF both ways, store, all checks, registry; 1 KiB CRC table", "lzf_registry_bytewise", Some(9728.)),
            ("LZF both ways, store, all checks, registry; nibble CRC table", "lzf_registry_nibblewise", None),
        ] {
            let figure = self.add(format!("flash: {what}"), Unit::Bytes, [goal, None], |board| board.flash(image).0);
            figure.image = Some(image);
        }
        for (what, image) in [
            ("2.0, streamed save with store", "streamed_save_store"),
            ("2.0, streamed save with LZF", "streamed_save_lzf"),
            ("2.0, streaming load of store and LZF", "streaming_load"),
            ("2.0, streamed save with LZF, streaming load of store and LZF, registry", "streamed_registry"),
        ] {
            self.add(format!("flash: {what}; 1 KiB CRC table"), Unit::Bytes, [None; 2], |board| board.flash(image).0);
        }
        self.add(
            "flash: the unit and the medium of the last image of 1.x, not counted above",
            Unit::Bytes,
            [None; 2],
            |board| board.flash("lzf_registry_nibblewise").1,
        );
    }

    fn memory(&mut self) {
        for (block, goal) in [(512, 1536.), (1024, 2560.)] {
            let name = format!("RAM: save with LZF, blocks of {block} plain bytes: scratch and encoder");
            self.add(name, Unit::Bytes, [Some(goal), None], |board| {
                board.bytes(&format!("scratch.{block}")) + board.bytes("size.encoder")
            });
            self.add(format!("RAM: the scratch of it, {block}"), Unit::Bytes, [None; 2], |board| {
                board.bytes(&format!("scratch.{block}"))
            });
            for corpus in CORPORA {
                let name = format!("bytes that 8 KiB of {corpus} take with it, {block}");
                self.add(name, Unit::Bytes, [None; 2], |board| board.bytes(&format!("words.{block}.{corpus}")));
            }
        }
        self.add("RAM: of it the encoder, a table of 256 entries", Unit::Bytes, [None; 2], |board| {
            board.bytes("size.encoder")
        });
        for (what, window, goal) in [("blocks of 1 KiB", 1024, 1638.), ("any file, blocks of 32 KiB", 8192, 9728.)] {
            let name = format!("RAM: load with LZF, {what}: scratch of 256 and decoder with a window of {window}");
            self.add(name, Unit::Bytes, [Some(goal), None], |board| {
                board.bytes(&format!("size.decoder.{window}")) + board.bytes("size.scratch.load")
            });
        }
        let name = "RAM: streamed save of 2.0 with LZF, blocks of 1 KiB, one unit: scratch and encoder";
        self.add(name, Unit::Bytes, [None; 2], |board| board.bytes("scratch.streamed") + board.bytes("size.encoder"));
        let name = "RAM: the scratch of it: 16 for each unit, and the rest for blocks";
        self.add(name, Unit::Bytes, [None; 2], |board| board.bytes("scratch.streamed"));
        for corpus in CORPORA {
            let name = format!("bytes that 8 KiB of {corpus} take with it, 2.0");
            self.add(name, Unit::Bytes, [None; 2], |board| board.bytes(&format!("words.streamed.{corpus}")));
        }
        let name =
            "RAM: streaming load of 2.0 with LZF, blocks of 1 KiB: scratch of 256 and decoder with a window of 1024";
        self.add(name, Unit::Bytes, [None; 2], |board| {
            board.bytes("size.decoder.1024") + board.bytes("size.scratch.load")
        });
        for (what, name) in [
            ("save with store", "save.store"),
            ("save with LZF", "save.lzf"),
            ("load with store", "load.store"),
            ("load with LZF", "load.lzf"),
        ] {
            self.add(format!("stack: {what}"), Unit::Bytes, [Some(768.), None], |board| {
                board.bytes(&format!("stack.{name}"))
            });
        }
        for (what, name) in [
            ("streamed save of 2.0 with store", "save.store"),
            ("streamed save of 2.0 with LZF", "save.lzf"),
            ("streaming load of 2.0 with store", "load.store"),
            ("streaming load of 2.0 with LZF", "load.lzf"),
        ] {
            self.add(format!("stack: {what}"), Unit::Bytes, [None; 2], |board| {
                board.bytes(&format!("stack.streamed.{name}"))
            });
        }
        self.add("stack: of a save its `Saver`, before it is run", Unit::Bytes, [None; 2], |board| {
            board.bytes("size.saver")
        });
        self.add("stack: of a load its `Loader`, before it is run", Unit::Bytes, [None; 2], |board| {
            board.bytes("size.loader")
        });
    }

    fn speed(&mut self) {
        for (way, goals) in [
            ("decode", [[8., 16.], [6., 12.], [3., 5.], [1.5, 2.]]),
            ("encode", [[25., 40.], [15., 22.], [10., 18.], [3., 5.]]),
        ] {
            for (corpus, goals) in CORPORA.into_iter().zip(goals) {
                let name = format!("instructions/byte: LZF {way}, {corpus}, one block of 8 KiB");
                self.add(name, Unit::Instructions, goals.map(Some), |board| {
                    board.each(&format!("{way}.whole.{corpus}"))
                });
            }
        }
        for (what, key) in [
            ("decode, {}, blocks of 512", "decode.512"),
            ("decode, {}, blocks of 512 in pieces of 256 through the window", "pieces.512"),
            ("decode, {}, blocks of 1 KiB in pieces of 256 through the window", "pieces.1024"),
            ("encode, {}, blocks of 512", "encode.512"),
            ("encode, {}, blocks of 1 KiB", "encode.1024"),
            ("encode, {}, one block of 8 KiB, table of 4096", "encode.large-table"),
        ] {
            for corpus in CORPORA {
                let name = format!("instructions/byte: LZF {}", what.replace("{}", corpus));
                self.add(name, Unit::Instructions, [None; 2], |board| board.each(&format!("{key}.{corpus}")));
            }
        }
        for (what, key, goal) in [
            ("a table of 64 bytes", "nibblewise", 10.1),
            ("a table of 1 KiB", "bytewise", 7.1),
            ("tables of 16 KiB", "slicing", 4.),
        ] {
            self.add(
                format!("instructions/byte: CRC-32 with {what}"),
                Unit::Instructions,
                [Some(goal), None],
                |board| board.each(&format!("crc.{key}")),
            );
        }
        for (what, key, goal) in
            [("buffered", "buffered", 30.), ("with CRC and flush, blocks of 512 bytes, store", "flushed", 75.)]
        {
            self.add(
                format!("instructions: each `put.u32`, {what}"),
                Unit::Instructions,
                [Some(goal), None],
                |board| board.each(&format!("put.{key}")),
            );
        }
    }
}

pub fn measure(boards: &[Board; 3]) -> Vec<Figure> {
    let mut figures = Figures { boards, all: Vec::new() };
    figures.flash();
    figures.memory();
    figures.speed();
    figures.all
}

pub fn compiler_line(compiler: &str) -> String {
    format!("Compiler: {compiler}.")
}

/// The whole page.
pub fn page(figures: &[Figure], boards: &[Board; 3], compiler: &str) -> String {
    let mut page = include_str!("preface.md").replace("{compiler}", &compiler_line(compiler));
    writeln!(page, "| figure | to reach | {} |\n|---|---|---|---|---|", Board::NAMES.join(" | "))
        .expect("write to a string");
    for figure in figures {
        writeln!(page, "{}", figure.row()).expect("write to a string");
    }
    let missed = || figures.iter().filter(|figure| figure.is_missed(0));
    for image in missed().filter_map(|figure| figure.image) {
        writeln!(page, "\n## Where the flash of `{image}` goes, thumbv7m\n").expect("write to a string");
        page += "Bytes by function as it is written: what the compiler inlined counts for the function that it was written in.\n\n";
        list(&mut page, &boards[0].image(image).breakdown());
    }
    if missed().any(|figure| figure.name.starts_with("stack")) {
        page += "\n## The largest stack frames, thumbv7m\n\nBytes by function as it is linked, with what was inlined into it; not all are on one path.\n\n";
        list(&mut page, &boards[0].image("memory").frames());
    }
    page
}

/// How many lines of a breakdown are listed.
const SHOWN: usize = 24;

fn list(page: &mut String, parts: &[(String, u64)]) {
    for (name, size) in parts.iter().take(SHOWN) {
        writeln!(page, "- {size} `{name}`").expect("write to a string");
    }
    let rest = parts.iter().skip(SHOWN);
    writeln!(page, "- {} in {} more", rest.clone().map(|(_, size)| size).sum::<u64>(), rest.count())
        .expect("write to a string");
}
