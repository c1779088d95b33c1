// What Rust's compiler makes of frames: trees, strings, closures, trait objects, panics that are caught, and
// threads. Allocates all the while, for comparing the stacks with libunwind's (scripts/check-stacks).
//
// usage: calls ROUNDS

use std::collections::{BTreeMap, HashMap};
use std::panic;
use std::sync::{Arc, Mutex};
use std::thread;

trait Shape {
    fn visit(&self, levels: u32) -> Vec<String>;
}

struct Deep(u32);
struct Mapped<'a>(&'a dyn Fn(u32) -> String);

impl Shape for Deep {
    #[inline(never)]
    fn visit(&self, levels: u32) -> Vec<String> {
        let mut all = if levels > 0 { Deep(self.0 ^ levels).visit(levels - 1) } else { Vec::new() };
        all.push(format!("{} at {}", self.0, levels));
        all
    }
}

impl Shape for Mapped<'_> {
    fn visit(&self, levels: u32) -> Vec<String> {
        (0..levels).map(|level| (self.0)(level)).collect()
    }
}

struct Guard(Vec<String>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.push("dropped while unwinding, with an allocation".to_string());
    }
}

#[inline(never)]
fn panicking(levels: u32) -> u32 {
    let _guard = Guard(vec![levels.to_string()]);
    if levels == 0 {
        panic::resume_unwind(Box::new(String::from("on purpose")));
    }
    panicking(levels - 1) + 1
}

fn round(number: u32, shared: &Mutex<HashMap<String, u32>>) -> usize {
    let mut tree = BTreeMap::new();
    let tell = |level: u32| format!("{number}:{level}");
    let shapes: [Box<dyn Shape>; 2] = [Box::new(Deep(number)), Box::new(Mapped(&tell))];
    for shape in &shapes {
        for text in shape.visit(number % 23) {
            tree.insert(text.clone(), text.len());
            *shared.lock().unwrap().entry(text).or_insert(0) += 1;
        }
    }
    if number % 7 == 0 {
        let _ = panic::catch_unwind(|| panicking(number % 11));
    }
    if shared.lock().unwrap().len() > 1000 {
        shared.lock().unwrap().clear();
    }
    let mut words: Vec<_> = tree.into_iter().collect();
    words.sort_by_key(|(text, length)| (*length, text.chars().rev().collect::<String>()));
    words.len()
}

fn main() {
    let rounds: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100);
    let shared = Arc::new(Mutex::new(HashMap::new()));
    let threads: Vec<_> = (0..2)
        .map(|which| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || (0..rounds / 2).map(|i| round(i * 2 + which, &shared)).sum::<usize>())
        })
        .collect();
    let sum: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{sum}");
}
