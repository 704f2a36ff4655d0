//! The processor: the core of the crate `rustzx-z80`, saved as named registers.
//!
//! The core keeps some of its state to itself, so it is watched from the bus: a halted processor is recognised by the halt
//! line, and one that has just enabled interrupts by its last opcode. What is not in a file is zero after a load: the
//! hidden register MEMPTR and the core's note of the last flags, which only show in the undocumented flag bits 3 and 5.
//! The core runs a chain of prefixes (DD DD ..) in several steps; a file cannot hold its middle.
//!
//! Equal machines have equal states, so this one follows `iz80` where that leaves the Z80's manual: register R does not
//! count memory refreshes, and conditional jumps take other times.

use rustzx_z80::{Opcode, Prefix, Z80Bus};
use ssm_core::{Field, Get, Put, Unit, UnitError, fields};

const EI: u8 = 0xfb;
const LD_R_A: [u8; 2] = [0xed, 0x4f];

/// What the processor sees of the machine while it executes an instruction.
pub trait Bus {
    /// The byte at `address`.
    fn peek(&mut self, address: u16) -> u8;
    /// Replaces the byte at `address`.
    fn poke(&mut self, address: u16, value: u8);
    /// A byte from a port.
    fn port_in(&mut self, port: u8) -> u8;
    /// A byte to a port.
    fn port_out(&mut self, port: u8, value: u8);
}

/// The processor.
pub struct Z80 {
    core: rustzx_z80::Z80,
    interrupts_just_enabled: bool,
    halted: bool,
}

/// Its registers, between two instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Registers {
    pub af: u16,
    pub bc: u16,
    pub de: u16,
    pub hl: u16,
    pub ix: u16,
    pub iy: u16,
    pub sp: u16,
    pub pc: u16,
    pub shadow_af: u16,
    pub shadow_bc: u16,
    pub shadow_de: u16,
    pub shadow_hl: u16,
    pub interrupt_vector: u8,
    pub refresh: u8,
    pub interrupt_mode: u8,
    pub iff1: bool,
    pub iff2: bool,
    pub interrupts_just_enabled: bool,
    pub halted: bool,
}

/// The layout of version 1.
pub const REGISTERS_V1: &[Field<Registers>] = fields![Registers:
    af, bc, de, hl, ix, iy, sp, pc, shadow_af, shadow_bc, shadow_de, shadow_hl,
    interrupt_vector, refresh, interrupt_mode, iff1, iff2, interrupts_just_enabled, halted,
];

impl Z80 {
    /// The processor after power on.
    pub fn new() -> Self {
        let mut core = rustzx_z80::Z80::default();
        core.regs.set_af(0xffff);
        core.regs.set_sp(0xffff);
        Self { core, interrupts_just_enabled: false, halted: false }
    }

    /// Executes one instruction; the cycles it took. A halted processor does nothing.
    pub fn execute(&mut self, bus: &mut impl Bus) -> u64 {
        if self.halted {
            return 0;
        }
        let pc = self.core.regs.get_pc();
        let refresh = self.core.regs.get_r();
        let code = [bus.peek(pc), bus.peek(pc.wrapping_add(1))];
        let mut watched = Watched { bus, cycles: 0, halted: false };
        self.core.emulate(&mut watched);
        if code != LD_R_A {
            self.core.regs.set_r(refresh);
        }
        self.interrupts_just_enabled = code[0] == EI;
        if watched.halted {
            self.halted = true;
            // The core stays at the instruction; files hold the address behind it.
            self.core.regs.inc_pc();
        }
        host_cycles(code[0], watched.cycles, self.core.regs.get_pc() != pc.wrapping_add(JUMP_LEN))
    }

    /// Whether it waits for an interrupt, which never comes.
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// Its registers. (The shadow registers are exchanged to be read.)
    pub fn registers(&mut self) -> Registers {
        let interrupt_mode = self.core.get_im().into();
        let regs = &mut self.core.regs;
        regs.exx();
        regs.swap_af_alt();
        let [shadow_af, shadow_bc, shadow_de, shadow_hl] = [regs.get_af(), regs.get_bc(), regs.get_de(), regs.get_hl()];
        regs.exx();
        regs.swap_af_alt();
        Registers {
            af: regs.get_af(),
            bc: regs.get_bc(),
            de: regs.get_de(),
            hl: regs.get_hl(),
            ix: regs.get_ix(),
            iy: regs.get_iy(),
            sp: regs.get_sp(),
            pc: regs.get_pc(),
            shadow_af,
            shadow_bc,
            shadow_de,
            shadow_hl,
            interrupt_vector: regs.get_i(),
            refresh: regs.get_r(),
            interrupt_mode,
            iff1: regs.get_iff1(),
            iff2: regs.get_iff2(),
            interrupts_just_enabled: self.interrupts_just_enabled,
            halted: self.halted,
        }
    }

