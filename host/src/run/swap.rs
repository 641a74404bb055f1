//! Exchanges of plugins while a run goes on.
//!
//! Whoever is to take a part is compiled, checked and tried on the latest pairs beside the one that has it, all off the path
//! of the records; the ledger then says what is to come; instances are made; and only then the part changes hands, between
//! two batches.
//!
//! Always holds: one exchange is made at a time; the ledger has its `swap` on disk before a record is of its generation; a
//! component that was refused leaves nothing behind.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

use super::again::Tally;
use super::cast::{Cast, Part, Turn};
use super::command::{Command, Exchange, Exchanged};
use super::fits;
use super::prepare::{Prepared, plugin_name};
use super::reads::needed;
use super::recent::Sample;
use super::trial::Trial;
use super::worker::Model;
use crate::runlog::ledger::{Event, Ledger, LedgerError, SwapKind, Tried};
use crate::runlog::{LogError, write_file};
use crate::sandbox::{DeciderPlugin, File, Role, SandboxError, ScorerPlugin};
use crate::study::{Plugin, Study};

/// How often it is looked whether a plugin fails too often.
const GUARD: Duration = Duration::from_millis(50);

/// Who is to take a part.
#[derive(Clone, Debug)]
pub enum New {
    /// Another component, another configuration, or both.
    Plugin {
        /// The component and what messages call it, if it is another.
        component: Option<(PathBuf, Vec<u8>)>,
        /// The configuration, if it is another.
        config: Option<Map<String, Value>>,
    },
    /// Whoever had it before.
    Before,
}

/// A wish for an exchange.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The part: the name of a plugin in the study, or `comparator`.
    pub part: String,
    /// Who is to take it.
    pub new: New,
    /// Whether it is to take it though it does not answer the same.
    pub anyway: bool,
    /// Who wants it.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// An exchange that was made.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// The part's name in the study.
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// From where on it holds.
    pub exchanged: Exchanged,
    /// What came of trying both.
    pub tried: Option<Tried>,
    /// Whether what follows is measured by another yardstick.
    pub new_yardstick: bool,
}

/// Why an exchange was not made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// There is no such part.
    #[error("the study has no plugin \"{name}\"; it has {}", .has.join(", "))]
    NoPart {
        /// The name.
        name: String,
        /// The names that there are.
        has: Vec<String>,
    },
    /// No reason was given.
    #[error("a swap needs a reason: it is what the report says of it")]
    NoReason,
    /// There is nobody to go back to.
    #[error("\"{0}\" has not been exchanged, so there is nothing to undo")]
    NothingBefore(String),
    /// It is the one that has the part.
    #[error("\"{0}\" runs with this component and this configuration already; nothing was exchanged")]
    Same(String),
    /// The component cannot be used.
    #[error("nothing was exchanged: {0}")]
    Sandbox(#[from] SandboxError),
    /// It does not fit into the study.
    #[error("nothing was exchanged: {}", .0.join("; "))]
    Misfit(Vec<String>),
    /// It answers otherwise.
    #[error(
        "nothing was exchanged: on the latest {pairs} pairs it came to the same as the one that runs in {same}, a share of \
         {share}, and the study asks for {level} (`swaps.equivalent`). If that is meant, say so (--anyway): then what \
         follows is measured by a new yardstick, and `threshold.on-comparator-change` says what that does to the verdict"
    )]
    Otherwise {
        /// Pairs that both were tried on.
        pairs: u64,
        /// Those on which both came to the same.
        same: u64,
        /// Their share.
        share: String,
        /// The share that is asked for.
        level: f64,
    },
    /// There is nothing yet to try it on.
    #[error(
        "nothing was exchanged: there are no pairs yet to try it on. Wait for some, or say that it is to be exchanged all the \
         same (--anyway): then what follows is measured by a new yardstick"
    )]
    NoPairs,
    /// The run takes no commands any more.
    #[error("nothing was exchanged: the run is ending")]
    Ending,
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The component cannot be kept.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Makes exchanges in a run that is served.
pub struct Swapper {
    run: PathBuf,
    study: Study,
    held: [Vec<usize>; 2],
    ledger: Ledger,
    tally: Tally,
    commands: mpsc::Sender<Command>,
    cast: Mutex<Cast>,
}

/// A part, by its place.
#[derive(Clone, Copy)]
enum Place {
    Model(usize),
    Comparator,
    Metric(usize),
}

/// What is the same of both kinds of parts.
struct Taking<P> {
    turn: Turn<P>,
    instead_of: String,
    tried: Option<Tried>,
}

