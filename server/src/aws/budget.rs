//! How many calls the portal allows itself, per operation: a token bucket that also slows down
//! when Systems Manager says so.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
    rate: f64,
    throttled_until: Option<Instant>,
}

/// Call budgets by operation.
#[derive(Debug)]
pub struct Budget {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<&'static str, Bucket>>,
}

impl Budget {
    /// At most `per_second` calls of each operation in the long run, `burst` at once.
    #[must_use]
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self {
            per_second,
            burst,
            buckets: Mutex::default(),
        }
    }

    fn reserve(&self, operation: &'static str) -> Duration {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(operation).or_insert(Bucket {
            tokens: self.burst,
            filled_at: now,
            rate: self.per_second,
            throttled_until: None,
        });
        let passed = now.duration_since(bucket.filled_at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * bucket.rate).min(self.burst);
        bucket.filled_at = now;
        // A quiet minute gives the full rate back, bit by bit.
        bucket.rate = (bucket.rate + passed * self.per_second / 60.0).min(self.per_second);
        bucket.tokens -= 1.0;
        let wait = if bucket.tokens < 0.0 {
            -bucket.tokens / bucket.rate
        } else {
            0.0
        };
        let wait = Duration::from_secs_f64(wait);
        bucket
            .throttled_until
            .filter(|until| *until > now)
            .map_or(wait, |until| wait.max(until - now))
    }

    /// Waits until `operation` may be called once more.
    pub async fn take(&self, operation: &'static str) {
        let wait = self.reserve(operation);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Systems Manager said "too fast": half the rate, and a pause.
    pub fn throttled(&self, operation: &'static str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(operation) {
            bucket.rate = (bucket.rate / 2.0).max(0.1);
            bucket.throttled_until = Some(Instant::now() + Duration::from_secs(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_burst_wait_their_turn_and_throttling_slows_down() {
        let budget = Budget::new(10.0, 2.0);
        let start = Instant::now();
        for _ in 0..12 {
            budget.take("ListCommands").await;
        }
        let spent = start.elapsed().as_secs_f64();
        assert!((0.9..=1.2).contains(&spent), "{spent}");
        budget.throttled("ListCommands");
        let start = Instant::now();
        budget.take("ListCommands").await;
        assert!(start.elapsed() >= Duration::from_secs(2));
        // Another operation has a budget of its own.
        let start = Instant::now();
        budget.take("SendCommand").await;
        assert!(start.elapsed().is_zero());
    }
}
