"""How much the sanitizer misses and how much it spoils, counted on texts that are made here, by shape, the same each time."""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Callable

import pytest

from store.sanitizer.sanitize import holds_secret, names_secret, sanitize
from store.sanitizer.secrets import _PREFIXES, _SERVICES
from tests.store.sanitizer.test_sanitize import leaked

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

    texts = [*WRITTEN, *MISTAKEN, *FURTHER]
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

#: Each was once taken for a secret.
MISTAKEN = (
    "key: Windows11-23H2-Enterprise", "sort_key: Win10x64v2Build19045", "license key: displayName",
    "password: 90 days left", "secret: 3 versions", "pass: 12 fail: 3", "authorization: pending",
    "docker run -u DOMAIN:8080 opsmon", "correlation id 3f2504e04f8911d39a0c0305e82c3301",
    "request-id: 3f2504e04f8911d39a0c0305e82c3301", "serial 5CG3241XYZQ7K2M91TBA", "serialNumber: 5CG3241XYZQ7K2M91TBA",
    "password: the user must change it", "pass=12 fail=3", "secrets=3",
)  # fmt: skip
#: What stands behind the names of secrets and keys in this field, and after -u, serial and id.
FURTHER = (
    "key: Win32LobApp-7Zip-24.08-x64", "Registry key: SOFTWARE\\Microsoft\\Enrollments\\Context",
    "setting key: device_vendor_msft_policy_config_defender_allowrealtimemonitoring",
    "groupKey: SG-Intune-Berlin-Win11-23H2-Ring2", "key: iOS17DeviceRestrictionsV3",
    "cache key: policies:2024-06-01:page3", "key=LAPTOP-9F3K2M7Q",
    "the key 'Windows10EndpointProtectionConfiguration' is unknown", "key: macOS14FileVaultBaseline2",
    "lookup_key: Galaxy-S23-Ultra-5G-EU", "product key: Windows 11 Enterprise", "recovery key: not escrowed yet",
    "application key: com.contoso.fieldservice", "host key: ecdsa-sha2-nistp256", "license key: ENTERPRISEPACK",
    "access key: list of 4 entries", "device code: 12 min left", "token: 59 minutes left", "tokens: 1432 used",
    "pass: 118", "pass 3 of 5", "passes: 2, fails: 0", "password: 14 characters minimum", "password: minimum length 8",
    "secret: 2 of 3 expire soon", "client secret: expires 2025-03-01", "secret: ends on 2025-03-01",
    "token: Tuesday, 12:00", "auth: certificate", "auth: interactive browser", "authorization: none",
    "authorization: denied by policy", "authentication: pending", "credentials: found", "credential: not configured",
    "cookies: 3", "signature: valid until 2026", "sig: ok", "OTP: sent", "session id: 17",
    "assertion: failed at line 12", "AssertionError: expected 3, got 4", "run -u 1000", "sort -u names.txt: 3 lines",
    "ssh -u host:22", "x-ms-correlation-request-id: 3f2504e04f8911d39a0c0305e82c3301",
    "ActivityId=3F2504E04F8911D39A0C0305E82C3301", "tenant 3f2504e04f8911d39a0c0305e82c3301 was not found",
    "request 0f8fad5bd9cb469fa16570867728950e took 4 s", "Serial number 0000-0014-9283-4417-5521-9930-77",
    "serial: VMware-56 4d 8f 3a 2c 11 9e 70-a1 b2 c3 d4 e5 f6 07 18", "IMEI 356938035643809 is a duplicate",
    "ICCID 8949020000012345678 of the SIM", "UDID 00008110-001A2C3E0A88801E enrolled",
    "hardware hash T0FzAQEAHAAAAAoA was uploaded", "Autopilot device ZTDID 5c1b4f2e-6f1d-4a1a-9f7e-2d3c4b5a6978",
    "policy _MSFT_CO_Win10_22H2_Baseline_v2_2024", "filter (device.osVersion -startsWith \"10.0.22631\")",
    "package com.microsoft.CompanyPortal.Mac_5.2402.0", "MSI exit 3010: C:\\Windows\\Temp\\Intune\\7z2408-x64.msi",
    "0x87D1041C: the app was not detected after install",
    "omadm ./Device/Vendor/MSFT/Policy/Config/Update/BranchReadinessLevel", "ETag \"0x8DB5C2F3A1B2C3D\"",
    "W32Time: 2024-06-01T10:22:33.1234567+00:00", "UPN of the user is missing",
    "Conditional access: CA-Win11-23H2-RequireMFA-v4", "Schlüssel: Windows11Vertrieb2024",
    "Kennwort: läuft in 5 Tagen ab", "Passwort: 12 Zeichen nötig", "compliance: passcode: required",
    "requirePassword: true", "passwordExpirationDays: 90", "passwordMinimumLength: 8", "Password: min 8, max 64",
    "password policy: strong", "key: Office365-MonthlyEnterprise-16.0.17328",
    "registryKey: HKLM:\\SOFTWARE\\WOW6432Node\\Citrix", "PartitionKey: 2024W23-Hamburg", "rowKey: 000123-Win11Pilot",
    "key: Surface-Pro9-5G-SQ3", "keys: displayName,id,version", "key: ThinkPadX1CarbonG11",
    "key: Ubuntu22.04LTS-Baseline", "key: Chrome-v124.0.6367.60-x64", "key: Update_Ring_3_Pilot_24H2",
    "the key Win11-24H2-ARM64-Kiosk-v3 exists twice", "key=de-DE_Win10_LTSC2021", "password: 24 remembered",
    "password: 1 upper-case letter needed", "password: the policy requires 12 characters",
    "password: a reset is pending", "password: users must register first", "passcode: simple values are blocked",
    "password: not compliant (devices: 14)", "secret: 30 days", "secret: does not exist in the vault",
    "secret: in 12 days it expires", "client secret: is about to expire", "token: acquired silently",
    "token: refreshed after 401", "token: cached for 3599 s", "access token: audience mismatch",
    "token cache: 4 entries", "authorization: insufficient privileges", "authorization: role missing",
    "auth: device code flow", "auth: app-only", "credential: managed identity", "cookie: cleared",
    "signature: not verified", "signature: mismatch", "otp: disabled", "session id: unknown",
    "product key: embedded in firmware", "license key: none", "recovery key: rotated twice", "api key: not used",
    "account key: rotated 3 days ago", "encryption key: stored in TPM", "docker run -u app:1000 img",
    "podman -u NODE:5432 up", "curl https://my-upload.example:8443/x failed", "rsync -u files:7 done",
    "operation id: 0f8fad5bd9cb469fa16570867728950e", "requestId=0F8FAD5BD9CB469FA16570867728950E",
    "azureADDeviceId 0f8fad5bd9cb469fa16570867728950e", "client-request-id '0f8fad5bd9cb469fa16570867728950e'",
    "activity 0f8fad5bd9cb469fa16570867728950e", "GUID {0f8fad5bd9cb469fa16570867728950e}",
    "serialNumber: PF3Z9K2M-X7Q4T1B8W5", "Serial No. CND1234567HP8K2L9Q3R", "service tag 7H2KQ93DELL4400XPS13",
    "device serial is R58N30ABCDE4F7G2H1JK", "certificate serial number 1a00000c5e9f7d2b3c4a5e6f7a00000000000c",
    "Seriennummer: DMQVGC0NHF9X1234ABCD", "Kennwort: der Benutzer muss es ändern", "Kennwort: wurde geändert",
    "Passwort: mindestens 8 Zeichen", "Token: ungültig",
)  # fmt: skip
#: What reads like a secret behind its name, and is none.
HARD = (
    "key: Teams-24124.2315.2911.3357", "key: Defender-ASR-Rules-Audit-v12", "fileKey: report_2024-06-01T10-22",
    "hotkey: Ctrl+Shift+F12", "key not valid for use in specified state", "The keys of ring 3 are 14 days old",
    "password: complexity 3 of 4", "password: history 24", "password: your admin sets it",
    "Password: set by Windows Hello", "password: none required for kiosk", "password reset: 3 pending", "pass: 0",
    "pass: 98 %", "passed: 12, failed: 0", "secret: two versions exist", "secrets: 12 found",
    "client secret: 14 days until it expires", "client secret: see the vault", "secret: „graph“ is absent",
    "token: lifetime 60 min", "token: issued for contoso", "token: wrong audience (graph)",
    "refresh token: gone after 90 days", "authorization: MFA needed", "authorization: Azure RBAC", "auth: federated",
    "auth: v2 endpoint", "credential: expired on 2025-01-01", "cookie: third-party ones are blocked",
    "signature: SHA256 with RSA", "signature: Microsoft Windows Production PCA 2011", "sas: read only",
    "recovery key: 2 on file", "storage key: key1", "license key: Microsoft 365 E5", "product key: from BIOS",
    "subscription key: primary", "access key: AKV reference", "-u LOCALHOST:443",
    "job id 0f8fad5bd9cb469fa16570867728950e", "deployment 0f8fad5bd9cb469fa16570867728950e done",
    "deviceId:0f8fad5bd9cb469fa16570867728950e", "serial#: 8CC1234H7K2M9P4Q6R1T", "S/N 8CC1234H7K2M9P4Q6R1T",
    "device 8CC1234H7K is stale", "app 9wzdncrfj3pz is in the store", "bundle com.microsoft.intunemam.v2",
    "{\"key\": \"Win11-Baseline-23H2\", \"value\": 1}", "sortKey='Windows10LTSC2021'",
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


# ---- each service by itself

#: Letters and digits in which nothing changes often, so that the prefix alone says what it is.
BODY = "ABCDEF" + "1" * 24
#: What a service writes in front of its keys. A prefix and a body make a token here alone, where no scanner of the text sees one.
OF_SERVICES = [
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-",
    "glsoat-", "glagent-", "glimt-", "gloas-", "AKIA", "ASIA", "ABIA", "ACCA", "AIza", "GOCSPX-", "ya29.", "xoxb-",
    "xapp-1", "npm_", "npg_", "pypi-AgE", "dckr_pat_", "dckr_oat_", "hvs.", "hvb.", "hvr.", "doo_v1_", "dop_v1_",
    "dor_v1_", "dapi", "shpat_", "shpca_", "shppa_", "shpss_", "sq0atp-", "EAAA", "NRAK-", "NRII-", "NRJS-", "NRRA-",
    "HRKU-", "ATATT3", "ATCTT3", "ATBB", "sntrys_", "sntryu_", "glsa_", "glc_", "lin_api_", "lin_oauth_", "PMAK-",
    "AGE-SECRET-KEY-", "whsec_", "rubygems_", "figd_", "sbp_", "pul-", "CCIPAT_", "dp.pt.", "dp.st.", "dp.ct.",
    "dp.scim.", "dp.audit.", "LTAI", "hf_", "gsk_", "xai-", "pplx-", "ops_ey", "oy2",
]  # fmt: skip
BODIES = {"dapi": "abc" + "1" * 29, "oy2": "abc" + "1" * 40}
#: One for each rule of a shape that is not a prefix alone, in its order.
SHAPED = [
    "abc8Q" + "~secretsecretsecret", "ghp" + "_aaaaaaaaaa", "hvs" + ".aaaaaaaaaa", "sk" + "-aaaaaaaaaa", "SK" + "a" * 32,
    "aaaaaaaaaaaaaa" + ".atlasv1.aaaaaa", "12345678" + ":AA" + "a" * 32, "M" + "a" * 23 + "." + "b" * 6 + "." + "c" * 27,
    "pat" + "a" * 14 + "." + "b" * 32, "a" * 40 + "AzFu" + "aaaa", "hooks.slack.com" + "/services/T00/B00/xx",
    "contoso.webhook.office.com" + "/webhookb2/xx", "-".join(["123456"] * 8), "-".join(["ABCD1"] * 5),
]  # fmt: skip
MORE_SHAPED = [
    "rk" + "_test_aaaaaaaa", "sk" + "_live_aaaaaaaa", "pk" + "_prod_aaaaaaaa", "AC" + "a" * 32, "SG" + "." + "a" * 20 + ".b",
    "key" + "-" + "a" * 32, "discord.com" + "/api/webhooks/1/xx", "hooks.slack.com" + "/workflows/T00/B00/xx",
    *("a" * 40 + mark + "aaaa" for mark in ("JQQJ9" "9", "+ASt", "AzSe", "AzCa", "ACDb")),
]  # fmt: skip


def alternatives(pattern: str) -> list[str]:
    """The parts of a pattern between the bars that stand in no bracket."""
    parts, depth = [""], 0
    for char in pattern:
        depth += (char in "([") - (char in ")]")
        if char == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


@pytest.mark.parametrize("token", [prefix + BODIES.get(prefix, BODY) for prefix in OF_SERVICES])
def test_a_services_key_is_known_by_its_prefix(token: str) -> None:
    assert names_secret(token)
    assert sanitize(f"cannot use {token} here", LIMIT) == "cannot use [secret] here"


def test_each_prefix_has_a_token_of_its_own() -> None:
    tokens = [prefix + BODIES.get(prefix, BODY) for prefix in OF_SERVICES]
    parts = alternatives(_PREFIXES)
    assert len(parts) > 40
    assert [part for part in parts if not any(re.match(part, token) for token in tokens)] == []


@pytest.mark.parametrize("token", [*SHAPED, *MORE_SHAPED])
def test_a_services_key_is_known_by_its_shape(token: str) -> None:
    assert names_secret(token)
    assert sanitize(f"cannot use {token} here", LIMIT).endswith("[secret] here")


def test_each_shape_has_a_token_of_its_own() -> None:
    assert len(_SERVICES) == len(SHAPED)
    assert [token for (pattern, _), token in zip(_SERVICES, SHAPED, strict=True) if not pattern.search(token)] == []


# ---- names and what stands behind them


@pytest.mark.parametrize("text", MISTAKEN)
def test_what_was_mistaken_for_a_secret_stays(text: str) -> None:
    assert sanitize(text, LIMIT) == text
    assert not names_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "password: the horse battery 9", "password: correct horse battery staple", "pwd: a horse with 9 lives",
        "Passwort: der Hund bellt 9 mal", "password = my dog is brown", "secret: blue horse battery", "password: user likes horses",
        "Kennwort: Mein Hund Rex 7", "pass: swordfish", "passphrase: Tango-Lima echo 9",
    ],
)  # fmt: skip
def test_a_password_of_several_words_goes_whole(text: str) -> None:
    name = re.split(r" ?[:=]", text)[0]
    assert sanitize(text, LIMIT) == f"{name}=[secret]"
    assert sanitize(f"{text} host: db1", LIMIT) == f"{name}=[secret] host: db1"
    assert sanitize(f"{text}, then a retry", LIMIT) == f"{name}=[secret] then a retry"
    assert names_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "api_key: hopenobodyfindsthisone", "service_key: abcd1234efgh", "auth_key: kq83jd72", "password: 123456", "OTP: 482913",
        "token: changeme", "curl -u admin:1234 https://x", "curl -s --user bob:8080 x", "tool -u admin:12ab", "contrasena: hola",
        "session id: a8f3k2", "Authorization: Custom hunterhunter",
    ],
)  # fmt: skip
def test_a_short_secret_after_its_name_goes(text: str) -> None:
    assert "[" in sanitize(text, LIMIT)
    assert names_secret(text)


def test_few_hard_sentences_are_taken_for_secrets() -> None:
    spoilt = [text for text in HARD if sanitize(text, LIMIT) != text]
    assert len(spoilt) <= len(HARD) * 0.25, spoilt


@pytest.mark.parametrize("word", ["sort_key=" + "aB3x" * 5, "key: " + "k9f2" * 6, "MyKey = Win11Xy7Zq2Kp4Rt"])
def test_a_key_of_no_said_kind_is_refused_in_no_parameter(word: str) -> None:
    """It goes from what is stored all the same."""
    assert not names_secret(word)
    assert holds_secret(word)
    assert "[secret]" in sanitize(word, LIMIT)


@pytest.mark.parametrize("hexed", ["3f2504e04f8911d39a0c0305e82c3301ab", "3f2504e04f8911d39a0c0305e82c33"])
def test_behind_id_only_a_guid_stays(hexed: str) -> None:
    assert sanitize(f"request id {hexed}", LIMIT) == "request id [secret]"


def test_mixed_case_is_no_serial_number() -> None:
    assert sanitize("serial 5cG3241XyzQ7k2M91tBA", LIMIT) == "serial [secret]"
