"""schemathesis against a running server: sends what the document allows and what it does
not, the same in each run, and says what it finds wrong with the answers."""

import json
import pathlib
import subprocess
import sys
import tempfile

CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)


def run(case, folder, base, arguments, credentials=None):
    report = folder / "report.ndjson"
    report.unlink(missing_ok=True)
    command = [
        pathlib.Path(sys.executable).parent / "schemathesis",
        "run",
        folder / "openapi.json",
        f"--url={base}",
        "--phases=examples,coverage,fuzzing",
        f"--checks={CHECKS}",
        f"--max-examples={case['examples']}",
        "--seed=1",
        "--generation-deterministic",
        "--suppress-health-check=all",
        "--continue-on-failure",
        "--no-shrink",
        "--request-timeout=60",
        "--max-redirects=0",
        "--warnings=off",
        "--no-color",
        "--report=ndjson",
        f"--report-ndjson-path={report}",
        *arguments,
    ]
    if credentials:
        command.append("--auth=" + ":".join(credentials))
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if not report.exists():
        raise RuntimeError(done.stdout)
    operations = set()
    requests = 0
    for line in report.read_text().splitlines():
        for event in json.loads(line).values():
            recorder = event.get("recorder") if isinstance(event, dict) else None
            if recorder:
                operations.add(recorder["label"])
                requests += len(recorder.get("cases", {}))
    failure = [] if done.returncode == 0 else [done.stdout]
    return failure, operations, requests


case = json.load(sys.stdin)
# Zoom's and other profiles are named by a parameter; every other launch by this uuid.
for path, item in case["document"]["paths"].items():
    for operation in item.values():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"] == "uuid":
                parameter["example"] = case["uuid"]

with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    (folder / "openapi.json").write_text(json.dumps(case["document"]))
    failures, operations, requests = [], set(), 0
    admin = "^/api/(admin|openapi)"
    pexip = "^/policy/|event_sink$"
    credentials = case["credentials"]
    for base, arguments, user in [
        (case["browsers"], [f"--exclude-path-regex={admin}|{pexip}"], None),
        (case["browsers"], [f"--include-path-regex={pexip}"], credentials["pexip"]),
        (case["admin"], [f"--include-path-regex={admin}"], credentials["admin"]),
    ]:
        found, seen, sent = run(case, folder, base, arguments, user)
        failures += found
        operations |= seen
        requests += sent
json.dump(
    {"failures": failures, "operations": len(operations), "requests": requests}, sys.stdout
)
