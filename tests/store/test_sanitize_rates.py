"""How much the sanitizer misses and how much it spoils, counted on texts that are made here, by shape, the same each time."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

import pytest

from store.sanitize import holds_secret, names_secret, sanitize
from tests.store.test_sanitize import leaked

LIMIT = 10_000
LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
HEX = "0123456789abcdef"
LENGTHS = (20, 24, 28, 32, 36, 40, 48, 56, 64)


def drawn(alphabet: str) -> Callable[[random.Random, int], str]:
    return lambda dice, length: "".join(dice.choices(alphabet, k=length))


def in_base64(dice: random.Random, length: int) -> str:
    return base64.b64encode(dice.randbytes(length * 3 // 4)).decode()


SHAPES: dict[str, Callable[[random.Random, int], str]] = {
    "hex": drawn(HEX),
    "HEX": drawn(HEX.upper()),
    "lower and digits": drawn(LOWER + DIGITS),
    "upper and digits": drawn(UPPER + DIGITS),
    "mixed": drawn(LOWER + UPPER + DIGITS),
    "base64": in_base64,
    "base64 for URLs": lambda dice, length: (
        base64.urlsafe_b64encode(dice.randbytes(length * 3 // 4)).decode().rstrip("=")
    ),
}
PREFIXES = [
    "ghp_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xapp-1-",
    "sk_live_",
    "rk_test_",
    "whsec_",
    "npm_",
    "pypi-AgE",
    "dckr_pat_",
    "hvs.",
    "dop_v1_",
    "sk-proj-",
    "sk-ant-",
    "shpat_",
    "sq0atp-",
    "NRAK-",
    "HRKU-",
    "ATATT3",
    "sntrys_",
    "glsa_",
    "lin_api_",
    "PMAK-",
    "AGE-SECRET-KEY-",
    "AIza",
    "GOCSPX-",
    "ya29.",
    "hf_",
    "SG.",
    "ABC8Q~",
]
LINES = (
    "key={}", "azure_key: {}", '{{"apiKey": "{}", "x": 1}}', "export FOO_TOKEN={}", "curl -u admin:{} https://host/x",
    "curl --user 'admin:{}' https://host/x", "X-Api-Key: {}", "Authorization: Bearer {}", "client-secret: {}", "pwd={};",
    "AccountName=x;AccountKey={};EndpointSuffix=core.windows.net", "SharedAccessKeyName=root;SharedAccessKey={}",
    "se=1700000000&sig={}", "encryption_key = '{}'", "--api-key {}", "-ClientSecret {}", "apikey={}", "my_key: {}",
    "signingKey: {}", "Ocp-Apim-Subscription-Key: {}", "const secret = \"{}\"", "Passwort: {}", "https://me:{}@host/x",
)  # fmt: skip
SENTENCES = ("the server answered {} and closed", "cannot use {}.", "{}", "tried ({}) twice", "found '{}' in the file")


def made(patterns: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Shape, secret and text: each shape in each length and pattern."""
    dice = random.Random(11)
    found = []
    for pattern in patterns:
        for shape, draw in SHAPES.items():
            found += [(shape, secret, pattern.format(secret)) for n in LENGTHS for secret in [draw(dice, n)]]
        for prefix in PREFIXES:
            secret = drawn(LOWER + UPPER + DIGITS)(dice, 32)
            found.append(("prefix", secret, pattern.format(prefix + secret)))
    return found


def slipped(texts: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(shape, text) for shape, secret, text in texts if leaked(secret, sanitize(text, LIMIT))]


