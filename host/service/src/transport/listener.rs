//! The listeners: connections in, each served within its limits. One is on the network, one is a socket in the run
//! directory for whoever may write that.
//!
//! Always holds: no more connections are served than the settings allow, the others wait in the system's queue; nobody keeps
//! a place who does not use it: a handshake or a head that does not come in time, a head that is too long and an answer that
//! is not read end their connection, and so does being idle.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use crate::app::state::Served;
use crate::auth::denied_log::Denial;
use crate::observability::run_event_log;
use crate::routes::router::router;
use crate::transport::connection_limit::{Place, Places};
use crate::transport::write_timeout::Patient;
use understudy_engine::Handle;

/// Threads that answer requests.
const THREADS: usize = 2;
/// The longest head of a request.
const HEAD_BYTES: usize = 16 << 10;
/// The most headers of a request: as many as Envoy lets through unless told otherwise (`max_headers_count`), so that what it
/// mirrors is taken.
const HEADERS: usize = 100;
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

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Local => f.write_str("local"),
            Peer::Remote(address) => address.fmt(f),
        }
    }
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
    /// Listens in the run directory too, which has to be written by this process alone, and notes there what is denied.
    ///
    /// # Errors
    /// When the socket or the notes cannot be made there.
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
        self.served
            .denied
            .write_in(run)
            .with_context(|| format!("cannot note in {} what is denied", run.display()))
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
        let settled = async {
            while !self.served.mirrored.settled() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // The run has ended, so that it is known of each delivery by now; it is only to be counted.
        let _ = self.runtime.block_on(async { tokio::time::timeout(DRAIN, settled).await });
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        self.served.denied.finish();
        if let Some(path) = self.socket.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let _ = fs::remove_file(path);
        }
    }
}

/// What serves connections.
struct Doors {
    served: Arc<Served>,
    router: Router,
    places: Places,
    graceful: GracefulShutdown,
}

impl Doors {
    fn new(served: &Arc<Served>) -> Doors {
        Doors {
            served: served.clone(),
            router: router(served.clone()),
            places: Places::new(served.settings.connections),
            graceful: GracefulShutdown::new(),
        }
    }

    async fn network(self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let accept = async { (self.places.place().await, listener.accept().await) };
            let (mut place, accepted) = tokio::select! {
                accepted = accept => accepted,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, peer)) if place.is_for(peer.ip()) => {
                    // An answer is written at once; it is never so small that waiting for more would pay.
                    let _ = stream.set_nodelay(true);
                    self.secure(stream, peer, place);
                }
                Ok((_, peer)) => self.served.denied.note(Denial {
                    at: Timestamp::now(),
                    peer: peer.to_string(),
                    method: String::new(),
                    path: String::new(),
                    status: 0,
                    why: "its address has all the connections already that one may have".to_owned(),
                    token: None,
                }),
                Err(_) => out_of_descriptors().await,
            }
        }
        drop(listener);
        self.graceful.shutdown().await;
    }

    async fn directory(self, listener: UnixListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let accept = async { (self.places.place().await, listener.accept().await) };
            let (place, accepted) = tokio::select! {
                accepted = accept => accepted,
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

    /// Serves a connection from the network, behind TLS if there is any.
    fn secure(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        let peer = Peer::Remote(peer);
        let Some(tls) = &self.served.settings.tls else { return self.serve(stream, peer, place) };
        let shake = TlsAcceptor::from(tls.now().as_ref().clone()).accept(stream);
        let (served, router, watcher) = (self.served.clone(), self.router.clone(), self.graceful.watcher());
        tokio::spawn(async move {
            // Whoever cannot or does not speak TLS in time is not spoken to.
            if let Ok(Ok(stream)) = tokio::time::timeout(served.settings.patience, shake).await {
                speak(&served, router, watcher, stream, peer, place).await;
            }
        });
    }

    fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, peer: Peer, place: Place) {
        let (served, router, watcher) = (self.served.clone(), self.router.clone(), self.graceful.watcher());
        tokio::spawn(async move { speak(&served, router, watcher, stream, peer, place).await });
    }
}

/// Speaks HTTP on a connection for as long as it lasts, and then gives its place back.
async fn speak(
    served: &Served,
    router: Router,
    watcher: Watcher,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Peer,
    place: Place,
) {
    let patience = served.settings.patience;
    let mut http = http1::Builder::new();
    // The time for a head runs from the end of the answer before: it is also how long a connection may be idle.
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http.serve_connection(TokioIo::new(Patient::new(stream, patience)), answer);
    // Whatever went wrong with a connection, its client has been told or is gone.
    let _ = watcher.watch(connection).await;
    drop(place);
}

/// It has one again once a connection ends.
async fn out_of_descriptors() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
