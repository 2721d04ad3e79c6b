"""The rules for the manifest alone."""

import itertools
import posixpath
import re
from collections.abc import Iterator

from release.krew_manifest import API_VERSION
from release.krew_submission import Rule, Submission
from release.platforms import KREW_SUPPORTS

__all__ = ["MANIFEST_RULES"]

LONGEST_SHORT_DESCRIPTION = 50
"""Characters; `kubectl krew search` shows it in a column."""

_SAFE_NAME = re.compile(r"[\w-]+", re.ASCII)
_RESERVED_ON_WINDOWS = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SEMVER = re.compile(
    r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_SHA256 = re.compile(r"[a-f0-9]{64}")
_USAGE = re.compile(r"usage:|\bkubectl\s+\w|(?<!\w)--?[a-z][\w-]*|^\s*\$ ", re.IGNORECASE | re.MULTILINE)


def _api_version(given: Submission) -> Iterator[str]:
    if given.manifest.api_version != API_VERSION:
        yield f"apiVersion is {given.manifest.api_version!r}, not {API_VERSION!r}"


def _kind(given: Submission) -> Iterator[str]:
    if given.manifest.kind != "Plugin":
        yield f"kind is {given.manifest.kind!r}, not 'Plugin'"


def _safe_name(given: Submission) -> Iterator[str]:
    name = given.manifest.metadata.name
    if not _SAFE_NAME.fullmatch(name) or name.lower() in _RESERVED_ON_WINDOWS:
        yield f"the name {name!r} is not made of letters, digits, _ and -, or Windows keeps it for itself"


def _file_name(given: Submission) -> Iterator[str]:
    wanted = f"{given.manifest.metadata.name}.yaml"
    if given.file_name != wanted:
        yield f"the file is {given.file_name}, but of this name it must be {wanted}"


def _kebab_case(given: Submission) -> Iterator[str]:
    name = given.manifest.metadata.name
    if not _KEBAB.fullmatch(name):
        yield f"the name {name!r} is not lowercase words with hyphens"


def _no_kube_prefix(given: Submission) -> Iterator[str]:
    name = given.manifest.metadata.name
    if re.match(r"kube(ctl|rnetes)?-", name, re.IGNORECASE):
        yield f"the name {name!r} repeats the 'kube' of kubectl"


def _version(given: Submission) -> Iterator[str]:
    version = given.manifest.spec.version
    if not _SEMVER.fullmatch(version):
        yield f"the version {version!r} is no semantic version with a leading v, such as v1.2.3"


def _short_description(given: Submission) -> Iterator[str]:
    if not given.manifest.spec.short_description.strip():
        yield "shortDescription is missing"


def _short_description_is_one_line(given: Submission) -> Iterator[str]:
    if re.search(r"[\r\n]", given.manifest.spec.short_description):
        yield "shortDescription has more than one line"


def _short_description_is_short(given: Submission) -> Iterator[str]:
    length = len(given.manifest.spec.short_description)
    if length > LONGEST_SHORT_DESCRIPTION:
        yield f"shortDescription has {length} characters; {LONGEST_SHORT_DESCRIPTION} are shown"


def _description(given: Submission) -> Iterator[str]:
    if not given.manifest.spec.description.strip():
        yield "description is missing"


def _no_usage(given: Submission) -> Iterator[str]:
    found = _USAGE.search(given.manifest.spec.description)
    if found:
        yield f"description has usage, which belongs into --help: {found[0].strip()!r}"


def _caveats(given: Submission) -> Iterator[str]:
    if not given.manifest.spec.caveats.strip():
        yield "caveats is missing, and the plugin needs something: rights, or a system new enough"


def _homepage(given: Submission) -> Iterator[str]:
    if not given.manifest.spec.homepage.startswith("https://"):
        yield "homepage is missing, or does not begin with https://: the source must be open to read"


def _platforms(given: Submission) -> Iterator[str]:
    if not given.manifest.spec.platforms:
        yield "there is no platform"


def _uri(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        if not spec.uri.startswith("https://") or not spec.uri.endswith((".tar.gz", ".zip")):
            yield f"platforms[{index}].uri is {spec.uri!r}: no https address of a .tar.gz or .zip"


def _uri_of_version(given: Submission) -> Iterator[str]:
    version = given.manifest.spec.version
    for index, spec in enumerate(given.manifest.spec.platforms):
        if f"/{version}/" not in spec.uri:
            yield f"platforms[{index}].uri {spec.uri!r} is of another release than the version {version}"


def _sha256(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        if not _SHA256.fullmatch(spec.sha256):
            yield f"platforms[{index}].sha256 is {spec.sha256!r}: not 64 digits and lowercase letters a to f"


def _bin(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        if not spec.bin:
            yield f"platforms[{index}].bin is missing"


def _bin_for_windows(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        selected = {each.os for each in KREW_SUPPORTS if spec.selector and spec.selector.matches(each)}
        if "windows" in selected and spec.bin and not spec.bin.endswith(".exe"):
            yield f"platforms[{index}].bin is {spec.bin!r}: on Windows only .exe is a program"


def _files(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        if spec.files is not None and not (spec.files and all(each.source and each.to for each in spec.files)):
            yield f"platforms[{index}].files is empty, or an item has no from or no to"


def _files_to_is_clean(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        for each in spec.files or ():
            if each.to and (each.to != posixpath.normpath(each.to) or each.to.startswith(("/", ".."))):
                yield f"platforms[{index}].files has to: {each.to!r}, which is no clean path in the plugin's folder"


def _selector(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        if spec.selector is None or not spec.selector.keys:
            yield f"platforms[{index}].selector is missing or empty"


def _selector_keys(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        strange = sorted((spec.selector.keys if spec.selector else frozenset()) - {"os", "arch"})
        if strange:
            yield f"platforms[{index}].selector asks for {', '.join(strange)}; there are only os and arch"


def _selector_is_supported(given: Submission) -> Iterator[str]:
    for index, spec in enumerate(given.manifest.spec.platforms):
        keys = spec.selector.keys if spec.selector else frozenset()
        if spec.selector and keys and keys <= {"os", "arch"} and not any(map(spec.selector.matches, KREW_SUPPORTS)):
            yield f"platforms[{index}].selector matches no system that krew is there for"


def _selectors_do_not_overlap(given: Submission) -> Iterator[str]:
    numbered = [(index, spec.selector) for index, spec in enumerate(given.manifest.spec.platforms) if spec.selector]
    for (one, first), (other, second) in itertools.combinations(numbered, 2):
        both = sorted(each for each in KREW_SUPPORTS if first.matches(each) and second.matches(each))
        if both:
            yield f"platforms[{one}] and [{other}] are both for {both[0].os}/{both[0].arch}"


_VALIDATE = "krew internal/index/validation/validate.go"
_CI = "krew cmd/validate-krew-manifest/main.go"
_REVIEW = "krew-index review"

MANIFEST_RULES = (
    Rule("api-version", _VALIDATE, _api_version),
    Rule("kind", _VALIDATE, _kind),
    Rule("safe-name", _VALIDATE, _safe_name),
    Rule("file-name", _CI, _file_name),
    Rule("kebab-case", "krew naming guide", _kebab_case),
    Rule("no-kube-prefix", "krew naming guide", _no_kube_prefix),
    Rule("version", "krew internal/installation/semver/version.go", _version),
    Rule("short-description", _VALIDATE, _short_description),
    Rule("short-description-is-one-line", _VALIDATE, _short_description_is_one_line),
    Rule("short-description-is-short", _REVIEW, _short_description_is_short),
    Rule("description", "krew plugin manifest guide", _description),
    Rule("description-has-no-usage", "krew plugin manifest guide", _no_usage),
    Rule("caveats", _REVIEW, _caveats),
    Rule("homepage", _REVIEW, _homepage),
    Rule("platforms", _VALIDATE, _platforms),
    Rule("uri", _VALIDATE, _uri),
    Rule("uri-of-version", _REVIEW, _uri_of_version),
    Rule("sha256", _VALIDATE, _sha256),
    Rule("bin", _VALIDATE, _bin),
    Rule("bin-for-windows", "krew plugin manifest guide", _bin_for_windows),
    Rule("files", _VALIDATE, _files),
    Rule("files-to-is-clean", "krew internal/installation/move.go", _files_to_is_clean),
    Rule("selector", _VALIDATE, _selector),
    Rule("selector-keys", _VALIDATE, _selector_keys),
    Rule("selector-is-supported", _CI, _selector_is_supported),
    Rule("selectors-do-not-overlap", _CI, _selectors_do_not_overlap),
)
"""kubernetes-sigs/krew at v0.4.5, which the index' CI uses."""