def ordinary() -> list[str]:
    """Texts of this field, of which no one holds a secret."""
    dice = random.Random(12)
    hexed = drawn(HEX)

    def guid() -> str:
        return "-".join(hexed(dice, n) for n in (8, 4, 4, 4, 12))

    texts = list(WRITTEN)
    for n in range(12):
        build, kb, g = dice.randint(19041, 26100), dice.randint(5030000, 5050000), guid()
        place = dice.choice(("Berlin", "Wien", "Zuerich", "NewYork", "SaoPaulo"))
        team = dice.choice(("Finance", "HumanResources", "Vertrieb", "FieldService"))
        texts += [
            f"CompliancePolicy-Windows11-Enterprise-{team}-{2020 + n % 6}",
            f"SG-Intune-{place}-{team}-Devices-{n:03}",
            f"DESKTOP-{drawn(UPPER + DIGITS)(dice, 7)}", f"LAPTOP-{place.upper()}-{n:04}",
            f"Windows 11 23H2 10.0.{build}.{dice.randint(100, 5000)}", f"KB{kb} failed with 0x8024{hexed(dice, 4)}",
            f"Request id {g} at 2024-03-{n + 1:02}T10:22:33.123Z", f"Device {g} was not found",
            f"MSI {{{g.upper()}}} ended with 1603", f"image registry.example/opsmon@sha256:{hexed(dice, 64)} was pulled",
            f"digest sha256:{hexed(dice, 64)}", f"commit {hexed(dice, 40)} is running", f"at commit {hexed(dice, 8)}",
            f"thumbprint {hexed(dice, 40).upper()} is not trusted", f"hash: {hexed(dice, 64)}", f"md5={hexed(dice, 32)}",
            f"/var/lib/opsmon/{place}/{team}/report-2024-{n + 1:02}.json",
            rf"C:\Program Files\{team}\Win32App_{n}\Install-{place}.ps1",
            f"https://graph.microsoft.com/beta/deviceManagement/deviceConfigurations/{g}",
            f"{n} 3 * * 1 /usr/bin/opsmon start inventory.sync", f"filter displayName eq '{team} {place}' and id eq '{g}'",
            f"client-request-id: {g}", f"{team}{place}WindowsUpdateRingConfigurationProfileV{n}",
            f"assignment {g}_{guid()} was made", f"S-1-12-1-{build}1234-{kb}99-{build}4321-{kb}11",
        ]  # fmt: skip
    return texts


WRITTEN = (
    "auth: required", "token: expired", "password: must be changed", "key not found", "token: null", "secret: none",
    "key: displayName", "registry key: HKLM\\Software\\Policies\\Microsoft\\Windows", "primary_key: user_id", "sort key=name",
    "Basic authentication is disabled", "bearer authentication failed", "Unexpected token < in JSON at position 0",
    "The client secret of the app is expired", "AADSTS7000222: The provided client secret keys are expired.",
    "InvalidAuthenticationToken: Access token has expired or is not yet valid.", "docker run -u 1000:1000 opsmon",
    "Das Kennwort ist abgelaufen", "Passwort: abgelaufen", "Richtlinie „Gerätesperre“ wurde nicht gefunden",
    "Datenschutzgrundverordnungskonforme-Geräteverwaltung-2024", "La stratégie n'existe pas", "uses: actions/checkout@v4",
    "react@18.2.0 is installed", "deviceManagementConfigurationPolicyAssignment", "isManagedByIntuneForWin10Pro",
    "Microsoft.WindowsStore_8wekyb3d8bbwe", "iPhone15ProMax-iOS17.4.1-Corporate", "opsmon-7d9c6b5f4d-x2x4z was evicted",
    "DeviceConfiguration.ReadWrite.All is missing", "00:1A:2B:3C:4D:5E has no lease", "fe80::1ff:fe23:4567:890a is up",
    "ETag: W/\"1234\"", "trace_id=4bf92f3577b34da6a3ce929d0e0e4736", "Win11-23H2-Autopilot-UserDriven-HybridJoin-v2",
)  # fmt: skip


def test_of_secrets_with_their_line_at_most_one_in_fifty_is_kept() -> None:
    texts = made(LINES)
    kept = slipped(texts)
    assert len(kept) <= len(texts) * 0.02, f"{len(kept)} of {len(texts)}: {kept}"


def test_of_bare_secrets_at_most_one_in_seven_is_kept() -> None:
    texts = made(SENTENCES)
    kept = slipped(texts)
    assert len(kept) <= len(texts) * 0.15, f"{len(kept)} of {len(texts)}: {kept}"


def test_ordinary_texts_stay() -> None:
    texts = ordinary()
    assert len(set(texts)) >= 300
    spoilt = [(text, shown) for text in texts if (shown := sanitize(text, LIMIT)) != " ".join(text.split())]
    assert len(spoilt) <= len(texts) * 0.01, f"{len(spoilt)} of {len(texts)}: {spoilt}"


@pytest.mark.parametrize("text", ["CompliancePolicy-Windows11-Enterprise-Production-2024", "3f" * 20, "auth: required"])
def test_a_name_and_a_hash_are_parameters(text: str) -> None:
    assert not names_secret(text)


def test_a_bare_hash_names_no_secret_but_may_be_one() -> None:
    assert holds_secret("3f" * 20)
    assert sanitize("3f" * 20, LIMIT) == "[secret]"


def test_an_image_keeps_its_digest() -> None:
    text = "registry.example/opsmon@sha256:" + "3f" * 32
    assert sanitize(text, LIMIT) == text
