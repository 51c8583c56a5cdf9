# The primary has no room yet: the phone asks again when it is told to.
phone 8851
servers A B C
at 60 A down
at 70 A up
at 100 A tokens 486 20
at 200 A tokens 503
at 240 A tokens 202
at 900 C down
at 1000 B down
at 1010 C up
until 1300