    /// Replaces its registers.
    fn set_registers(&mut self, registers: &Registers) {
        let mut core = rustzx_z80::Z80::default();
        core.set_im(registers.interrupt_mode);
        let regs = &mut core.regs;
        regs.set_af(registers.shadow_af);
        regs.set_bc(registers.shadow_bc);
        regs.set_de(registers.shadow_de);
        regs.set_hl(registers.shadow_hl);
        regs.exx();
        regs.swap_af_alt();
        regs.set_af(registers.af);
        regs.set_bc(registers.bc);
        regs.set_de(registers.de);
        regs.set_hl(registers.hl);
        regs.set_ix(registers.ix);
        regs.set_iy(registers.iy);
        regs.set_sp(registers.sp);
        regs.set_pc(registers.pc);
        regs.set_i(registers.interrupt_vector);
        regs.set_r(registers.refresh);
        regs.set_iff1(registers.iff1);
        regs.set_iff2(registers.iff2);
        *self = Self { core, interrupts_just_enabled: registers.interrupts_just_enabled, halted: registers.halted };
    }
}

impl Default for Z80 {
    fn default() -> Self {
        Self::new()
    }
}

impl Unit for Z80 {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(&self.registers(), REGISTERS_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if version != 1 {
            return Err(UnitError::Version(version));
        }
        let mut registers = Registers::default();
        get.fields(&mut registers, REGISTERS_V1)?;
        if registers.interrupt_mode > 2 {
            return Err(UnitError::Invalid("a Z80 has the interrupt modes 0 to 2"));
        }
        self.set_registers(&registers);
        Ok(())
    }
}

/// Bytes of a conditional jump to an address.
const JUMP_LEN: u16 = 3;

/// The cycles that `iz80` counts. By the manual a conditional jump to an address takes 10, and a relative one that is not
/// taken takes 7.
fn host_cycles(opcode: u8, cycles: u64, jumped: bool) -> u64 {
    match opcode {
        0xc2 | 0xca | 0xd2 | 0xda | 0xe2 | 0xea | 0xf2 | 0xfa if jumped => 12,
        0xc2 | 0xca | 0xd2 | 0xda | 0xe2 | 0xea | 0xf2 | 0xfa => 7,
        0x20 | 0x28 | 0x30 | 0x38 if cycles == 7 => 8,
        _ => cycles,
    }
}

/// A bus that counts the cycles and watches the halt line. Nothing waits, and nothing interrupts.
struct Watched<'b, B> {
    bus: &'b mut B,
    cycles: u64,
    halted: bool,
}

/// Cycles of an access to a port, which the core leaves to the bus.
const PORT_ACCESS: u64 = 4;

impl<B: Bus> Z80Bus for Watched<'_, B> {
    fn read_internal(&mut self, address: u16) -> u8 {
        self.bus.peek(address)
    }

    fn write_internal(&mut self, address: u16, value: u8) {
        self.bus.poke(address, value);
    }

    fn wait_mreq(&mut self, _: u16, cycles: usize) {
        self.cycles += cycles as u64;
    }

    fn wait_no_mreq(&mut self, _: u16, cycles: usize) {
        self.cycles += cycles as u64;
    }

    fn wait_internal(&mut self, cycles: usize) {
        self.cycles += cycles as u64;
    }

    fn read_io(&mut self, port: u16) -> u8 {
        self.cycles += PORT_ACCESS;
        self.bus.port_in(port as u8)
    }

    fn write_io(&mut self, port: u16, value: u8) {
        self.cycles += PORT_ACCESS;
        self.bus.port_out(port as u8, value);
    }

    fn halt(&mut self, halted: bool) {
        self.halted = halted;
    }

    fn read_interrupt(&mut self) -> u8 {
        0xff
    }

    fn int_active(&self) -> bool {
        false
    }

    fn nmi_active(&self) -> bool {
        false
    }

    fn reti(&mut self) {}

    fn pc_callback(&mut self, _: u16) {}

    fn process_unknown_opcode(&mut self, _: Prefix, _: Opcode) {}
}
