"""What every test case shares: a connection to the shared daemon, and skipping by installed language."""
import functools
import unittest

import service
import wire


@functools.cache
def versions():
    import json
    daemon = service.shared()
    _, _, body = wire.get(daemon.host, daemon.port, "/api/v1/runtimes")
    return {one["id"]: one["version"] for one in json.loads(body)["runtimes"]}


class Case(unittest.TestCase):
    def connect(self, daemon=None, **fields):
        daemon = daemon or service.shared()
        client = wire.Client(daemon.host, daemon.port, **fields)
        self.addCleanup(client.close)
        return client

    def need(self, language):
        if not versions().get(language):
            self.skipTest(f"{language} is not installed on this machine")

    def hears_a_signal(self, client):
        """A program under way gets the client's signal, and ends as it likes."""
        client.send(type="execute_code", language="python", stream=True, id="s",
                    code="import signal, time\nsignal.signal(signal.SIGTERM, lambda *a: (print('told'), exit(0)))\n"
                         "import sys; sys.stdout.write('up\\n')\ntime.sleep(9)")
        client.wait("execution_output", seconds=30 * service.SLOW)
        client.send(type="execution_signal", id="s", signal="SIGTERM")
        self.assertEqual(client.wait("execution_result", seconds=30 * service.SLOW)["result"]["output"], "up\ntold\n")

    def close_code(self, client, seconds=10):
        """The code the server closes with; messages before it are dropped. None: it just closed."""
        client.raw.socket.settimeout(seconds * service.SLOW)
        try:
            while True:
                client.message()
        except wire.Closed as closed:
            return closed.code
        except ConnectionError:
            return None
