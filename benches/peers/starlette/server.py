"""A launch as Starlette does it: the contender of `cargo xtask bench load`. Takes one
argument, the JSON file with address, profile and database."""

import base64
import contextlib
import hashlib
import json
import secrets
import sys
import time
import urllib.parse
import uuid

import aiohttp
import uvicorn
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from jinja2.sandbox import SandboxedEnvironment
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from store import open_store

with open(sys.argv[1], encoding="utf-8") as file:
    CONFIG = json.load(file)
PROFILE = CONFIG["profile"]
KEY = base64.b64decode(PROFILE["encryption_key"])
ENVIRONMENT = SandboxedEnvironment()
TEMPLATES = {
    name: ENVIRONMENT.from_string(source) for name, source in PROFILE["templates"].items()
}


class Refused(Exception):
    """The launch does not go on."""


class Ehr:
    """The EHR's metadata and token endpoint."""

    def __init__(self, session):
        self.session = session
        self.metadata = None
        self.until = 0.0

    async def find_metadata(self, iss):
        if time.monotonic() >= self.until:
            async with self.session.get(f"{iss}/.well-known/smart-configuration") as answer:
                if answer.status != 200:
                    raise Refused("metadata")
                self.metadata = await answer.json()
                self.until = time.monotonic() + 300
        return self.metadata

    async def exchange(self, code, verifier, client):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client["redirect_uri"],
            "code_verifier": verifier,
        }
        pair = f"{client['client_id']}:{client['client_secret']}".encode()
        headers = {
            "authorization": "Basic " + base64.b64encode(pair).decode(),
            "accept": "application/json",
        }
        endpoint = self.metadata["token_endpoint"]
        async with self.session.post(endpoint, data=form, headers=headers) as answer:
            tokens = await answer.json()
            if answer.status != 200 or not tokens.get("access_token"):
                raise Refused("token")
            return tokens


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def milliseconds():
    return time.time_ns() // 1_000_000


def decrypt(text):
    decryptor = Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).decryptor()
    padded = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    clear = unpadder.update(padded) + unpadder.finalize()
    return dict(urllib.parse.parse_qsl(clear.decode()))


async def begin(state, role, query):
    iss, launch, data = query.get("iss", ""), query.get("launch"), query.get("data")
    if not launch or not data:
        raise Refused("parameters")
    if not iss.startswith(PROFILE["iss"]):
        raise Refused("iss")
    metadata = await state.ehr.find_metadata(iss)
    verifier, oauth_state = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    now = milliseconds()
    fingerprint = sha256(f"{role} {iss} {launch}")
    request_id = str(uuid.uuid4())
    if not await state.store.begin(
        sha256(oauth_state), request_id, role, fingerprint, verifier, data, now, now + 600_000
    ):
        raise Refused("used")
    client = PROFILE[role]
    authorize = urllib.parse.urlencode(
        {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": client["redirect_uri"],
            "scope": PROFILE["scope"],
            "launch": launch,
            "aud": iss,
            "state": oauth_state,
            "code_challenge": base64url(sha256(verifier)),
            "code_challenge_method": "S256",
        }
    )
    return f"{metadata['authorization_endpoint']}?{authorize}"


async def join(state, role, query):
    code, oauth_state = query.get("code"), query.get("state")
    if not code or not oauth_state:
        raise Refused("parameters")
    launch = await state.store.consume(sha256(oauth_state), role, milliseconds())
    if launch is None:
        raise Refused("state")
    request_id, verifier, encrypted = launch
    await state.ehr.exchange(code, verifier, PROFILE[role])
    information = decrypt(encrypted)
    encounter = information.get("csn")
    if not encounter:
        raise Refused("encounter")
    context = {
        "telehealth_integration": PROFILE["telehealth_integration"],
        "launch_information": information,
        "telehealth_request_id": request_id,
        "unique_encounter_id": encounter,
        "base_telehealth_alias": str(uuid.uuid4()),
    }
    service_name = TEMPLATES["service_name"].render(context)
    alias = TEMPLATES["alias"].render(context)
    name = TEMPLATES[f"{role}_display_name"].render(context)
    new_pin = f"{secrets.randbelow(100_000_000):08}"
    appointment = (encounter, service_name, new_pin)
    pin = await state.store.complete(request_id, appointment, alias, milliseconds())
    if pin is None:
        raise Refused("used")
    context |= {"telehealth_alias": alias, "display_name": name, "pin": pin}
    return TEMPLATES[f"{role}_join_link"].render(context)


def answering(step):
    async def answer(request):
        role = request.path_params["role"]
        try:
            if role not in ("patient", "provider"):
                raise Refused("role")
            if request.path_params["uuid"] != PROFILE["uuid"]:
                raise Refused("profile")
            location = await step(request.app.state, role, request.query_params)
            return RedirectResponse(location, 303)
        except Refused:
            return PlainTextResponse("The launch has failed.", 400)

    return answer


async def healthz(_):
    return PlainTextResponse("ok")


@contextlib.asynccontextmanager
async def lifespan(app):
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=64)
    ) as session, open_store(CONFIG["database"]) as store:
        app.state.ehr = Ehr(session)
        app.state.store = store
        yield


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        if self.started:
            print(f"listening on http://127.0.0.1:{CONFIG['port']}", flush=True)


app = Starlette(
    routes=[
        Route("/api/telehealth/v1/{role}/oauth2smartlaunch/{uuid}", answering(begin)),
        Route("/api/telehealth/v1/{role}/oauth2authorized/{uuid}", answering(join)),
        Route("/healthz", healthz),
    ],
    lifespan=lifespan,
)

if __name__ == "__main__":
    Server(
        uvicorn.Config(
            app,
            port=CONFIG["port"],
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
            # As long as Vestibule's.
            timeout_keep_alive=75,
        )
    ).run()
