"""The parts of a launch, as Python does them: orders come on standard input, one JSON
object a line, and so do the answers. Takes one argument, the JSON file with the task."""

import asyncio
import base64
import contextlib
import json
import secrets
import sys
import time
import urllib.parse
import uuid

import uvloop
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from jinja2.sandbox import SandboxedEnvironment

from store import open_store

with open(sys.argv[1], encoding="utf-8") as file:
    TASK = json.load(file)

CONTEXT = {
    "launch_information": {
        "fname": "Beverley",
        "mname": "Ada",
        "lname": "Spinder",
        "encfacnpiname": "Cardiology",
    },
    "telehealth_integration": {
        "name": "Healthcare Org",
        "telehealth_call_domain": "telehealth.example.org",
        "integration_uuid": "12daaebc-ea75-43c1-a6c7-c044be66a36e",
    },
    "unique_encounter_id": "4711000123",
}
SERVICE_NAME = "Appointment for Beverley Spinder Healthcare Org:4711000123 in Cardiology"
BATCH = 64
FEW = 4


def answer(operations, begun):
    return {"operations": operations, "nanoseconds": time.perf_counter_ns() - begun}


def repeat(milliseconds, batch, operation):
    begun = time.perf_counter_ns()
    end = begun + milliseconds * 1_000_000
    operations = 0
    while time.perf_counter_ns() < end:
        for _ in range(batch):
            operation()
        operations += batch
    return answer(operations, begun)


def expect(found, expected):
    if found != expected:
        raise ValueError(f"{found!r} in the place of {expected!r}")


async def join_link(milliseconds):
    def read():
        fragment = TASK["link"].partition("#")[2].partition("?")[2]
        parameters = dict(urllib.parse.parse_qsl(fragment))
        return [parameters.get(name) for name in ("conference", "pin", "name", "role")]

    expect(read()[2], "Beverley Ada Spinder")
    return repeat(milliseconds, BATCH, read)


async def decrypt(milliseconds):
    key = base64.b64decode(TASK["key"])

    def clear():
        decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
        padded = decryptor.update(base64.b64decode(TASK["ciphertext"])) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()

    expect(clear(), TASK["clear"])
    return repeat(milliseconds, BATCH, clear)


async def render(milliseconds):
    template = SandboxedEnvironment().from_string(TASK["template"])
    expect(template.render(CONTEXT), SERVICE_NAME)
    return repeat(milliseconds, BATCH, lambda: template.render(CONTEXT))


async def parse_and_render(milliseconds):
    environment = SandboxedEnvironment()

    def rendered():
        return environment.from_string(TASK["template"]).render(CONTEXT)

    expect(rendered(), SERVICE_NAME)
    return repeat(milliseconds, FEW, rendered)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def encoded(value):
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def es384(key, data):
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(48) + s.to_bytes(48)


def rs384(key, data):
    return key.sign(data, PKCS1v15(), hashes.SHA384())


def signing(algorithm, sign, pem):
    key = serialization.load_pem_private_key(pem.encode(), None)

    def assertion():
        now = int(time.time())
        header = {"alg": algorithm, "typ": "JWT", "kid": "key"}
        claims = {
            "iss": "client",
            "sub": "client",
            "aud": "https://ehr.example.org/oauth2/token",
            "jti": secrets.token_urlsafe(24),
            "iat": now - 5,
            "exp": now + 240,
        }
        signed = encoded(header) + b"." + encoded(claims)
        return signed + b"." + base64url(sign(key, signed))

    async def measure(milliseconds):
        return repeat(milliseconds, FEW, assertion)

    return measure


def state(stores, database):
    async def measure(milliseconds):
        name = json.dumps(database)
        if name not in stores.opened:
            stores.opened[name] = await stores.stack.enter_async_context(open_store(database))
        store = stores.opened[name]
        verifier, encrypted = secrets.token_urlsafe(32), "7" * 500
        begun = time.perf_counter_ns()
        end = begun + milliseconds * 1_000_000
        operations = 0
        while time.perf_counter_ns() < end:
            for _ in range(FEW):
                state_hash, fingerprint = secrets.token_bytes(32), secrets.token_bytes(32)
                now = time.time_ns() // 1_000_000
                number = str(uuid.uuid4())
                await store.begin(
                    state_hash, number, "patient", fingerprint, verifier, encrypted, now, now + 600_000
                )
                consumed = await store.consume(state_hash, "patient", now)
                expect(consumed[0], number)
            operations += FEW
        return answer(operations, begun)

    return measure


class Stores:
    def __init__(self, stack):
        self.stack = stack
        self.opened = {}


async def main():
    async with contextlib.AsyncExitStack() as stack:
        stores = Stores(stack)
        parts = {
            "join_link": join_link,
            "decrypt": decrypt,
            "render": render,
            "parse_and_render": parse_and_render,
            "es384": signing("ES384", es384, TASK["es384"]),
            "rs384": signing("RS384", rs384, TASK["rs384"]),
            "state_sqlite": state(stores, {"sqlite": TASK["sqlite"]}),
            "state_postgresql": state(stores, {"postgres": TASK["postgresql"]}),
        }
        for line in sys.stdin:
            order = json.loads(line)
            measured = await parts[order["part"]](order["milliseconds"])
            print(json.dumps(measured), flush=True)


uvloop.run(main())
