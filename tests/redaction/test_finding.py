"""What is found in the bytes of a recording, by its name and by its looks, and what is not."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from retrace_core import _fallback_finder, _fallback_texts, native
from retrace_core.codec import encode
from retrace_core.redaction.detectors import DETECTORS, LEAST_DIGITS
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region

NAMES = Names(("mother",), ("api_key_name", "csrf_token"))
PATTERN = {"pattern 1": re.compile(rb"EMP-([0-9]{6})")}
REDACTOR = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), patterns=PATTERN)


def masked(*values: object) -> bytes:
    """Return values as they are written, masked."""
    data = b"".join(map(encode, values))
    redacted = REDACTOR.redact(data, [Region(0, len(data))], ())
    assert len(redacted.data) == len(data)
    return redacted.data


JWT = ".".join(
    base64.urlsafe_b64encode(part).rstrip(b"=").decode()
    for part in (
        b'{"alg":"HS256"}',
        b'{"email":"ada@example.com"}',
        b"signature-of-32-bytes-at-least!!",
    )
)
CURSOR = '{"after": 1795917974688, "nonce": "list-c3474e84-0317-437f-bb16-5b875c8a1c81"}'
_DIGEST = "q8Vh0PpO7lJkGzYc5rT2uXwBnM1sE4aDfI"
HASHES = [
    "{SSHA}" + _DIGEST[:22] + "Kp3/9Q==",
    "{SHA}" + _DIGEST[:27] + "=",
    "$2b$12$" + "R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "$argon2id$v=19$m=65536,t=3,p=4$wagCPXjifgvUFBzq4hqe3w$" + _DIGEST,
    "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$" + _DIGEST,
    "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$" + _DIGEST,
    "$6$rounds=5000$usesomesillystri$" + _DIGEST * 2,
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$" + _DIGEST,
    "pbkdf2_sha256$870000$HkqiX3w1$" + _DIGEST + "=",
    "pbkdf2:sha256:600000$mZbJ4gyq$" + _DIGEST * 2,
    "scrypt:32768:8:1$mZbJ4gyq$" + _DIGEST * 2,
]
FOUND: dict[str, tuple[object, str]] = {
    "json": ('{"password": "s3cret-value"}', "s3cret-value"),
    "json in json": (json.dumps({"a": '{"token": "s3cret-value"}'}), "s3cret-value"),
    "escaped json": (json.dumps({"password": 'a"s3cret\\value'}), "s3cret"),
    "a number in json": ('{"card_number": 4242424242424242}', "4242424242424242"),
    "repr": ("{'passwd': 's3cret-value'}", "s3cret-value"),
    "form": (b"user=ada&password=s3cret-value", "s3cret-value"),
    "percent encoding": (b"password=s3cret%26value&a=b", "s3cret%26value"),
    "query": (b"a=b&api_key=s3cret-value", "s3cret-value"),
    "header list": ([("authorization", "Bearer s3cret-value")], "s3cret-value"),
    "raw header list": ([(b"X-Api-Key", b"s3cret-value")], "s3cret-value"),
    "wsgi environ": ({"HTTP_AUTHORIZATION": "Token s3cret-value"}, "s3cret-value"),
    "another's session in a cache": (
        [b":1:django.contrib.sessions.cached_dbmfwgshlveoezp4x6hfalcov1wpa3zfsg"],
        "mfwgshlveoezp4x6hfalcov1wpa3zfsg",
    ),
    "another's session in Redis": (
        [b"session:rTBzD7cOgQ0xM6h4yVw1Qf9-ZJ2uK_8sLbNnEeXaGtU"],
        "rTBzD7cOgQ0xM6h4yVw1Qf9-ZJ2uK_8sLbNnEeXaGtU",
    ),
    "basic": ([("authorization", "Basic YWRhOnMzY3JldC12YWx1ZQ==")], "YWRhOnMzY3JldC12YWx1ZQ=="),
    "cookie": ([("cookie", "a=b; session=s3cret-value")], "s3cret-value"),
    "set-cookie": ([("set-cookie", "id=s3cret-value; Path=/")], "s3cret-value"),
    "header block": (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: id=s3cret-value; Path=/\r\n\r\n",
        "s3cret-value",
    ),
    "input without quotes": (
        b"<form><input name=csrfmiddlewaretoken type=hidden value=s3cret-value></form>",
        "s3cret-value",
    ),
    "its value first": (b"<input value=s3cret-value type=hidden name=token>", "s3cret-value"),
    "quotes where they are needed": (
        b'<input name=token type=hidden value="s3cret-value=">',
        "s3cret-value",
    ),
    "xml": (b"<User><SecretAccessKey>s3cret-value</SecretAccessKey></User>", "s3cret-value"),
    "xml with a prefix": (
        b'<wsse:Password Type="text">s3cret-value</wsse:Password>',
        "s3cret-value",
    ),
    "xml without escapes": (b"<token><![CDATA[s3cret-value]]></token>", "s3cret-value"),
    "xml in json": (json.dumps({"a": "<token>s3cret-value</token>"}), "s3cret-value"),
    "xml of a word": (b"<Password>lemon</Password>", "lemon"),
    "multipart": (
        b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\ns3cret-value\r\n--b--',
        "s3cret-value",
    ),
    "html": ('<input type="hidden" name="xsrf_token" value="s3cret-value">', "s3cret-value"),
    "html in json": (
        json.dumps({"html": '<input type="hidden" name="csrf" value="s3cret-value">'}),
        "s3cret-value",
    ),
    "html in json in json": (
        json.dumps(json.dumps('<input name="xsrf_token" value="s3cret-value">')),
        "s3cret-value",
    ),
    "html, value first": (
        "<input value='s3cret-value' name='token' type='hidden'>",
        "s3cret-value",
    ),
    "meta": ('<meta name="xsrf-token" content="s3cret-value" />', "s3cret-value"),
    "meta, content first": ('<meta content="s3cret-value" name="xsrf-token" />', "s3cret-value"),
    "latin-1": (b"user=ada&pw=p\xe4ssw\xf6rd", "ssw"),
    "text among bytes": (b"\x00\x81\x0cpassword=s3cret-value\x00\xfe\x02", "s3cret-value"),
    "a session of a cache": ("app:session:s3cretvalue", "s3cretvalue"),
    "a word for a key": ({"api_key": "sk-local", "as": "api_keysk-localmodel"}, "sk-local"),
    "insert": (
        ("INSERT INTO t (a, password) VALUES (?, ?)", ["x", "s3cret-value"]),
        "s3cret-value",
    ),
    "several rows": (
        ("INSERT INTO t (a, password) VALUES (?, ?)", [("x", "one-s3cret"), ("y", "two-s3cret")]),
        "two-s3cret",
    ),
    "where": (
        ("SELECT * FROM t WHERE a = %s AND t.token = %s", ("x", "s3cret-value")),
        "s3cret-value",
    ),
    "numbered": (('UPDATE t SET "token" = $2 WHERE id = $1', [7, "s3cret-value"]), "s3cret-value"),
    "named": (("UPDATE t SET a = :pw", {"password": "s3cret-value"}), "s3cret-value"),
    "first of two": (
        [("SELECT 1 FROM t WHERE password = ? AND a = ?", ["secret-of-ann", "ann"])],
        "secret-of-ann",
    ),
    "no call": ("password=P(ss)&a=b", "P(ss"),
    "a file of passwords": (("password=secret&a=b", "ann:secret\nbob:hidden\n"), "ann:secret"),
    **{
        f"a hash, {hashed[:9]}": ({"seen": f"cn: ann; as {hashed} there"}, hashed[-16:])
        for hashed in HASHES
    },
    "whose it is": ({"smtp_pass": "s3cret-value"}, "s3cret-value"),
    "below its name": ("Your password:\n\ns3cret-value\n", "s3cret-value"),
    "yaml": ("auth:\n  api_key: s3cret-value\n", "s3cret-value"),
    "settings": ("[admin]\nenabled = true\npassword = secret\nport = 1\n", "= secret"),
    "indented settings": ("admin:\n  password: secret", ": secret"),
    "an indented passphrase": ("admin:\n  password: correct horse battery", "horse battery"),
    "an indented header": ("as in\n  Authorization: Token s3cret-value\n", "s3cret-value"),
    "a bcrypt hash": (
        {"password": "$2b$12$6NikckduaU2Twnf0NDgAUeYzZyXxWwVvUuTtSsRrQqPpOoNnMmLlK"},
        "YzZyXxWwVvUuTtSsRrQqPpOoNnMmLlK",
    ),
    "url": ("postgresql://ada:s3cret-value@db/shop", "s3cret-value"),
    "log line": ("login failed: password=s3cret-value user=ada", "s3cret-value"),
    "a name of the user's": ({"mother": "s3cret-value"}, "s3cret-value"),
    "a pattern of the user's": ("employee EMP-123456", "123456"),
    "card": ("paid by 4242-4242-4242-4242.", "4242-4242-4242-4242"),
    "aws": ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    "github": ("ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
    "private key": (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\n-----END RSA",
        "MIIEpAIBAAKCAQEA75",
    ),
    "private key in json": (
        json.dumps("-----BEGIN EC PRIVATE KEY-----\nMIIEp+IBAAKCAQEA75\n-----END EC"),
        "MIIEp+IBAAKCAQEA75",
    ),
    "e-mail": ("to ada.lovelace@example.com,", "ada.lovelace@example.com"),
    "a key that keeps keys": (
        "[plugin]\nkek = dGhpcnR5dHdvYnl0ZWtleQ==\n",
        "dGhpcnR5dHdvYnl0ZWtleQ==",
    ),
    "a key of Fernet's": ({"fernet_key": "q8Vh0PpO7lJkGzYc5rT2"}, "q8Vh0PpO7lJkGzYc5rT2"),
    "a name of one word": ({"userpassword": "horse-battery"}, "horse-battery"),
    "a short one": ({"dbpass": "horse-battery"}, "horse-battery"),
    "Pyramid's token against forgery": ('[1.5, 1.5, {"_csrft_": "q8Vh0PpO7l"}]', "q8Vh0PpO7l"),
    "jwt": (f"got {JWT}", JWT.rpartition(".")[2]),
    "a cursor": (
        b"_token=" + quote(base64.b64encode(CURSOR.encode())).encode(),
        base64.b64encode(CURSOR.encode()).decode()[-30:-4],
    ),
    "inside a jwt": (f"got {JWT}", JWT.split(".")[1]),
}


@pytest.mark.parametrize("name", FOUND)
def test_is_masked(name: str) -> None:
    """Each of these is a secret."""
    value, secret = FOUND[name]
    assert secret.encode() in encode(value)
    assert secret.encode() not in masked(value)


LEFT: dict[str, object] = {
    "a key of a cache": "{model_per_key:proxy_master_key:small}:tokens",
    "a name for a value": "{api_key:proxy_master_key}:tokens",
    "what a field is": ":fieldname:token:is_required: False:type_key: String",
    "an entry point": "run = shop.cli.token:command",
    "nothing on its line": json.dumps("Load credentials:\n```python\nload()"),
    "a packed body": b"\x1f\x8b\x08\xdePW=\xe8=i\xd1\xa9\xd3\xed\xf2\x08\x91S=$\x9eS\xcf\x12",
    "a count of tokens": {"max_tokens": 4096, "completion_tokens": 120, "audio_tokens": 17},
    "the time for a token": {"time_to_first_token": 0.0115966, "seconds_per_token": 0.0213},
    "the next page": {"next_page_token": "Zm9vYmFy0123"},
    "a name that is kept": "csrf_token=abcdef0123456789",
    "a placeholder": "password=:password&token=%s",
    "null": '{"password": null, "token": "null"}',
    "a digits' run": "number 1234567890123456",
    "a picture": "/static/logo@2x.png",
    "columns": (["password", "email"], 1, None),
    "a preference": [("cookie", "theme=dark; lang=en")],
    "a cookie of numbers": [("cookie", 'seen="[12\\054 7\\054 3081]"; open=%5B1%2C2%2C3%5D')],
    "a short cookie": [("cookie", 'at="1\\0542\\0543"')],
    "a statement": "SELECT password, token FROM users",
    "a call in a template": "{{ url_for('feed', token=g.project.generate_token('feed')) }}",
    "a call of a template": "{% with secret = Secret.get(request) %}",
    "an input of a template": '<input name="csrftoken" value="{{ csrftoken }}" />',
    "an input without a value": '<input name="password" size={{ n }} />\r\n\r\n<p>Say more</p>\r\n',
    "a text of a template": '{% trans "Choose a new password:" %}\n{% url to %}{% endblock %}\n',
    "a paragraph of a template": '<p>{% trans "Password:" %}</p><a href="{{ to }}">{% x %}</a>',
    "a keyword of a program": "url_for('auth', passwd='passwd')",
    "an argument of a program": "connect(\n    credentials=credentials,\n)",
    "a call of a program": "user = Class(db,\n    password=Password(),\n    token=make('a'))",
    "a style sheet": 'input[type="text"]:focus,\ninput[type="password"]:focus,\na:hover { a: b }',
    "a comment of a template": "<!-- password: type; no initial value -->",
    "a call with what has a name": "auth = Auth(session, db)\nkey = Key(kind='a', size=3)",
    "settings that ask": 'SECRET_KEY = os.environ.get("SECRET_KEY") or token_hex()\n'
    "A_TOKEN = settings['token']\nsession_key = os.urandom(24)\n",
    "a script of a page": "<script>const apiKey = (document.querySelector('#key'));</script>",
    "one of two types": """<q-input :type="isPwd ? 'password' : 'text'" label="Name">""",
    "one of two types in JSON": json.dumps("""<i :type="hide ? 'password':'text'">"""),
    "a model of a page": '<k v-model:password="typed" :api-key="wallet.id" @token="taken">',
    "a value of something else": '{"fields": ["token", "email"], "next": "/shop?value=lemons"}',
    "a value that is bound": '<i name="password" :value="shown" @update:model-value="change"/>',
    "a flag in a script": '<b @click="user.showPassword = !user.showPassword">',
    "markup that shows one": """{"X-Api-Key": "<i\n v-text="hidden ? '***' : key"></i>"}""",
    "a table of a program": "__tokens = {59: ('template/title', 4, 24)}\npin = [12, 13]\n",
    "the name of a thing of AWS": '{"ARN": "arn:aws:sm:eu-west-1:123456789012:secret:db-gZzwOX"}',
    "a request that may come twice": {"ClientRequestToken": "5f19a2cd-3e0a", "a": "b"},
    "a type of a program": "def sign(self, token: str, secret: bytes) -> bool: ...",
    "a switch in settings": "[web]\nenforce_csrf_token = yes\nsigned_cookie = off\n",
    "another pass": {"boarding_pass": "gate-b12", "first_pass": "lexer"},
    "a price": "from $1$ to $5$ a piece, $2a$ and {SHA} or scrypt: what it is",
    "a mapping of YAML": "auth:\n  methods: [basic]\nsession:\n    - name: shop\n",
    "who has logged in": ('{"auth": "ann"}', {"session": "Miranda"}),
    "an author": {"author": "ada", "keyboard": "qwerty", "shipping": "express"},
}


@pytest.mark.parametrize("name", LEFT)
def test_is_left(name: str) -> None:
    """None of these is one."""
    assert masked(LEFT[name]) == encode(LEFT[name])


def test_a_secret_ends_where_the_next_tag_begins() -> None:
    """On a page a line has more than the value; what is masked is written alike elsewhere."""
    page = "<p>\nToken: u_oOATEJfigsuNoWQinMIIAg      <b>of ann</b></p>\n"
    out = masked(page, {"api_token": "u_oOATEJfigsuNoWQinMIIAg"}).decode("latin-1")
    assert "      <b>of ann</b></p>" in out
    assert out.count(out.partition("Token: ")[2].partition(" ")[0]) == 2


def test_is_masked_wherever_it_stands() -> None:
    """In other events, as its digest, as the bytes that it was drawn from."""
    token = "0123456789abcdef0123456789abcdef"
    out = masked({"token": token}, bytes.fromhex(token), f"hello {token}!", token.upper())
    assert token.encode() not in out.lower()
    assert bytes.fromhex(token) not in out


def test_a_plus_may_be_a_blank_or_a_plus() -> None:
    """In a form it is the one, in base64 the other."""
    token = "ab+cdefgh0123456789+w=="
    out = masked(f"token={token}", token, hashlib.sha256(token.encode()).digest())
    assert token.encode() not in out
    assert hashlib.sha256(token.encode()).digest() not in out
    assert token.replace("+", " ").encode() not in masked(f"token={token}", token.replace("+", " "))


def test_an_ordinary_word_is_masked_where_it_is_a_value() -> None:
    """Neither the field of the same name is, nor a part of another word."""
    out = masked({"password": "customer"}, "customer", "the customers", '{"customer": "customer"}')
    assert out.count(b"customer") == 2
    assert b"the customers" in out
    assert b'{"customer": "' in out


def test_an_ordinary_word_among_words_is_left() -> None:
    """Of an account `shop` with the password `shop`, the program is `shop` still."""
    told = "import shop\nfrom shop import price\n# The mails of your shop instance.\nuser = shop\n"
    out = masked({"password": "shop"}, told, "the password shop was right", "ann shop")
    assert b"import shop\nfrom shop import" in out
    assert b"of your shop instance.\nuser = shop" not in out
    assert b"of your shop instance.\nuser = " in out
    assert out.count(b"shop") == 3


@pytest.mark.parametrize(
    "manual",
    [
        "Args:\n    user: Who asks.\n    api_key: Datadog API key, see the manual\n",
        json.dumps({"description": "Args:\n    api_key: Datadog API key, see the manual\n"}),
    ],
    ids=["text", "json"],
)
def test_a_word_of_a_manual_is_no_secret(manual: str) -> None:
    """The line is one, as a passphrase would be: its first word elsewhere says nothing."""
    out = masked(manual, {"title": "Datadog"}, "sent to Datadog")
    assert b"Datadog API key" not in out
    assert out.count(b"Datadog") == 2


def test_no_part_of_a_file_name_is_a_password() -> None:
    """The replay looks for the file."""
    redactor = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), folders=frozenset({b"/srv"}))
    data = encode(["secret_key = corpus\n", "/srv/corpus/app", "/other/corpus/app"])
    out = redactor.redact(data, [Region(0, len(data))], ()).data
    assert b"/srv/corpus/app" in out
    assert out.count(b"corpus") == 1


def test_a_cursor_can_be_read() -> None:
    """JSON in base64 stays JSON; the nonce in it is masked wherever it stands."""
    cursor = base64.b64encode(CURSOR.encode()).decode()
    out = masked({"token": cursor}, json.loads(CURSOR)["nonce"])
    assert b"c3474e84" not in out
    found = re.search(rb"eyJ[A-Za-z0-9+/]+=*", out)
    assert found is not None
    read = json.loads(base64.b64decode(found[0]))
    assert read["after"] == 1795917974688
    assert read["nonce"].encode() in out[found.end() :]


@pytest.mark.parametrize("size", (27, 43))
def test_of_a_signed_number_the_signature_is_masked(size: int) -> None:
    """As Django's `Signer` writes it: code looks a basket up by its number."""
    signature = ("aB3_-9zQ" * 6)[:size]
    assert b"basket=4711:" in masked([("cookie", f"basket=4711:{signature}")])
    assert signature.encode() not in masked([("cookie", f"basket=4711:{signature}")])


