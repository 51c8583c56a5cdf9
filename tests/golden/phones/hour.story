# An hour of an 8851 with two servers: the primary is restarted, later it falls silent.
phone 8851
servers A B
at 300 A down
at 330 A up
at 1000 A silent
at 1400 A speaks
until 3600
