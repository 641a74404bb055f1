//! The listeners: one on the network, and the control socket in the run directory for users who may write
//! that directory.
//!
//! Invariants:
//! - No more connections are open than the settings allow; further ones wait in the system's queue.
//! - No client keeps a connection without using it: a slow handshake, a slow or oversized request head, a
//!   response that is not read and an idle connection all end it.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::Service as _;

use crate::auth::denied_log::{Denial, DeniedLog};
use crate::http::peer::Peer;
use crate::ingest::mirror::MirrorCounters;
use crate::observability::run_event_log::log_run_events;
use crate::transport::connection_limit::{ConnectionLimiter, ConnectionPermit};
use crate::transport::problem_bodies::ProblemBodies;
use crate::util::reloadable::Reloadable;
use understudy_engine::RunHandle;

/// Number of threads that serve requests.
const THREADS: usize = 2;
/// Maximum size of a request head in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// Maximum number of headers of a request. Envoy's default limit is the same (`max_headers_count`), so that
/// every request that it mirrors is accepted.
const MAX_HEADERS: usize = 100;
/// Maximum time that open requests may take during shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// File name of the control socket in the run directory.
pub const SOCKET: &str = "control.sock";

/// Settings of the network listener.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Address to bind; port 0 selects a free port.
    pub address: SocketAddr,
    /// Maximum number of open connections.
    pub max_connections: usize,
    /// Maximum time of a TLS handshake, of a request head and of a stalled write, and the idle time of a
    /// connection.
    pub timeout: Duration,
    /// TLS configuration; `None` for plain HTTP.
    pub tls: Option<Arc<Reloadable<Arc<ServerConfig>>>>,
}

/// What the listeners need besides their settings.
#[derive(Clone)]
pub struct ListenerContext {
    /// Serves the requests.
    pub router: Router,
    /// Log that receives refused connections.
    pub denied: Arc<DeniedLog>,
    /// Counters of mirrored requests, whose deliveries shutdown waits for.
    pub mirrored: Arc<MirrorCounters>,
}

/// A running server.
pub struct Server {
    /// Bound address of the network listener.
    pub address: SocketAddr,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    settings: Arc<ListenerSettings>,
    context: ListenerContext,
    listeners: Mutex<Vec<tokio::task::JoinHandle<()>>>,
    socket: Mutex<Option<PathBuf>>,
}

/// Starts the network listener on threads of its own.
///
/// # Errors
/// If the address cannot be bound.
pub fn listen(settings: ListenerSettings, context: ListenerContext) -> anyhow::Result<Server> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("serve")
        .enable_all()
        .build()
        .context("cannot start the server threads")?;
    let wanted = settings.address;
    let listener = runtime.block_on(TcpListener::bind(wanted)).map_err(|error| {
        anyhow!("cannot listen on {wanted}: {error}; choose another address with --listen")
    })?;
    let address = listener.local_addr().context("cannot read the bound address")?;
    let settings = Arc::new(settings);
    let (stop, stopped) = watch::channel(false);
    let acceptor = ConnectionAcceptor::new(&settings, &context);
    let accepting = runtime.spawn(async move { acceptor.accept_network(listener, stopped).await });
    let (listeners, socket) = (Mutex::new(vec![accepting]), Mutex::new(None));
    Ok(Server { address, runtime, stop, settings, context, listeners, socket })
}

impl Server {
    /// Starts the control socket and the log of denied requests in a run directory, which this process must
    /// have locked.
    ///
    /// # Errors
    /// If the socket or the log cannot be created.
    pub fn bind_control_socket(&self, run: &Path) -> anyhow::Result<()> {
        let path = run.join(SOCKET);
        // An existing socket was left behind by a killed process, since this process holds the directory's
        // lock.
        let _ = fs::remove_file(&path);
        // The path of a socket is limited to 107 bytes, so that the directory is addressed by its descriptor.
        let folder = fs::File::open(run).with_context(|| format!("cannot open {}", run.display()))?;
        let short = format!("/proc/self/fd/{}/{SOCKET}", std::os::fd::AsRawFd::as_raw_fd(&folder));
        let _entered = self.runtime.enter();
        let bound = UnixListener::bind(&short).and_then(|listener| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map(|()| listener)
        });
        let listener = bound.with_context(|| format!("cannot create the socket {}", path.display()))?;
        let acceptor = ConnectionAcceptor::new(&self.settings, &self.context);
        let stopped = self.stop.subscribe();
        let accepting = self.runtime.spawn(async move { acceptor.accept_local(listener, stopped).await });
        self.listeners.lock().push(accepting);
        *self.socket.lock() = Some(path);
        self.context
            .denied
            .start_writer(run)
            .with_context(|| format!("cannot log denied requests in {}", run.display()))
    }

    /// Logs swaps and plugin traps until the run ends.
    pub fn log_run_events(&self, run: &RunHandle) {
        self.runtime.spawn(log_run_events(run.status.clone()));
    }

    /// Stops accepting connections, completes open requests within a time limit, and releases the address.
    pub fn finish(self) {
        // The listeners may have stopped already.
        let _ = self.stop.send(true);
        let listeners = self.listeners.into_inner();
        let ended = async {
            for listener in listeners {
                let _ = listener.await;
            }
        };
        // Requests that are still open after the time limit are cut off.
        let _ = self.runtime.block_on(async { tokio::time::timeout(SHUTDOWN_TIMEOUT, ended).await });
        let mirrored = self.context.mirrored;
        let counted = async {
            while !mirrored.all_written_or_lost() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // The run has ended, so that every delivery has a result; the results are still being counted.
        let _ = self.runtime.block_on(async { tokio::time::timeout(SHUTDOWN_TIMEOUT, counted).await });
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        self.context.denied.finish();
        if let Some(path) = self.socket.into_inner() {
            let _ = fs::remove_file(path);
        }
    }
}

