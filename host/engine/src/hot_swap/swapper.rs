//! Exchanges of plugins while a run goes on.
//!
//! Whoever is to take a part is compiled, checked and tried on the latest pairs beside the one that has it, all off the path
//! of the records; the ledger then says what is to come; instances are made; and only then the part changes hands, between
//! two batches.
//!
//! Always holds: one exchange is made at a time; the ledger has its `swap` on disk before a record is of its generation; a
//! component that was refused leaves nothing behind.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::control::messages::{Command, Exchange, Exchanged};
use crate::evaluation::projection::needed;
use crate::evaluation::recent_pairs::Sample;
use crate::hot_swap::shadow_compare::Trial;
use crate::inference::determinism_check::Tally;
use crate::inference::worker_pool::Model;
use crate::plugins::load::{Prepared, plugin_name};
use crate::plugins::plugin_versions::{PluginVersions, Part, Turn};
use understudy_run_log::ledger::{Event, Ledger, LedgerError, SwapKind, Tried};
use understudy_run_log::write_file;
use understudy_sandbox::Role;
use understudy_study::Study;

pub use crate::hot_swap::request::{New, SwapError, Swapped, Wish};

use crate::hot_swap::candidate::Candidate;

/// How much a swap gives way to the threads that answer, as `nice` has it: it has a third of their share.
const NICE: i32 = 5;
/// How often it is looked whether a plugin fails too often.
const GUARD: Duration = Duration::from_millis(50);

/// Makes exchanges in a run that is served.
pub struct Swapper {
    pub(crate) run: PathBuf,
    pub(crate) study: Study,
    held: [Vec<usize>; 2],
    ledger: Ledger,
    tally: Tally,
    commands: mpsc::Sender<Command>,
    cast: Mutex<PluginVersions>,
    /// Whether the ledger may lack an entry of an exchange.
    unsaid: AtomicBool,
}

/// A part, by its place.
#[derive(Clone, Copy)]
enum Place {
    Model(usize),
    Comparator,
    Metric(usize),
}

/// All the parts, by their names in the study.
fn places(cast: &PluginVersions) -> Vec<(&str, Place)> {
    let models = cast.models.iter().enumerate().map(|(at, part)| (part.name.as_str(), Place::Model(at)));
    let metrics = cast.metrics.iter().enumerate().map(|(at, part)| (part.name.as_str(), Place::Metric(at)));
    models.chain([(cast.comparator.name.as_str(), Place::Comparator)]).chain(metrics).collect()
}

/// What is the same of both kinds of parts.
struct Taking<P> {
    turn: Turn<P>,
    instead_of: String,
    tried: Option<Tried>,
}

impl Swapper {
    /// For a run that has begun. Its guard ends with it.
    pub(crate) fn start(
        prepared: &Prepared,
        run: &Path,
        ledger: Ledger,
        tally: Tally,
        commands: mpsc::Sender<Command>,
    ) -> std::io::Result<Arc<Swapper>> {
        let swapper = Arc::new(Swapper {
            run: run.to_owned(),
            study: prepared.study.clone(),
            held: needed(prepared),
            ledger,
            tally,
            commands,
            cast: Mutex::new(prepared.cast.clone()),
            unsaid: AtomicBool::new(false),
        });
        let guarded = Arc::downgrade(&swapper);
        thread::Builder::new().name("guard".to_owned()).spawn(move || guard(&guarded))?;
        Ok(swapper)
    }

    /// Makes an exchange, and waits until it is made. It blocks. What it takes to compile and try a plugin is done with a lower
    /// priority than that of the threads that answer.
    ///
    /// # Errors
    /// When it is not made.
    pub fn swap(&self, wish: &Wish) -> Result<Swapped, SwapError> {
        thread::scope(|scope| {
            let patient = || {
                // On Linux the priority is that of this thread alone. Without it a swap is made all the same.
                let _ = rustix::process::setpriority_process(None, NICE);
                self.wished(wish)
            };
            let swapping = thread::Builder::new().name("swap".to_owned()).spawn_scoped(scope, patient);
            swapping.map_err(SwapError::Thread)?.join().unwrap_or(Err(SwapError::Ending))
        })
    }

