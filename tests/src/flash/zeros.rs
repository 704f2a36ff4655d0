//! A flash whose erased bits are zeros, and whose writes make ones.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

/// Another flash, seen with every bit inverted.
#[derive(Clone, Debug)]
pub struct ErasesToZeros<F>(pub F);

impl<F: ErrorType> ErrorType for ErasesToZeros<F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> ReadNorFlash for ErasesToZeros<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.0.read(offset, bytes)?;
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> NorFlash for ErasesToZeros<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        let inverted: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        self.0.write(offset, &inverted)
    }
}
