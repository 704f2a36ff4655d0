//! The processor: the core of the crate `iz80`, saved as named registers.
//!
//! `iz80` gives its state as 53 bytes without names or a version of their own, so a file that held them would depend on
//! that crate's release. [`Registers`] is the bridge. It leaves out what is not state between two instructions (`iz80`'s
//! notes about the instruction in progress), the interrupt, non-maskable interrupt and reset lines, to which nothing is
//! connected here, and the cycle count, which the clock keeps.

use ssm_core::{Field, Get, Put, Unit, UnitError, fields};

/// The processor.
pub struct Z80(iz80::Cpu);

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

/// Bytes of `iz80`'s own form, and where it has what.
const CORE_STATE: usize = 53;
const SHADOW: usize = 16;
const AF: usize = 0;
const BC: usize = 2;
const DE: usize = 4;
const HL: usize = 6;
const I: usize = 8;
const R: usize = 9;
const IX: usize = 10;
const IY: usize = 12;
const SP: usize = 14;
const PC: usize = 32;
const IFF1: usize = 34;
const IFF2: usize = 35;
const MODE: usize = 36;
const HALTED: usize = 46;
const JUST_ENABLED: usize = 50;

impl Z80 {
    /// The processor after power on.
    pub fn new() -> Self {
        Self(iz80::Cpu::new_z80())
    }

    /// Executes one instruction; the cycles it took. A halted processor does nothing.
    pub fn execute(&mut self, bus: &mut dyn iz80::Machine) -> u64 {
        let before = self.0.cycle_count();
        self.0.execute_instruction(bus);
        self.0.cycle_count().wrapping_sub(before)
    }

    /// Whether it waits for an interrupt, which never comes.
    pub fn is_halted(&self) -> bool {
        self.0.is_halted()
    }

    /// Its registers.
    pub fn registers(&self) -> Registers {
        let core = self.0.serialize();
        let pair = |at: usize| u16::from_be_bytes([core[at], core[at + 1]]);
        Registers {
            af: pair(AF),
            bc: pair(BC),
            de: pair(DE),
            hl: pair(HL),
            ix: pair(IX),
            iy: pair(IY),
            sp: pair(SP),
            pc: u16::from_le_bytes([core[PC], core[PC + 1]]),
            shadow_af: pair(SHADOW + AF),
            shadow_bc: pair(SHADOW + BC),
            shadow_de: pair(SHADOW + DE),
            shadow_hl: pair(SHADOW + HL),
            interrupt_vector: core[I],
            refresh: core[R],
            interrupt_mode: core[MODE],
            iff1: core[IFF1] != 0,
            iff2: core[IFF2] != 0,
            interrupts_just_enabled: core[JUST_ENABLED] != 0,
            halted: core[HALTED] != 0,
        }
    }

    /// Replaces its registers.
    pub fn set_registers(&mut self, registers: &Registers) {
        let mut core = [0; CORE_STATE];
        let mut pair = |at: usize, value: u16| core[at..at + 2].copy_from_slice(&value.to_be_bytes());
        pair(AF, registers.af);
        pair(BC, registers.bc);
        pair(DE, registers.de);
        pair(HL, registers.hl);
        pair(IX, registers.ix);
        pair(IY, registers.iy);
        pair(SP, registers.sp);
        pair(PC, registers.pc.swap_bytes());
        pair(SHADOW + AF, registers.shadow_af);
        pair(SHADOW + BC, registers.shadow_bc);
        pair(SHADOW + DE, registers.shadow_de);
        pair(SHADOW + HL, registers.shadow_hl);
        core[I] = registers.interrupt_vector;
        core[R] = registers.refresh;
        core[MODE] = registers.interrupt_mode;
        core[IFF1] = registers.iff1.into();
        core[IFF2] = registers.iff2.into();
        core[JUST_ENABLED] = registers.interrupts_just_enabled.into();
        core[HALTED] = registers.halted.into();
        self.0.deserialize(&core).expect("53 bytes are what iz80 0.5 takes");
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

#[cfg(test)]
mod tests {
    use super::*;
    use iz80::{Reg8, Reg16};

    /// The bridge knows where `iz80` keeps what: both ways against its own accessors.
    #[test]
    fn registers_are_the_core_s() {
        let mut z80 = Z80::new();
        let registers = Registers {
            af: 0x0102,
            bc: 0x0304,
            de: 0x0506,
            hl: 0x0708,
            ix: 0x090a,
            iy: 0x0b0c,
            sp: 0x0d0e,
            pc: 0x0f10,
            shadow_af: 0x1112,
            shadow_bc: 0x1314,
            shadow_de: 0x1516,
            shadow_hl: 0x1718,
            interrupt_vector: 0x19,
            refresh: 0x1a,
            interrupt_mode: 1,
            iff1: true,
            iff2: false,
            interrupts_just_enabled: true,
            halted: true,
        };
        z80.set_registers(&registers);
        assert_eq!(z80.registers(), registers);
        assert!(z80.is_halted());
        let core = z80.0.immutable_registers();
        let pairs = [Reg16::AF, Reg16::BC, Reg16::DE, Reg16::HL, Reg16::IX, Reg16::IY, Reg16::SP];
        assert_eq!(pairs.map(|pair| core.get16(pair)), [0x0102, 0x0304, 0x0506, 0x0708, 0x090a, 0x0b0c, 0x0d0e]);
        assert_eq!((core.pc(), core.get8(Reg8::I), core.get8(Reg8::R)), (0x0f10, 0x19, 0x1a));
        assert_eq!(core.get_interrupt_mode(), (true, 1));
    }

    /// EX AF,AF'; EXX; DI; EI; HALT: what the accessors do not show.
    #[test]
    fn hidden_state_is_the_core_s() {
        let mut z80 = Z80::new();
        let mut bus = iz80::PlainMachine::new();
        for (address, code) in [0x08, 0xd9, 0xf3, 0xfb, 0x76].into_iter().enumerate() {
            iz80::Machine::poke(&mut bus, address as u16, code);
        }
        let start = Registers { af: 0xa5a5, bc: 1, de: 2, hl: 3, iff2: true, ..Registers::default() };
        z80.set_registers(&start);
        z80.execute(&mut bus);
        z80.execute(&mut bus);
        let swapped = z80.registers();
        assert_eq!((swapped.shadow_af, swapped.shadow_bc, swapped.shadow_de, swapped.shadow_hl), (0xa5a5, 1, 2, 3));
        assert_eq!((swapped.af, swapped.bc, swapped.de, swapped.hl), (0, 0, 0, 0));
        assert!(swapped.iff2);
        z80.execute(&mut bus);
        assert!(!z80.registers().iff2);
        z80.execute(&mut bus);
        let enabled = z80.registers();
        assert!(enabled.iff1 && enabled.iff2 && enabled.interrupts_just_enabled && !enabled.halted);
        z80.execute(&mut bus);
        assert!(z80.registers().halted);
    }
}
