//! Secrets in what servers and containers say: (text) → the same text with `***` in their place.
//!
//! Events, waiting messages and log lines end up on screens and in the logs of CI systems. What looks like a password, a
//! token or a key is taken out; where a text only talks of them (`failed to fetch anonymous token: unexpected status`), it
//! stays as it is. In doubt a word too many goes.

/// What stands for a secret.
const HIDDEN: &str = "***";
/// Ends of words whose value is a secret, whatever it looks like; small letters, without `-`, `_` and `.`.
const PASSWORDS: [&str; 5] = ["password", "passwd", "pwd", "passphrase", "dockerconfigjson"];
/// Ends of words whose value is a secret if it looks like one: sentences speak of them, too.
const KEYS: [&str; 10] = [
    "token",
    "secret",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "authorization",
    "auth",
];
/// Words that a credential follows in a header.
const SCHEMES: [&str; 2] = ["bearer", "basic"];
/// Shortest word that is a secret because of its length alone.
const LONG: usize = 16;
/// Shortest base64 that counts as a secret without `:` or `=` before it.
const BASE64: usize = 20;

/// Returns `text` with every secret replaced by `***`.
pub fn mask(text: &str) -> String {
    let mut scan = Scan { text, at: 0, out: String::with_capacity(text.len()) };
    while scan.at < text.len() {
        scan.next();
    }
    scan.out
}

/// How sure it is that a value after a word is a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Password,
    Token,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    out: String,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Keeps the next `length` bytes.
    fn keep(&mut self, length: usize) {
        let kept = &self.text[self.at..self.at + length];
        self.out.push_str(kept);
        self.at += length;
    }

    fn hide(&mut self, length: usize) {
        self.out.push_str(HIDDEN);
        self.at += length;
    }

    /// Takes one word, or one character between words.
    fn next(&mut self) {
        let rest = self.rest();
        if let Some(length) = private_key(rest) {
            return self.hide(length);
        }
        if rest.starts_with("://") {
            return self.authority();
        }
        let word = run(rest, is_word);
        if word.is_empty() {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            return self.keep(length);
        }
        if is_secret(word) {
            return self.hide(word.len());
        }
        self.keep(word.len());
        let name = name(word);
        match key(&name) {
            Some(key) => self.value(key, word.starts_with("--")),
            None if SCHEMES.contains(&name.as_str()) => self.credential(),
            None => {}
        }
    }

    /// Takes `://`, and hides what stands before the host's `@`.
    fn authority(&mut self) {
        self.keep("://".len());
        let rest = self.rest();
        let end = rest.find(|char: char| char.is_whitespace() || "/?#\"'<>".contains(char)).unwrap_or(rest.len());
        if let Some(at) = rest[..end].rfind('@') {
            self.hide(at);
        }
    }

    /// Hides the value that follows a word that announces one.
    fn value(&mut self, key: Key, is_flag: bool) {
        let rest = self.rest();
        // A JSON key ends with a quote, in a log line perhaps with an escaped one.
        let quote = rest.strip_prefix('\\').unwrap_or(rest);
        let after = quote.strip_prefix(['"', '\'']).unwrap_or(rest);
        let after = after.trim_start_matches([' ', '\t']);
        let Some(separator) = after.chars().next().filter(|char| matches!(char, ':' | '=')) else {
            return self.bare_value(is_flag);
        };
        let value = after[1..].trim_start_matches([' ', '\t']);
        self.keep(rest.len() - value.len());
        if self.quoted() {
            return;
        }
        let scheme = run(value, is_word);
        if SCHEMES.contains(&name(scheme).as_str()) {
            self.keep(scheme.len());
            return self.credential();
        }
        let value = run(value, is_value).trim_end_matches(':');
        let is_hidden = separator == '=' || key == Key::Password || looks_secret(value);
        if is_hidden && !value.is_empty() {
            self.hide(value.len());
        }
    }

    /// Hides a quoted value and tells whether there was one.
    fn quoted(&mut self) -> bool {
        let rest = self.rest();
        let (open, is_escaped) = match rest.strip_prefix('\\') {
            Some(quote) => (quote.chars().next(), true),
            None => (rest.chars().next(), false),
        };
        let Some(quote) = open.filter(|char| matches!(char, '"' | '\'')) else { return false };
        self.keep(if is_escaped { 2 } else { 1 });
        let length = quoted_length(self.rest(), quote, is_escaped);
        if length > 0 {
            self.hide(length);
        }
        true
    }

    /// Hides a value that only blanks part from its word: of a flag any, else base64.
    fn bare_value(&mut self, is_flag: bool) {
        let rest = self.rest();
        let value = rest.trim_start_matches([' ', '\t']);
        let word = run(value, is_value);
        if value.len() < rest.len() && !word.is_empty() && (is_flag || is_base64(word)) {
            self.keep(rest.len() - value.len());
            self.hide(word.len());
        }
    }

    /// Hides what follows `Bearer` or `Basic`, where it is a credential and not the next word of a sentence.
    fn credential(&mut self) {
        let rest = self.rest();
        let value = rest.trim_start_matches([' ', '\t']);
        let word = run(value, is_value);
        // `Bearer realm="…"` asks for one.
        let is_parameter = value[word.len()..].starts_with('"');
        if value.len() < rest.len() && !is_parameter && looks_secret(word) {
            self.keep(rest.len() - value.len());
            self.hide(word.len());
        }
    }
}

