//! The generated parts of SLOTS.md.

use std::sync::{Mutex, PoisonError};

/// Compares a part of SLOTS.md, between two comments of this name, or writes it there with `SSM_WRITE_TABLES` set.
pub fn document(name: &str, text: &str) {
    static PAGE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../ssm-core/SLOTS.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let start = page.find(&begin).expect("the comment before the part") + begin.len();
    let stop = page.find(&end).expect("the comment behind the part");
    if std::env::var_os("SSM_WRITE_TABLES").is_some() {
        std::fs::write(&path, [&page[..start], text, &page[stop..]].concat()).unwrap();
    } else {
        assert_eq!(&page[start..stop], text, "SLOTS.md says otherwise; SSM_WRITE_TABLES=1 writes it");
    }
}
