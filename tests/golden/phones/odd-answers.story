# A challenge, an interval too brief, a move to another address.
phone 8841 password=secret
servers A
at 0 A challenges
at 0 A answers 423 7200
at 10 A orders restart
until 20