fn run(text: &str, belongs: fn(char) -> bool) -> &str {
    &text[..text.find(|char| !belongs(char)).unwrap_or(text.len())]
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.')
}

fn is_value(char: char) -> bool {
    !char.is_whitespace() && !",;&\"'\\(){}[]<>".contains(char)
}

/// Returns a word in the form in which [`PASSWORDS`] and [`KEYS`] are written.
fn name(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

fn key(name: &str) -> Option<Key> {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&PASSWORDS) => Some(Key::Password),
        () if ends(&KEYS) => Some(Key::Token),
        () => None,
    }
}

/// Tells whether a word is a secret wherever it stands: a JSON web token, an AWS access key.
fn is_secret(word: &str) -> bool {
    let is_key =
        |word: &str| word.len() == 20 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (word.starts_with("eyJ") && word.len() >= BASE64)
        || (["AKIA", "ASIA"].iter().any(|start| word.starts_with(start)) && is_key(word))
}

/// Tells whether a value is no word of a sentence.
fn looks_secret(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ':']);
    let inner = value.get(1..).unwrap_or_default();
    let is_upper = |byte: u8| byte.is_ascii_uppercase();
    let is_cased = !inner.bytes().any(is_upper) || value.bytes().all(is_upper);
    let is_word = value.len() < LONG && value.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_cased;
    !value.is_empty() && !is_word
}

