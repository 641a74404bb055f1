//! Caches the plugin instances of a slot by the generation that their version started with.
//!
//! Invariants: at most two instances are cached, the latest and the one before it, since pairs of one
//! generation come together.

/// The instances of one plugin slot, at most two.
pub struct InstanceCache<I> {
    latest: Option<(u32, I)>,
    previous: Option<(u32, I)>,
}

impl<I> Default for InstanceCache<I> {
    fn default() -> InstanceCache<I> {
        InstanceCache { latest: None, previous: None }
    }
}

impl<I> InstanceCache<I> {
    /// The instance of the version that started with generation `since`; `make` creates it if it is not
    /// cached.
    pub fn get_or_insert_with(&mut self, since: u32, make: impl FnOnce() -> I) -> &mut I {
        let latest = self.latest.as_ref().map(|(of, _)| *of);
        let place = match latest {
            Some(latest) if since < latest => &mut self.previous,
            Some(latest) if since > latest => {
                self.previous = self.latest.take();
                &mut self.latest
            }
            _ => &mut self.latest,
        };
        place.take_if(|(of, _)| *of != since);
        &mut place.get_or_insert_with(|| (since, make())).1
    }

    /// Adds an instance of the version that starts with generation `since`.
    pub fn insert(&mut self, since: u32, instance: I) {
        self.previous = self.latest.replace((since, instance));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_instance_and_the_one_before_are_cached() {
        let mut cache = InstanceCache::default();
        let mut made = Vec::new();
        let mut ask = |since| {
            let made = &mut made;
            *cache.get_or_insert_with(since, || {
                made.push(since);
                since
            })
        };
        assert_eq!([0, 0, 3, 0, 3, 5, 3, 0, 5, 0].map(&mut ask), [0, 0, 3, 0, 3, 5, 3, 0, 5, 0]);
        assert_eq!(made, [0, 3, 5, 0]);
        cache.insert(9, 9);
        let cached = |since: u32, cache: &mut InstanceCache<u32>| {
            *cache.get_or_insert_with(since, || panic!("it is cached"))
        };
        assert_eq!([cached(9, &mut cache), cached(5, &mut cache), cached(9, &mut cache)], [9, 5, 9]);
    }
}
