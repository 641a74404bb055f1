//! Limits on the number of connections, in total and per client address.
//!
//! Invariants:
//! - No more connections are open than the total limit.
//! - No address has more than its share, so that other addresses still get a connection.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Number of connections by address. An IPv6 /64 network counts as one address, since it belongs to one
/// subscriber.
type CountByAddress = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Grants permits to connections.
#[derive(Clone)]
pub struct ConnectionLimiter {
    free: Arc<Semaphore>,
    max_per_address: usize,
    by_address: CountByAddress,
}

impl ConnectionLimiter {
    /// A limiter for `max` connections, of which one address may have three quarters, and at least one.
    pub fn new(max: usize) -> ConnectionLimiter {
        ConnectionLimiter {
            free: Arc::new(Semaphore::new(max)),
            max_per_address: (max - max / 4).max(1),
            by_address: CountByAddress::default(),
        }
    }

    /// Waits for a permit.
    pub async fn acquire(&self) -> ConnectionPermit {
        let permit = self.free.clone().acquire_owned().await.expect("the semaphore is never closed");
        ConnectionPermit {
            _permit: permit,
            max_per_address: self.max_per_address,
            by_address: self.by_address.clone(),
            address: None,
        }
    }
}

/// The right to one open connection; returned to the limiter on drop.
pub struct ConnectionPermit {
    _permit: OwnedSemaphorePermit,
    max_per_address: usize,
    by_address: CountByAddress,
    address: Option<IpAddr>,
}

impl ConnectionPermit {
    /// Counts the connection for an address. Returns `false` if the address already has its share.
    pub fn assign_to(&mut self, address: IpAddr) -> bool {
        let address = subscriber(address);
        let mut by_address = self.by_address.lock();
        let own = by_address.entry(address).or_default();
        if *own >= self.max_per_address {
            return false;
        }
        *own += 1;
        self.address = Some(address);
        true
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut by_address = self.by_address.lock();
        if let Some(own) = by_address.get_mut(&address) {
            *own -= 1;
            if *own == 0 {
                by_address.remove(&address);
            }
        }
    }
}

/// The address as it is counted: an IPv4 address, or the /64 network of an IPv6 address.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connect(limiter: &ConnectionLimiter, address: &str) -> Option<ConnectionPermit> {
        let mut permit = limiter.acquire().await;
        permit.assign_to(address.parse().unwrap()).then_some(permit)
    }

    #[test]
    fn an_address_gets_at_most_its_share() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let limiter = ConnectionLimiter::new(4);
            let mut own = Vec::new();
            for _ in 0..3 {
                own.push(connect(&limiter, "192.0.2.1").await.unwrap());
            }
            assert!(connect(&limiter, "192.0.2.1").await.is_none());
            assert!(connect(&limiter, "::ffff:192.0.2.1").await.is_none());
            let other = connect(&limiter, "192.0.2.2").await;
            assert!(other.is_some());
            drop(other);
            own.pop();
            assert!(connect(&limiter, "192.0.2.1").await.is_some());
            drop(own);
            assert!(limiter.by_address.lock().is_empty());
        });
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let of = |text: &str| subscriber(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    }
}
