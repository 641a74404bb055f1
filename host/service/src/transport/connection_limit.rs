//! Places for connections.
//!
//! Always holds: no more are given than there are; no address has more than its share, so that the others still find one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many connections each address has. Those of an IPv6 network of 64 bits count as one: they are one subscriber's.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// All places.
#[derive(Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    share: usize,
    taken: Taken,
}

impl Places {
    /// So many places, of which one address may have three quarters, and at least one.
    pub fn new(places: usize) -> Places {
        Places {
            free: Arc::new(Semaphore::new(places)),
            share: (places - places / 4).max(1),
            taken: Taken::default(),
        }
    }

    /// Waits for a place.
    pub async fn place(&self) -> Place {
        let permit = self.free.clone().acquire_owned().await.expect("it is never closed");
        Place { _permit: permit, share: self.share, taken: self.taken.clone(), address: None }
    }
}

/// A place, which is free again once this is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    share: usize,
    taken: Taken,
    address: Option<IpAddr>,
}

impl Place {
    /// Gives the place to an address, unless that has its share already.
    pub fn is_for(&mut self, address: IpAddr) -> bool {
        let address = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(address).or_default();
        if *own >= self.share {
            return false;
        }
        *own += 1;
        self.address = Some(address);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&address) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&address);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn given(places: &Places, address: &str) -> Option<Place> {
        let mut place = places.place().await;
        place.is_for(address.parse().unwrap()).then_some(place)
    }

    #[test]
    fn an_address_has_its_share_and_no_more() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let places = Places::new(4);
            let mut own = Vec::new();
            for _ in 0..3 {
                own.push(given(&places, "192.0.2.1").await.unwrap());
            }
            assert!(given(&places, "192.0.2.1").await.is_none());
            assert!(given(&places, "::ffff:192.0.2.1").await.is_none());
            let other = given(&places, "192.0.2.2").await;
            assert!(other.is_some());
            drop(other);
            own.pop();
            assert!(given(&places, "192.0.2.1").await.is_some());
            drop(own);
            assert!(places.taken.lock().unwrap().is_empty());
        });
    }

    #[test]
    fn the_addresses_of_a_subscriber_count_as_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    }
}