    fn wished(&self, wish: &Wish) -> Result<Swapped, SwapError> {
        if wish.reason.trim().is_empty() {
            return Err(SwapError::NoReason);
        }
        let mut cast = self.cast.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.place(&cast, &wish.part)?;
        let kind = match wish.new {
            New::Plugin { .. } => SwapKind::Asked,
            New::Before => SwapKind::Undone,
        };
        self.exchange(&mut cast, place, wish, kind)
    }

    fn place(&self, cast: &PluginVersions, name: &str) -> Result<Place, SwapError> {
        let all = places(cast);
        let role = [(Role::Comparator.name(), Place::Comparator)];
        let found = all.iter().chain(&role).find(|(of, _)| *of == name);
        found.map(|(_, place)| *place).ok_or_else(|| SwapError::NoPart {
            name: name.to_owned(),
            has: all.iter().map(|(name, _)| format!("\"{name}\"")).collect(),
        })
    }

    fn exchange(
        &self,
        cast: &mut PluginVersions,
        place: Place,
        wish: &Wish,
        kind: SwapKind,
    ) -> Result<Swapped, SwapError> {
        let since = cast.generation() + 1;
        let swapped = match place {
            Place::Model(index) => {
                let declared = &self.study.models[index];
                let part = &cast.models[index];
                let new = self.decider(Role::Model, declared, part, wish)?;
                let trial = |sample: &Sample| {
                    Trial::new(&self.study, &self.held, sample).decider(&part.now().plugin, &new.plugin)
                };
                let taking = self.judged(since, part, &new, wish, kind, trial)?;
                let mut models: Vec<Model> = Vec::new();
                for _ in 0..self.study.limits.workers {
                    let mut model = Model::new(&self.study, index, &taking.turn, &self.tally);
                    model.start()?;
                    models.push(model);
                }
                let (swapped, turn) = self.done(Role::Model, &part.name, taking, wish, kind, |turn| {
                    Exchange::Model { index, turn, models }
                })?;
                cast.models[index].give(turn);
                swapped
            }
            Place::Comparator => {
                let part = &cast.comparator;
                let new = self.decider(Role::Comparator, &self.study.comparator, part, wish)?;
                let trial = |sample: &Sample| {
                    Trial::new(&self.study, &self.held, sample).decider(&part.now().plugin, &new.plugin)
                };
                let taking = self.judged(since, part, &new, wish, kind, trial)?;
                let mut decider = taking.turn.plugin.instance();
                decider.start()?;
                let (swapped, turn) =
                    self.done(Role::Comparator, &part.name, taking, wish, kind, |turn| {
                        Exchange::Comparator { turn, decider }
                    })?;
                cast.comparator.give(turn);
                swapped
            }
            Place::Metric(index) => {
                let part = &cast.metrics[index];
                let new = self.metric(cast, part, wish)?;
                let trial = |sample: &Sample| {
                    Trial::new(&self.study, &self.held, sample).metric(&part.now().plugin, &new.plugin)
                };
                let taking = self.judged(since, part, &new, wish, kind, trial)?;
                let mut scorer = taking.turn.plugin.instance();
                scorer.start()?;
                let (swapped, turn) = self.done(Role::Metric, &part.name, taking, wish, kind, |turn| {
                    Exchange::Metric { index, turn, scorer }
                })?;
                cast.metrics[index].give(turn);
                swapped
            }
        };
        cast.begin(swapped.exchanged.from);
        Ok(swapped)
    }

    /// What comes of trying it, and whether it may take the part.
    fn judged<P>(
        &self,
        since: u32,
        part: &Part<P>,
        new: &Candidate<P>,
        wish: &Wish,
        kind: SwapKind,
        trial: impl FnOnce(&Sample) -> Tried,
    ) -> Result<Taking<P>, SwapError>
    where
        P: Clone,
    {
        let level = self.study.swaps.equivalent;
        let tried = match kind {
            SwapKind::FellBack => None,
            SwapKind::Asked | SwapKind::Undone => self.sample()?.map(|sample| trial(&sample)),
        };
        let same =
            tried.is_some_and(|Tried { pairs, same }| pairs > 0 && same as f64 >= level * pairs as f64);
        if !same && !wish.anyway && kind == SwapKind::Asked {
            return Err(match tried {
                Some(Tried { pairs, same }) if pairs > 0 => {
                    let share = understudy_statistics::verdict::share(same, pairs);
                    SwapError::Otherwise { pairs, same, share, level }
                }
                _ => SwapError::NoPairs,
            });
        }
        let new_yardstick = match kind {
            SwapKind::FellBack => part.now().new_yardstick,
            SwapKind::Asked | SwapKind::Undone => !same,
        };
        let (component, config) = (new.component.clone(), new.config.clone());
        let turn = Turn::new(since, new.plugin.clone(), component, config, kind, new_yardstick);
        if let Some(bytes) = &new.bytes {
            write_file(&self.run.join(plugin_name(&new.component)), bytes)?;
        }
        Ok(Taking { turn, instead_of: part.now().component.clone(), tried })
    }

