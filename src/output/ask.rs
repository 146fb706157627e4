//! Questions on a terminal, one line an answer: what is wrong with an answer is told, and it is asked again.
//!
//! The line is the terminal's own, which echoes, erases and takes pasted lines. So there is no mode of it and no cursor to
//! put back, whatever ends the program, and Ctrl-D is the end of the answers. Imports flame types, std and the printer.

use std::io::{self, BufRead};

use super::{Color, Printer, text, write};
use crate::error::{Error, ErrorKind, Result};
use crate::flame::answers::{self, Checked, Fault, Told};

/// What is said before the first question.
const INTRODUCTION: &str = "Enter takes what stands in brackets. Ctrl-C ends this, and nothing is written.";

/// Somebody who answers.
pub struct Interview<R> {
    printer: Printer,
    answers: R,
    is_introduced: bool,
}

impl<R: BufRead> Interview<R> {
    /// Begins to ask on `printer`; the answers come from `answers`.
    pub fn new(printer: &Printer, answers: R) -> Self {
        Self { printer: printer.clone(), answers, is_introduced: false }
    }

    /// Asks until `rule` takes the answer; an empty line is the default.
    ///
    /// # Errors
    /// Interrupted where the answers end.
    pub fn ask<T>(&mut self, question: &str, default: Option<&str>, rule: impl Fn(&str) -> Checked<T>) -> Result<T> {
        if !std::mem::replace(&mut self.is_introduced, true) {
            self.printer.line(INTRODUCTION);
        }
        let default_shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        let prompt = text::clean(&format!("{question}{default_shown}: "));
        loop {
            let line = write(&self.printer.err, &[&prompt]).and_then(|()| self.line());
            let Ok(Some(line)) = line else { return Err(self.printer.unanswered()) };
            let faults = match (line.trim(), default) {
                ("", Some(default)) => rule(default),
                (answer, _) => rule(answer),
            };
            match faults {
                Ok(answer) => return Ok(answer),
                Err(faults) => self.refuse(faults),
            }
        }
    }

    /// Returns the next line; none where the answers end, be it in the middle of one.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.answers.read_until(b'\n', &mut line)?;
        // What is not UTF-8 is no answer to anything, and the rule says so.
        Ok(line.ends_with(b"\n").then(|| String::from_utf8_lossy(&line).into_owned()))
    }

    fn refuse(&self, faults: Vec<Fault>) {
        for Told { message, cure } in answers::told(faults) {
            self.printer.labelled("error", Color::Red, &message);
            if let Some(cure) = cure {
                self.printer.labelled("hint", Color::Cyan, &cure);
            }
        }
    }
}

impl Printer {
    /// Tells whether somebody can be asked.
    pub fn can_ask(&self) -> bool {
        self.environment.stdin_is_terminal && self.environment.stderr_is_terminal
    }

    /// Ends the line of a question that gets no answer, and returns the error of it.
    pub fn unanswered(&self) -> Error {
        // There is nowhere left to say that stderr is gone.
        drop(write(&self.err, &["\n"]));
        Error::new(ErrorKind::Interrupted, "interrupted; nothing was written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::tests::Written;
    use crate::output::{Environment, PrinterOptions};

    /// Asks with `answers` typed, and returns what came of it and what was on the screen.
    fn asked<T>(answers: &[u8], default: Option<&str>, rule: fn(&str) -> Checked<T>) -> (Result<T>, Vec<String>) {
        let written = Written::default();
        let printer = written.printer(PrinterOptions::default(), Environment::default());
        let answer = Interview::new(&printer, answers).ask("Answer", default, rule);
        let mut screen = written.lines();
        assert_eq!(screen.remove(0), INTRODUCTION);
        (answer, screen)
    }

    #[test]
    fn an_empty_line_is_the_default() {
        assert_eq!(asked(b"\n", Some("demo"), answers::name).0, Ok("demo".to_owned()));
        assert_eq!(asked(b" other \r\n", Some("demo"), answers::name).0, Ok("other".to_owned()));
    }

    #[test]
    fn a_bad_answer_is_told_and_asked_again() {
        let (answer, screen) = asked(b"My Flame\n\xff\n\nmine\n", None, answers::name);
        assert_eq!(answer, Ok("mine".to_owned()));
        assert_eq!(
            screen,
            [
                "Answer: error: \"M\" (character 1), \" \" (character 3), \"F\" (character 4) are not allowed: only a-z, \
                 0-9 and \"-\"",
                "hint: write my-flame",
                "Answer: error: \"\u{fffd}\" (U+FFFD, character 1) is not allowed: only a-z, 0-9 and \"-\"",
                "hint: write my-flame",
                "Answer: error: name is required, and this is empty",
                "hint: write my-flame",
                "Answer: ",
            ]
        );
    }

    #[test]
    fn a_cure_that_several_faults_share_is_told_once() {
        let (_, screen) = asked(b"cpu=0\nnone\n", Some("none"), answers::slot);
        assert_eq!(
            screen,
            [
                "Answer [none]: error: cpu=0: Flame divides by zero when the first executor registers",
                "error: without mem Flame divides by zero when the first executor registers",
                "hint: write cpu=1,mem=1g",
                "Answer [none]: ",
            ]
        );
    }

    #[test]
    fn the_end_of_the_answers_is_an_interruption() {
        let interrupted = Error::new(ErrorKind::Interrupted, "interrupted; nothing was written");
        for answers in [b"".as_slice(), b"half an answ"] {
            let (answer, screen) = asked(answers, Some("demo"), answers::name);
            assert_eq!((answer, screen), (Err(interrupted.clone()), vec!["Answer [demo]: ".to_owned()]));
        }
    }

    #[test]
    fn nobody_is_asked_where_a_terminal_is_missing() {
        for (stdin_is_terminal, stderr_is_terminal) in [(true, true), (true, false), (false, true)] {
            let environment = Environment { stdin_is_terminal, stderr_is_terminal, ..Environment::default() };
            let printer = Written::default().printer(PrinterOptions::default(), environment);
            assert_eq!(printer.can_ask(), stdin_is_terminal && stderr_is_terminal);
        }
    }
}