fn is_base64(word: &str) -> bool {
    let has = |of: fn(&u8) -> bool| word.as_bytes().iter().any(of);
    word.len() >= BASE64
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_'))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

/// Returns the length of what stands before the closing quote; everything where none closes it.
///
/// Within quotes that are escaped themselves a backslash is written as two, so a quote inside has three before it.
fn quoted_length(text: &str, quote: char, is_escaped: bool) -> usize {
    let mut backslashes = 0;
    for (at, char) in text.char_indices() {
        match char {
            _ if char == quote && is_escaped && backslashes % 4 == 1 => return at - 1,
            _ if char == quote && !is_escaped && backslashes % 2 == 0 => return at,
            '\\' => backslashes += 1,
            _ => backslashes = 0,
        }
    }
    text.len()
}

/// Returns the length of the private key in PEM that the text begins with; without an end it goes on to the text's.
fn private_key(text: &str) -> Option<usize> {
    let (label, body) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    if !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(match body.find(&end) {
        Some(at) => text.len() - body.len() + at + end.len(),
        None => text.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secrets, and what is left of them. No line holds a real one.
    #[test]
    fn secrets_are_taken_out() {
        for (text, expected) in [
            ("password=hunter2 user=me", "password=*** user=me"),
            ("PGPASSWORD=abc; next", "PGPASSWORD=***; next"),
            ("db_password: letmein, retrying", "db_password: ***, retrying"),
            ("passwd : 'let me in' ok", "passwd : '***' ok"),
            ("login --password hunter2 --user me", "login --password *** --user me"),
            ("token: abc123def", "token: ***"),
            ("access_token=abc&service=registry", "access_token=***&service=registry"),
            ("x-api-key: 0f1e2d3c", "x-api-key: ***"),
            ("AWS_SECRET_ACCESS_KEY=wJalr/xUtn+FEMI", "AWS_SECRET_ACCESS_KEY=***"),
            ("found key AKIAIOSFODNN7EXAMPLE in use", "found key *** in use"),
            ("Authorization: Bearer abc.def.ghi, then", "Authorization: Bearer ***, then"),
            ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***"),
            ("sent Bearer 0123456789 twice", "sent Bearer *** twice"),
            ("Authorization: abc123", "Authorization: ***"),
            ("pull https://me:s3cret@registry.example/x:v1", "pull https://***@registry.example/x:v1"),
            ("\"postgres://a:b@c@db/x\" and http://b/@c", "\"postgres://***@db/x\" and http://b/@c"),
            ("{\"auths\":{\"r.example\":{\"auth\":\"dTpw\"}}}", "{\"auths\":{\"r.example\":{\"auth\":\"***\"}}}"),
            (r#"{\"password\":\"a\\\"b\",\"x\":1}"#, r#"{\"password\":\"***\",\"x\":1}"#),
            (r#"{"password":"a\"b","x":1}"#, r#"{"password":"***","x":1}"#),
            (".dockerconfigjson: eyJhdXRocyI6e319", ".dockerconfigjson: ***"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "got *** here"),
            ("the secret key is not Zm9vYmFyYmF6cXV4MTIzNDU2", "the secret key is not Zm9vYmFyYmF6cXV4MTIzNDU2"),
            ("secret Zm9vYmFyYmF6cXV4MTIzNDU2 leaked", "secret *** leaked"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", "*** x"),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", "***"),
            ("password=", "password="),
            ("päss password=ü token=ü", "päss password=*** token=***"),
        ] {
            assert_eq!(mask(text), expected, "{text}");
            assert_eq!(mask(expected), expected, "masked twice: {text}");
        }
    }

    /// What Kubernetes, container runtimes and Flame say without giving anything away.
    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for text in [
            "plain words:  two spaces\n",
            "bearer",
            "Basic authentication is required",
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to \
             https://auth.docker.io/token?scope=repository%3Ax%3Apull&service=registry.docker.io: 401 Unauthorized",
            "failed to fetch oauth token: Post \"https://r.example/token\": dial tcp: lookup r.example: no such host",
            "www-authenticate: Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
            "MountVolume.SetUp failed for volume \"v\" : secret \"db\" not found",
            "couldn't find key password in Secret ml/db",
            "references non-existent secret key: tls.crt",
            "MountVolume.SetUp failed for volume \"kube-api-access-7sx2k\" : failed to fetch token: serviceaccounts \
             \"default\" not found",
            "docker.io/library/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef: not found",
            "thread 'main' panicked at session_manager/src/scheduler.rs:14:9: attempt to divide by zero",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn no_text_makes_it_fail() {
        let pieces = [
            "password",
            "token",
            "=",
            ":",
            "\"",
            "\\",
            "'",
            " ",
            "://",
            "@",
            "ü",
            "eyJ",
            "Bearer",
            "-----BEGIN ",
            "a1",
        ];
        for seed in 0..2000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let text: String = (0..random.usize(..12)).map(|_| pieces[random.usize(..pieces.len())]).collect();
            let masked = mask(&text);
            assert_eq!(mask(&masked), masked, "seed {seed}: {text:?}");
        }
    }
}