impl Swapper {
    /// For a run that has begun. Its guard ends with it.
    pub(super) fn start(
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
        });
        let guarded = Arc::downgrade(&swapper);
        thread::Builder::new().name("guard".to_owned()).spawn(move || guard(&guarded))?;
        Ok(swapper)
    }

    /// Makes an exchange, and waits until it is made. It blocks.
    ///
    /// # Errors
    /// When it is not made.
    pub fn swap(&self, wish: &Wish) -> Result<Swapped, SwapError> {
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

    fn place(&self, cast: &Cast, name: &str) -> Result<Place, SwapError> {
        let models = cast.models.iter().enumerate().map(|(at, part)| (part.name.as_str(), Place::Model(at)));
        let metrics =
            cast.metrics.iter().enumerate().map(|(at, part)| (part.name.as_str(), Place::Metric(at)));
        let comparator = (cast.comparator.name.as_str(), Place::Comparator);
        let all: Vec<(&str, Place)> = models.chain([comparator]).chain(metrics).collect();
        let role = [(Role::Comparator.name(), Place::Comparator)];
        let found = all.iter().chain(&role).find(|(of, _)| *of == name);
        found.map(|(_, place)| *place).ok_or_else(|| SwapError::NoPart {
            name: name.to_owned(),
            has: all.iter().map(|(name, _)| format!("\"{name}\"")).collect(),
        })
    }

    fn exchange(
        &self,
        cast: &mut Cast,
        place: Place,
        wish: &Wish,
        kind: SwapKind,
    ) -> Result<Swapped, SwapError> {
        let since = cast.generation() + 1;
        match place {
            Place::Model(index) => {
                let declared = &self.study.models[index];
                let part = &cast.models[index];
                let new = self.decider(Role::Model, declared, part, wish)?;
                let trial =
                    |sample: &Sample| Trial::new(&self.study, &self.held, sample).model(index, &new.plugin);
                let taking = self.judged(since, part, &new, wish, kind, trial)?;
                let mut models: Vec<Box<Model>> = Vec::new();
                for _ in 0..self.study.limits.workers {
                    let mut model = Model::new(&self.study, index, &taking.turn, &self.tally);
                    model.start()?;
                    models.push(Box::new(model));
                }
                let (name, turn) = (part.name.clone(), taking.turn.clone());
                let swapped = self.done(Role::Model, &name, taking, wish, kind, |turn| Exchange::Model {
                    index,
                    turn,
                    models,
                })?;
                cast.begin(swapped.exchanged.from);
                cast.models[index].give(turn);
                Ok(swapped)
            }
            Place::Comparator => {
                let part = &cast.comparator;
                let new = self.decider(Role::Comparator, &self.study.comparator, part, wish)?;
                let trial =
                    |sample: &Sample| Trial::new(&self.study, &self.held, sample).comparator(&new.plugin);
                let taking = self.judged(since, part, &new, wish, kind, trial)?;
                let mut decider = taking.turn.plugin.instance();
                decider.start()?;
                let (name, turn) = (part.name.clone(), taking.turn.clone());
                let swapped = self.done(Role::Comparator, &name, taking, wish, kind, |turn| {
                    Exchange::Comparator { turn, decider }
                })?;
                cast.begin(swapped.exchanged.from);
                cast.comparator.give(turn);
                Ok(swapped)
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
                let (name, turn) = (part.name.clone(), taking.turn.clone());
                let swapped = self.done(Role::Metric, &name, taking, wish, kind, |turn| {
                    Exchange::Metric { index, turn, scorer }
                })?;
                cast.begin(swapped.exchanged.from);
                cast.metrics[index].give(turn);
                Ok(swapped)
            }
        }
    }

    /// The plugin that is to take a model's or the comparator's part.
    fn decider(
        &self,
        role: Role,
        declared: &Plugin,
        part: &Part<DeciderPlugin>,
        wish: &Wish,
    ) -> Result<Candidate<DeciderPlugin>, SwapError> {
        let now = &part.now().plugin;
        self.candidate(part, wish, |file, config| {
            let new = DeciderPlugin::load(now.sandbox(), file, role, config, now.assets(), None)?;
            let mut wrong = fits::misfits(&self.study, declared, role, &new.reads);
            if new.form != now.form {
                let (is, was) = (new.form.name(), now.form.name());
                wrong.push(format!("it answers with a {is}, and the one that runs with a {was}"));
            }
            if wrong.is_empty() { Ok(new) } else { Err(SwapError::Misfit(wrong)) }
        })
    }

    /// The plugin that is to take a metric's part.
    fn metric(
        &self,
        cast: &Cast,
        part: &Part<ScorerPlugin>,
        wish: &Wish,
    ) -> Result<Candidate<ScorerPlugin>, SwapError> {
        let now = &part.now().plugin;
        let sandbox = cast.comparator.now().plugin.sandbox();
        self.candidate(part, wish, |file, config| {
            let new = ScorerPlugin::load(sandbox, file, config, now.assets(), None)?;
            let same = new.components == now.components
                && new.better == now.better
                && new.range == now.range
                && now.accepts.iter().all(|form| new.accepts.contains(form));
            let wrong = "it has other components, another direction, another range or takes other forms than the one that \
                         runs, so their sums are not of one kind; such a metric takes a study of its own";
            if same { Ok(new) } else { Err(SwapError::Misfit(vec![wrong.to_owned()])) }
        })
    }

    /// Who is to take a part, loaded unless it had it before.
    fn candidate<P: Clone>(
        &self,
        part: &Part<P>,
        wish: &Wish,
        load: impl FnOnce(&File, String) -> Result<P, SwapError>,
    ) -> Result<Candidate<P>, SwapError> {
        let now = part.now();
        let (component, config) = match &wish.new {
            New::Before => {
                let before = part.before().ok_or_else(|| SwapError::NothingBefore(part.name.clone()))?;
                let (plugin, component) = (before.plugin.clone(), before.component.clone());
                return Ok(Candidate { plugin, component, config: before.config.clone(), bytes: None });
            }
            New::Plugin { component, config } => (component, config),
        };
        let file = match component {
            Some((path, bytes)) => File::of(path, bytes.clone())?,
            None => File::read(&self.run.join(plugin_name(&now.component)))?,
        };
        let config = config
            .as_ref()
            .map_or_else(|| now.config.clone(), |config| Value::from(config.clone()).to_string());
        if file.digest == now.component && config == now.config {
            return Err(SwapError::Same(part.name.clone()));
        }
        let plugin = load(&file, config.clone())?;
        Ok(Candidate { plugin, component: file.digest, config, bytes: Some(file.bytes) })
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
        match tried {
            Some(Tried { pairs, same: alike })
                if !same && !wish.anyway && kind == SwapKind::Asked && pairs > 0 =>
            {
                let share = crate::verdict::share(alike, pairs);
                return Err(SwapError::Otherwise { pairs, same: alike, share, level });
            }
            _ if !same && !wish.anyway && kind == SwapKind::Asked => return Err(SwapError::NoPairs),
            _ => {}
        }
        let new_yardstick = match kind {
            SwapKind::FellBack => part.now().new_yardstick,
            SwapKind::Asked | SwapKind::Undone => !same,
        };
        let turn = Turn {
            since,
            plugin: new.plugin.clone(),
            component: new.component.clone(),
            config: new.config.clone(),
            new_yardstick,
            guarded: kind != SwapKind::FellBack,
            watch: Arc::default(),
        };
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

    /// Says it to the ledger, has it made, and says from where on it holds.
    fn done<P>(
        &self,
        role: Role,
        name: &str,
        taking: Taking<P>,
        wish: &Wish,
        kind: SwapKind,
        exchange: impl FnOnce(Turn<P>) -> Exchange,
    ) -> Result<Swapped, SwapError> {
        let Taking { turn, instead_of, tried } = taking;
        let generation = turn.since;
        let (sha256, new_yardstick) = (turn.component.clone(), turn.new_yardstick);
        self.ledger.append(Event::Swap {
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
        })?;
        let (told, exchanged) = oneshot::channel();
        let sent = self.commands.blocking_send(Command::Exchange(Box::new(exchange(turn)), told));
        let Some(exchanged) = sent.ok().and_then(|()| exchanged.blocking_recv().ok()) else {
            self.ledger.append(Event::NotExchanged { generation })?;
            return Err(SwapError::Ending);
        };
        let Exchanged { from, clock, .. } = exchanged;
        self.ledger.append(Event::Exchanged { generation, from, clock })?;
        Ok(Swapped { name: name.to_owned(), sha256, exchanged, tried, new_yardstick })
    }

    /// Brings back whoever was before a plugin that fails too often.
    fn fall_back(&self) {
        let mut cast = self.cast.lock().unwrap_or_else(PoisonError::into_inner);
        let models = (0..cast.models.len()).map(Place::Model);
        let metrics = (0..cast.metrics.len()).map(Place::Metric);
        for place in models.chain([Place::Comparator]).chain(metrics).collect::<Vec<_>>() {
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

/// Who is to take a part.
struct Candidate<P> {
    plugin: P,
    component: String,
    config: String,
    /// Its component, if it is to be kept.
    bytes: Option<Vec<u8>>,
}

/// Looks now and then whether a plugin fails too often, for as long as the run is served.
fn guard(swapper: &Weak<Swapper>) {
    while let Some(swapper) = swapper.upgrade() {
        swapper.fall_back();
        drop(swapper);
        thread::sleep(GUARD);
    }
}
