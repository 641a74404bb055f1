//! The listener: connections in, each served within its limits.
//!
//! Always holds: no more connections are served than the settings allow, the others wait in the system's queue; a head that
//! does not come in time, or is too long, ends its connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use super::routes::router;
use super::state::Served;

/// Threads that answer requests.
const THREADS: usize = 2;
/// The longest head of a request.
const HEAD_BYTES: usize = 16 << 10;
/// The most headers of a request.
const HEADERS: usize = 64;
/// How long requests that are being answered may take when all ends.
const DRAIN: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
}

/// Listens, on threads of its own.
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
    let serving = runtime.spawn(accept(listener, served.clone(), stopped));
    Ok(Listening { address, runtime, stop, served: serving })
}

impl Listening {
    /// Takes no further connection, lets the requests end that are being answered, and gives up the address.
    pub fn finish(self) {
        // Who serves may have ended by itself.
        let _ = self.stop.send(true);
        let served = self.served;
        let drained = self.runtime.block_on(async { tokio::time::timeout(DRAIN, served).await });
        drop(drained);
        self.runtime.shutdown_timeout(Duration::from_millis(100));
    }
}

async fn accept(listener: TcpListener, served: Arc<Served>, mut stopped: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(served.settings.connections));
    let graceful = GracefulShutdown::new();
    let router = router(served.clone());
    loop {
        let place = connections.clone().acquire_owned().await.expect("it is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let Ok((stream, _)) = accepted else {
            // The system has no file descriptor to spare: it has one again once a connection ends.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // An answer is written at once; it is never so small that waiting for more would pay.
        let _ = stream.set_nodelay(true);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(served.settings.patience)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS)
            .keep_alive(true);
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Whatever went wrong with a connection, its client has been told or is gone.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
