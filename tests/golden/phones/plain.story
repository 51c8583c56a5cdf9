# A client of another make: UDP, digest, no standby.
phone 336 password=secret
servers A
at 0 A challenges
until 240
show