@pytest.mark.parametrize(
    ("name", "joint"), [("3c10b183-52ee-4921-804f-3eaec4289694", "!"), ("q8Zt" * 8, ".")]
)
def test_an_id_that_is_signed_is_masked_by_itself(name: str, joint: str) -> None:
    """By the id, without its signature, a session is looked up: in a file, or in Redis."""
    signature = base64.b64encode(bytes(range(32))).decode()
    cookie = f"{name}{joint}{signature}"
    out = masked([("cookie", f"pga4_session={cookie}")], f"/sessions/{name}", signature, name)
    assert name.encode() not in out
    assert signature.encode() not in out
    found = re.search(rb"pga4_session=([0-9A-Za-z-]+).([A-Za-z0-9+/=]+)", out)
    assert found is not None
    assert b"/sessions/" + found[1] in out
    assert out.count(found[1]) == 3
    assert out.count(found[2]) == 2


@pytest.mark.parametrize("name", ["a", "ab", "abc", "~~~?"])
def test_what_a_session_says_is_left(name: str) -> None:
    """Starlette's sessions are in base64 with its padding, signed by itsdangerous."""
    says = base64.b64encode(json.dumps({"id": name, "token": "s3cret-value"}).encode())
    cookie = TimestampSigner("key").sign(says).decode()
    out = masked([("cookie", f"session={cookie}")])
    assert cookie.rpartition(".")[2].encode() not in out
    found = re.search(rb"session=([A-Za-z0-9+/]+=*)\.", out)
    assert found is not None
    read = json.loads(base64.b64decode(found[1]))
    assert read["id"] == name
    assert read["token"] != "s3cret-value"


