//! Distributes batches over the inference workers, and hands each worker its new model at a swap.
//!
//! Invariants:
//! - A batch is processed once, by the generation that was current when it was submitted.
//! - No worker waits for another.
//!
//! Each worker has a first-in, first-out queue of its own. A swap puts one marker into every queue between
//! two submissions. A worker processes the batches before the marker with the old model, those after it with
//! the new one.

use std::sync::mpsc::{Receiver, Sender, channel};

/// An entry of a worker's queue.
#[derive(Debug, PartialEq, Eq)]
pub enum QueueItem<W, S> {
    /// A batch to process.
    Work(W),
    /// A swap: the batches behind it belong to the next generation.
    Swap(S),
}

/// The receiving ends of the queues, one for each worker.
pub type QueueReceivers<W, S> = Vec<Receiver<QueueItem<W, S>>>;

/// The sending ends of the queues, one for each worker.
pub struct WorkQueues<W, S> {
    queues: Vec<Sender<QueueItem<W, S>>>,
    /// Batches submitted so far; the next one goes to the queue at this number modulo the number of queues.
    submitted: u64,
    generation: u32,
}

impl<W, S> WorkQueues<W, S> {
    /// Creates the queues of `workers` workers, and returns their receiving ends. `generation` is the current
    /// one.
    pub fn new(workers: usize, generation: u32) -> (WorkQueues<W, S>, QueueReceivers<W, S>) {
        let (queues, receivers) = (0..workers).map(|_| channel()).unzip();
        (WorkQueues { queues, submitted: 0, generation }, receivers)
    }

    /// The generation that processes the next batch.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Queues a batch for the next worker in turn.
    pub fn submit(&mut self, work: W) {
        let queue = &self.queues[(self.submitted % self.queues.len() as u64) as usize];
        self.submitted += 1;
        // A worker hangs up only after the coordinator has stopped receiving results.
        let _ = queue.send(QueueItem::Work(work));
    }

    /// Starts the next generation. Each worker receives one element of `swaps` after all batches submitted
    /// before; `swaps` is empty if the swap does not concern the workers.
    pub fn begin_generation(&mut self, swaps: Vec<S>) {
        self.generation += 1;
        for (queue, swap) in self.queues.iter().zip(swaps) {
            let _ = queue.send(QueueItem::Swap(swap));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::QueueItem::{Swap, Work};
    use super::*;

    #[test]
    fn each_worker_receives_the_swap_between_the_batches_of_two_generations() {
        let (mut queues, receivers) = WorkQueues::new(2, 7);
        (0..5).for_each(|batch| queues.submit(batch));
        queues.begin_generation(vec!["first", "second"]);
        (5..8).for_each(|batch| queues.submit(batch));
        assert_eq!(queues.generation(), 8);
        queues.begin_generation(Vec::new());
        assert_eq!(queues.generation(), 9);
        drop(queues);
        let received: Vec<Vec<_>> = receivers.into_iter().map(|queue| queue.iter().collect()).collect();
        assert_eq!(received[0], [Work(0), Work(2), Work(4), Swap("first"), Work(6)]);
        assert_eq!(received[1], [Work(1), Work(3), Swap("second"), Work(5), Work(7)]);
    }
}
