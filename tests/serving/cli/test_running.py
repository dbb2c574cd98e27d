"""Keys, the doctor, and a server in a real process."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from serving.store import check_key, open_store


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_key_is_shown_once_and_can_be_revoked(mallard, home):
    made = mallard("--json", "keys", "create", "backend", "--scope", "recommend", "--scope", "ingest", "--days", "7")
    key = made.document["key"]
    assert made.document["scopes"] == ["recommend", "ingest"]
    listed = mallard("keys", "list").out
    assert made.document["id"] in listed
    assert key not in listed

    def works():
        store = open_store(home)
        try:
            return check_key(store, key, now=int(time.time())) is not None
        finally:
            store.close()

    assert works()
    assert mallard("keys", "revoke", made.document["id"]).code == 0
    assert not works()
    assert mallard("keys", "revoke", "nobody").code == 2


def test_a_key_needs_a_scope_that_exists(mallard):
    assert mallard("keys", "create", "x").code == 2
    assert mallard("keys", "create", "x", "--scope", "everything").code == 2


def test_the_doctor_tells_what_is_still_to_do(mallard, tracked):
    outcome = mallard("--json", "doctor")
    findings = {finding["what"]: finding for finding in outcome.document["findings"]}
    assert outcome.code == 0
    assert outcome.document["healthy"]
    assert findings["packages"]["state"] == "ok"
    assert findings["lake"]["state"] == "to do"
    assert "mallard ingest" in findings["lake"]["remedy"]
    assert findings["champion churn"]["state"] == "to do"


def test_the_doctor_names_what_is_broken(filled, tracked):
    assert filled("keys", "create", "x", "--scope", "risk").code == 0
    tracked.configs.mkdir()
    (tracked.configs / "serving.yaml").write_text("colour: blue\n", encoding="utf-8")
    outcome = filled("doctor")
    assert outcome.code == 1
    assert re.search(r"BROKEN +configuration: .*serving.yaml:1: colour", outcome.out)
    assert re.search(r"ok +lake: ", outcome.out)
    assert re.search(r"ok +API keys: 1", outcome.out)


def test_a_port_that_is_taken_is_an_error_of_the_caller(mallard):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = mallard("serve", "--port", taken.getsockname()[1])
    assert outcome.code == 2
    assert "choose another with --port" in outcome.err


def test_the_server_starts_answers_and_ends(filled, home):
    port = free_port()
    arguments = [sys.executable, "-m", "serving.cli", "serve", "--port", str(port)]
    server = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert wait_for(f"http://127.0.0.1:{port}/healthz", server) == 200
        server.terminate()
        output, _ = server.communicate(timeout=20)
    finally:
        server.kill()
    assert f"http://127.0.0.1:{port}" in output
    assert "Traceback" not in output
    assert server.returncode in {0, -signal.SIGTERM}
    assert home.online.is_dir()


def wait_for(url, server):
    for _ in range(300):
        if server.poll() is not None:
            pytest.fail(f"the server ended: {server.communicate()[0]}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    return pytest.fail("the server did not answer within half a minute")
