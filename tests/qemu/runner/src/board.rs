//! The boards.

use program::{Names, names};

/// A board, its firmware, and how to start it.
pub struct Board {
    pub name: &'static str,
    pub target: &'static str,
    /// The firmware's file in cargo's target folder.
    pub binary: &'static str,
    /// QEMU and its machine.
    pub emulator: &'static str,
    pub arguments: &'static [&'static str],
    /// How the firmware is given.
    pub boot: Boot,
    /// How files go in and out.
    pub files: Files,
    /// QEMU's exit code when all went well.
    pub success: i32,
    /// The sizes of the machine's memory that the firmware runs the program with.
    pub sizes: &'static [Names],
    /// Whether the firmware logs with defmt.
    pub logs: bool,
}

/// How QEMU is told the firmware.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    Kernel,
    /// Loaded where it wants to be, and started at its entry.
    Loader,
}

/// How files go in and out of the guest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Files {
    Semihosting,
    /// In by QEMU's configuration device, out as frames on its debug port.
    DebugPort,
}

const KIB_4: Names = names!(4);
const KIB_16: Names = names!(16);
const KIB_64: Names = names!(64);
/// All sizes of the machine's memory.
pub const SIZES: [Names; 3] = [KIB_4, KIB_16, KIB_64];

const CORTEX_M: Board = Board {
    name: "",
    target: "thumbv7m-none-eabi",
    binary: "mps2",
    emulator: "qemu-system-arm",
    arguments: &[],
    boot: Boot::Kernel,
    files: Files::Semihosting,
    success: 0,
    sizes: &[KIB_4, KIB_64],
    logs: true,
};

const RISC_V: Board = Board { binary: "riscv", boot: Boot::Loader, ..CORTEX_M };

pub const BOARDS: &[Board] = &[
    Board {
        name: "microbit",
        target: "thumbv6m-none-eabi",
        binary: "microbit",
        arguments: &["-M", "microbit"],
        sizes: &[KIB_4],
        ..CORTEX_M
    },
    Board {
        name: "lm3s6965evb",
        binary: "lm3s6965evb",
        arguments: &["-M", "lm3s6965evb"],
        sizes: &[KIB_4, KIB_16],
        ..CORTEX_M
    },
    Board { name: "mps2-an385", arguments: &["-M", "mps2-an385"], ..CORTEX_M },
    Board { name: "mps2-an386", target: "thumbv7em-none-eabihf", arguments: &["-M", "mps2-an386"], ..CORTEX_M },
    Board {
        name: "riscv32-virt",
        target: "riscv32imac-unknown-none-elf",
        emulator: "qemu-system-riscv32",
        arguments: &["-M", "virt", "-bios", "none"],
        ..RISC_V
    },
    Board {
        name: "riscv64-virt",
        target: "riscv64gc-unknown-none-elf",
        emulator: "qemu-system-riscv64",
        arguments: &["-M", "virt", "-bios", "none"],
        ..RISC_V
    },
    Board {
        name: "aarch64-virt",
        target: "aarch64-unknown-none",
        binary: "aarch64",
        emulator: "qemu-system-aarch64",
        arguments: &["-M", "virt", "-cpu", "cortex-a53"],
        ..CORTEX_M
    },
    Board {
        name: "x86_64-microvm",
        target: "x86_64-unknown-linux-gnu",
        binary: "x86_64",
        emulator: "qemu-system-x86_64",
        arguments: &["-M", "microvm,isa-serial=on", "-nodefaults", "-no-reboot"],
        files: Files::DebugPort,
        success: 33,
        logs: false,
        ..CORTEX_M
    },
];
