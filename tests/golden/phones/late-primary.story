# The primary answers again while the other server makes the phone wait: it becomes the standby, and is asked for a token as
# soon as the phone is registered.
phone 8851
servers A B
at 60 A down
at 60 B answers 503 200
at 70 A up
at 100 B answers 200
until 600
