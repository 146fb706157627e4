//! Which Flame the images of a flame hold: the reference's, or Flame 0.6 and later, whose object cache is a Pod of its own
//! (flame-facts 2 and 3).
//!
//! FlameCluster → [`Generation`]. The user's word, the annotation [`ANNOTATION_FLAME_VERSION`], wins; then the version in the
//! images' tags decides; where nothing tells, it is the reference's. Nothing else is asked: what is in an image only its
//! registry could say, and an image of anybody's own may say nothing at all.

use std::fmt;

use super::FlameCluster;
use super::names::{ANNOTATION_FLAME_VERSION, ANNOTATION_OBJECT_CACHE_IMAGE};

/// The last part of the image's name under which upstream publishes the object cache.
const OBJECT_CACHE_IMAGE: &str = "flame-object-cache";
/// A number with more digits is a date.
const MAX_DIGITS: usize = 3;

/// What a flame's images hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// Flame as the reference describes it, before 0.6: the object cache lives inside the executor managers.
    #[default]
    Reference,
    /// Flame 0.6 and later: the object cache has a Pod, the executors listen on nothing, and three keys of the config moved.
    Since06,
}

impl fmt::Display for Generation {
    /// Writes `before 0.6` or `0.6 or later`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "before 0.6",
            Self::Since06 => "0.6 or later",
        })
    }
}

/// A version of Flame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// `0` of 0.6.1.
    pub major: u16,
    /// `6` of 0.6.1.
    pub minor: u16,
    /// `1` of 0.6.1, where it is written.
    pub patch: Option<u16>,
}

impl Version {
    /// Reads a version as tags have it: `0.6`, `v0.6.0`, `0.7.1-rc.1`; a `v` before and whatever follows a `-` or `+` are no
    /// part of it. Returns none for what is no version: one number alone names no generation, and long numbers are a date.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-+._".contains(c)) {
            return None;
        }
        let numbers = text.split(['-', '+']).next()?;
        let mut parts = numbers.split('.').map(number);
        let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next());
        match (patch, parts.next()) {
            (None, _) => Some(Self { major, minor, patch: None }),
            (Some(Some(patch)), None) => Some(Self { major, minor, patch: Some(patch) }),
            _ => None,
        }
    }

    /// Returns which generation of Flame it is. A release candidate is like its release.
    pub fn generation(self) -> Generation {
        if (self.major, self.minor) >= (0, 6) { Generation::Since06 } else { Generation::Reference }
    }
}

impl fmt::Display for Version {
    /// Writes `0.6` or `0.6.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

fn number(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Returns the version in an image's tag; none where the tag is no version, or there is none. A digest behind the tag does not
/// matter.
pub fn version_of_image(image: &str) -> Option<Version> {
    Version::parse(split(image).1?)
}

/// Returns the name of an image, and its tag.
fn split(image: &str) -> (&str, Option<&str>) {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    }
}

impl FlameCluster {
    /// Returns the generation that the flame is of:
    ///
    /// | annotation | tags | generation | told by the reader |
    /// |---|---|---|---|
    /// | a version | any | the annotation's | a tag that says another one: a warning, for it may be of anybody's own numbering |
    /// | no version | any | | an error |
    /// | none | both say the same generation | that | a warning where the versions differ |
    /// | none | they say different ones | | an error with both places: such a flame never works (flame-facts 1.10) |
    /// | none | one says one, the other nothing, as `latest` or a digest | that one's | nothing: both are to be of one Flame |
    /// | none | both say nothing | the reference's | nothing |
    ///
    /// A FlameCluster that the reader refuses may still be on a record, from another flamectl: then an annotation that is no
    /// version counts as none, and the session manager's tag before the executors'.
    pub fn generation(&self) -> Generation {
        let told = self.metadata.annotations.get(ANNOTATION_FLAME_VERSION).and_then(|text| Version::parse(text));
        let images = [&self.spec.session_manager.image, &self.spec.executor_manager.image];
        let version = told.or_else(|| images.into_iter().find_map(|image| version_of_image(image)));
        version.map_or(Generation::default(), Version::generation)
    }

    /// Tells whether the object cache is a Pod of its own.
    pub fn has_object_cache_pod(&self) -> bool {
        self.generation() == Generation::Since06
    }

    /// Returns the image of the object cache's Pod: the annotation [`ANNOTATION_OBJECT_CACHE_IMAGE`], else upstream's name
    /// beside the executors' image, with the same registry, path and tag. A digest is of one image and does not go over.
    pub fn object_cache_image(&self) -> String {
        if let Some(image) = self.metadata.annotations.get(ANNOTATION_OBJECT_CACHE_IMAGE) {
            return image.clone();
        }
        let (name, tag) = split(&self.spec.executor_manager.image);
        let path = name.rsplit_once('/').map(|(path, _)| format!("{path}/")).unwrap_or_default();
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        format!("{path}{OBJECT_CACHE_IMAGE}{tag}")
    }

