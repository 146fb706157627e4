//! How many writes are in flight at once: it grows while the server keeps up, and shrinks when that says so or slows down
//! (design: rule 10).

use std::time::Duration;

use crate::flame::rollout::Outcome;

/// Writes in flight at first.
const FIRST: usize = 8;
/// Writes in flight at most: inside the 49 seats that API priority and fairness gives one ordinary user, with one left for a
/// watch that opens.
const MOST: usize = 48;
/// How long an answer may take before it counts as slow.
const SLOW: Duration = Duration::from_secs(1);
/// Of how many answers two may not be slow: then more than one in a hundred is.
const SAMPLE: u32 = 100;

/// The window of one flame's writes.
#[derive(Clone, Debug)]
pub struct Window {
    size: usize,
    /// Up to here it grows with each answer, beyond it with each round.
    careful_from: usize,
    /// Answers since it grew by one.
    round: usize,
    /// How often it shrank.
    shrunk: u32,
    /// Answers that count, and how many of them were slow.
    sample: (u32, u32),
}

/// When a write was sent.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    shrunk: u32,
    sent: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self { size: FIRST, careful_from: MOST, round: 0, shrunk: 0, sample: (0, 0) }
    }
}

impl Window {
    /// Returns how many writes may be in flight.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Takes in that a write is sent at `now`, by any one clock.
    pub fn send(&self, now: Duration) -> Ticket {
        Ticket { shrunk: self.shrunk, sent: now }
    }

    /// Takes in how it ended. What was sent before the window shrank tells nothing of how it is now.
    pub fn answered(&mut self, ticket: Ticket, outcome: &Outcome, now: Duration) {
        if ticket.shrunk != self.shrunk {
            return;
        }
        let slow = u32::from(now.saturating_sub(ticket.sent) > SLOW);
        self.sample = if self.sample.0 < SAMPLE { (self.sample.0 + 1, self.sample.1 + slow) } else { (1, slow) };
        match outcome {
            // Nobody knows what such a server can take: it is found out anew.
            Outcome::Unknown(_) => self.shrink(1, self.size / 2),
            Outcome::Busy(..) => self.shrink(self.size / 2, self.size / 2),
            // A webhook may take its time however few wait for it. And a server that only paused for a moment let all that was
            // in flight wait, so almost all of it is had back in a round; if it is still slow, its next two answers tell.
            _ if self.sample.1 > 1 && self.size > FIRST => {
                self.shrink((self.size / 2).max(FIRST), self.size - self.size / 8);
            }
            _ => self.grow(),
        }
    }

    fn shrink(&mut self, size: usize, careful_from: usize) {
        self.careful_from = careful_from.max(1);
        self.size = size.max(1);
        self.shrunk += 1;
        self.round = 0;
        self.sample = (0, 0);
    }

    fn grow(&mut self) {
        self.round += 1;
        if self.size < self.careful_from || self.round >= self.size {
            self.size = (self.size + 1).min(MOST);
            self.round = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(20);

    fn window(size: usize) -> Window {
        Window { size, ..Window::default() }
    }

    /// Lets as many writes as fit be answered alike.
    fn round(window: &mut Window, outcome: &Outcome, took: Duration) {
        let tickets: Vec<Ticket> = (0..window.size()).map(|_| window.send(Duration::ZERO)).collect();
        tickets.into_iter().for_each(|ticket| window.answered(ticket, outcome, took));
    }

    fn busy() -> Outcome {
        Outcome::Busy("the server is throttling".to_owned(), None)
    }

    #[test]
    fn it_doubles_with_each_round_up_to_what_a_user_may_have() {
        let mut window = Window::default();
        let mut sizes = Vec::new();
        for _ in 0..4 {
            sizes.push(window.size());
            round(&mut window, &Outcome::Gone, QUICK);
        }
        assert_eq!((sizes, window.size()), (vec![8, 16, 32, 48], 48));
    }

    #[test]
    fn a_busy_server_halves_it_once_for_all_that_was_in_flight() {
        let mut window = window(MOST);
        round(&mut window, &busy(), QUICK);
        assert_eq!(window.size(), MOST / 2);
        round(&mut window, &Outcome::Gone, QUICK);
        assert_eq!(window.size(), MOST / 2 + 1);
        for _ in 0..9 {
            round(&mut window, &busy(), QUICK);
        }
        assert_eq!(window.size(), 1);
    }

    #[test]
    fn after_a_broken_connection_it_begins_at_one_and_doubles_to_half_of_where_it_was() {
        let mut window = window(32);
        round(&mut window, &Outcome::Unknown("connection reset".to_owned()), QUICK);
        let mut sizes = Vec::new();
        for _ in 0..7 {
            sizes.push(window.size());
            round(&mut window, &Outcome::Gone, QUICK);
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 17, 18]);
    }

    #[test]
    fn one_slow_answer_in_a_hundred_is_none_and_two_are_a_slow_server() {
        let late = SLOW + QUICK;
        let mut window = window(MOST);
        for nth in 0..300 {
            let ticket = window.send(Duration::ZERO);
            window.answered(ticket, &Outcome::Gone, if nth % 100 == 50 { late } else { QUICK });
        }
        assert_eq!(window.size(), MOST);
        for _ in 0..2 {
            let ticket = window.send(Duration::ZERO);
            window.answered(ticket, &Outcome::Gone, late);
        }
        assert_eq!(window.size(), MOST / 2);
    }

    #[test]
    fn after_a_pause_of_the_server_it_is_soon_almost_where_it_was() {
        let mut window = window(MOST);
        round(&mut window, &Outcome::Gone, SLOW + QUICK);
        let mut sizes = Vec::new();
        for _ in 0..4 {
            sizes.push(window.size());
            round(&mut window, &Outcome::Gone, QUICK);
        }
        assert_eq!(sizes, [24, 42, 43, 44]);
    }

    #[test]
    fn of_a_server_that_is_slow_with_more_it_soon_asks_for_less() {
        let mut window = window(MOST);
        let mut sizes = Vec::new();
        for _ in 0..8 {
            let takes = if window.size() > 30 { SLOW + QUICK } else { QUICK };
            round(&mut window, &Outcome::Gone, takes);
            sizes.push(window.size());
        }
        assert_eq!(sizes, [24, 42, 21, 37, 18, 33, 16, 29]);
    }

    #[test]
    fn a_server_that_is_always_slow_gets_no_fewer_than_at_first() {
        let mut window = window(MOST);
        for _ in 0..9 {
            round(&mut window, &Outcome::Gone, SLOW + QUICK);
        }
        assert!((FIRST..2 * FIRST).contains(&window.size()), "{}", window.size());
    }
}