def test_what_is_signed_may_be_the_secret() -> None:
    """As a session's id is, which is long."""
    out = masked([("cookie", "connect.sid=s3cret-id-of-session." + "aB3_-9zQ" * 5 + "abc")])
    assert b"s3cret-id" not in out


def test_what_is_left_of_a_shortened_address_is_masked_alike() -> None:
    """Trac shows the domain of an address to nobody."""
    out = masked("ada.lovelace@example.com", "by ada.lovelace@…", "canada.lovelace")
    assert b"by ada.lovelace@" not in out
    assert b"canada.lovelace" in out
    found = re.search(rb"([a-z.]+)@example", out)
    assert found is not None
    assert b"by " + found[1] + "@…".encode() in out


def test_of_a_password_hash_the_digest_is_masked() -> None:
    """Code takes the rest apart: how it was made, and its salt."""
    digest = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
    out = masked({"password": f"pbkdf2_sha256$600000$salt${digest}"}, base64.b64decode(digest))
    assert b"pbkdf2_sha256$600000$salt$" in out
    assert digest.encode() not in out
    assert base64.b64decode(digest) not in out


def test_a_number_is_masked_as_a_number() -> None:
    """A card that came as JSON's number goes into the database as an integer."""
    out = masked('{"card_number": 5555555555554444}', 5555555555554444)
    assert encode(5555555555554444) not in out


