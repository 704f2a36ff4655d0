//! Boards that are built for and emulated, with counted instructions.

use crate::image::Image;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Board {
    images: PathBuf,
    printed: BTreeMap<String, Vec<f64>>,
}

impl Board {
    /// The columns of the table.
    pub const NAMES: [&str; 3] = ["thumbv7m", "thumbv6m", "riscv32imac"];

    /// Runs the programs of all boards.
    pub fn all(target_dir: &Path) -> [Self; 3] {
        let arm = ["qemu-system-arm", "-M", "mps2-an385", "-icount", "shift=6"];
        let risc_v = ["qemu-system-riscv32", "-M", "virt", "-bios", "none", "-icount", "shift=0"];
        [
            Self::run(target_dir, "thumbv7m-none-eabi", &arm),
            Self::run(target_dir, "thumbv6m-none-eabi", &arm),
            Self::run(target_dir, "riscv32imac-unknown-none-elf", &risc_v),
        ]
    }

    fn run(target_dir: &Path, target: &str, machine: &[&str]) -> Self {
        let images = target_dir.join(target).join("release");
        let mut printed = BTreeMap::new();
        for program in ["memory", "speed"] {
            let output = Command::new(machine[0])
                .args(&machine[1..])
                .args(["-display", "none", "-monitor", "none", "-serial", "none"])
                .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
                .arg(images.join(program))
                .output()
                .unwrap_or_else(|error| panic!("{}: {error}", machine[0]));
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && text.ends_with("done\n"),
                "{program} failed on {target}: {}{text}",
                String::from_utf8_lossy(&output.stderr)
            );
            for line in text.lines() {
                let mut words = line.split(' ').map(str::to_owned);
                let name = words.next().unwrap_or_default();
                printed.insert(name, words.map(|number| number.parse().expect("a number")).collect());
            }
        }
        let board = Self { images, printed };
        let counted = board.each("loop");
        assert!(
            (0.999..1.001).contains(&counted),
            "{target}: {counted} instructions counted for each one of a known loop"
        );
        board
    }

    /// The bytes that a program printed under this name.
    pub fn bytes(&self, name: &str) -> f64 {
        self.line(name)[0]
    }

    /// Instructions per byte or value.
    pub fn each(&self, name: &str) -> f64 {
        let line = self.line(name);
        line[0] / line[1]
    }

    fn line(&self, name: &str) -> &[f64] {
        self.printed.get(name).unwrap_or_else(|| panic!("no line {name}"))
    }

    pub fn image(&self, name: &str) -> Image {
        Image::read(&self.images.join(name))
    }

    /// The flash of an image above the empty one, without the code of its unit and its medium; and that code.
    pub fn flash(&self, name: &str) -> (f64, f64) {
        let image = self.image(name);
        let own = image.own();
        ((image.flash() - self.image("empty").flash() - own) as f64, own as f64)
    }
}
