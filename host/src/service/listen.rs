//! The listeners: connections in, each served within its limits. One is on the network, one is a socket in the run
//! directory for whoever may write that.
//!
//! Always holds: no more connections are served than the settings allow, the others wait in the system's queue; a head that
//! does not come in time, or is too long, ends its connection.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service as _;

use super::routes::router;
use super::state::Served;
use super::watching;
use crate::run::Handle;

/// Threads that answer requests.
const THREADS: usize = 2;
/// The longest head of a request.
const HEAD_BYTES: usize = 16 << 10;
/// The most headers of a request.
const HEADERS: usize = 64;
/// How long requests that are being answered may take when all ends.
const DRAIN: Duration = Duration::from_secs(10);

/// The socket in the run directory.
pub const SOCKET: &str = "control.sock";

/// Who has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process that may write the run directory.
    Local,
    /// Somebody at an address.
    Remote(SocketAddr),
}

/// A server that listens.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    served: Arc<Served>,
    listeners: Mutex<Vec<tokio::task::JoinHandle<()>>>,
    socket: Mutex<Option<PathBuf>>,
}

/// Listens on the network, on threads of its own.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(served: &Arc<Served>) -> anyhow::Result<Listening> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("serve")
        .enable_all()
        .build()
        .context("no runtime to serve with")?;
    let listen = served.settings.listen;
    let listener = runtime
        .block_on(TcpListener::bind(listen))
        .with_context(|| format!("cannot listen on {listen}; choose another address with --listen"))?;
    let address = listener.local_addr().context("no address")?;
    let (stop, stopped) = watch::channel(false);
    let doors = Doors::new(served);
    let accepting = runtime.spawn(async move { doors.network(listener, stopped).await });
    let (listeners, socket) = (Mutex::new(vec![accepting]), Mutex::new(None));
    Ok(Listening { address, runtime, stop, served: served.clone(), listeners, socket })
}

impl Listening {
    /// Listens in the run directory too, which has to be written by this process alone.
    ///
    /// # Errors
    /// When the socket cannot be made there.
    pub fn listen_in(&self, run: &Path) -> anyhow::Result<()> {
        let path = run.join(SOCKET);
        // One that is there was left by a process that was killed: this one holds the directory's lock.
        let _ = fs::remove_file(&path);
        // The name of a socket may have 107 bytes: the run directory is reached by its descriptor instead.
        let folder = fs::File::open(run).with_context(|| format!("cannot open {}", run.display()))?;
        let short = format!("/proc/self/fd/{}/{SOCKET}", std::os::fd::AsRawFd::as_raw_fd(&folder));
        let _entered = self.runtime.enter();
        let bound = UnixListener::bind(&short).and_then(|listener| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map(|()| listener)
        });
        let listener = bound.with_context(|| format!("cannot make the socket {}", path.display()))?;
        let (doors, stopped) = (Doors::new(&self.served), self.stop.subscribe());
        let accepting = self.runtime.spawn(async move { doors.directory(listener, stopped).await });
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(accepting);
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
        Ok(())
    }

    /// Logs what the run tells of itself, until it has ended.
    pub fn tell_of(&self, run: &Handle) {
        self.runtime.spawn(watching::tell(run.standing.clone()));
    }

    /// Takes no further connection, lets the requests end that are being answered, and gives up the address.
    pub fn finish(self) {
        // Who serves may have ended by itself.
        let _ = self.stop.send(true);
        let listeners = self.listeners.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = async {
            for listener in listeners {
                let _ = listener.await;
            }
        };
        // Who has not ended by then is cut off.
        let _ = self.runtime.block_on(async { tokio::time::timeout(DRAIN, ended).await });
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        if let Some(path) = self.socket.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let _ = fs::remove_file(path);
        }
    }
}

/// What serves connections.
struct Doors {
    served: Arc<Served>,
    router: Router,
    connections: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Doors {
    fn new(served: &Arc<Served>) -> Doors {
        Doors {
            served: served.clone(),
            router: router(served.clone()),
            connections: Arc::new(Semaphore::new(served.settings.connections)),
            graceful: GracefulShutdown::new(),
        }
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        self.connections.clone().acquire_owned().await.expect("it is never closed")
    }

    async fn network(self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let place = self.place().await;
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // An answer is written at once; it is never so small that waiting for more would pay.
                    let _ = stream.set_nodelay(true);
                    self.serve(stream, Peer::Remote(peer), place);
                }
                Err(_) => out_of_descriptors().await,
            }
        }
        drop(listener);
        self.graceful.shutdown().await;
    }

    async fn directory(self, listener: UnixListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let place = self.place().await;
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, _)) => self.serve(stream, Peer::Local, place),
                Err(_) => out_of_descriptors().await,
            }
        }
        drop(listener);
        self.graceful.shutdown().await;
    }

    /// Serves a connection for as long as it lasts.
    fn serve<S>(&self, stream: S, peer: Peer, place: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.served.settings.patience)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS);
        let router = self.router.clone();
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let mut router = router.clone();
            async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
        });
        let connection = self.graceful.watch(http.serve_connection(TokioIo::new(stream), answer));
        tokio::spawn(async move {
            // Whatever went wrong with a connection, its client has been told or is gone.
            let _ = connection.await;
            drop(place);
        });
    }
}

/// It has one again once a connection ends.
async fn out_of_descriptors() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
