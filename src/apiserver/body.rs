//! The body of an answer: read into one buffer, and inflated where the server compressed it.
//!
//! A kube-apiserver compresses what is longer than 128 KiB for whoever takes it. Pods that are alike shrink to a twentieth, and
//! neither side takes longer: what compressing costs is saved on encryption and on the way.

use std::error::Error;
use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Body;
use prost::bytes::Bytes;

/// The encoding in which a body may come besides its own.
pub const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Reads a body into one buffer, of which what is read from it may lend parts.
///
/// # Errors
/// Why there is no whole body: it is broken off, or longer than `limit` bytes, inflated or not.
pub async fn whole<B>(headers: &HeaderMap, mut body: B, limit: usize) -> Result<Bytes, String>
where
    B: Body<Data: AsRef<[u8]>, Error: Error + 'static> + Unpin,
{
    let mut buffer = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| super::root(&error))?;
        buffer.extend_from_slice(frame.data_ref().map_or(&[], AsRef::as_ref));
        within(limit, &buffer)?;
    }
    if headers.get(CONTENT_ENCODING) == Some(&GZIP) {
        buffer = inflated(&buffer, limit).map_err(|error| error.to_string())?;
        within(limit, &buffer)?;
    }
    Ok(buffer.into())
}

fn within(limit: usize, bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > limit { Err(format!("it is longer than {limit} bytes")) } else { Ok(()) }
}

/// Inflates up to one byte more than `limit`, which tells that there is more.
fn inflated(compressed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(compressed).take(limit as u64 + 1).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads a body that comes in pieces of a size.
    async fn read(encoding: Option<&'static str>, bytes: &[u8], size: usize, limit: usize) -> Result<Bytes, String> {
        let headers = encoding.map(|encoding| (CONTENT_ENCODING, HeaderValue::from_static(encoding)));
        let pieces: Vec<_> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
        let frames = pieces.into_iter().map(|piece| Ok::<_, io::Error>(Frame::data(Bytes::from(piece))));
        whole(&headers.into_iter().collect(), StreamBody::new(futures_util::stream::iter(frames)), limit).await
    }

    #[tokio::test]
    async fn a_compressed_body_is_read_as_what_it_was_however_the_pieces_break() {
        let text = "a Pod is like the next Pod, ".repeat(40);
        for size in [1, 7, 4096] {
            assert_eq!(read(Some("gzip"), &compressed(text.as_bytes()), size, 4096).await.unwrap(), text);
            assert_eq!(read(None, text.as_bytes(), size, 4096).await.unwrap(), text);
        }
    }

    #[tokio::test]
    async fn half_a_compressed_body_and_one_that_was_spoiled_are_none() {
        let body = compressed(b"all of it or nothing");
        for end in 0..body.len() {
            assert!(read(Some("gzip"), &body[..end], 5, 4096).await.is_err(), "{end} bytes of {}", body.len());
        }
        let mut spoiled = body.clone();
        *spoiled.last_mut().unwrap() ^= 1;
        assert!(read(Some("gzip"), &spoiled, 5, 4096).await.is_err());
        assert!(read(Some("gzip"), b"{\"kind\":\"PodList\"}", 5, 4096).await.is_err());
    }

    #[tokio::test]
    async fn what_is_too_long_is_not_taken_however_short_it_came() {
        let long = vec![b' '; 1 << 20];
        let too_long = Err("it is longer than 1048575 bytes".to_owned());
        assert_eq!(read(Some("gzip"), &compressed(&long), 64, (1 << 20) - 1).await, too_long);
        assert_eq!(read(None, &long, 4096, (1 << 20) - 1).await, too_long);
        assert_eq!(read(Some("gzip"), &compressed(&long), 64, 1 << 20).await.unwrap().len(), 1 << 20);
    }
}
