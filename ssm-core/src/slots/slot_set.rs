//! A set of slots.

/// Which of up to 256 slots are meant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SlotSet([u32; 8]);

impl SlotSet {
    pub fn contains(&self, slot: u8) -> bool {
        self.0.get(usize::from(slot / 32)).is_some_and(|word| word & bit(slot) != 0)
    }

    pub fn insert(&mut self, slot: u8) {
        if let Some(word) = self.0.get_mut(usize::from(slot / 32)) {
            *word |= bit(slot);
        }
    }

    pub fn remove(&mut self, slot: u8) {
        if let Some(word) = self.0.get_mut(usize::from(slot / 32)) {
            *word &= !bit(slot);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

fn bit(slot: u8) -> u32 {
    1_u32.wrapping_shl(u32::from(slot))
}
