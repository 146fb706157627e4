//! Credentials out of what is shown of others' words: (text) → text. Events and last words go to screens and CI logs.

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// Returns `text` without the credentials of URLs and without bearer tokens.
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut is_token = false;
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        match is_token && !word.is_empty() {
            true => masked.push_str(HIDDEN),
            false => masked.push_str(&without_userinfo(word)),
        }
        masked.push_str(&part[word.len()..]);
        if !word.is_empty() {
            is_token = word.trim_start_matches(['"', '\'', '(']).eq_ignore_ascii_case("bearer");
        }
    }
    masked
}

/// Hides what stands before the `@` of each URL's host.
fn without_userinfo(word: &str) -> String {
    let mut parts = word.split("://");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("://");
        let end = part.find(['/', '?', '#', '"', '\'']).unwrap_or(part.len());
        let host = part[..end].rfind('@');
        if host.is_some() {
            masked.push_str(HIDDEN);
        }
        masked.push_str(&part[host.unwrap_or(0)..]);
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_everything_else_stays() {
        for (text, expected) in [
            ("plain words:  two spaces\n", "plain words:  two spaces\n"),
            ("pull https://me:s3cret@registry.example/x:v1 failed", "pull https://***@registry.example/x:v1 failed"),
            ("\"postgres://a:b@c@db/x\" and http://b/@c", "\"postgres://***@db/x\" and http://b/@c"),
            ("Authorization: Bearer abc.def.ghi, then", "Authorization: Bearer *** then"),
            ("bearer", "bearer"),
        ] {
            assert_eq!(mask(text), expected);
        }
    }
}
