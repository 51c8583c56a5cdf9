"""A small SCCP phone, written from the public layouts with struct alone: it shares no code with the program."""
import socket
import struct
import time

REGISTER, KEEPALIVE, IP_PORT, CAPABILITIES_RES = 0x0001, 0x0000, 0x0002, 0x0010
BUTTON_TEMPLATE_REQ, SOFTKEY_TEMPLATE_REQ, SOFTKEY_SET_REQ = 0x000e, 0x0028, 0x0025
CONFIG_STAT_REQ, LINE_STAT_REQ, TIME_DATE_REQ, VERSION_REQ = 0x000c, 0x000b, 0x000d, 0x000f
REGISTER_AVAILABLE_LINES, ALARM, UNREGISTER, TOKEN_REQ = 0x002d, 0x0020, 0x0027, 0x0029
REGISTER_ACK, REGISTER_REJECT, CAPABILITIES_REQ = 0x0081, 0x009d, 0x009b
BUTTON_TEMPLATE, SOFTKEY_TEMPLATE, SOFTKEY_SET, VERSION = 0x0097, 0x0108, 0x0109, 0x0098
CONFIG_STAT, LINE_STAT, LINE_STAT_V2, TIME_DATE = 0x0093, 0x0092, 0x0147, 0x0094
KEEPALIVE_ACK, UNREGISTER_ACK, RESET, TOKEN_ACK, TOKEN_REJECT = 0x0100, 0x0118, 0x009f, 0x011a, 0x011b

# How much of Register a load of that age sends.
REGISTER_SIZE = {0: 40, 3: 52, 6: 52, 11: 68, 17: 124, 22: 172}
FEATURES = {0: b'\0\0\0', 3: b'\0\0\0', 6: b'\0\0\0', 11: b'\0\x70\x85', 17: b'\0\x72\x85', 22: b'\0\x72\x85'}


def text(data):
    return data.split(b'\0')[0].decode('utf-8', 'replace')


class Phone:
    def __init__(self, connection, name, device_type=7, version=6, address='10.98.0.2'):
        self.socket, self.name, self.type, self.version = connection, name, device_type, version
        self.address = socket.inet_aton(address)
        self.rest = b''
        self.negotiated = 0
        self.log = []

    def send(self, message, body=b''):
        body += b'\0' * (-len(body) % 4)
        header = self.negotiated if self.negotiated >= 10 else 0
        self.socket.sendall(struct.pack('<III', len(body) + 4, header, message) + body)

    def receive(self, timeout=60):
        """The next message: (number, body), or None when the server has closed."""
        deadline = time.monotonic() + timeout
        while True:
            if len(self.rest) >= 12:
                length, _, message = struct.unpack_from('<III', self.rest)
                if len(self.rest) >= 8 + length:
                    body, self.rest = self.rest[12:8 + length], self.rest[8 + length:]
                    self.log.append(message)
                    return message, body
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b''
            if not more:
                return None
            self.rest += more

    def wait(self, *wanted, timeout=60):
        """Skips what else comes; (number, body) of the first that is wanted."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.receive(deadline - time.monotonic())
            assert got, f'{self.name}: closed while waiting for {[hex(w) for w in wanted]}'
            if got[0] in wanted:
                return got

    def register_body(self):
        body = struct.pack('<16sII4sIII4s', self.name.encode(), 0, 1, self.address, self.type, 5, 0,
                           bytes([self.version]) + FEATURES[self.version])
        mac = bytes.fromhex(self.name[3:15]) if len(self.name) == 15 else b'\0' * 6
        body += struct.pack('<II12sII16sI32s48s', 0, 0, mac + b'\0' * 6, 0, 2, b'', 0, b'TEST-LOAD', b'')
        return body[:REGISTER_SIZE[self.version]]

    def ask(self):
        """Alarm and Register; the answer: RegisterAck or RegisterReject."""
        alarm = f'Name={self.name} Load=TEST Last=Initialized'.encode()
        self.send(ALARM, struct.pack('<I80sI4s', 2, alarm, 0, self.address))
        self.send(REGISTER, self.register_body())
        if self.version == 0:
            self.send(IP_PORT, struct.pack('<I', 5001))
        message, body = self.wait(REGISTER_ACK, REGISTER_REJECT)
        if message == REGISTER_ACK and len(body) >= 20:
            self.negotiated = body[16]
        return message, body

    def register(self):
        """The whole ladder. What was answered, by number of the message."""
        message, body = self.ask()
        assert message == REGISTER_ACK, text(body)
        answers = {REGISTER_ACK: body}
        if self.version:
            self.send(IP_PORT, struct.pack('<I', 16384))
        message, body = self.receive()
        assert message == CAPABILITIES_REQ, 'CapabilitiesReq follows RegisterAck'
        codecs = [(4, 40), (2, 40), (11, 60)]
        self.send(CAPABILITIES_RES, struct.pack('<I', len(codecs)) +
                  b''.join(struct.pack('<II8s', c, n, b'') for c, n in codecs))
        for question, answer in self.questions():
            self.send(*question)
            message, body = self.wait(*answer)
            answers[message] = body
        self.send(REGISTER_AVAILABLE_LINES, struct.pack('<I', 0))
        return answers

    def questions(self):
        ladder = [((BUTTON_TEMPLATE_REQ,), (BUTTON_TEMPLATE,))]
        if self.version:  # CallManager 2 leaves these without an answer
            ladder += [((SOFTKEY_TEMPLATE_REQ,), (SOFTKEY_TEMPLATE,)), ((SOFTKEY_SET_REQ,), (SOFTKEY_SET,))]
        return ladder + [((LINE_STAT_REQ, struct.pack('<I', 1)), (LINE_STAT, LINE_STAT_V2)),
                         ((TIME_DATE_REQ,), (TIME_DATE,))]

    def line_number(self, answers):
        if LINE_STAT_V2 in answers:
            return text(answers[LINE_STAT_V2][8:])
        return text(answers[LINE_STAT][4:28])

    def closed(self, timeout=60):
        """True when the server closes; what it still says is skipped."""
        while True:
            try:
                if self.receive(timeout) is None:
                    return True
            except (socket.timeout, TimeoutError):
                return False
