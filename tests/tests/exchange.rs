//! The exchange of what threads run, with every interleaving of the threads: the very text of the host's queues, over the
//! channels of the model checker `loom` instead of the standard library's.

use std::collections::BTreeMap;

use loom::sync::mpsc::channel;
use loom::sync::{Arc, Mutex};
use loom::thread;

/// The channels of the model checker, in place of those of the host.
mod sync {
    pub use loom::sync::mpsc::{Receiver, Sender, channel};
}

#[path = "../../host/src/run/lanes.rs"]
mod lanes;

use lanes::{Lanes, Task};

/// A piece of work: its number, and the generation that is to do it.
type Work = (u64, u32);

/// What the thread that conducts is told.
enum Told {
    Work,
    Exchange,
}

/// A feeder hands over pieces of work and an operator asks for exchanges, both at once; one thread conducts, `lanes` work.
/// Gives for each piece of work which generation did it, and which was to.
fn conduct(lanes: usize, pieces: usize, exchanges: usize) -> BTreeMap<u64, Vec<(u32, u32)>> {
    let (tell, told) = channel();
    let (mut queues, ends) = Lanes::<Work, u32>::new(lanes, 0);
    let done = Arc::new(Mutex::new(BTreeMap::<u64, Vec<(u32, u32)>>::new()));
    let workers: Vec<_> = ends
        .into_iter()
        .map(|tasks| {
            let done = done.clone();
            thread::spawn(move || {
                let mut runs = 0;
                while let Ok(task) = tasks.recv() {
                    match task {
                        Task::Work((number, _)) if number == u64::MAX => break,
                        Task::Work((number, wanted)) => {
                            done.lock()
                                .expect("no holder panics")
                                .entry(number)
                                .or_default()
                                .push((runs, wanted));
                        }
                        Task::Exchange(new) => runs = new,
                    }
                }
            })
        })
        .collect();
    let feeder = {
        let tell = tell.clone();
        thread::spawn(move || (0..pieces).for_each(|_| tell.send(Told::Work).expect("it is heard")))
    };
    let operator =
        thread::spawn(move || (0..exchanges).for_each(|_| tell.send(Told::Exchange).expect("it is heard")));
    // This thread conducts, until both have said all.
    let mut number = 0;
    for _ in 0..pieces + exchanges {
        match told.recv().expect("somebody speaks") {
            Told::Work => {
                queues.submit((number, queues.generation()));
                number += 1;
            }
            Told::Exchange => {
                let next = queues.generation() + 1;
                queues.exchange(vec![next; lanes]);
            }
        }
    }
    feeder.join().expect("no thread panics");
    operator.join().expect("no thread panics");
    (0..lanes).for_each(|_| queues.submit((u64::MAX, 0)));
    workers.into_iter().for_each(|worker| worker.join().expect("no thread panics"));
    let done = done.lock().expect("no holder panics");
    done.clone()
}

fn explore(lanes: usize, pieces: usize, exchanges: usize) {
    let mut model = loom::model::Builder::new();
    // Every interleaving with at most so many switches that no thread asked for; without a bound there are too many.
    model.preemption_bound = Some(3);
    model.check(move || {
        let done = conduct(lanes, pieces, exchanges);
        assert_eq!(done.len(), pieces, "none is lost: {done:?}");
        let mut before = 0;
        for (number, by) in &done {
            let [(did, wanted)] = by[..] else { panic!("{number} was done more than once: {by:?}") };
            assert_eq!(
                did, wanted,
                "{number} was done by the generation that was in force when it was handed over"
            );
            assert!(before <= did, "generations go up with the numbers: {done:?}");
            before = did;
        }
    });
}

#[test]
fn with_one_thread_none_is_lost_or_done_twice_or_by_another_generation() {
    explore(1, 2, 2);
}

#[test]
fn with_two_threads_none_is_lost_or_done_twice_or_by_another_generation() {
    explore(2, 2, 1);
}
