//! Names as numbers.

use std::collections::HashMap;
use std::rc::Rc;

/// Names, each with a number.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<Rc<str>, u32>,
    names: Vec<Rc<str>>,
}

impl Names {
    /// The number of a name; `None` where there are `most` others already.
    pub(super) fn number(&mut self, name: &str, most: usize) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        if self.names.len() >= most {
            return None;
        }
        let number = u32::try_from(self.names.len()).ok()?;
        let name: Rc<str> = Rc::from(name);
        self.names.push(Rc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> Option<&str> {
        let name = self.names.get(usize::try_from(number).ok()?)?;
        Some(name)
    }
}
