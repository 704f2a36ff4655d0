//! This project beside what authors of emulators take today: one machine of 150 KB, saved by each form; its size, the time,
//! what one wrong bit does, and whether the next release of the program reads it.
//!
//! `cargo bench -p ssm-std --bench comparison` prints the table; `-- --write` puts it into the README beside this and the
//! short form into the project's README.

#[path = "../data/mod.rs"]
mod data;
mod flips;
mod form;
mod machine;
#[path = "../goals/measure.rs"]
#[allow(dead_code, reason = "the goals use all of it")]
mod measure;
mod ours;
mod serde_forms;

use flips::Outcomes;
use form::{Checked, Form};
use machine::{Machine, RAM, VIDEO, running};
use measure::{Time, race};
use serde_forms::{Bincode, Format, Lz4, Marked, MessagePack, Plain, Postcard, derives};
use ssm_std::Codec;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;

const ROUNDS: usize = 15;

/// What was found out about a form.
struct Row {
    name: &'static str,
    lines: usize,
    bytes: usize,
    /// Microseconds.
    save: f64,
    load: f64,
    /// Without and with a checksum in front.
    flips: Outcomes,
    checked: Option<Outcomes>,
    next: &'static str,
}

/// Calls what is to be done with each form, in the order of the table: its name, its lines, and whether it has a checksum of
/// its own.
trait Visitor {
    fn visit<F: Form>(&mut self, name: &'static str, lines: usize, has_checksum: bool, form: F);
}

fn each(visitor: &mut impl Visitor) {
    fn lines<F: Format>(marks: usize) -> usize {
        derives() + F::LINES + marks
    }
    // The attribute on each of the two memories.
    const MARKS: usize = 2;
    visitor.visit("this project, stored", ours::lines(), true, ours::Project::new(Codec::Store));
    visitor.visit("this project, LZF", ours::lines(), true, ours::Project::new(Codec::Lzf));
    visitor.visit("bincode 2", lines::<Bincode>(0), false, Plain::<Bincode>::new());
    visitor.visit("bincode 2, lz4_flex", lines::<Lz4<Bincode>>(0), false, Plain::<Lz4<Bincode>>::new());
    visitor.visit("bincode 2, serde_bytes", lines::<Bincode>(MARKS), false, Marked::<Bincode>::new());
    let both = lines::<Lz4<Bincode>>(MARKS);
    visitor.visit("bincode 2, serde_bytes, lz4_flex", both, false, Marked::<Lz4<Bincode>>::new());
    visitor.visit("postcard", lines::<Postcard>(0), false, Plain::<Postcard>::new());
    visitor.visit("postcard, lz4_flex", lines::<Lz4<Postcard>>(0), false, Plain::<Lz4<Postcard>>::new());
    visitor.visit("rmp-serde, named", lines::<MessagePack>(0), false, Plain::<MessagePack>::new());
    let marked = lines::<MessagePack>(MARKS);
    visitor.visit("rmp-serde, named, serde_bytes", marked, false, Marked::<MessagePack>::new());
}

fn machine<B: Clone + From<Vec<u8>>>() -> Machine<B> {
    let Machine { cpu, ram, video, screen, timers, voices } = running(data::mixed(RAM), data::mixed(VIDEO));
    Machine { cpu, ram: ram.into(), video: video.into(), screen, timers, voices }
}

/// Tries the flips of one form: what a started program does.
struct Flip {
    wanted: String,
    from: usize,
}

impl Visitor for Flip {
    fn visit<F: Form>(&mut self, name: &'static str, _: usize, _: bool, mut form: F) {
        let mut machine = machine();
        if self.wanted == name {
            let saved = form.save(&mut machine);
            flips::run(&mut form, &saved, self.from);
        } else if self.wanted.strip_suffix(CHECKED) == Some(name) {
            let mut form = Checked(form);
            let saved = form.save(&mut machine);
            flips::run(&mut form, &saved, self.from);
        }
    }
}

/// What the name of a form with a checksum in front ends with.
const CHECKED: &str = ", CRC-32";

/// Measures all of them.
#[derive(Default)]
struct Measure(Vec<Row>);

impl Visitor for Measure {
    fn visit<F: Form>(&mut self, name: &'static str, lines: usize, has_checksum: bool, mut form: F) {
        let mut machine = machine();
        let saved = form.save(&mut machine);
        assert!(form.load(&saved).is_some_and(|loaded| loaded == machine), "{name} loads what it saved");
        let [save] = race(Time::Wall, ROUNDS, [&mut || _ = black_box(form.save(&mut machine))]);
        let [load] = race(Time::Wall, ROUNDS, [&mut || _ = black_box(form.load(&saved))]);
        let next = match form.load_next(&saved) {
            None => "refused",
            Some(next) if next == machine.next() => "loads",
            Some(_) => "**loads wrong**",
        };
        let flips = flips::count(name);
        let checked = (!has_checksum).then(|| flips::count(&format!("{name}{CHECKED}")));
        println!("{name}: {} bytes", saved.len());
        self.0.push(Row { name, lines, bytes: saved.len(), save: save * 1e6, load: load * 1e6, flips, checked, next });
    }
}

/// Non-empty lines that are no comments, between two marks.
fn lines_between(text: &str, begin: &str, end: &str) -> usize {
    let text = text.split_once(begin).expect("the first mark").1.split_once(end).expect("the last mark").0;
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

fn outcomes(found: &Outcomes) -> String {
    let Outcomes { refused, wrong, died, right } = found;
    format!("{refused} / {wrong} / {died} / {right}")
}

fn whole(rows: &[Row]) -> String {
    let mut text = String::from(
        "| | lines | bytes | save, us | load, us | one wrong bit: refused / wrong state / died / no matter | with a CRC-32 in front | old file, one field more |\n\
         |---|--:|--:|--:|--:|---|---|---|\n",
    );
    for Row { name, lines, bytes, save, load, flips, checked, next } in rows {
        let (flips, checked) = (outcomes(flips), checked.as_ref().map_or("-".to_owned(), outcomes));
        let _ = writeln!(text, "| {name} | {lines} | {bytes} | {save:.1} | {load:.1} | {flips} | {checked} | {next} |");
    }
    text
}

fn short(rows: &[Row]) -> String {
    let mut text = String::from(
        "| | lines | bytes | save, us | load, us | wrong state after one wrong bit | old file, one field more |\n\
         |---|--:|--:|--:|--:|--:|---|\n",
    );
    for Row { name, lines, bytes, save, load, flips, next, .. } in rows {
        let share = (flips.wrong + flips.died) * 100 / flips::FLIPS;
        let _ = writeln!(text, "| {name} | {lines} | {bytes} | {save:.0} | {load:.0} | {share} % | {next} |");
    }
    text
}

/// Puts a table between the markers of a document.
fn write(path: &str, table: &str) {
    const BEGIN: &str = "<!-- comparison: written by cargo bench --bench comparison -- --write -->\n";
    const END: &str = "<!-- end of comparison -->\n";
    let document = fs::read_to_string(path).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("the marker before the comparison");
    let (_, after) = rest.split_once(END).expect("the marker behind the comparison");
    fs::write(path, format!("{before}{BEGIN}\n{table}\n{END}{after}")).expect("the document");
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [option, name, from] = &arguments[..]
        && option == "--flips"
    {
        let from = from.parse().expect("the first flip");
        return each(&mut Flip { wanted: name.clone(), from });
    }
    let mut measure = Measure::default();
    each(&mut measure);
    let rows = measure.0;
    println!("\n{}\n{}", whole(&rows), short(&rows));
    if arguments.iter().any(|argument| argument == "--write") {
        write(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/README.md"), &whole(&rows));
        write(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"), &short(&rows));
    }
}