    /// Tells whether [`FlameCluster::object_cache_image`] would be a guess: the executors' image has a digest and no tag, so
    /// nothing says which object cache goes with it.
    pub fn guesses_object_cache_image(&self) -> bool {
        let image = &self.spec.executor_manager.image;
        let is_named = self.metadata.annotations.contains_key(ANNOTATION_OBJECT_CACHE_IMAGE);
        self.has_object_cache_pod() && !is_named && image.contains('@') && split(image).1.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::manifests::manifests;
    use crate::flame::names::Component;
    use crate::flame::testing::flame;

    #[test]
    fn a_tag_tells_the_generation_where_it_is_a_version() {
        let (old, new) = (Some(Generation::Reference), Some(Generation::Since06));
        for (image, generation) in [
            ("xflops/flame-session:v0.1.0", old),
            ("flame-session:0.5", old),
            ("flame-session:v0.5.9-rc.1", old),
            ("localhost:5000/flame-session:v0.6.0", new),
            ("flame-session:0.7.1-rc.1", new),
            ("flame-session:v0.6.0-rc1", new),
            ("flame-session:v0.6-alpine", new),
            ("flame-session:v1.2", new),
            ("flame-session:v0.10.0", new),
            ("flame-session:v0.6.0@sha256:0a", new),
            ("flame-session@sha256:0a", None),
            ("localhost:5000/flame-session", None),
            ("flame-session", None),
            ("flame-session:latest", None),
            ("flame-session:v1", None),
            ("flame-session:main-0.6", None),
            ("flame-session:2026.02", None),
            ("flame-session:2026-02-19", None),
            ("flame-session:0.6.x", None),
            ("flame-session:0.6.0.1", None),
            ("flame-session:0.", None),
            ("flame-session:+0.6", None),
            ("flame-session:v0.6-\n", None),
        ] {
            assert_eq!(version_of_image(image).map(Version::generation), generation, "{image}");
        }
    }

    fn of(annotation: Option<&str>, session_manager: &str, executor_manager: &str) -> FlameCluster {
        let mut flame = flame(1);
        let annotation = annotation.map(|text| (ANNOTATION_FLAME_VERSION.to_owned(), text.to_owned()));
        flame.metadata.annotations.extend(annotation);
        flame.spec.session_manager.image = session_manager.to_owned();
        flame.spec.executor_manager.image = executor_manager.to_owned();
        flame
    }

    #[test]
    fn the_annotation_wins_over_the_tags_and_one_tag_speaks_for_both() {
        let (old, new) = (Generation::Reference, Generation::Since06);
        for (annotation, session_manager, executor_manager, generation) in [
            (None, "a", "b", old),
            (None, "a:v0.1.0", "b:v0.1.0", old),
            (None, "a:v0.6.0", "b:v0.6.0", new),
            (None, "a:latest", "b:v0.6.0", new),
            (None, "a:v0.6.0", "b@sha256:0a", new),
            (None, "a:v0.5.0", "b", old),
            (Some("0.6"), "a", "b", new),
            (Some("v0.6.0"), "a:v0.1.0", "b:v0.1.0", new),
            (Some("0.5"), "a:v0.6.0", "b:v0.6.0", old),
            (Some("new"), "a:v0.6.0", "b:v0.6.0", new),
        ] {
            let flame = of(annotation, session_manager, executor_manager);
            assert_eq!(flame.generation(), generation, "{annotation:?} {session_manager} {executor_manager}");
        }
    }

    #[test]
    fn the_object_caches_image_is_upstreams_name_beside_the_executors() {
        for (executor_manager, image) in [
            ("xflops/flame-executor:v0.6.0", "xflops/flame-object-cache:v0.6.0"),
            ("flame-executor", "flame-object-cache"),
            ("reg.io:5000/a/b/em:0.6", "reg.io:5000/a/b/flame-object-cache:0.6"),
            ("reg.io:5000/em", "reg.io:5000/flame-object-cache"),
            ("xflops/em:v0.6.0@sha256:0a", "xflops/flame-object-cache:v0.6.0"),
        ] {
            let mut flame = of(Some("0.6"), "a", executor_manager);
            assert_eq!(flame.object_cache_image(), image);
            assert!(!flame.guesses_object_cache_image());
            flame.metadata.annotations.insert(ANNOTATION_OBJECT_CACHE_IMAGE.into(), "my/cache:1".into());
            assert_eq!(flame.object_cache_image(), "my/cache:1");
        }
    }

    #[test]
    fn a_flame_before_0_6_has_the_pods_that_it_always_had() {
        let hashes = |flame: &FlameCluster| {
            let manifests = manifests(flame).unwrap();
            assert_eq!(manifests.object_cache(), None);
            [Component::SessionManager, Component::ExecutorManager].map(|it| {
                let hash = manifests.template_hash(it);
                (hash.config.clone(), hash.pod.clone(), hash.resources.clone())
            })
        };
        let known =
            [("1513477da299", "8206e2000ca7", "74234e98afe7"), ("842538ba0f96", "31459414887f", "74234e98afe7")];
        let known = known.map(|(config, pod, resources)| (config.to_owned(), pod.to_owned(), resources.to_owned()));
        // The example of the smallest file, whose hashes Pods bear that are running.
        let named = |mut flame: FlameCluster| {
            flame.metadata.name = "basic".into();
            flame
        };
        assert_eq!(hashes(&named(of(None, "a:v0.1.0", "b:v0.1.0"))), known);
        assert_eq!(hashes(&named(of(None, "a", "b"))), known);
        assert_eq!(hashes(&named(of(Some("0.5"), "a:v0.6.0", "b:v0.6.0"))), known);
    }

    #[test]
    fn a_digest_alone_tells_no_object_cache() {
        let mut flame = of(Some("0.6"), "a", "em@sha256:0a");
        assert!(flame.guesses_object_cache_image());
        flame.metadata.annotations.insert(ANNOTATION_OBJECT_CACHE_IMAGE.into(), "my/cache:1".into());
        assert!(!flame.guesses_object_cache_image());
        assert!(!of(None, "a", "em@sha256:0a").guesses_object_cache_image());
    }
}