def test_the_bytes_of_no_text_are_left() -> None:
    """What only looks like a secret across the borders of values is none."""
    values = ({"password": "abcdefgh0"}, ["abcdefgh", 0x30])
    assert masked(*values).endswith(encode(values[1]))


@given(st.binary(max_size=80))
def test_no_bytes_break_it(data: bytes) -> None:
    """Anything is masked, or refused with a ValueError: the writer drops it then."""
    try:
        out = REDACTOR.redact(data, [Region(0, len(data))], ()).data
    except ValueError:
        return
    assert len(out) == len(data)


PIECES = st.sampled_from(
    ["password=", '"token": "', "4242424242424242", "Basic ", "@example.com", "'", '"', "%40", "\\"]
)


@given(st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever a client sends, the masked value can be decoded and is as long."""
    data = encode({"body": text})
    assert len(REDACTOR.redact(data, [Region(0, len(data))], ()).data) == len(data)


@given(st.binary(max_size=60), st.lists(st.binary(min_size=2, max_size=3), max_size=5))
def test_both_implementations_find_the_same(data: bytes, texts: list[bytes]) -> None:
    """The C part and the fallback agree."""
    wanted = tuple(dict.fromkeys(text.lower() for text in texts))
    assert sorted(native.find_all(data, wanted, True, 3)) == _fallback_texts.find_all(
        data, wanted, True, 3
    )


@given(
    st.binary(max_size=300) | st.text("aAbB -12\0\u00c4", max_size=300).map(str.encode),
    st.lists(st.binary(min_size=2, max_size=6), max_size=200)
    | st.lists(st.text("aAbB- ", min_size=2, max_size=7).map(str.encode), max_size=200),
)
def test_many_texts_are_found_as_each_by_itself(data: bytes, texts: list[bytes]) -> None:
    """More texts than there are groups of them, some of them alike, and runs at any place."""
    wanted = tuple(dict.fromkeys(text.lower() for text in texts))
    for fold in (True, False):
        found = native.Finder(wanted, fold, 3).find(data)
        assert sorted(found) == _fallback_texts.find_all(data, wanted, fold, 3)
        assert found == native.find_all(data, wanted, fold, 3)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.binary(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)


@given(st.lists(VALUES, max_size=4))
def test_both_implementations_walk_alike(values: list[object]) -> None:
    """The C part and the fallback see the same texts, in the same roles."""
    data = b"".join(map(encode, values))
    places = list(range(len(data)))
    texts = native.texts_at(data, 0, len(data), places)
    assert texts == _fallback_texts.texts_at(data, 0, len(data), places)
    whole = native.texts_at(data, 0, len(data), None)
    assert whole == _fallback_texts.texts_at(data, 0, len(data), None)
    assert {text for text in whole if text[1] > text[0]} == {*texts} - {None}


@given(st.lists(VALUES, max_size=4), st.binary(max_size=3), st.lists(st.integers(0, 99)))
def test_both_implementations_find_the_same_in_texts(
    values: list[object], between: bytes, cuts: list[int]
) -> None:
    """Text by text, with what is between the regions passed over."""
    regions, data = [], b""
    for value in values:
        encoded = encode([value, "a pin 4111 and 12-34"])
        regions.append((len(data), len(data) + len(encoded)))
        data += encoded + between
    wanted = (b"pin", b" a", *{data.lower()[cut : cut + 2] for cut in cuts if cut + 2 < len(data)})
    wanted = tuple(dict.fromkeys(wanted))
    found = native.Finder(wanted, True, 4).in_texts(data, regions)
    other = _fallback_finder.Finder(wanted, True, 4).in_texts(data, regions)
    assert [(*one[:4], sorted(one[4])) for one in found] == [
        (*one[:4], sorted(one[4])) for one in other
    ]
    assert not values or found


@given(st.lists(VALUES, max_size=4), st.binary(max_size=20), st.integers(0, 50))
def test_both_implementations_find_the_same_events(
    values: list[object], added: bytes, cut: int
) -> None:
    """Those of a lane; and both refuse what is none."""
    events = [
        [3, "http.bytes", 0, ["read", value], value, 5, 6] if number % 2 else [1, 2, value]
        for number, value in enumerate(values, 1)
    ]
    whole = b"".join(map(encode, events))
    found = native.hard_events(whole, 0, len(whole))
    assert found == _fallback_finder.hard_events(whole, 0, len(whole))
    for (kind, key, value, end), was in zip(found, values[::2], strict=True):
        assert kind == "http.bytes"
        assert whole[key:value] == encode(["read", was])
        assert whole[value:end] == encode(was)
    for data in (whole[:cut], whole[:cut] + added + whole[cut:], added):
        said = []
        for implementation in (native, _fallback_finder):
            try:
                said.append(implementation.hard_events(data, 0, len(data)))
            except ValueError:
                said.append([])
        assert said[0] == said[1]


@pytest.mark.parametrize("length", [16, 48, 57, 65, 97, 122, 300])
@pytest.mark.parametrize(
    "secret", ["4242424242424242", "sk-0123456789abcdefABCDEF", "ada.lovelace@example.com", JWT]
)
def test_a_text_begins_with_its_first_byte(secret: str, length: int) -> None:
    """The bytes before it, which say how long it is, may look like letters and digits."""
    assert secret.encode() not in masked(secret + " " * (length - len(secret)))


@pytest.mark.parametrize("length", [9, 10, 50, 70, 100])
def test_a_pattern_of_the_users_sees_texts_by_themselves(length: int) -> None:
    """Where a text begins, a word does."""
    pattern = {"pattern 1": re.compile(rb"\bEMP[0-9]{6}")}
    redactor = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), patterns=pattern)
    data = encode("EMP123456".ljust(length))
    assert b"EMP123456" not in redactor.redact(data, [Region(0, len(data))], ()).data


@pytest.mark.parametrize("trace", ["d4", "00-ab"])
def test_digits_within_an_id_are_no_card(trace: str) -> None:
    """A trace id has a number of a card in it now and then."""
    number = "a4242424242424242b"
    assert number.encode() in masked(f"{trace[:-2]}{number.rjust(32, 'c')} ")
    assert number.encode() not in masked(f" {number} ")


def test_a_chunk_that_begins_within_a_number_is_no_card() -> None:
    """Of a body in several chunks the whole is looked into: the same secrets are found."""
    number, secret = b"0.92264" + b"4242424242424242", b"s3cret-value"
    body = number + b" " + number + b" password=" + secret + b" "
    for cut in range(1, len(body)):
        chunks = [body[:cut], body[cut:]]
        data = encode(chunks)
        spans = [(begin := data.index(one), begin + len(one)) for one in chunks]
        out = REDACTOR.redact(data, [Region(0, len(data))], [spans]).data
        whole = b"".join(out[begin:end] for begin, end in spans)
        assert whole.startswith(number + b" " + number + b" password=")
        assert secret not in whole


FRAGMENTS = [
    *("4242424242424242", "5555 5555 5555 4444", "12 4111-1111-1111-1111", "378282246310005"),
    *(JWT, "eyJ", "sk-", "sk-0123456789abcdefABCDEF", "AKIAIOSFODNN7EXAMPLE", "task-1", "ghp_"),
    "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END",
    "AccountKey=" + "k" * 44,
    *HASHES,
    *("$2b$12$", "{SSHA}", "$5$a$b"),
    *(
        "ada@example.com",
        "ada%40example.co.uk",
        "@",
        "@x",
        "logo@2x.png",
        "a" * 70,
        "https://u:pw@h",
    ),
    *("://", "a:b@c", "é", "0", "9", "-", ".", " ", "_", "%40", "\n"),
]


@given(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join), st.sampled_from([*DETECTORS])
)
def test_looking_near_the_marks_finds_what_looking_everywhere_finds(text: str, name: str) -> None:
    detector, data = DETECTORS[name], text.encode()
    hits = native.find_all(data, detector.marks, True, 0 if detector.marks else LEAST_DIGITS)
    everywhere = dataclasses.replace(detector, window=lambda text, _: (0, len(text)), after=None)
    found = [*detector.find(data, [place for place, _ in hits])]
    assert found == [*everywhere.find(data, [0])]
