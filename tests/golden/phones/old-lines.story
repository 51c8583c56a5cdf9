# A 7961 with an 8.x load registers line by line, and moves with all of them.
phone 7961 load=SIP41.8-5-4S lines=3
servers A B
at 60 A down
at 100 A forgets
until 200
show
