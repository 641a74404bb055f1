//! Work for threads that run models, and the exchange of what they run.
//!
//! Each thread has a queue of its own. An exchange goes into all the queues at one moment, between two pieces of work: what
//! stands before it in a queue is done by the old, what comes after it by the new.
//!
//! Always holds: a piece of work is done once, by the generation that was in force when it was handed over; no thread waits
//! for another. The same text is explored with all its interleavings in tests/tests/exchange.rs.

use std::sync::mpsc::{Receiver, Sender, channel};

/// What a thread is given to do.
pub enum Task<W, X> {
    /// Work.
    Work(W),
    /// From here on with something else.
    Exchange(X),
}

/// The ends at which the threads take what there is to do.
pub type Ends<W, X> = Vec<Receiver<Task<W, X>>>;

/// The queues of the threads.
pub struct Lanes<W, X> {
    queues: Vec<Sender<Task<W, X>>>,
    /// How many pieces of work were handed over.
    handed: u64,
    generation: u32,
}

impl<W, X> Lanes<W, X> {
    /// So many queues, and the ends at which the threads take from them. `generation` is the one in force.
    pub fn new(lanes: usize, generation: u32) -> (Lanes<W, X>, Ends<W, X>) {
        let (queues, ends) = (0..lanes).map(|_| channel()).unzip();
        (Lanes { queues, handed: 0, generation }, ends)
    }

    /// The generation that is in force.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Hands a piece of work to the next thread in turn.
    pub fn submit(&mut self, work: W) {
        let queue = &self.queues[(self.handed % self.queues.len() as u64) as usize];
        self.handed += 1;
        // A thread hangs up only when nobody waits for its answers any more.
        let _ = queue.send(Task::Work(work));
    }

    /// Begins the next generation: each thread is given its own of `new` after all the work that was handed over before.
    pub fn exchange(&mut self, new: Vec<X>) {
        self.generation += 1;
        for (queue, new) in self.queues.iter().zip(new) {
            let _ = queue.send(Task::Exchange(new));
        }
    }
}
