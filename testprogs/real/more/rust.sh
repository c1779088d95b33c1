# needs: cargo rustc
export CARGO_HOME=$PWD/h
cargo init --quiet --vcs none --name a p 2>/dev/null
cat > p/src/main.rs <<EOF
use std::sync::{Arc, Mutex, RwLock, Condvar, mpsc}; use std::thread;
fn main() { let m = Arc::new(Mutex::new(0)); let r = Arc::new(RwLock::new(vec![1, 2, 3])); let (t, q) = mpsc::channel();
 let h: Vec<_> = (0..4).map(|i| { let (m, r, t) = (m.clone(), r.clone(), t.clone()); thread::spawn(move || { for j in 0..10000 { *m.lock().unwrap() += r.read().unwrap().len(); if j % 1000 == 0 { t.send(i * j).unwrap(); } } }) }).collect();
 drop(t); let s: usize = q.iter().sum(); for x in h { x.join().unwrap(); } println!("{} {}", *m.lock().unwrap(), s);
 let p = Arc::new((Mutex::new(false), Condvar::new())); let c = p.clone(); thread::spawn(move || { *c.0.lock().unwrap() = true; c.1.notify_one(); }); let mut g = p.0.lock().unwrap(); while !*g { g = p.1.wait(g).unwrap(); } println!("done"); }
EOF
cd p && cargo build --quiet --offline -j 2 2>&1 | head -3; ./target/debug/a; echo $?