/// Accepts and serves connections.
struct ConnectionAcceptor {
    settings: Arc<ListenerSettings>,
    context: ListenerContext,
    limiter: ConnectionLimiter,
    graceful: GracefulShutdown,
}

impl ConnectionAcceptor {
    fn new(settings: &Arc<ListenerSettings>, context: &ListenerContext) -> ConnectionAcceptor {
        ConnectionAcceptor {
            settings: settings.clone(),
            context: context.clone(),
            limiter: ConnectionLimiter::new(settings.max_connections),
            graceful: GracefulShutdown::new(),
        }
    }

    async fn accept_network(self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let accept = async { (self.limiter.acquire().await, listener.accept().await) };
            let (mut permit, accepted) = tokio::select! {
                accepted = accept => accepted,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, peer)) if permit.assign_to(peer.ip()) => {
                    // A response is written in one piece, so that waiting for more data gains nothing.
                    let _ = stream.set_nodelay(true);
                    self.spawn_secure(stream, peer, permit);
                }
                Ok((_, peer)) => self.context.denied.add(Denial {
                    at: Timestamp::now(),
                    peer: peer.to_string(),
                    method: String::new(),
                    path: String::new(),
                    status: 0,
                    reason: "connection limit per address reached".to_owned(),
                    token: None,
                }),
                Err(_) => wait_for_descriptors().await,
            }
        }
        drop(listener);
        self.graceful.shutdown().await;
    }

    async fn accept_local(self, listener: UnixListener, mut stopped: watch::Receiver<bool>) {
        loop {
            let accept = async { (self.limiter.acquire().await, listener.accept().await) };
            let (permit, accepted) = tokio::select! {
                accepted = accept => accepted,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, _)) => self.spawn(stream, Peer::Local, permit),
                Err(_) => wait_for_descriptors().await,
            }
        }
        drop(listener);
        self.graceful.shutdown().await;
    }

    /// Serves a connection from the network, after the TLS handshake if TLS is configured.
    fn spawn_secure(&self, stream: TcpStream, peer: SocketAddr, permit: ConnectionPermit) {
        let peer = Peer::Remote(peer);
        let Some(tls) = &self.settings.tls else { return self.spawn(stream, peer, permit) };
        let handshake = TlsAcceptor::from(tls.current().as_ref().clone()).accept(stream);
        let (router, watcher) = (self.context.router.clone(), self.graceful.watcher());
        let timeout = self.settings.timeout;
        tokio::spawn(async move {
            // A failed or slow handshake closes the connection.
            if let Ok(Ok(stream)) = tokio::time::timeout(timeout, handshake).await {
                serve_connection(timeout, router, watcher, stream, peer, permit).await;
            }
        });
    }

    fn spawn(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        peer: Peer,
        permit: ConnectionPermit,
    ) {
        let (router, watcher) = (self.context.router.clone(), self.graceful.watcher());
        let timeout = self.settings.timeout;
        tokio::spawn(async move { serve_connection(timeout, router, watcher, stream, peer, permit).await });
    }
}

/// Serves HTTP/1 on a connection until it ends, and then returns its permit.
async fn serve_connection(
    timeout: Duration,
    router: Router,
    watcher: Watcher,
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: Peer,
    permit: ConnectionPermit,
) {
    let mut http = http1::Builder::new();
    // The time for a head starts at the end of the previous response, so that it also limits the idle time.
    http.timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
    });
    let stream = ProblemBodies::new(with_write_timeout(stream, timeout));
    let connection = http.serve_connection(TokioIo::new(stream), service);
    // The client has received any error or has disconnected.
    let _ = watcher.watch(connection).await;
    drop(permit);
}

/// A stream on which a write that makes no progress for `timeout` fails.
fn with_write_timeout<S: AsyncWrite>(stream: S, timeout: Duration) -> Pin<Box<TimeoutWriter<S>>> {
    let mut writer = TimeoutWriter::new(stream);
    writer.set_timeout(Some(timeout));
    Box::pin(writer)
}

/// Waits until a closed connection may have released a file descriptor.
async fn wait_for_descriptors() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn a_write_that_nobody_reads_fails() {
        block_on(async {
            let (near, _far) = duplex(4);
            let mut near = with_write_timeout(near, Duration::from_millis(20));
            let error = near.write_all(b"more than fits").await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_write_that_is_read_succeeds() {
        block_on(async {
            let (near, mut far) = duplex(4);
            let mut near = with_write_timeout(near, Duration::from_secs(600));
            let sent = tokio::spawn(async move { near.write_all(b"more than fits").await });
            let mut received = Vec::new();
            far.read_to_end(&mut received).await.unwrap();
            sent.await.unwrap().unwrap();
            assert_eq!(received, b"more than fits");
        });
    }
}
