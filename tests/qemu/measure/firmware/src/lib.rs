//! What the firmwares share.
//!
//! A firmware whose size is measured has a unit of three fields and a medium of two registers, so that the compiler can know
//! nothing about what comes in. Both are kept out of line, so that they can be counted apart.
#![no_std]

pub mod corpus;
pub mod instructions;
pub mod port;
pub mod stack;
pub mod unit;

/// The entry point and a panic handler that does nothing: for images whose size counts.
#[macro_export]
macro_rules! image {
    ($body:expr) => {
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! {
            loop {}
        }

        #[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
        #[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
        fn main() -> ! {
            $body;
            loop {}
        }
    };
}

/// The entry point and a panic handler that says what happened and ends the emulator: for images that run.
#[macro_export]
macro_rules! program {
    ($body:expr) => {
        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo) -> ! {
            semihosting::eprintln!("{info}");
            semihosting::process::exit(101)
        }

        #[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
        #[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
        fn main() -> ! {
            $body;
            semihosting::process::exit(0)
        }
    };
}

/// The one mutable borrow of a static that is given to a program once.
#[macro_export]
macro_rules! once {
    ($place:ident : $type:ty = $value:expr) => {{
        static mut $place: $type = $value;
        // SAFETY: the static is in this block and the block runs once.
        unsafe { &mut *(&raw mut $place) }
    }};
}
