//! The memory that request bodies may use in total, and the limits of a single body.
//!
//! Invariants:
//! - A body holds a memory permit from before it is read until its records are on disk.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::response::Problem;

/// The number of bytes of one semaphore permit.
const PERMIT_BYTES: usize = 1 << 10;

/// Limits of request bodies.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Maximum size of one body in bytes, compressed and decompressed.
    pub max_bytes: usize,
    /// Maximum size of all bodies in memory, in bytes.
    pub memory_bytes: usize,
    /// Maximum time in which a body must arrive.
    pub timeout: Duration,
}

/// Why a body was not read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// No memory is free.
    Busy,
    /// It exceeds this number of bytes.
    TooLarge(usize),
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke, or the body is not framed as HTTP demands.
    Incomplete,
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Problem {
        match error {
            BodyError::Busy => Problem::busy("request-body memory limit reached"),
            BodyError::TooLarge(limit) => Problem::too_large(limit),
            BodyError::TooSlow => Problem::too_slow(),
            BodyError::Incomplete => Problem::incomplete(),
        }
    }
}

/// Grants memory to request bodies.
pub struct BodyBudget {
    /// Limits that apply to every request.
    pub limits: BodyLimits,
    memory: Arc<Semaphore>,
}

/// Memory granted to a body; returned to the budget on drop.
pub type MemoryPermit = OwnedSemaphorePermit;

impl BodyBudget {
    /// A budget with all its memory free.
    pub fn new(limits: BodyLimits) -> BodyBudget {
        BodyBudget { limits, memory: Arc::new(Semaphore::new(limits.memory_bytes / PERMIT_BYTES)) }
    }

    /// A permit for `bytes`, rounded up to KiB.
    ///
    /// # Errors
    /// If not enough memory is free.
    pub fn memory_permit(&self, bytes: usize) -> Result<MemoryPermit, BodyError> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let permit = self.memory.clone().try_acquire_many_owned(permits);
        permit.map_err(|_| BodyError::Busy)
    }

    /// Free memory in bytes.
    pub fn free_bytes(&self) -> usize {
        self.memory.available_permits() * PERMIT_BYTES
    }

    /// Reads a body within the limits. Returns it with its memory permit.
    ///
    /// # Errors
    /// If the body is too large or too slow, if no memory is free, or if the connection breaks.
    pub async fn read(&self, headers: &HeaderMap, body: Body) -> Result<(Bytes, MemoryPermit), BodyError> {
        self.read_within(self.limits.max_bytes, headers, body).await
    }

    /// Reads a body of up to `limit` bytes. Returns it with its memory permit.
    ///
    /// # Errors
    /// If the body is too large or too slow, if no memory is free, or if the connection breaks.
    pub async fn read_within(
        &self,
        limit: usize,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Bytes, MemoryPermit), BodyError> {
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > limit) {
            return Err(BodyError::TooLarge(limit));
        }
        let permit = self.memory_permit(length.unwrap_or(limit))?;
        let read = Limited::new(body, limit).collect();
        match tokio::time::timeout(self.limits.timeout, read).await {
            Err(_) => Err(BodyError::TooSlow),
            Ok(Ok(collected)) => Ok((collected.to_bytes(), permit)),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(limit)),
            Ok(Err(_)) => Err(BodyError::Incomplete),
        }
    }
}
