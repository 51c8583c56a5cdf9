"""A SIP client of a few lines, nothing of ours: datagrams, TCP, TLS; what it sends is what the test says."""
import contextlib
import os
import re
import socket
import ssl
import threading

from conftest import CLIENT, SERVER

SUPPORTED = ('replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,X-cisco-serviceuri,'
             'X-cisco-escapecodes,X-cisco-service-control,X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,'
             'X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1')


def in_uri(host):
    return f'[{host}]' if ':' in host else host


class Message:
    """A message as it came: .start, .all(name), .get(name), .body."""

    def __init__(self, head, body=b''):
        lines = head.decode('utf-8', 'replace').split('\r\n')
        self.start, self.body = lines[0], body.decode('utf-8', 'replace')
        self.headers = [tuple(p.strip() for p in line.split(':', 1)) for line in lines[1:] if ':' in line]

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith('SIP/2.0 ') else 0

    @property
    def method(self):
        return '' if self.status else self.start.split()[0]

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), '')


class Client:
    """One socket: transport is udp, tcp or tls (tls: a PEM of whom to trust, or an SSLContext)."""

    def __init__(self, namespace, transport='udp', port=None, source=CLIENT, tls=None, host=SERVER):
        self.transport, self.address, self.host = transport, host, in_uri(host)
        self.port = port or (5061 if transport == 'tls' else 5060)
        self.bytes, self.branch, self.heard = b'', 0, []
        self.socket = namespace.inside(self.open, source, tls)
        self.socket.settimeout(60)
        self.local = self.socket.getsockname()
        self.at = f'{in_uri(self.local[0])}:{self.local[1]}'

    def open(self, source, tls):
        if self.transport == 'udp':
            s = socket.socket(socket.AF_INET6 if ':' in source else socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((source, 0))
            s.connect((self.address, self.port))
            return s
        s = socket.create_connection((self.address, self.port), 60, (source, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.transport != 'tls':
            return s
        context = tls if isinstance(tls, ssl.SSLContext) else ssl.create_default_context(cafile=str(tls))
        return context.wrap_socket(s, server_hostname=self.host)

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def request(self, method, user='', headers=(), body='', call_id='1@client', cseq=101, to=None, via=None):
        """Its text; Content-Length is added."""
        self.branch += 1
        lines = [f'{method} sip:{self.host} SIP/2.0',
                 via or f'Via: SIP/2.0/{self.transport.upper()} {self.at};branch=z9hG4bK{self.local[1]:x}{self.branch:04x}',
                 f'From: <sip:{user}@{self.host}>;tag=0011', f'To: <sip:{to or user}@{self.host}>',
                 f'Call-ID: {call_id}', 'Max-Forwards: 70', f'CSeq: {cseq} {method}', *headers,
                 f'Content-Length: {len(body)}']
        return '\r\n'.join(lines) + '\r\n\r\n' + body

    def contact(self, user, mac='', model=0, parameters=''):
        uri = f'sip:{user}@{self.at};transport={self.transport}'
        device = ''
        if mac:
            device = (f';+sip.instance="<urn:uuid:00000000-0000-0000-0000-{mac.lower()}>"'
                      f';+u.sip!devicename.ccm.cisco.com="SEP{mac}";+u.sip!model.ccm.cisco.com="{model}"')
        return f'Contact: <{uri}>{device}{parameters}'

    def register(self, user, mac='', model=0, expires=3600, headers=(), parameters='', **more):
        head = [self.contact(user, mac, model, parameters), f'Expires: {expires}', *headers]
        if mac:
            head += ['User-Agent: Cisco-CP7841/12.5.1', f'Supported: {SUPPORTED}']
        self.send(self.request('REGISTER', user, head, **more))

    def hear(self, seconds=60):
        """The next message, or None: nothing in that time, or the end of the connection."""
        self.socket.settimeout(seconds)
        try:
            if self.transport == 'udp':
                head, _, body = self.socket.recv(65536).partition(b'\r\n\r\n')
                return Message(head, body)
            return self.hear_stream()
        except (TimeoutError, ConnectionError, ssl.SSLError):
            return None

    def hear_stream(self):
        while True:
            self.bytes = self.bytes.lstrip(b'\r\n')
            head, end, rest = self.bytes.partition(b'\r\n\r\n')
            length = int((re.search(rb'(?im)^content-length *: *(\d+)', head) or [0, 0])[1])
            if end and len(rest) >= length:
                self.bytes = rest[length:]
                return Message(head, rest[:length])
            more = self.socket.recv(65536)
            if not more:
                return None
            self.bytes += more

    def answer(self, request, status='200 OK'):
        lines = [f'SIP/2.0 {status}', *(f'Via: {v}' for v in request.all('Via')), f'From: {request.get("From")}',
                 f'To: {request.get("To")};tag=77', f'Call-ID: {request.get("Call-ID")}', f'CSeq: {request.get("CSeq")}',
                 'Content-Length: 0']
        self.send('\r\n'.join(lines) + '\r\n\r\n')

    def final(self, seconds=60):
        """The next final response; requests of the server on the way are answered 200 and kept in .heard."""
        while (m := self.hear(seconds)) and m.status < 200:
            if not m.status:
                self.heard.append(m)
                self.answer(m)
        return m

    def await_request(self, method, seconds=60):
        """The next request of this method, answered; one heard before counts."""
        for m in self.heard:
            if m.method == method:
                self.heard.remove(m)
                return m
        while (m := self.hear(seconds)):
            if m.method:
                self.answer(m)
            if m.method == method:
                return m
        return None

    def answer_at_once(self):
        """From now on a thread hears all, into .heard, and answers requests: ahead of what else runs here, as who is asked
        whether he is there has a second and a half."""
        def work():
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            with contextlib.suppress(OSError):  # closed
                while (m := self.hear(120)):
                    self.heard.append(m)
                    if m.method:
                        self.answer(m)
        threading.Thread(target=work, daemon=True).start()

    def close(self):
        self.socket.close()