    /// The latest pairs.
    fn sample(&self) -> Result<Option<Sample>, SwapError> {
        let (shown, sample) = oneshot::channel();
        self.commands.blocking_send(Command::Recent(shown)).map_err(|_| SwapError::Ending)?;
        sample.blocking_recv().map_err(|_| SwapError::Ending)
    }

    /// Says it to the ledger, has it made, and says from where on it holds. Gives who has the part then, too.
    fn done<P: Clone>(
        &self,
        role: Role,
        name: &str,
        taking: Taking<P>,
        wish: &Wish,
        kind: SwapKind,
        exchange: impl FnOnce(Turn<P>) -> Exchange,
    ) -> Result<(Swapped, Turn<P>), SwapError> {
        let Taking { turn, instead_of, tried } = taking;
        let generation = turn.since;
        let (sha256, new_yardstick) = (turn.component.clone(), turn.new_yardstick);
        if self.unsaid.load(Ordering::Relaxed) {
            return Err(SwapError::Unsaid);
        }
        // A run that has ended has its last entry already.
        if self.commands.is_closed() {
            return Err(SwapError::Ending);
        }
        let said = self.ledger.append(Event::Swap {
            generation,
            role: role.name().to_owned(),
            name: name.to_owned(),
            sha256: sha256.clone(),
            instead_of,
            config: turn.config.clone(),
            how: kind,
            who: wish.who.clone(),
            reason: wish.reason.clone(),
            tried,
            new_yardstick,
        });
        self.said(said.map(drop))?;
        let (told, exchanged) = oneshot::channel();
        let sent = self.commands.blocking_send(Command::Exchange(Box::new(exchange(turn.clone())), told));
        let Some(exchanged) = sent.ok().and_then(|()| exchanged.blocking_recv().ok()) else {
            self.said(self.ledger.append(Event::NotExchanged { generation }).map(drop))?;
            return Err(SwapError::Ending);
        };
        let Exchanged { from, clock, .. } = exchanged;
        // It is made, whether the ledger can be written or not: the rows say it too.
        let _ = self.said(self.ledger.append(Event::Exchanged { generation, from, clock }).map(drop));
        Ok((Swapped { name: name.to_owned(), sha256, exchanged, tried, new_yardstick }, turn))
    }

    /// Where the ledger could not be written, it may lack an entry: then nothing more is exchanged by this process.
    fn said(&self, written: Result<(), LedgerError>) -> Result<(), SwapError> {
        self.unsaid.fetch_or(written.is_err(), Ordering::Relaxed);
        Ok(written?)
    }

    /// Brings back whoever was before a plugin that fails too often.
    fn fall_back(&self) {
        let mut cast = self.cast.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<Place> = places(&cast).into_iter().map(|(_, place)| place).collect();
        for place in all {
            let (name, guarded, [asked, failed]) = match place {
                Place::Model(index) => cast.models[index].guarded(),
                Place::Comparator => cast.comparator.guarded(),
                Place::Metric(index) => cast.metrics[index].guarded(),
            };
            let swaps = &self.study.swaps;
            if !guarded || asked < swaps.failed_rows || failed as f64 <= swaps.failed * asked as f64 {
                continue;
            }
            let wish = Wish {
                part: name,
                new: New::Before,
                anyway: true,
                who: "understudy".to_owned(),
                reason: format!("it failed on {failed} of {asked} rows, and {} are allowed", swaps.failed),
            };
            // If it cannot be brought back the run is ending, or the log has failed: both are told otherwise.
            let _ = self.exchange(&mut cast, place, &wish, SwapKind::FellBack);
        }
    }
}

/// Looks now and then whether a plugin fails too often, for as long as the run is served.
fn guard(swapper: &Weak<Swapper>) {
    while let Some(swapper) = swapper.upgrade().filter(|swapper| !swapper.commands.is_closed()) {
        swapper.fall_back();
        drop(swapper);
        thread::sleep(GUARD);
    }
}
