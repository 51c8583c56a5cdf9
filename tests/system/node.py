"""A running server without phones' ports, and its control socket: what tests of the database need."""
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

DIALTONE = str(pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve())
QUIET = ['sccp.port=0', 'sccp.tls_port=0', 'sip.port=0', 'sip.tls_port=0', 'tftp.port=0', 'files.http_port=0', 'admin.port=0', 'node.name=cm1', 'node.address=10.0.0.1']

PORTS = itertools.count(10000 + 1000 * int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:]))


def free_port():
    """One that nobody has. Not one of those that the kernel gives to whoever connects: between our asking and a server's start
    (or its next start) a connection may have it."""
    for port in PORTS:
        try:
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(('', port))
            return port
        except OSError:
            continue


class Gone(Exception):
    """The server went away before it answered."""


class Control:
    """One conversation on the control socket: a request, its answer."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(str(folder / 'control.sock'))
        self.file = self.socket.makefile('rb')

    def ask(self, noun, verb, name=None, fields=None, options=None, names=None):
        request = {'noun': noun, 'verb': verb, 'fields': fields or {}, 'options': options or {}}
        if name is not None:
            request['name'] = name
        if names is not None:
            request['names'] = names
        try:
            self.socket.sendall(json.dumps(request).encode() + b'\n')
            line = self.file.readline()
        except OSError as error:
            raise Gone() from error
        if not line.endswith(b'\n'):
            raise Gone()
        return json.loads(line)

    def close(self):
        self.file.close()
        self.socket.close()


class Node:
    def __init__(self, folder, *settings):
        self.folder, self.settings = pathlib.Path(folder), settings
        command = [DIALTONE, 'serve', '--data', str(folder)]
        for setting in QUIET + list(settings):
            command += ['--set', setting]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        cwd=self.folder.resolve().parent) # where a command's files may come to lie
        self.said, self.ready = '', threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.ready.wait(120)
        if 'Ready.' not in self.said:
            self.kill()
            raise AssertionError(f'the server did not start:\n{self.said}')

    def again(self):
        """The same one, after its end."""
        self.__init__(self.folder, *self.settings)

    def read(self):
        """All that it says until its end: a pipe that nobody reads would stop it."""
        for line in self.process.stdout:
            self.said += line
            if line.startswith('Ready.'):
                self.ready.set()
        self.ready.set()

    def control(self):
        return Control(self.folder)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.end()

    def stop(self):
        self.process.terminate()
        return self.end()

    def end(self):
        self.process.wait(60)
        self.reader.join()
        self.process.stdout.close()
        return self.process.returncode


def dialtone(folder, *words):
    return subprocess.run([DIALTONE, '--data', str(folder), *map(str, words)], capture_output=True, text=True, timeout=120)


def everything(folder, to):
    """What is stored, read without a server: {noun: {key: record}}."""
    done = dialtone(folder, 'export', to, '--format', 'json', '--force')
    assert done.returncode == 0, done.stderr
    everything = json.loads(pathlib.Path(to).read_text())
    return {noun: {record.get('name') or record.get('number'): record for record in records}
            for noun, records in everything.items() if isinstance(records, list)}
